"""Rules about rows."""

from __future__ import annotations

import re

from .rule import Found, rule
from .upgrade import CONSTRAINTS, View, is_whole, label

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


@rule()
def data_loss(view: View) -> Found:
    """Rows or whole objects go: TRUNCATE, DELETE without WHERE, DROP SCHEMA, CASCADE; or VACUUM FULL and CLUSTER.
    Why: What is gone can't be brought back by a downgrade. VACUUM FULL and CLUSTER lock the table while they copy it.
    Fix: Delete in batches by a condition, outside of migrations; keep a copy. Suppress this with where the copy is.
    Bad: op.execute("TRUNCATE videos")
    Good: op.execute("DELETE FROM videos WHERE id = 7")
    """
    for op in view.existing("truncate", "drop_schema", "drop_database", "drop_owned", "cluster"):
        yield (
            op,
            f"{op.operation.replace('_', ' ').upper()} {op.table or op.name or ''}".rstrip() + ".",
        )
    for op in view.existing("delete"):
        if is_whole(op):
            yield op, f"Every row of {label(op)} is deleted."
    for op in view.existing("drop_partition", "truncate_partition"):
        yield op, f"{label(op)}: {op.operation.replace('_', ' ').upper()} takes its rows."
    for op in view.existing("drop_constraint"):
        if op.kwargs.get("cascade"):
            yield op, f"{label(op)}: CASCADE drops the foreign keys of other tables."
    for op in view.existing("vacuum", *(f"drop_{kind}" for kind in CASCADING)):
        if words := re.findall(r"(?i)\b(?:FULL|CASCADE)\b", op.sql or ""):
            yield op, f"{op.operation.replace('_', ' ').upper()} {words[-1].upper()}."


@rule()
def unbatched_update(view: View) -> Found:
    """A whole existing table is updated at once.
    Why: Every row stays locked until the end, the table doubles in size, and a replica falls behind.
    Fix: Update in batches, each in its own transaction, by a script or a revision of its own, as --explain shows.
    Bad: op.execute("UPDATE videos SET views = 0")
    Good:
        batch = sa.text(
            "UPDATE videos SET views = 0 WHERE id IN"
            " (SELECT id FROM (SELECT id FROM videos WHERE views <> 0 LIMIT 1000) AS batch)"
        )
        if not op.get_context().as_sql:  # with --sql there are no rows to count
            with op.get_context().autocommit_block():
                while op.get_bind().execute(batch).rowcount:
                    pass
    """
    for op in view.existing("update"):
        where = op.kwargs.get("where")
        empty = (
            re.fullmatch(r"(?i)\W*(?:\w+\W{1,3})?(\w+)\W* IS NULL\W*", where)
            if isinstance(where, str)
            else None
        )
        added = [column for other in view.before(op, "add_column") for column in other.columns]
        if is_whole(op) or (empty and empty[1] in added):  # all of a new column is NULL
            yield op, f"Every row of {label(op)} is updated in one statement."


@rule()
def data_with_schema(view: View) -> Found:
    """A backfill and a change of schema stand in one migration.
    Why: The lock of the schema change is held while the rows are written, or a failure leaves half of both.
    Fix: Give the backfill a revision of its own, between the one that adds and the one that tightens.
    Bad:
        op.add_column("videos", sa.Column("slug", sa.String(80)))
        op.execute("UPDATE videos SET slug = lower(title) WHERE id < 1000")
    Good: op.execute("UPDATE videos SET slug = lower(title) WHERE id < 1000")
    """
    copied = (
        op for op in view.existing("bulk_insert") if re.search(r"(?i)\bSELECT\b", op.sql or "")
    )
    filled = [*view.existing("update", "delete", "merge"), *copied]
    tightened = (
        "add_column",
        "alter_column",
        "drop_column",
        "drop_constraint",
        "create_index",
        "drop_index",
    )
    if filled and (changed := next(view.existing(*tightened, *CONSTRAINTS.values()), None)):
        yield (
            filled[0],
            f"Rows of {label(filled[0])} are changed in the migration that changes {label(changed)}.",
        )
