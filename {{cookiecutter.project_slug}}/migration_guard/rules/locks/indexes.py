"""Rules about building and dropping indexes."""

from ...databases import POSTGRESQL
from ...reading.migration import Operation
from ..known_schema import partition_key
from ..rule import Found, rule
from ..upgrade import Upgrade, concurrently, label, names_column, statement


@rule(
    summary="An index is created or dropped on an existing table without CONCURRENTLY.",
    why="""
    CREATE INDEX makes every writer wait until the index is built. DROP INDEX makes readers wait,
    too, behind the slowest query that runs. (PostgreSQL manual: CREATE INDEX, "Building Indexes
    Concurrently".)
    """,
    fix="""
    Move <name> into a revision of its own, inside `with op.get_context().autocommit_block():`, and
    add `postgresql_concurrently=True` to the call (in SQL: CONCURRENTLY).

    partitioned: 1. Create the index of the parent alone, which reads no row: `op.execute("CREATE
    INDEX <name> ON ONLY <table> (<columns>)")`. 2. In the next revision, for each partition: `with
    op.get_context().autocommit_block(): op.execute("CREATE INDEX CONCURRENTLY <name>_<partition>
    ON <partition> (<columns>)")`. 3. In the one after it, for each: `op.execute("ALTER INDEX
    <name> ATTACH PARTITION <name>_<partition>")`. Or, if no partition has many rows: `#
    migration-guard: ignore[blocking-index] <how many rows there are>`

    partitioned, dropped: Drop it without CONCURRENTLY, where the deployment has a lock_timeout and
    tries again: the drop itself is quick. Write above it: `# migration-guard:
    ignore[blocking-index] <why nobody waits long>`

    index=True: Remove `index=True` here, and keep it in the model. Then `alembic revision
    --autogenerate -m "Index <table>"` writes the revision that builds the index CONCURRENTLY.
    """,
    bad='op.create_index("ix_videos_url", "videos", ["url"])',
    good="""
    with op.get_context().autocommit_block():
        op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)
    """,
    databases=POSTGRESQL,
)
def blocking_index(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("create_index", "drop_index", "reindex"):
        if op.kwargs.get("only") or (op.operation == "create_index" and upgrade.is_emptied(op)):
            continue
        what = op.operation.replace("_", " ")
        goes = op.operation == "drop_index" and (
            upgrade.creates(op) or goes_with_table_or_column(upgrade, op)
        )
        if op.operation != "reindex" and not goes and partition_key(upgrade, op):
            case = "partitioned, dropped" if op.operation == "drop_index" else "partitioned"
            message = f"{label(op)}: {what} can't run CONCURRENTLY on a partitioned table"
            yield op, f"{message}; writers to every partition wait.", {"fix": case}
        elif concurrently(op) is False and not goes:
            yield op, f"{label(op)}: {what} without CONCURRENTLY makes writers wait."
    for op, column in upgrade.added_columns():
        if column.index:
            message = f"{label(op)}: index=True builds an index under the lock of ADD COLUMN."
            yield op, message, {"fix": "index=True"}


def goes_with_table_or_column(upgrade: Upgrade, op: Operation) -> bool:
    """Return whether the migration drops the index's table or a column: these have rules."""
    if op.table and (upgrade.earlier(op, "drop_table") or upgrade.later(op, "drop_table")):
        return True
    created = [each for each in upgrade.history(op, "create_index") if each.name == op.name]
    columns = {column for each in created for column in each.columns}
    around = [*upgrade.earlier(op, "drop_column"), *upgrade.later(op, "drop_column")]
    return any(
        column in columns or names_column(op.name, column)
        for each in around
        for column in each.columns
    )


@rule(
    summary="CONCURRENTLY is used outside of autocommit_block().",
    why="PostgreSQL refuses it inside a transaction, and Alembic opens one for each migration.",
    fix="""
    Move it into a revision of its own, inside `with op.get_context().autocommit_block():`.
    """,
    bad='op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)',
    good="""
    with op.get_context().autocommit_block():
        op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)
    """,
    databases=POSTGRESQL,
)
def concurrently_in_transaction(upgrade: Upgrade) -> Found:
    committed = False  # by a COMMIT, as it was done before there was autocommit_block()
    for op in upgrade.operations():
        committed = committed or statement(op).strip(" ;\n").upper() == "COMMIT"
        refresh = op.operation == "refresh_materialized_view"  # can run inside a transaction
        if concurrently(op) is True and not (op.autocommit or committed or refresh):
            yield op, f"{label(op)}: CONCURRENTLY fails inside the migration's transaction."


@rule(
    summary="An index is created CONCURRENTLY and IF NOT EXISTS.",
    why="""
    A build that fails leaves an INVALID index of that name. The next run finds the name and skips
    the build, and no query ever uses the index.
    """,
    fix="""
    Drop the index first, on the line before it, inside the block: `op.drop_index("<name>",
    "<table>", if_exists=True, postgresql_concurrently=True)`
    """,
    bad="""
    with op.get_context().autocommit_block():
        op.create_index("ix_videos_url", "videos", ["url"],
            if_not_exists=True, postgresql_concurrently=True)
    """,
    good="""
    with op.get_context().autocommit_block():
        op.drop_index("ix_videos_url", "videos", if_exists=True, postgresql_concurrently=True)
        op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)
    """,
    databases=POSTGRESQL,
)
def concurrent_if_not_exists(upgrade: Upgrade) -> Found:
    looks = any("indisvalid" in (each.sql or "") for each in upgrade.everything)
    for op in upgrade.operations("create_index"):
        dropped = any(other.name == op.name for other in upgrade.earlier(op, "drop_index"))
        kept = concurrently(op) is True and op.kwargs.get("if_not_exists") is True
        if kept and not (dropped or looks):
            yield op, f"{label(op)}: IF NOT EXISTS keeps the INVALID index of a run that failed."
