"""Rules about a revision as a whole."""

import re

from ..databases import NOT_TRANSACTIONAL
from ..reading.migration import Operation
from .past import renamed
from .rule import Found, rule
from .upgrade import DATA_CHANGES, Upgrade, is_schema, label


@rule(
    summary="A migration imports the application's code.",
    why="""
    The code changes later and the migration must not: one day it fails, or does something else than
    when it was written.
    """,
    fix="""
    Remove the import, and define the columns that the migration needs where it used the model,
    such as `sa.table("videos", sa.column("id"), sa.column("views"))`.
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
    lines: dict[str, list[int]] = {}
    for line, module in sorted(found.items()):
        lines.setdefault(module, []).append(line)
    for module, (first, *others) in lines.items():
        more = f" (it is imported on {len(others)} more lines)" if others else ""
        yield first, f"{module} is the application's code{more}."


@rule(
    summary="The migration reads from the database.",
    why="""
    `alembic upgrade --sql` has no database to read from: it fails, or writes a wrong script.
    """,
    fix="""
    Write it in SQL (INSERT ... SELECT), or put it under `if not context.is_offline_mode():` (`from
    alembic import context`).
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
    summary="upgrade changes something, and downgrade does nothing.",
    why="""
    `alembic downgrade` reports success, and the schema is not the one that the version promises.
    """,
    fix="""
    Write the way back. If there is none, write in the module: `irreversible = "<why>"`. Raising an
    exception silences this rule but fails the roundtrip. A revision that only runs VALIDATE
    CONSTRAINT or only reads needs no downgrade.
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
    works = migration.bodies.get("upgrade") in ("code", "reads")
    empty = migration.bodies.get("downgrade") in (None, "empty")
    read = {(op.line, op.column) for op in upgrade.everything if op.via == "execute"}
    changes = [
        op
        for op in upgrade.everything
        if not is_read(op)
        and not changes_nothing(op)
        and not (op.operation == "execute" and (op.line, op.column) in read)  # its statements count
    ]
    stated = migration.irreversible or (migration.lossy and not any(map(is_schema, changes)))
    # PostgreSQL drops no value of an enum type, and one that nothing uses does no harm
    harmless = all(
        op.operation == "validate_constraint"
        or op.kwargs.get("add_value")
        or op.kwargs.get("validate_constraint")
        for op in changes
    )
    if works and empty and not stated and not harmless:
        line = migration.lines.get("downgrade", migration.lines.get("upgrade", 1))
        yield line, 'downgrade() does nothing, and the module does not set irreversible = "reason".'


def changes_nothing(op: Operation) -> bool:
    """Return whether it is an alter_column() that states only what the column is already."""
    stated = ("existing_", "schema", "autoincrement")
    return (
        op.operation == "alter_column"
        and op.via is None
        and all(name.startswith(stated) for name in op.kwargs)
    )


# Functions that only compute. Others may change something.
COMPUTES = re.compile(
    r"(?i)count|max|min|sum|avg|coalesce|lower|upper|length|exists|in|now|cast|distinct|to_regclass"
    r"|concat|any|all|and|or|not|from|where|select|substring|trim|abs|round|over|on|values|as"
)


def is_read(op: Operation) -> bool:
    """Return whether the operation is a SELECT, or a setting, that changes nothing."""
    if op.operation != "execute":
        return op.operation == "set"
    text = op.sql or (op.args[0] if op.args and isinstance(op.args[0], str) else "")
    text = re.sub(r"'(?:[^']|'')*'|--[^\n]*", "", text).strip()
    if not re.match(r"(?i)\(*\s*(SELECT|SHOW|VALUES|EXPLAIN|PRAGMA\s+\w+\s*$)\b", text):
        return False
    calls = re.findall(r"([\w.]+)\s*\(", text)
    return not re.search(r"(?i)\bINTO\b", text) and all(map(COMPUTES.fullmatch, calls))


@rule(
    summary="""
    Several operations that can't run twice are in one migration, or data and schema.
    """,
    why="""
    On these databases each change of the schema commits by itself. A migration that dies halfway
    fails at its start the next time.
    """,
    fix="""
    Write one operation in a revision. Or add `if_not_exists=True` to each operation that adds, and
    `if_exists=True` to each that drops, where Alembic takes it.
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
    for op in schema:
        # what the migration does on a condition of its own can look whether it is done already
        after = [each for each in schema if runs_after(upgrade, each, op)]
        if not is_repeatable(upgrade, op) and upgrade.any_need(op, after):
            # a server gives what has no name another one each time
            unnamed = op.operation in NAMED_BY_SERVER and op.name is None
            does = "repeats" if unnamed else "stops at"
            message = f"a second run after a failure {does} this {op.operation}"
            yield op, f"{label(op)}: {message}."
            return
    for op in data:
        if any(not each.excludes(op) for each in schema):
            message = "rows are changed beside a schema change that commits by itself"
            yield op, f"{label(op)}: {message}."
            return


NAMED_BY_SERVER = ("create_unique_constraint", "create_foreign_key", "create_check_constraint")


def runs_after(upgrade: Upgrade, op: Operation, other: Operation) -> bool:
    """Return whether an operation can run after another one, and in a statement of its own."""
    one_statement = op.via and (op.sql, op.line) == (other.sql, other.line)
    later = upgrade.at[id(op)] > upgrade.at[id(other)]
    return later and not one_statement and not op.excludes(other)


# What MySQL sets again without complaint.
TABLE_OPTION = re.compile(
    r"(?i)\b(CONVERT\s+TO|(?:ENGINE|ROW_FORMAT|AUTO_INCREMENT|COMMENT|CHARSET|COLLATE)[ =]|FORCE)\b"
)


def is_repeatable(upgrade: Upgrade, op: Operation) -> bool:
    """Return whether the operation can run twice."""
    if op.operation in ("alter_column", "create_table_comment", "drop_table_comment"):
        return renamed(op) is None
    undone = {"create_index": "drop_index", "create_table": "drop_table"}.get(op.operation, "")
    cleared = any(
        other.name == op.name and other.kwargs.get("if_exists")
        for other in upgrade.earlier(op, undone)
    )
    option = op.operation == "alter_table" and TABLE_OPTION.search(op.sql or "")
    replaces = re.match(r"(?i)\s*CREATE\s+OR\s+REPLACE\b", op.sql or "")
    guarded = True in (op.kwargs.get("if_not_exists"), op.kwargs.get("if_exists"))
    return bool(option or cleared or replaces or guarded)
