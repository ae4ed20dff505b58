"""How long a migration waits, for whom, and which failures are worth another attempt."""

from __future__ import annotations

import logging
import math
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.util import CommandError

from ..exceptions import CannotCheck
from ..settings import Limits, read_settings

log = logging.getLogger("alembic.migration_guard")


def read_limits(root: Path) -> Limits:
    """The limits of the project at ``root``; what is deployed may have no pyproject.toml."""
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
    """Tell the server. Committed at once: in an open transaction, Alembic would not begin one for each revision."""
    lock, statement = (
        math.ceil(limits.lock_timeout * 1000),
        math.ceil(limits.statement_timeout * 1000),
    )
    dialect = connection.dialect
    if dialect.name == "postgresql":
        values = {
            "lock_timeout": lock,
            "statement_timeout": statement,
            "application_name": f"alembic {name}",
        }
        if (dialect.server_version_info or (0,)) >= (14,):
            values["client_connection_check_interval"] = (
                500  # what a dead client had begun ends, and frees its locks
            )
        connection.execute(
            sa.select(
                *(sa.func.set_config(key, str(value), False) for key, value in values.items())
            )
        )
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
    connection.commit()


def is_transient(error: Any) -> bool:
    """Whether the same may succeed later: a lock timeout, a deadlock, a serialization failure."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    code = next(iter(getattr(error, "args", ())), None)
    busy = getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    return state in ("55P03", "40P01", "40001") or code in (1205, 1213) or busy


# The sessions in the way, as far as the server lets this user see: on PostgreSQL those that hold a lock on a table that the
# statement names; MySQL and MariaDB tell of no table, but of open transactions.
POSTGRESQL = """SELECT DISTINCT pid, concat_ws(', ', usename, nullif(application_name, ''), state,
    extract(epoch FROM date_trunc('second', now() - xact_start))::int || ' s')
  FROM pg_locks JOIN pg_stat_activity USING (pid) JOIN pg_class ON pg_class.oid = relation
  WHERE granted AND pid <> pg_backend_pid() AND datname = current_database() AND relname = ANY(:words)"""


MYSQL = """SELECT id, concat_ws(', ', user, host, lower(command), concat(timestampdiff(SECOND, trx_started, now()), ' s'))
  FROM information_schema.innodb_trx JOIN information_schema.processlist ON id = trx_mysql_thread_id
  WHERE id <> connection_id() AND db = database()"""


IN_THE_WAY = {"postgresql": POSTGRESQL, "mysql": MYSQL, "mariadb": MYSQL}


def in_the_way(connection: sa.Connection, statement: str) -> str:
    """The sessions for which a statement seems to have waited: number, user, state, age; "" where none is known."""
    if query := IN_THE_WAY.get(connection.dialect.name):
        with suppress(sa.exc.DBAPIError):
            found = connection.execute(sa.text(query), {"words": re.findall(r"\w+", statement)})
            return ", ".join(f"session {number} ({about})" for number, about in found)
    return ""


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
        log.info("%s met a lock or another transaction: trying again for up to %g s", name, seconds)
        time.sleep(random.uniform(0, longest))
        longest = min(longest * 2, 1.2)
        yield time.monotonic() > deadline
