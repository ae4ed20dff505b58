"""Rules about rows."""

import re

from ..reading.migration import words
from .past import table_of
from .rule import Found, rule
from .upgrade import CONSTRAINTS, Upgrade, is_null, is_whole, label, statement

CASCADING = words("type domain extension sequence function procedure view materialized_view")
CASCADE = re.compile(r"(?i)\b(?:FULL(?!\s*(?:FALSE|OFF|0)\b)|CASCADE)\b")


@rule(
    summary="""
    Rows or whole objects are lost: TRUNCATE, DELETE without WHERE, DROP SCHEMA, CASCADE; or a table
    is copied by VACUUM FULL or CLUSTER.
    """,
    why="""
    A downgrade can't bring them back. VACUUM FULL and CLUSTER lock the table while they copy it.
    """,
    fix="""
    Delete in batches, by a condition, outside of migrations. If it has to be here, keep a copy,
    and state where it is: `# migration-guard: ignore[data-loss] <where the copy is>` above the
    statement, and `lossy = "<where the copy is>"` in the module.
    """,
    bad='op.execute("TRUNCATE videos")',
    good='op.execute("DELETE FROM videos WHERE id = 7")',
)
def data_loss(upgrade: Upgrade) -> Found:
    whole = ("truncate", "drop_schema", "drop_database", "drop_owned", "cluster")
    for op in upgrade.on_existing_tables(*whole):
        what = f"{op.operation.replace('_', ' ').upper()} {op.table or op.name or ''}"
        yield op, f"{what.rstrip()}."
    for op in upgrade.on_existing_tables("delete"):
        if is_whole(op):
            yield op, f"Every row of {label(op)} is deleted."
    for op in upgrade.on_existing_tables("drop_partition", "truncate_partition"):
        yield op, f"{label(op)}: {op.operation.replace('_', ' ').upper()} takes its rows."
    for op in upgrade.on_existing_tables("drop_constraint"):
        if op.kwargs.get("cascade"):
            yield op, f"{label(op)}: CASCADE drops the foreign keys of other tables."
    for op in upgrade.on_existing_tables("vacuum", *(f"drop_{kind}" for kind in CASCADING)):
        if found := CASCADE.findall(statement(op)):
            what = f"{op.operation.replace('_', ' ').upper()} {op.table or op.name or ''}"
            yield op, f"{what.rstrip()} {found[-1].upper()}."


# x IS NULL, as SQL or as an expression of SQLAlchemy.
IS_NULL = re.compile(
    r"(?i)\W*(?:\w+\W{1,3})*?(\w+)\W*"
    r"(?: IS NULL| *== *None|\.is_\(\s*(?:None|(?:sa\.)?null\(\))\s*\))\W*"
)


@rule(
    summary="A whole existing table is updated at once.",
    why="""
    Every row stays locked until the end, the table doubles in size, and a replica falls behind.
    """,
    fix="""
    Update <table> in batches, each in its own transaction, by a script or in a revision of its
    own, as `python -m migration_guard --explain unbatched-update` shows. If downgrade() can't
    restore the values: `lossy = "<why nobody needs the old values>"` in the module.
    """,
    bad='op.execute("UPDATE videos SET views = 0")',
    good="""
    batch = sa.text(
        "UPDATE videos SET views = 0 WHERE id IN"
        " (SELECT id FROM (SELECT id FROM videos WHERE views <> 0 LIMIT 1000) AS batch)"
    )
    if not op.get_context().as_sql:  # with --sql there are no rows to count
        with op.get_context().autocommit_block():
            while op.get_bind().execute(batch).rowcount:
                pass
    """,
)
def unbatched_update(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("update"):
        where = op.kwargs.get("where")
        empty = IS_NULL.fullmatch(where) if isinstance(where, str) else None
        # Every row of a new column without a default is NULL.
        added = {
            str(column.name).casefold()
            for other in upgrade.perhaps_earlier(op, "add_column")
            for column in other.definitions
            if is_null(column.server_default)
        }
        if is_whole(op) or (empty and empty[1].casefold() in added):
            yield op, f"Every row of {label(op)} is updated in one statement."


@rule(
    summary="A backfill and a change of the schema are in one migration.",
    why="""
    The lock of the schema change is held while the rows are written, or a failure leaves half of
    both.
    """,
    fix="""
    Move the change of the rows into a revision of its own, `alembic revision -m "Fill <table>"`,
    between the one that adds and the one that tightens. If its downgrade() has nothing to restore:
    `lossy = "<why nobody needs the old values>"` in the module.
    """,
    bad="""
    op.add_column("videos", sa.Column("slug", sa.String(80)))
    op.execute("UPDATE videos SET slug = lower(title) WHERE id < 1000")
    """,
    good='op.execute("UPDATE videos SET slug = lower(title) WHERE id < 1000")',
)
def data_with_schema(upgrade: Upgrade) -> Found:
    filled = [
        op
        for op in upgrade.on_existing_tables("update", "delete", "merge", "bulk_insert")
        if op.operation != "bulk_insert" or re.search(r"(?i)\bSELECT\b", op.sql or "")
    ]
    kinds = words("add_column alter_column drop_column drop_constraint create_index drop_index")
    changes = list(upgrade.on_existing_tables(*kinds, *CONSTRAINTS.values()))
    for data in filled:
        beside = [op for op in changes if not data.excludes(op)]
        of_its_table = [op for op in beside if table_of(op) == table_of(data)]
        for op in (of_its_table or beside)[:1]:
            message = f"Rows of {label(data)} are changed in the migration that changes"
            yield data, f"{message} {label(op)}."
            return
