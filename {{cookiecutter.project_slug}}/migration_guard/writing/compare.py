"""What the server describes differently in the database and in one created from the models."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import ops

from ..deploying import own_tables
from ..running.comparison import compare, plain, simple
from ..running.models import Models as ModelledSchema
from ..running.schema.objects import Column, Difference
from ..running.schema.snapshots import describe
from .blocks import escaped
from .models import Models
from .tables import Operations


class Comparison:
    """The database and one created from the models, as their server describes both."""

    def __init__(self, context: MigrationContext, connection: sa.Connection, root: Path) -> None:
        """Raises CannotCheck if no scratch database can be created."""
        self.schema = schema = ModelledSchema(context.opts["target_metadata"], root, "env.py")
        hidden = own_tables(context.version_table, context.version_table_schema)
        self.migrated = describe(connection, hidden)
        self.models = Models(context, schema.tables, self.migrated)
        schema.create_beside(connection.engine.url, self.migrated)
        self.modelled = schema.objects
        self.differences = []
        self.left_out: set[str] = set()  # the same to the server, or suppressed in the models
        for difference in compare(context, schema, self.migrated):
            if schema.is_suppressed(difference):
                self.left_out.add(simple(difference.name))
            else:
                self.differences.append(difference)
        for name, item in self.modelled.items():
            there = self.migrated[name].properties if name in self.migrated else {}
            for prop, value in item.properties.items():
                if prop in there and plain(there[prop]) == plain(value):
                    self.left_out.add(simple(Difference(name, prop, None, None).name))

    def real(self, operations: Operations) -> Operations:
        """Leave out operations on what the server describes alike, as where it cut a name.

        And those that drop a table which is not described, since an extension owns it.
        """
        tables = {name.lower() for name in self.migrated}
        for operation in operations:
            if isinstance(operation, ops.ModifyTableOps):
                operation.ops = self.real(operation.ops)
            elif isinstance(operation, (ops.DropTableOp, ops.DropIndexOp)):
                if f"table {self.models.full_name(operation)}".lower() not in tables:
                    self.left_out.add(self.models.key(operation) or "")
            elif isinstance(operation, ops.AddColumnOp):
                type_: Any = operation.column.type.copy()
                if getattr(type_, "create_constraint", False):  # an operation of its own adds it
                    type_.create_constraint = False
                    operation.column = operation.column._copy()
                    operation.column.type = type_
        return [
            each
            for each in operations
            if getattr(each, "ops", True)
            and self.models.key(each) not in self.left_out
            # The statements for types come from the two descriptions.
            and not type(each).__module__.startswith("alembic_postgresql_enum")
        ]

    def unseen(self, operations: Operations) -> Iterator[Difference]:
        """Yield the differences that no operation removes; an altered column may still differ."""
        whole = [each for each in operations if not isinstance(each, ops.AlterColumnOp)]
        keys = {self.models.key(each) for each in whole}
        for each in self.differences:
            kind = each.owner.partition(" ")[0]
            seen = kind != "table" or not each.prop or simple(each.name) in keys
            if kind == "sequence" or not seen:
                yield each

    def add_defaults(self, operations: Operations) -> None:
        """Alter the server defaults that differ, some of which Alembic can't compare."""
        altered = altered_columns(flat(operations), self.models)
        for each in self.differences:
            before, after = each.before, each.after
            if not (isinstance(before, Column) and isinstance(after, Column)):
                continue
            schema, _, table = each.owner.partition(" ")[2].rpartition(".")
            name = each.prop.partition(" ")[2]
            alter = ops.AlterColumnOp(table, name, schema=schema or None)
            alter = altered.get(simple(each.name), alter)
            column = self.models.column(alter)
            if column is None or before.default == after.default:
                continue
            default = column.server_default
            if not isinstance(default, sa.DefaultClause) and (default is not None or after.default):
                continue  # a sequence, a formula
            if alter.existing_type is None:
                alter.existing_type, alter.existing_nullable = column.type, not before.not_null
                operations.append(ops.ModifyTableOps(table, [alter], schema=schema or None))
            alter.modify_server_default = default
            old = sa.DefaultClause(sa.text(escaped(before.default)))
            alter.existing_server_default = old if before.default else None


def flat(operations: Operations) -> Operations:
    return [part for each in operations for part in getattr(each, "ops", [each])]


def altered_columns(operations: Operations, models: Models) -> dict[str | None, ops.AlterColumnOp]:
    alters = (each for each in operations if isinstance(each, ops.AlterColumnOp))
    return {models.key(each): each for each in alters}
