"""How long a migration waits, for whom, and which failures are worth another attempt."""

from __future__ import annotations

import logging
import math
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy import event

from ..exceptions import CannotCheck
from ..settings import Limits, read_settings

log = logging.getLogger("alembic.migration_guard")


def read_limits(root: Path) -> Limits:
    """Return the limits of the project at ``root``; what is deployed may have no pyproject.toml."""
    try:
        limits = read_settings(root).lock
    except CannotCheck as error:
        raise CommandError(str(error)) from None
    variables = {field.name: f"MIGRATION_{field.name.upper()}" for field in fields(limits)}
    for name, key in variables.items():
        try:
            limits = replace(limits, **{name: float(os.environ.get(key, getattr(limits, name)))})
        except ValueError as error:
            raise CommandError(f"{key}: {error}: give a number of seconds") from None
    return limits


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
        mariadb = getattr(dialect, "is_mariadb", False)
        timeout = (
            f"max_statement_time = {statement / 1000}"
            if mariadb
            else f"max_execution_time = {statement}"
        )
        connection.exec_driver_sql(
            f"SET SESSION lock_wait_timeout = {math.ceil(lock / 1000)}, {timeout}"
        )
    # In an open transaction, Alembic would not begin one for each revision.
    connection.commit()


def postgresql_limits(version: tuple[Any, ...], lock: int, statement: int) -> dict[str, int]:
    """Return the settings that this version of PostgreSQL has, in its own units."""
    values = {
        "lock_timeout": lock,
        "statement_timeout": statement,
        "idle_in_transaction_session_timeout": 0,  # a migration may compute for long
        "tcp_keepalives_idle": 5,  # a client that went silent is gone after 11 s
        "tcp_keepalives_interval": 2,
        "tcp_keepalives_count": 3,
    }
    if version >= (12,):
        values["tcp_user_timeout"] = 10_000
    if version >= (14,):
        values["idle_session_timeout"] = 0
        # What a client had begun when it died ends, and frees its locks.
        values["client_connection_check_interval"] = 500
    if version >= (17,):
        values["transaction_timeout"] = 0
    return values


def is_transient(error: Any) -> bool:
    """Return whether the same may succeed later: it met a lock, a deadlock, another transaction."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    code = next(iter(getattr(error, "args", ())), None)
    busy = getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    return state in ("55P03", "40P01", "40001") or code in (1205, 1213) or busy


def undo(connection: sa.Connection) -> None:
    """Roll back, also where the server or the driver did so before or failed to commit."""
    with suppress(sa.exc.DBAPIError):  # Galera reports its own rollback as a failure of ours
        connection.rollback()
    if not connection.invalidated and not connection.closed:
        # SQLite keeps the transaction whose COMMIT met a reader.
        with suppress(Exception):
            connection.connection.dbapi_connection.rollback()  # type: ignore[union-attr]


def attempts(
    seconds: float, what: Callable[[], str], stopped: Callable[[], bool]
) -> Iterator[bool]:
    """Sleep between attempts, longer and longer and with full jitter; yield whether it is the last.

    The time counts from the first failure of ``what``, and again from the first one of another.
    """
    yield not seconds
    name, deadline, longest = "", 0.0, 0.0
    while True:
        if what() != name:
            name, deadline, longest = what(), time.monotonic() + seconds, 0.1
        log.info("%s met a lock or another transaction: trying again for up to %g s", name, seconds)
        if not stopped():
            time.sleep(random.uniform(0, longest))
        longest = min(longest * 2, 1.2)
        yield stopped() or time.monotonic() > deadline
