"""Rules about migrations that the guard can't read."""

import re
from dataclasses import replace

from ..reading.migration import Operation
from .rule import Found, rule
from .upgrade import Upgrade, written


@rule(
    summary="""
    The file can't be read as a migration: a syntax error, no upgrade(), or a computed revision
    identifier.
    """,
    why="The check knows nothing about it, and Alembic may not load it either.",
    fix="""
    Write `revision = "<identifier>"` and down_revision as plain strings (`python -c "import uuid;
    print(uuid.uuid4().hex[-12:])"` prints a new identifier), and define upgrade() at the top level
    of the file.

    syntax: Correct the file: Python can't load it either.
    """,
    bad="revision = uuid.uuid4().hex",
    good='revision = "b1"',
)
def unreadable_migration(upgrade: Upgrade) -> Found:
    yield from upgrade.migration.problems


@rule(
    summary="A function has code, and no operation in it could be read.",
    why="""
    No rule can judge what it does, and the report would look clean. The operations are built by
    code of another module, or from values that only exist when the migration runs.
    """,
    fix="""
    Call op in the migration itself. If a helper of another module has to do it, read what it does,
    and write above the function: `# migration-guard: ignore[no-operations-read] <who has read it>`
    """,
    bad="""
    from migration_helpers import add_audit_columns
    def upgrade(): add_audit_columns("videos")
    """,
    good="""
    def upgrade(): op.add_column("videos", sa.Column("changed_by", sa.Integer()))
    """,
)
def no_operations_read(upgrade: Upgrade) -> Found:
    for name in upgrade.migration.unread:
        line = upgrade.migration.lines.get(name, 1)
        yield line, f"{name}() has code, but no operation in it could be read."


# The name of a helper that only reads, or of what a session does without an operation.
ASKS = re.compile(r"(has|is|get|check|verify|inspect)_|\w*exists?$|(close|commit|rollback|flush)$")


@rule(
    summary="""
    The table or the new column of an operation can't be determined without running the migration.
    """,
    why="No rule can judge it. Read it yourself with the rules in mind.",
    fix="""
    Write the names as literals or as constants of this file, or check it yourself and write above
    it: `# migration-guard: ignore[unresolved-operation] <what you have checked>`
    """,
    bad='op.drop_column(os.environ["TABLE"], "url")',
    good='op.add_column("videos", sa.Column("url", sa.String(200)))',
    severity="note",
)
def unresolved_operation(upgrade: Upgrade) -> Found:
    unclear: dict[str, list[Operation]] = {}
    for op in upgrade.operations():
        no_table = not op.certain and op.table is None and not ASKS.match(op.operation)
        if no_table or (op.operation == "add_column" and not op.definitions):
            unclear.setdefault(op.operation, []).append(op)
    for name, ops in unclear.items():
        lines = len({op.line for op in ops})
        places = f" (on {lines} lines)" if lines > 1 else ""
        # A baseline identifies the finding by these texts.
        texts = ", ".join(dict.fromkeys(written(op, upgrade.migration) for op in ops))
        message = f"The target of {name} is only known when the migration runs{places}."
        yield replace(ops[0], name=texts), message
