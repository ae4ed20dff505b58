"""Rules about the transaction of a migration."""

import re
from collections.abc import Iterator

from ...databases import POSTGRESQL, TRANSACTIONAL
from ...reading.migration import Operation
from ..rule import Found, rule
from ..upgrade import DATA_CHANGES, Upgrade, is_schema, label, statement


@rule(
    summary="Other operations are beside an autocommit block.",
    why="""
    The block commits what came before it. If something fails later, half of the migration stays,
    and the next run fails at its start.
    """,
    fix="""
    Move the block, with its line `with op.get_context().autocommit_block():`, into a revision of
    its own.
    """,
    bad="""
    op.add_column("videos", sa.Column("url", sa.String(200)))
    with op.get_context().autocommit_block():
        op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)
    """,
    good="""
    with op.get_context().autocommit_block():
        op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)
    """,
    databases=POSTGRESQL,
)
def autocommit_mixed(upgrade: Upgrade) -> Found:
    inside = [op for op in upgrade.operations() if op.autocommit]
    for op in upgrade.operations():
        if op.autocommit or not (is_schema(op) or op.operation in DATA_CHANGES):
            continue
        if any(
            upgrade.at[id(op)] < upgrade.at[id(each)]
            or each.operation in DATA_CHANGES
            # a block on a condition of its own can look whether it has run
            or (is_schema(each) and upgrade.any_runs_whenever(op, [each]))
            for each in inside
            if not each.excludes(op)
        ):
            yield op, f"{label(op)}: {op.operation} is committed apart from the autocommit block."
            return


ENDS = re.compile(
    r"(?i)\s*(COMMIT|ROLLBACK|ABORT|END|BEGIN|START\s+TRANSACTION)"
    r"(?!\s+(WORK\s+|TRANSACTION\s+)?TO\b)(\s+(WORK|TRANSACTION|AND\s+(NO\s+)?CHAIN))*\s*"
)


@rule(
    summary="The migration begins or ends a transaction itself.",
    why="""
    Alembic runs each migration in one transaction. A COMMIT in the middle keeps half of it if the
    rest fails; a ROLLBACK takes back what came before, and yet the version counts it as run.
    """,
    fix="""
    Remove the statement. If something here can't run inside a transaction, move it into a revision
    of its own, inside: with op.get_context().autocommit_block():
    """,
    bad="""
    op.add_column("videos", sa.Column("url", sa.String(200)))
    op.execute("COMMIT")
    """,
    good='op.add_column("videos", sa.Column("url", sa.String(200)))',
    databases=TRANSACTIONAL,
)
def transaction_control(upgrade: Upgrade) -> Found:
    for op in upgrade.operations("execute"):
        for ends in statements_that_end(op):
            yield op, f"{ends} ends or begins a transaction that belongs to Alembic."


def statements_that_end(op: Operation) -> Iterator[str]:
    """Yield the statements in an operation's text that begin or end a transaction."""
    text = re.sub(r"(?s)\$(\w*)\$.*?\$\1\$|/\*.*?\*/|--[^\n]*", "", statement(op))
    if re.search(r"(?i)\bCREATE\b.*\b(TRIGGER|PROCEDURE|FUNCTION|EVENT)\b", text):
        return  # its body has a BEGIN and an END of its own
    for each in text.split(";"):
        if found := ENDS.fullmatch(each):
            yield " ".join(found[0].upper().split())
