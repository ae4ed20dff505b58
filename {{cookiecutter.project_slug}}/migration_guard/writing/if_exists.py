"""IF [NOT] EXISTS in what autogenerate writes, where DDL commits by itself."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import ops


def write_if_exists(
    context: MigrationContext, revision: Any, directives: list[ops.MigrationScript]
) -> None:
    """Write IF [NOT] EXISTS where DDL commits by itself, so that a failed migration can run again.

    A table that is dropped takes its indexes along: MySQL and MariaDB refuse to drop the index
    of a foreign key before it.
    For ``process_revision_directives`` of env.py.
    """
    if context.impl.transactional_ddl:
        return

    def write(operations: Iterable[ops.MigrateOperation], dropped: Container[object] = ()) -> None:
        for operation in operations:
            match operation:
                case ops.OpContainer():
                    tables = [
                        (op.table_name, op.schema)
                        for op in operation.ops
                        if isinstance(op, ops.DropTableOp)
                    ]
                    if (
                        isinstance(operation, ops.ModifyTableOps)
                        and (operation.table_name, operation.schema) in dropped
                    ):
                        operation.ops = [
                            op for op in operation.ops if not isinstance(op, ops.DropIndexOp)
                        ]
                    write(operation.ops, tables)
                case ops.CreateTableOp() | ops.AddColumnOp() | ops.CreateIndexOp():
                    operation.if_not_exists = True
                case ops.DropTableOp() | ops.DropColumnOp() | ops.DropIndexOp():
                    operation.if_exists = True

    for directive in directives:
        write([*directive.upgrade_ops_list, *directive.downgrade_ops_list])
