"""A pooler between here and PostgreSQL: does the session stay the same?"""

from __future__ import annotations

import threading

import sqlalchemy as sa
from alembic.util import CommandError

TIMEOUT = 10  # seconds
WAYS_OUT = (
    "Connect to the server itself or to a pooler in session mode, or set lease-only = 1"
    " (MIGRATION_LEASE_ONLY=1)"
)


def refuse_shared_session(connection: sa.Connection, session: int) -> None:
    """Raise CommandError where a pooler gives each transaction another session.

    ``session``: the one that answered before. A second connection that holds a transaction either
    gets that very session or, sooner or later, has this one get another.
    """
    answers: list[bool] = []

    def compare() -> None:
        with connection.engine.connect() as other:  # it holds the session that it gets
            taken = session_of(other) == session
            answers.append(taken or session_of(connection) != session)
            connection.rollback()

    for _ in range(3):
        thread = threading.Thread(target=compare, daemon=True)
        thread.start()
        thread.join(TIMEOUT)
        if thread.is_alive():
            raise CommandError(
                f"DATABASE_URL leads to a pooler that gave no second connection within {TIMEOUT} s,"
                f" which is needed to see in which mode it works. Nothing was done. {WAYS_OUT}"
            )
        if answers[-1:] != [False]:
            raise CommandError(
                "DATABASE_URL leads to a pooler in transaction mode, which gives each transaction"
                f" another session: locks and settings would get lost. Nothing was done. {WAYS_OUT}"
            )


def session_of(connection: sa.Connection) -> int:
    """Return the number of the server's session that answers, and leave the transaction open."""
    return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() or 0)
