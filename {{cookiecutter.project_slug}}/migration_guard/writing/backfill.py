"""Values for the rows that have none, in batches."""

from collections.abc import Iterator

from alembic.operations import ops

from .blocks import Block, Lines, autocommit, execute
from .models import Models
from .steps import Phase, Step

BATCH = 1000  # rows that one statement changes
# What a row is known by; MySQL limits the UPDATE.
ROW = {"postgresql": "ctid", "sqlite": "rowid"}


def backfill(operation: ops.AlterColumnOp, models: Models) -> Iterator[Step]:
    """Yield the step that fills a column which becomes NOT NULL, or nothing: a person decides."""
    value, dialect = models.filling(operation), models.dialect.name
    if value is None:
        return
    table = models.quoted(operation)
    column = models.dialect.identifier_preparer.quote(operation.column_name)
    where, row = f"{column} IS NULL LIMIT {BATCH}", ROW.get(dialect)
    if row:
        # Rows of two partitions may have one ctid.
        where = f"{row} IN (SELECT {row} FROM {table} WHERE {where}) AND {column} IS NULL"
    statement = f"UPDATE {table} SET {column} = {value} WHERE {where}"
    batch = Lines(
        f"batch = sa.text({execute(statement).sqltext!r})",
        "# With --sql there are no rows to count.",
    )
    loop: ops.OpContainer = Block("while op.get_bind().execute(batch).rowcount:", [Lines("pass")])
    if dialect != "sqlite":
        loop = autocommit([loop])
    up = [batch, Block("if not op.get_context().as_sql:", [loop])]
    lossy = f"{operation.table_name}.{operation.column_name} is filled in where it was NULL"
    yield Step(Phase.BACKFILL, up, lossy=lossy)
