"""The driver's own connection: its state, and statements that a migration runs past SQLAlchemy."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

Around = Callable[[str], AbstractContextManager[None]]
IN_TRANSACTION, AUTOCOMMIT = 1, 2  # of the status that MySQL sends with each answer
IDLE, IN_ERROR = 0, 3  # of libpq's transaction status


def status(dbapi: Any) -> int | None:
    """Return libpq's transaction status, where the driver has it."""
    info = getattr(dbapi, "info", None)
    return None if info is None else int(info.transaction_status)


def in_transaction(dbapi: Any) -> bool:
    """Return whether a transaction is open; True where the driver does not tell."""
    if (libpq := status(dbapi)) is not None:
        return libpq != IDLE
    if (mysql := getattr(dbapi, "server_status", None)) is not None:
        return bool(mysql & IN_TRANSACTION)
    return bool(getattr(dbapi, "in_transaction", True))


def commits_each(dbapi: Any) -> bool:
    """Return whether the next statement will be committed by itself."""
    if (libpq := status(dbapi)) is not None:
        return bool(dbapi.autocommit) and libpq == IDLE
    if (mysql := getattr(dbapi, "server_status", None)) is not None:
        return bool(mysql & AUTOCOMMIT) and not mysql & IN_TRANSACTION
    if hasattr(dbapi, "in_transaction"):  # SQLite
        return dbapi.isolation_level is None and not dbapi.in_transaction
    return False


def watch(dbapi: Any, around: Around) -> None:
    """Run each statement of the driver's own cursors inside ``around(sql)``."""
    if hasattr(dbapi, "server_status"):  # PyMySQL
        query = dbapi.query

        def watched_query(sql: Any, *arguments: Any, **options: Any) -> Any:
            with around(sql_text(sql, dbapi)):
                return query(sql, *arguments, **options)

        dbapi.query = watched_query
    elif hasattr(dbapi, "around"):  # SQLite, see sqlite_factory()
        dbapi.around = around
    elif hasattr(dbapi, "cursor_factory"):  # psycopg, psycopg2
        base = dbapi.cursor_factory or __import__("psycopg2.extensions").extensions.cursor
        dbapi.cursor_factory = watched(base, lambda _, sql: around(sql_text(sql, dbapi)))


def sql_text(sql: Any, dbapi: Any) -> str:
    """Return the text of a statement in any form that a driver takes."""
    if hasattr(sql, "as_string"):  # psycopg's composed SQL
        sql = sql.as_string(dbapi)
    return sql.decode(errors="replace") if isinstance(sql, bytes) else str(sql)


def watched(base: Any, around: Callable[[Any, Any], AbstractContextManager[None]]) -> Any:
    """Return a subclass of a driver's cursor that runs each statement inside ``around``."""

    def inside(name: str) -> Any:
        def run(self: Any, sql: Any, *arguments: Any, **options: Any) -> Any:
            with around(self, sql):
                return getattr(base, name)(self, sql, *arguments, **options)

        return run

    names = ("execute", "executemany", "executescript", "copy")
    return type("Watched", (base,), {name: inside(name) for name in names if hasattr(base, name)})


def sqlite_factory() -> Any:
    """Return a class for ``sqlite3.connect(factory=...)`` whose cursors can be watched."""
    import sqlite3

    own_cursor = watched(sqlite3.Cursor, lambda self, sql: self.connection.around(str(sql)))

    class Connection(sqlite3.Connection):
        around: Around = staticmethod(lambda sql: nullcontext())

        def cursor(self, factory: Any = own_cursor) -> Any:
            return super().cursor(factory)

    return Connection
