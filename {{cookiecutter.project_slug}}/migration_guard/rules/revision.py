"""Operations -> findings. A rule is a function; its docstring says what it finds, why, the fix, and an example of each.

Only ``upgrade`` is judged where nothing else is said.
"""

from __future__ import annotations

import re

from ..databases import NOT_TRANSACTIONAL
from ..reading.migration import Operation
from .rule import Found, rule
from .upgrade import DATA_CHANGES, Upgrade, is_schema, label, renamed


@rule(
    summary="A migration imports the application's code.",
    why="""
    The code goes on changing and the migration must not: one day it fails, or does
    something else than it did.
    """,
    fix="""
    Define in the migration what it needs: sa.table("videos", sa.column("url")) instead of
    the model.
    """,
    bad="""
    from shop.models import Video
    def upgrade(): op.execute(sa.update(Video).values(views=0).where(Video.id < 9))
    """,
    good="""
    video = sa.table("videos", sa.column("id"), sa.column("views"))
    def upgrade(): op.execute(sa.update(video).values(views=0).where(video.c.id < 9))
    """,
)
def application_import(upgrade: Upgrade) -> Found:
    imports = [
        (module.removeprefix("src."), line) for module, line in reversed(upgrade.migration.imports)
    ]
    found = {line: module for module, line in imports if upgrade.application(module)}
    for line, module in found.items():
        yield line, f"{module} is the application's code."


@rule(
    summary="The migration reads from the database.",
    why="""
    `alembic upgrade --sql` has no database to read from: the script that it writes is
    wrong, or it fails.
    """,
    fix="""
    Say it in SQL (INSERT ... SELECT), or do it only if not context.is_offline_mode() (from
    alembic import context).
    """,
    bad='rows = op.get_bind().execute(sa.text("SELECT id FROM videos")).fetchall()',
    good='op.execute("INSERT INTO tags (video_id) SELECT id FROM videos")',
    severity="warning",
)
def offline_unsafe(upgrade: Upgrade) -> Found:
    first = dict(sorted(upgrade.migration.bind_reads, reverse=True))
    for function, line in first.items():
        yield line, f"{function} reads from the database, which --sql can't do."


@rule(
    summary="upgrade does something, downgrade nothing.",
    why="""
    `alembic downgrade` says that it worked, and the schema is not the one that the version
    says.
    """,
    fix="""
    Write the way back; if there is none, say irreversible = "reason" in the module. To
    raise it says so here, but is a downgrade that fails to the roundtrip. A revision that
    only runs VALIDATE CONSTRAINT needs none.
    """,
    bad="""
    def upgrade(): op.add_column("videos", sa.Column("views", sa.Integer()))
    def downgrade(): pass
    """,
    good="""
    irreversible = "the views are needed by the reports of 2024"
    def upgrade(): op.add_column("videos", sa.Column("views", sa.Integer()))
    def downgrade(): raise NotImplementedError(irreversible)
    """,
)
def empty_downgrade(upgrade: Upgrade) -> Found:
    migration = upgrade.migration
    empty = migration.bodies.get("upgrade") == "code" and migration.bodies.get("downgrade") in (
        None,
        "empty",
    )
    said = migration.irreversible or (
        migration.lossy and not any(map(is_schema, upgrade.everything))
    )
    validates = "validate_constraint" in upgrade.kinds <= {"validate_constraint", "execute", "set"}
    if empty and upgrade.everything and not said and not validates:
        line = migration.lines.get("downgrade", migration.lines.get("upgrade", 1))
        yield line, "There is no way back, and it is not said."


@rule(
    summary="""
    Several operations that can't be run twice stand in one migration, or data and schema.
    """,
    why="""
    Each change of the schema commits by itself. A migration that dies halfway fails at its
    start the next time.
    """,
    fix="""
    One operation in a revision, or if_not_exists=True and if_exists=True on each that takes
    it.
    """,
    bad="""
    op.add_column("videos", sa.Column("views", sa.Integer()))
    op.add_column("videos", sa.Column("likes", sa.Integer()))
    """,
    good="""
    op.add_column("videos", sa.Column("views", sa.Integer()), if_not_exists=True)
    op.add_column("videos", sa.Column("likes", sa.Integer()), if_not_exists=True)
    """,
    databases=NOT_TRANSACTIONAL,
    severity="warning",
)
def not_resumable(upgrade: Upgrade) -> Found:
    schema = [op for op in upgrade.operations() if is_schema(op)]
    data = list(upgrade.operations(*DATA_CHANGES))
    last = schema[
        -1:
    ]  # where it fails, it is not done, and nothing of the statement that it stands in
    others = (
        op
        for op in schema[:-1]
        if not (op.via and (op.sql, op.line) == (last[0].sql, last[0].line))
    )
    once = next((op for op in others if not is_repeatable(upgrade, op)), None)
    if once:
        yield once, f"{label(once)}: a second run after a failure stops at this {once.operation}."
    elif schema and data:
        yield (
            data[0],
            f"{label(data[0])}: rows are changed beside a schema change that commits by itself.",
        )


def is_repeatable(upgrade: Upgrade, op: Operation) -> bool:
    if op.operation in ("alter_column", "create_table_comment", "drop_table_comment"):
        return renamed(op) is None
    undone = {"create_index": "drop_index", "create_table": "drop_table"}.get(op.operation, "")
    cleared = any(
        other.name == op.name and other.kwargs.get("if_exists")
        for other in upgrade.earlier(op, undone)
    )
    replaces = re.match(r"(?i)\s*CREATE\s+OR\s+REPLACE\b", op.sql or "")
    return bool(
        cleared or replaces or True in (op.kwargs.get("if_not_exists"), op.kwargs.get("if_exists"))
    )
