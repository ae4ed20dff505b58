"""Server defaults that Alembic can't compare: an autogenerate plugin that knows which are the same.

A plugin, since Alembic asks a ``compare_server_default`` function about computed columns, too, and
then fails.
"""

import re
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from alembic.runtime.plugins import Plugin
from alembic.util import PriorityDispatchResult
from sqlalchemy import Boolean, Column, DefaultClause, Float, Integer, Numeric

PLUGIN = "migration_guard.server_defaults"


NOW = re.compile(r"(now|current_timestamp|localtimestamp|localtime)(\((?P<digits>\d*)\))?")


# What PostgreSQL itself makes of a default, without a table that stays.
PROBE = "pg_temp.migration_guard_default"
READ = f"SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = '{PROBE}'::regclass"


def setup(plugin: Plugin) -> None:
    """Register the comparison with Alembic."""
    for dialect in ("mysql", "mariadb", "sqlite", "postgresql"):
        plugin.add_autogenerate_comparator(compare, "column", "server_default", qualifier=dialect)


def compare(
    context: Any, operation: Any, schema: Any, table: Any, name: Any, found: Any, wanted: Any
) -> Any:
    """Stop Alembic's own comparison where both defaults mean the same.

    On PostgreSQL it also stops where they differ, and says so: Alembic would ask the server whether
    they are equal, which fails for some types and texts.
    """
    defaults = found.server_default, wanted.server_default
    if not all(isinstance(default, DefaultClause) for default in defaults):
        return PriorityDispatchResult.CONTINUE
    number = isinstance(found.type, (Boolean, Float, Integer, Numeric))
    existing = text_of(found.server_default.arg, context.dialect)
    expected = str(compiler(context.dialect).get_column_default_string(wanted))
    if meaning(existing, number) == meaning(expected, number):
        return PriorityDispatchResult.STOP
    if context.dialect.name != "postgresql":
        return PriorityDispatchResult.CONTINUE
    expected = as_postgresql_writes(context.connection, wanted, expected)
    if meaning(existing, number) != meaning(expected, number):
        operation.existing_server_default = found.server_default
        operation.modify_server_default = wanted.server_default
    return PriorityDispatchResult.STOP


def compiler(dialect: sa.Dialect) -> Any:
    maker: Any = dialect.ddl_compiler
    return maker(dialect, None)


def text_of(default: Any, dialect: sa.Dialect) -> str:
    if isinstance(default, str):
        return default
    return str(default.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def as_postgresql_writes(connection: sa.Connection, column: Column[Any], default: str) -> str:
    """Return the default as the server describes it for the column's type, or unchanged."""
    type_ = compiler(connection.dialect).type_compiler.process(column.type, type_expression=column)
    statement = f"CREATE TABLE {PROBE} (probe {type_} DEFAULT {default})"
    savepoint = connection.begin_nested()
    try:
        connection.exec_driver_sql(statement.replace("%", "%%"))
        return str(connection.exec_driver_sql(READ).scalar())
    except sa.exc.DBAPIError:
        return default
    finally:
        savepoint.rollback()


def meaning(default: str, number: bool) -> object:
    """Return a value that is equal for defaults with the same meaning."""
    text = default.strip()
    while re.fullmatch(r"\([^()]*(\([^()]*\))?[^()]*\)", text):
        text = text[1:-1].strip()
    if number:
        plain = text.strip("'\"").lower()
        try:
            return Decimal({"true": "1", "false": "0"}.get(plain, plain))
        except InvalidOperation:
            return text.lower()
    first, found, rest = text.lower().partition(" on update ")
    if found or NOW.fullmatch(first):
        return tuple(moment(part) for part in (first, rest) if part)
    return text


def moment(text: str) -> str:
    match = NOW.fullmatch(text.strip())
    return f"now({match['digits'] or ''})" if match else text.strip()


with suppress(ValueError):  # the plugin exists already if this module has two names
    setup(Plugin(PLUGIN))
