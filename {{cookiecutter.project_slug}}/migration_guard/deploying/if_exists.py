"""IF [NOT] EXISTS: written by autogenerate where DDL commits by itself.

MySQL lacks it on an index or a column, and SQLite on a column: there the database is asked before
the statement runs.
"""

from typing import Any

import sqlalchemy as sa
from alembic.ddl import mysql, sqlite
from alembic.ddl.base import AddColumn, DropColumn
from sqlalchemy.schema import CreateIndex, DropIndex, ExecutableDDLElement

# The statement with its clause, by which the journal knows that it can be run again.
IF_EXISTS_CLAUSE = "migration_guard_if_exists"


class SQLiteImpl(sqlite.SQLiteImpl):
    """Replaces Alembic's own implementation."""

    __dialect__ = "sqlite"

    def _exec(self, construct: Any, *args: Any, **options: Any) -> Any:
        match construct:
            case AddColumn(if_not_exists=True) | DropColumn(if_exists=True):
                wanted = isinstance(construct, AddColumn)
                setattr(construct, "if_not_exists" if wanted else "if_exists", False)
                if self.connection is not None and not self.as_sql:
                    columns = "SELECT 1 FROM pragma_table_info(?) WHERE lower(name) = lower(?)"
                    names = (construct.table_name, construct.column.name)
                    there = self.connection.exec_driver_sql(columns, names).first() is not None
                    if there is wanted:
                        return None
        return super()._exec(construct, *args, **options)


class MySQLImpl(mysql.MySQLImpl):
    """Replaces Alembic's own implementation for URLs that begin with ``mysql``."""

    __dialect__ = "mysql"

    def _exec(self, construct: Any, *args: Any, **options: Any) -> Any:
        wanted = condition(construct)
        if wanted is None or self.dialect.is_mariadb:  # type: ignore[attr-defined]
            return super()._exec(construct, *args, **options)
        clause = self.written(construct)
        construct.if_exists = construct.if_not_exists = False
        if self.as_sql:
            asked = self.written(wanted).replace(" \n", " ")
            ddl = self.written(sa.literal(self.written(construct)))
            return self.static_output(
                f"SET @ddl = IF({asked}, {ddl}, 'DO 0');\nPREPARE ddl FROM @ddl;\nEXECUTE ddl;"
            )
        assert self.connection is not None
        run = construct if self.connection.scalar(sa.select(wanted)) else sa.text("DO 0")
        return super()._exec(run.execution_options(**{IF_EXISTS_CLAUSE: clause}))

    def written(self, construct: Any) -> str:
        options = {} if isinstance(construct, ExecutableDDLElement) else {"literal_binds": True}
        return str(construct.compile(dialect=self.dialect, compile_kwargs=options)).strip()


def condition(construct: Any) -> sa.ColumnElement[bool] | None:
    """Return the condition of IF [NOT] EXISTS in SQL that every version accepts, or None."""
    match construct:
        case CreateIndex(if_not_exists=True) | DropIndex(if_exists=True):
            table = construct.element.table
            view, place = "statistics", (table.schema, table.name)  # type: ignore[union-attr]
            name: dict[str, Any] = {"index_name": construct.element.name}
        case AddColumn(if_not_exists=True) | DropColumn(if_exists=True):
            view, place = "columns", (construct.schema, construct.table_name)
            name = {"column_name": construct.column.name}
        case _:
            return None
    columns = {"table_schema": place[0] or sa.func.database(), "table_name": place[1], **name}
    found = sa.table(
        view, *(sa.column(key, sa.String) for key in columns), schema="information_schema"
    ).alias("i")
    there = sa.exists().where(*(found.c[key] == value for key, value in columns.items()))
    return there if isinstance(construct, DropIndex | DropColumn) else ~there
