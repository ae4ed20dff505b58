"""Rules about rows."""

from __future__ import annotations

import re

from .rule import Found, rule
from .upgrade import CONSTRAINTS, Upgrade, is_whole, label

CASCADING = (
    "type",
    "domain",
    "extension",
    "sequence",
    "function",
    "procedure",
    "view",
    "materialized_view",
)


@rule(
    summary="""
    Rows or whole objects go: TRUNCATE, DELETE without WHERE, DROP SCHEMA, CASCADE; or
    VACUUM FULL and CLUSTER.
    """,
    why="""
    What is gone can't be brought back by a downgrade. VACUUM FULL and CLUSTER lock the
    table while they copy it.
    """,
    fix="""
    Delete in batches by a condition, outside of migrations; keep a copy. Suppress this with
    where the copy is.
    """,
    bad='op.execute("TRUNCATE videos")',
    good='op.execute("DELETE FROM videos WHERE id = 7")',
)
def data_loss(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables(
        "truncate", "drop_schema", "drop_database", "drop_owned", "cluster"
    ):
        yield (
            op,
            f"{op.operation.replace('_', ' ').upper()} {op.table or op.name or ''}".rstrip() + ".",
        )
    for op in upgrade.on_existing_tables("delete"):
        if is_whole(op):
            yield op, f"Every row of {label(op)} is deleted."
    for op in upgrade.on_existing_tables("drop_partition", "truncate_partition"):
        yield op, f"{label(op)}: {op.operation.replace('_', ' ').upper()} takes its rows."
    for op in upgrade.on_existing_tables("drop_constraint"):
        if op.kwargs.get("cascade"):
            yield op, f"{label(op)}: CASCADE drops the foreign keys of other tables."
    for op in upgrade.on_existing_tables("vacuum", *(f"drop_{kind}" for kind in CASCADING)):
        if words := re.findall(r"(?i)\b(?:FULL|CASCADE)\b", op.sql or ""):
            yield op, f"{op.operation.replace('_', ' ').upper()} {words[-1].upper()}."


@rule(
    summary="A whole existing table is updated at once.",
    why="""
    Every row stays locked until the end, the table doubles in size, and a replica falls
    behind.
    """,
    fix="""
    Update in batches, each in its own transaction, by a script or a revision of its own, as
    --explain shows.
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
        empty = (
            re.fullmatch(r"(?i)\W*(?:\w+\W{1,3})?(\w+)\W* IS NULL\W*", where)
            if isinstance(where, str)
            else None
        )
        added = [column for other in upgrade.earlier(op, "add_column") for column in other.columns]
        if is_whole(op) or (empty and empty[1] in added):  # all of a new column is NULL
            yield op, f"Every row of {label(op)} is updated in one statement."


@rule(
    summary="A backfill and a change of schema stand in one migration.",
    why="""
    The lock of the schema change is held while the rows are written, or a failure leaves
    half of both.
    """,
    fix="""
    Give the backfill a revision of its own, between the one that adds and the one that
    tightens.
    """,
    bad="""
    op.add_column("videos", sa.Column("slug", sa.String(80)))
    op.execute("UPDATE videos SET slug = lower(title) WHERE id < 1000")
    """,
    good='op.execute("UPDATE videos SET slug = lower(title) WHERE id < 1000")',
)
def data_with_schema(upgrade: Upgrade) -> Found:
    copied = (
        op
        for op in upgrade.on_existing_tables("bulk_insert")
        if re.search(r"(?i)\bSELECT\b", op.sql or "")
    )
    filled = [*upgrade.on_existing_tables("update", "delete", "merge"), *copied]
    tightened = (
        "add_column",
        "alter_column",
        "drop_column",
        "drop_constraint",
        "create_index",
        "drop_index",
    )
    if filled and (
        changed := next(upgrade.on_existing_tables(*tightened, *CONSTRAINTS.values()), None)
    ):
        yield (
            filled[0],
            f"Rows of {label(filled[0])} are changed in the migration that changes {label(changed)}.",
        )
