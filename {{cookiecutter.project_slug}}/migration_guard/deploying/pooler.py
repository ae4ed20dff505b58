"""A pooler between here and PostgreSQL: does the session stay the same?"""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from alembic.util import CommandError

TIMEOUT = 10  # seconds
WAYS_OUT = (
    "Nothing was done. Connect to the server itself or to a pooler in session mode, or set"
    " lease-only = 1 (MIGRATION_LEASE_ONLY=1)"
)


def refuse_shared_session(connection: sa.Connection) -> None:
    """Raise CommandError where a pooler gives each transaction another session.

    The server sends a notification also to a client that is idle. It can arrive only where the
    session belongs to that client between its transactions, whatever other clients do meanwhile.
    A second connection that gets the very session ends the wait for it early.
    """
    dbapi: Any = connection.connection.dbapi_connection
    channel = f"migration_guard_{secrets.token_hex(8)}"
    connection.exec_driver_sql(f"LISTEN {channel}")
    session = session_of(connection)
    connection.commit()
    asked, over = threading.Event(), threading.Event()

    def ask() -> None:
        with suppress(sa.exc.DBAPIError), connection.engine.connect() as other:
            other.exec_driver_sql(f"NOTIFY {channel}")
            other.commit()
            asked.set()
            while not over.wait(0.05) and session_of(other) != session:
                other.commit()
            other.exec_driver_sql(f"UNLISTEN {channel}")
            other.commit()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    deadline, own = time.monotonic() + TIMEOUT, False
    while not own and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
        own = channel in notified(dbapi)
    over.set()
    if own:
        thread.join()
        connection.exec_driver_sql(f"UNLISTEN {channel}")
        connection.commit()
    elif asked.is_set():
        raise CommandError(
            "DATABASE_URL leads to a pooler in transaction mode, which gives each transaction"
            f" another session: locks and settings would get lost. {WAYS_OUT}"
        )
    else:
        raise CommandError(
            f"DATABASE_URL leads to a pooler that gave no second connection within {TIMEOUT} s,"
            f" which is needed to see in which mode it works. {WAYS_OUT}"
        )


def session_of(connection: sa.Connection) -> int:
    """Return the number of the server's session that answers, and leave the transaction open."""
    return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() or 0)


def notified(dbapi: Any) -> Iterator[str]:
    """Yield the channels of the notifications that came, without a statement to the server."""
    if libpq := getattr(dbapi, "pgconn", None):  # psycopg
        libpq.consume_input()
        while came := libpq.notifies():
            yield came.relname.decode()
    else:  # psycopg2
        dbapi.poll()
        yield from (came.channel for came in dbapi.notifies)
