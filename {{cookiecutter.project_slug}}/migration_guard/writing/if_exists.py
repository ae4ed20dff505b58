"""IF [NOT] EXISTS in what autogenerate writes, where DDL commits by itself."""

from collections.abc import Collection, Iterable
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import ops

from .models import table_of


def write_if_exists(
    context: MigrationContext, revision: Any, directives: list[ops.MigrationScript]
) -> None:
    """Write IF [NOT] EXISTS where DDL commits by itself, so that a failed migration can run again.

    A table that is dropped takes its indexes along: MySQL and MariaDB refuse to drop the index
    of a foreign key before it.
    For ``process_revision_directives`` of env.py.
    """
    if not context.impl.transactional_ddl:
        for directive in directives:
            write([*directive.upgrade_ops_list, *directive.downgrade_ops_list])


def write(operations: Iterable[ops.MigrateOperation], dropped: Collection[object] = ()) -> None:
    for operation in operations:
        match operation:
            case ops.OpContainer():
                drops = [op for op in operation.ops if isinstance(op, ops.DropTableOp)]
                gone = {*dropped, *map(table_of, drops)}
                with_table = [op for op in operation.ops if table_of(op) in gone]
                indexes = [op for op in with_table if isinstance(op, ops.DropIndexOp)]
                operation.ops = [op for op in operation.ops if op not in indexes]
                write(operation.ops, gone)
            case ops.CreateTableOp() | ops.AddColumnOp() | ops.CreateIndexOp():
                operation.if_not_exists = True
            case ops.DropTableOp() | ops.DropColumnOp() | ops.DropIndexOp():
                operation.if_exists = True
