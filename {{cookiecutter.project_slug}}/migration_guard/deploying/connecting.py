"""The connection that migrates: within a time limit, and with a session that stays the same."""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy import event

from ..error_messages import full_message
from .limits import read_limits

log = logging.getLogger("alembic.migration_guard")
TIMEOUT = 10  # seconds for one attempt, where the URL sets none
# Errors of a server that is starting or unreachable; other errors don't go away by waiting.
STARTING = re.compile(
    r"refused|starting up|shutting down|not yet accepting|recovery mode|timed? ?out|timeout"
    r"|translate host|name resolution|not known|no route|unreachable|reset by peer|broken pipe"
    r"|closed the connection|lost connection|packet sequence|No such file or directory"
    r"|too many (?:clients|conn)",
    re.IGNORECASE,
)


@contextmanager
def connect(engine: sa.Engine, root: Path, wait: bool = True) -> Iterator[sa.Connection]:
    """Yield a connection of ``engine``. Raises CommandError if it can't connect.

    With ``wait``, a server that is still starting gets ``connect-wait`` seconds.
    """
    event.listen(engine, "do_connect", within_time)
    limit = read_limits(root).connect_wait if wait else 0
    deadline, reported = time.monotonic() + limit, False
    address = engine.url.set(query={}).render_as_string()
    while True:
        try:
            if reported:
                time.sleep(0.5)
            connection = engine.connect()
            break
        # RuntimeError and UnicodeError: a password that PyMySQL can't encrypt or encode
        except (sa.exc.DBAPIError, RuntimeError, UnicodeError) as error:
            text = full_message(error)
            if not STARTING.search(text) or time.monotonic() >= deadline:
                from ..no_connection import why_no_connection

                why = why_no_connection(error)
                raise CommandError(f"No connection to {address}: {why}") from error
            if not reported:
                log.info("No connection to %s: %s; trying for %g s", address, text, limit)
                reported = True
        except KeyboardInterrupt:
            raise CommandError("stopped before anything was done") from None
    with connection:
        try:
            yield connection
        except sa.exc.DBAPIError as error:
            raise CommandError(with_grant(full_message(error), error, engine)) from error


def within_time(dialect: Any, _: Any, arguments: Any, options: dict[str, Any]) -> Any:
    """Connect, with a time limit where the driver has none."""
    if dialect.name == "sqlite":
        from .driver import sqlite_factory

        options.setdefault("factory", sqlite_factory())
    elif dialect.driver in ("psycopg", "psycopg2"):
        options.setdefault("connect_timeout", TIMEOUT)
    elif dialect.driver == "pymysql" and "read_timeout" not in options:
        # Its connect_timeout does not cover a server that accepts a connection and never answers.
        connection = dialect.connect(*arguments, **options, read_timeout=TIMEOUT)
        connection._read_timeout = None
        return connection
    return None


def with_grant(message: str, error: Any, engine: sa.Engine) -> str:
    """Return the message with the statement that grants a missing privilege, if there is one."""
    from .grants import grant_for

    grant = grant_for(str(getattr(error, "orig", error)), engine)
    return f"{message}; have an administrator run: {grant}" if grant else message


def refuse_pooler(connection: sa.Connection) -> None:
    """Raise CommandError behind a pooler that gives each transaction another session."""
    info = getattr(connection.connection.dbapi_connection, "info", None)
    if connection.dialect.name != "postgresql" or not getattr(info, "backend_pid", 0):
        return
    assert info is not None
    session = int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() or 0)
    connection.rollback()
    if session == info.backend_pid:  # behind a pooler the two numbers differ
        return
    from .pooler import refuse_shared_session

    refuse_shared_session(connection)
