"""What the models and the database have for the objects that operations name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import ops
from sqlalchemy import make_url

from ..running.schema.objects import SchemaObject
from .dialects import families

Tables = Mapping[str, sa.Table]
Objects = Mapping[str, SchemaObject]


class Models:
    """The models of the project, for the database that autogenerate compares them with."""

    def __init__(self, context: MigrationContext, tables: Tables, migrated: Objects) -> None:
        """``tables`` are by their names in lower case, without the default schema.

        ``migrated``: what the database has.
        """
        self.tables, self.migrated, self.dialect = tables, migrated, context.dialect
        self.default_schema = context.dialect.default_schema_name

    def on(self, family: str) -> Models:
        """Return the same for another database."""
        if family == families([self.dialect.name])[0]:
            return self
        other = copy(self)
        other.dialect = make_url(f"{family}://").get_dialect()()
        return other

    def column(self, operation: ops.AlterColumnOp) -> sa.Column[object] | None:
        table = self.tables.get(self.full_name(operation).lower())
        columns = table.columns if table is not None else ()
        return next((each for each in columns if each.name == operation.column_name), None)

    def full_name(self, operation: ops.MigrateOperation) -> str:
        schema, name = table_of(operation)
        return f"{schema}.{name}" if schema and schema != self.default_schema else name

    def key(self, operation: ops.MigrateOperation) -> str | None:
        """Return the object that an operation changes, as `simple` names it, or None."""
        table = self.full_name(operation)
        part: str | None
        match operation:
            case ops.CreateTableOp() | ops.DropTableOp():
                return f"table {table}".lower()
            case ops.AddColumnOp():
                part = operation.column.name
            case ops.DropColumnOp() | ops.AlterColumnOp():
                part = operation.column_name
            case ops.CreateIndexOp() | ops.DropIndexOp():
                part = self.short(operation.index_name)
            case ops.AddConstraintOp() | ops.DropConstraintOp():
                part = self.short(getattr(operation, "constraint_name", None))
            case _:
                return None
        return f"{table}.{part}".lower() if part else None

    def shorter_indexes(self, operation: ops.MigrateOperation) -> Iterator[ops.CreateIndexOp]:
        """Yield the indexes of old foreign keys whose place a new or dropped index has or takes.

        MySQL and MariaDB drop the index that they made for a key when there is a longer one, and
        refuse to drop that one, because the key needs an index.
        """
        wider = operation.reverse() if isinstance(operation, ops.DropIndexOp) else operation
        table = self.tables.get(self.full_name(operation).lower())
        if table is None or not isinstance(
            wider, (ops.CreateIndexOp, ops.CreateUniqueConstraintOp)
        ):
            return
        columns = [getattr(each, "name", each) for each in wider.columns]
        old = self.migrated.get(f"table {self.full_name(operation)}")
        for key in table.foreign_key_constraints:
            name, mine = self.short(key.name), list(key.column_keys)
            if old and f"constraint {name}" in old.properties and columns[: len(mine)] == mine:
                yield ops.CreateIndexOp(name, table.name, mine, schema=table.schema)

    def short(self, name: Any) -> str | None:
        """Return a name as the database has it: SQLAlchemy cuts a long one of a convention."""
        if not isinstance(name, str):
            return None
        preparer = self.dialect.identifier_preparer
        limit = self.dialect.max_identifier_length
        if len(name) <= limit:
            return name
        label = sa.sql.elements.conv(name)
        return preparer._truncate_and_render_maxlen_name(label, limit, False).strip('"`')

    def filling(self, operation: ops.AlterColumnOp) -> str | None:
        """SQL for the value of rows without one: the model's server default or scalar default."""
        column = self.column(operation)
        if column is None:
            return None
        plain: Any = plain_dialect(self.dialect)
        if column.server_default is not None:
            text: str = plain.ddl_compiler(plain, None).get_column_default_string(column)
            return text
        if not isinstance(column.default, sa.ColumnDefault) or not column.default.is_scalar:
            return None
        value = sa.literal(column.default.arg, column.type)
        return str(value.compile(dialect=plain, compile_kwargs={"literal_binds": True}))

    def quoted(self, operation: ops.MigrateOperation) -> str:
        """Return the table that an operation changes, as SQL has it."""
        quote = self.dialect.identifier_preparer.quote
        return ".".join(quote(part) for part in table_of(operation) if part)


def plain_dialect(dialect: sa.Dialect) -> sa.Dialect:
    """Return the same dialect for texts that no driver reads: a driver reads %% as %."""
    plain = copy(dialect)
    plain.paramstyle, plain.positional = "named", False
    plain.identifier_preparer = type(dialect.identifier_preparer)(plain)
    return plain


def table_of(operation: ops.MigrateOperation) -> tuple[str | None, str]:
    """Return the schema and the name of the table that an operation changes."""
    if isinstance(operation, ops.CreateForeignKeyOp):
        return operation.kw.get("source_schema"), operation.source_table
    return getattr(operation, "schema", None), getattr(operation, "table_name", "")
