"""How long a migration waits, for whom, and which failures are worth another attempt."""

import logging
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

from ..exceptions import CannotCheck
from ..pyproject import Limits, read_pyproject

log = logging.getLogger("alembic.migration_guard")


def read_limits(root: Path) -> Limits:
    """Return the limits of the project at ``root``; what is deployed may have no pyproject.toml."""
    try:
        limits: Limits = read_pyproject(root)["migration-guard"]["lock"]
    except CannotCheck as error:
        raise CommandError(str(error)) from None
    for name in [field.name for field in fields(limits)]:
        key = f"MIGRATION_{name.upper()}"
        try:
            limits = replace(limits, **{name: float(os.environ.get(key, getattr(limits, name)))})
        except ValueError as error:
            raise CommandError(f"{key}: {error}: give a number of seconds") from None
    return limits


def is_transient(error: Any) -> bool:
    """Return whether another attempt may succeed: after a lock, a deadlock or a conflict."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    code = next(iter(getattr(error, "args", ())), None)
    busy = getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    return state in ("55P03", "40P01", "40001") or code in (1205, 1213) or busy


def undo(connection: sa.Connection) -> None:
    """Roll back, also if the server or the driver did so before or failed to commit."""
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
