"""The settings of a server's session while it migrates."""

import math
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from ..pyproject import Limits


def set_limits(connection: sa.Connection, limits: Limits, name: str) -> None:
    """Set on the session how long it waits, and how soon the server notices that it is gone.

    With ``lease-only`` on PostgreSQL the limits are set in each transaction instead: behind a
    pooler the session belongs to others, too.
    """
    lock = math.ceil(limits.lock_timeout * 1000)
    statement = math.ceil(limits.statement_timeout * 1000)
    dialect = connection.dialect
    if dialect.name == "postgresql":
        version = dialect.server_version_info or (0,)
        values: dict[str, Any] = postgresql_limits(version, lock, statement)
        values["application_name"] = f"alembic {name}"

        def apply(connection: sa.Connection, local: bool = True) -> None:
            calls = (sa.func.set_config(key, str(value), local) for key, value in values.items())
            connection.execute(sa.select(*calls))

        if limits.lease_only:
            dbapi: Any = connection.connection.dbapi_connection
            if hasattr(dbapi, "prepare_threshold"):
                dbapi.prepare_threshold = None
            event.listen(connection, "begin", apply)
        else:
            apply(connection, local=False)
    elif dialect.name in ("mysql", "mariadb"):
        timeout = f"max_execution_time = {statement}"
        if getattr(dialect, "is_mariadb", False):
            timeout = f"max_statement_time = {statement / 1000}"
        lock = math.ceil(lock / 1000)
        connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {lock}, {timeout}")
    # In an open transaction, Alembic would not begin one for each revision.
    connection.commit()


def postgresql_limits(version: tuple[Any, ...], lock: int, statement: int) -> dict[str, int]:
    """Return the settings that this version of PostgreSQL has, in its own units."""
    values = {
        "lock_timeout": lock,
        "statement_timeout": statement,
        "idle_in_transaction_session_timeout": 0,  # a migration may compute for long
        "tcp_keepalives_idle": 5,  # the session of a silent client ends after 11 s
        "tcp_keepalives_interval": 2,
        "tcp_keepalives_count": 3,
    }
    if version >= (12,):
        values["tcp_user_timeout"] = 10_000
    if version >= (14,):
        values["idle_session_timeout"] = 0
        # The statement of a client that died ends, and its locks are free.
        values["client_connection_check_interval"] = 500
    if version >= (17,):
        values["transaction_timeout"] = 0
    return values
