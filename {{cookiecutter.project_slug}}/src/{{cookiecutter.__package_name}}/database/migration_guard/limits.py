"""How long a migration waits for what, and which failures are worth another attempt."""

from __future__ import annotations

import logging
import math
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.util import CommandError

log = logging.getLogger("alembic.migration_guard")


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds. ``lock-timeout`` in ``[tool.migration-guard.lock]`` is ``MIGRATION_LOCK_TIMEOUT`` in the environment."""

    wait: float = 600  # for another migrator
    lock_timeout: float = 0.2  # for a lock on a table: whoever wants the table next waits as long
    retry: float = 300  # to go on trying after that
    statement_timeout: float = 0  # for one statement; 0: none
    lease: float = 15  # where a row is the lock: how long after its holder died it is free
    lease_only: float = 0  # 1: take a row though the database looks like one server


def read_limits(root: Path) -> Limits:
    """The limits of the project at ``root``; what is deployed may have no pyproject.toml."""
    from .findings import CannotCheck
    from .settings import read_settings

    try:
        said = {key.replace("-", "_"): value for key, value in read_settings(root).lock.items()}
    except CannotCheck as error:
        raise CommandError(str(error)) from None
    names = [field.name for field in fields(Limits)]
    said |= {name: os.environ[key] for name in names if (key := f"MIGRATION_{name.upper()}") in os.environ}
    try:
        limits = Limits(**{name: float(value) for name, value in said.items()})
    except ValueError as error:
        raise CommandError(f"{', '.join(f'MIGRATION_{name.upper()}' for name in names)}: {error}") from None
    return limits


def set_limits(connection: sa.Connection, limits: Limits, name: str) -> None:
    """Tell the server. Committed at once: in an open transaction, Alembic would not begin one for each revision."""
    lock, statement = math.ceil(limits.lock_timeout * 1000), math.ceil(limits.statement_timeout * 1000)
    dialect = connection.dialect
    if dialect.name == "postgresql":
        values = {"lock_timeout": lock, "statement_timeout": statement, "application_name": f"alembic {name}"}
        if (dialect.server_version_info or (0,)) >= (14,):
            values["client_connection_check_interval"] = 500  # what a dead client had begun ends, and frees its locks
        connection.execute(sa.select(*(sa.func.set_config(key, str(value), False) for key, value in values.items())))
    elif dialect.name in ("mysql", "mariadb"):
        mariadb = getattr(dialect, "is_mariadb", False)
        timeout = f"max_statement_time = {statement / 1000}" if mariadb else f"max_execution_time = {statement}"
        connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {math.ceil(lock / 1000)}, {timeout}")
    connection.commit()


def is_transient(error: Any) -> bool:
    """Whether the same may succeed later: a lock timeout, a deadlock, a serialization failure."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    code = next(iter(getattr(error, "args", ())), None)
    busy = getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    return state in ("55P03", "40P01", "40001") or code in (1205, 1213) or busy


def undo(connection: sa.Connection) -> None:
    """Roll back, and don't mind if the server was quicker: Galera reports its own rollback as a failure of ours."""
    with suppress(sa.exc.DBAPIError):
        connection.rollback()


def attempts(seconds: float, what: Callable[[], str]) -> Iterator[bool]:
    """Sleep between attempts, longer and longer and with full jitter; True is the last one.

    The time counts from the first failure of ``what``, and anew when that is another.
    """
    yield not seconds
    name, deadline, longest = "", 0.0, 0.0
    while True:
        if what() != name:
            name, deadline, longest = what(), time.monotonic() + seconds, 0.1
        log.info("%s met a lock or another transaction: trying again", name)
        time.sleep(random.uniform(0, longest))
        longest = min(longest * 2, 1.2)
        yield time.monotonic() > deadline
