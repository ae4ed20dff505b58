"""The plan of a deployment: what `alembic upgrade head` would run on the configured database, which is only read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable

from ..databases import DATABASES
from ..deploying.applied import TABLE, look_back
from ..deploying.limits import read_limits
from ..deploying.lock import Lease, lock_for
from ..error_messages import one_line
from ..exceptions import CannotCheck
from ..finding import Finding
from ..reading.migration import Migration
from ..rules.upgrade import label, table_of
from ..running.scratch import load_dialect
from ..running.stepping import read_scripts, render_pending
from ..settings import Settings
from .table_locks import ONE_SERVER, TableLock, locks_of


@dataclass(frozen=True, slots=True)
class Planned:
    """An operation of a pending revision. ``locks`` are those on what was there before; None: they are not known."""

    operation: str
    about: str
    line: int
    locks: list[TableLock] | None


@dataclass(frozen=True, slots=True)
class Revision:
    """A pending revision. ``sql`` is None where it can't be printed without a database.

    ``problem`` says why, or that it may be less than what runs.
    """

    revision: str
    message: str
    path: str
    sql: str | None
    problem: str | None
    operations: list[Planned]
    findings: list[Finding]
    suppressed: list[Finding]


@dataclass(frozen=True, slots=True)
class Plan:
    database: str  # its URL, without the password
    current: tuple[str, ...]
    first: str | None  # what the lock and the journal make before them
    revisions: list[Revision]

    @property
    def summary(self) -> str:
        number = len(self.revisions)
        todo = f"{number} revision{'s' * (number != 1)} to run" if number else "nothing to run"
        return f"now at {' and '.join(self.current) or 'base'}: {todo}."


Judge = Callable[[Path, tuple[str, ...]], tuple[Migration, list[Finding], list[Finding]]]


def make_plan(config: Config, settings: Settings, judge: Judge) -> Plan:
    """What is pending on the database that env.py is configured for.

    ``judge`` reads a migration for some of them: what it does, its findings, and those of them that are suppressed.
    """
    scripts, databases = read_scripts(config), settings.databases
    seen: list[tuple[URL, tuple[str, ...], list[sa.Table]]] = []

    def heads_of(url: URL, options: dict[str, Any]) -> tuple[str, ...]:
        seen.append((url, *current(url, scripts, options, settings.root)))
        return seen[-1][1]

    pending = render_pending(config, scripts, heads_of)
    url, heads, tables = seen[-1]
    env = Path(scripts.env_py_location).read_text(encoding="utf-8")
    if not pending or "migration_guard.deploying" not in env:
        tables = []
    made = [
        str(CreateTable(table).compile(dialect=load_dialect(url)())).strip() + ";"
        for table in tables
    ]
    first = "\n\n".join(made) or None
    dialect = url.get_backend_name()
    here = tuple(name for name in databases if dialect in DATABASES[name])
    here = here or tuple(name for name in DATABASES if name == dialect) or databases
    revisions = []
    for script, sql, problem in pending:
        migration, findings, suppressed = judge(Path(script.path), here)
        operations = list(planned(migration, dialect, sure=ONE_SERVER.issuperset(here)))
        if problem and (
            reads := [
                line for function, line in migration.bind_reads if function.startswith("upgrade")
            ]
        ):
            where = f"{migration.path}:{min(reads)}"
            problem = (
                f"this revision reads the database ({where}): it can't be shown before it runs"
            )
        elif problem is None and re.search(r"\b(is_offline_mode|as_sql)\b", migration.source):
            problem = (
                f"{migration.path} asks for offline mode: on a database it may run more than this"
            )
        about = script.revision, script.doc, migration.path
        revisions.append(Revision(*about, sql, problem, operations, findings, suppressed))
    return Plan(url.set(query={}).render_as_string(), heads, first, revisions)


def current(
    url: URL, scripts: ScriptDirectory, options: dict[str, Any], root: Path
) -> tuple[tuple[str, ...], list[sa.Table]]:
    """The revisions that the database is at, and the tables that a lock or the journal has yet to make.

    Read in a transaction that can't write.

    ``options`` are those that env.py gives to context.configure(). Raises what would stop an upgrade.
    """
    load_dialect(url)
    sqlite = url.get_backend_name() == "sqlite"
    file = url.database or ""
    if sqlite and file.startswith("file:"):
        url = url.update_query_dict({"mode": "ro"})
    elif sqlite:
        if not Path(file).parent.is_dir():
            raise CannotCheck(
                f"{Path(file).parent}: no such folder: make it, or mend DATABASE_URL."
            )
        if not Path(file).is_file():
            return (), [TABLE]
        url = url.set(
            database=f"file:{quote(str(Path(file).absolute()))}",
            query={"mode": "ro", "uri": "true"},
        )
    table = {
        name: options[name] for name in ("version_table", "version_table_schema") if name in options
    }
    try:
        with sa.create_engine(url, poolclass=NullPool).connect() as connection:
            if not sqlite:
                connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            heads = MigrationContext.configure(connection, opts=table).get_current_heads()
            scripts.get_revisions(heads)  # raises if the code has not all of them
            look_back(connection, scripts)
            lock = None if sqlite else lock_for(connection, read_limits(root))
            tables = [lock.table, TABLE] if isinstance(lock, Lease) else [TABLE]
            return heads, [
                table for table in tables if not sa.inspect(connection).has_table(table.name)
            ]
    except sa.exc.DBAPIError as error:
        offline = isinstance(error, sa.exc.OperationalError)
        remedy = "; start the server, create the database, or mend DATABASE_URL" if offline else ""
        raise CannotCheck(
            f"{url.set(query={}).render_as_string()} can't be read: {one_line(error)}{remedy}."
        ) from None


def planned(migration: Migration, dialect: str, sure: bool) -> Iterator[Planned]:
    """The operations of ``upgrade`` on this database. SQL text stands for itself only where nothing was read from it."""
    ops = [op for op in migration.operations if op.function.startswith("upgrade")]
    new: set[str] = set()
    for op, following in zip_longest(ops, ops[1:]):
        read = op.operation == "execute" and following is not None and following.via == "execute"
        if read or (op.dialects is not None and dialect not in op.dialects):
            continue
        about = (
            label(op) if op.operation != "execute" or not op.sql else " ".join(op.sql.split())[:80]
        )
        yield Planned(op.operation, about, op.line, locks_of(op, dialect, new) if sure else None)
        new |= (
            {table_of(op)}
            if op.operation.startswith("create_table") and "comment" not in op.operation
            else set()
        )
