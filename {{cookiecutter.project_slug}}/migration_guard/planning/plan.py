"""The plan of a deployment: what `alembic upgrade head` would do to the configured database."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import URL
from sqlalchemy.schema import CreateTable

from ..databases import DATABASES
from ..deploying.applied import TABLE, look_back
from ..deploying.limits import read_limits
from ..deploying.lock import Lease, lock_for
from ..error_messages import one_line
from ..exceptions import CannotCheck
from ..finding import Finding
from ..reading.migration import Migration, Operation
from ..rules.rule import Rule
from ..rules.upgrade import label, table_of
from ..running.scratch import find_url, load_dialect
from ..running.stepping import read_scripts, render_pending
from ..settings import Settings
from .connecting import read_only, shown
from .live_schema import (
    LiveSchema,
    compare,
    drift_findings,
    expected_schema,
    live_schema,
    server_for,
    validity_findings,
)
from .probing import Prober
from .sizes import Size, sizes_of
from .table_locks import ONE_SERVER, TableLock, locks_of


@dataclass(frozen=True, slots=True)
class Planned:
    """An operation of a pending revision. ``locks`` are on existing tables; None: unknown."""

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


@dataclass(slots=True)
class Plan:
    """What would run, and how the database and its rows compare with what the migrations expect."""

    database: str  # its URL, without the password
    current: tuple[str, ...]
    first: str | None  # the tables that the lock and the journal create before the revisions
    revisions: list[Revision] = field(default_factory=list)
    compared: bool = False  # its schema with what its revision should be
    probed: bool = False
    findings: list[Finding] = field(default_factory=list)  # of the database itself
    not_checked: list[str] = field(
        default_factory=list
    )  # what was asked for, and why it was not done

    @property
    def summary(self) -> str:
        number = len(self.revisions)
        pending = "nothing to run"
        if number:
            pending = f"{number} revision to run" if number == 1 else f"{number} revisions to run"
        return f"now at {' and '.join(self.current) or 'base'}: {pending}."

    @property
    def schema(self) -> str:
        """How its schema compares; never the words of a clean one where it was not compared."""
        at = " and ".join(self.current) or "base"
        if not self.compared:
            return "Its schema was not compared with what its revision should be."
        drifted = sum(each.rule == "database-drift" for each in self.findings)
        if drifted:
            places = "1 place" if drifted == 1 else f"{drifted} places"
            return f"Its schema differs from revision {at} in {places}."
        return f"Its schema is what revision {at} should be."


@dataclass(frozen=True, slots=True)
class Configured:
    """What env.py configures: the database, its revisions, and the tables to create first."""

    url: URL
    heads: tuple[str, ...]
    tables: list[sa.Table]
    version_table: str


Also = Callable[[Migration], list[Finding]]
Judged = tuple[Migration, list[Finding], list[Finding]]
Judge = Callable[[Path, tuple[str, ...], Also], Judged]

LIVE = frozenset({"database-drift", "invalid-index", "not-validated"})


def make_plan(
    config: Config,
    settings: Settings,
    judge: Judge,
    rules: Mapping[str, Rule],
    server: str | None = None,
    probe: bool = False,
) -> Plan:
    """Plan what is pending on the database that env.py is configured for. Raises CannotCheck.

    ``judge`` takes a migration's file, the databases and a function that adds findings, and returns
    what the migration does, its findings, and the suppressed ones. ``rules`` are the selected ones,
    ``server`` is the address of a server for a scratch database; ``probe``: do the rows fit?
    """
    scripts = read_scripts(config)
    seen: list[Configured] = []

    def heads_of(url: URL, options: dict[str, Any]) -> tuple[str, ...]:
        seen.append(current(url, scripts, options, settings.root))
        return seen[-1].heads

    pending = render_pending(config, scripts, heads_of)
    there = seen[-1]
    plan = Plan(shown(there.url), there.heads, first_tables(there, scripts, bool(pending)))
    with read_only(there.url) as connection:
        live, sizes = describe_live(connection, there, plan)
        prober = None
        if probe and "rows-do-not-fit" in rules and connection is not None and live is not None:
            prober = Prober(connection, live.tables, rules["rows-do-not-fit"])
            plan.probed = True
        to_come: set[tuple[str, str]] = set()
        new: set[str] = set()
        dialect = there.url.get_backend_name()
        here = deployed_to(dialect, settings.databases)
        sure = ONE_SERVER.issuperset(here)
        for script, sql, problem in pending:
            operations: list[Operation] = []

            def also(
                migration: Migration, operations: list[Operation] = operations
            ) -> list[Finding]:
                operations += that_run(migration, dialect)
                return prober.look(migration, operations) if prober else []

            migration, findings, suppressed = judge(Path(script.path), here, also)
            to_come |= {(op.operation, op.name or "") for op in operations}
            planned = list(planned_operations(operations, dialect, sizes, new, sure))
            about = script.revision, script.doc, migration.path
            problem = why_not_shown(migration, problem)
            plan.revisions.append(Revision(*about, sql, problem, planned, findings, suppressed))
    if prober is not None:
        plan.not_checked += prober.not_checked
    if live is not None and LIVE & rules.keys():
        given = find_url(settings.root, server) if server else None
        check_schema(plan, live, config, scripts, there, given, rules, to_come)
    return plan


def describe_live(
    connection: sa.Connection | None, there: Configured, plan: Plan
) -> tuple[LiveSchema | None, dict[str, Size]]:
    """The database's schema and the sizes of its tables; the plan notes what can't be read."""
    if connection is None:  # a file that does not exist has nothing in it
        return LiveSchema([], "", True), {}
    sizes: dict[str, Size] = {}
    live = None
    try:
        sizes = sizes_of(connection)
        connection.rollback()
        live = live_schema(connection, {there.version_table})
    except sa.exc.DBAPIError as error:
        what = "the database's schema" if sizes else "the sizes of its tables and its schema"
        plan.not_checked.append(f"{what}: {one_line(error)}; run the plan again later")
    connection.rollback()
    return live, sizes


def check_schema(
    plan: Plan,
    live: LiveSchema,
    config: Config,
    scripts: ScriptDirectory,
    there: Configured,
    given: URL | None,
    rules: Mapping[str, Rule],
    to_come: set[tuple[str, str]],
) -> None:
    """Compare the schema with what its revision should be; the result goes into the plan."""
    dialect = load_dialect(there.url)()
    plan.findings += validity_findings(live, plan.database, dialect, to_come, rules)
    if drift := rules.get("database-drift"):
        try:
            hidden = {there.version_table}
            server = server_for(there.url, given) if there.heads else there.url
            expected = expected_schema(config, scripts, there.heads, server, hidden)
            differing, unseen = compare(live, expected, there.heads)
            plan.findings += drift_findings(differing, plan.database, there.heads, dialect, drift)
            plan.not_checked += unseen
            plan.compared = True
        except CannotCheck as error:
            plan.not_checked.append(f"the database's schema: {error}")


def deployed_to(dialect: str, databases: tuple[str, ...]) -> tuple[str, ...]:
    """The declared databases that this one may be."""
    here = tuple(name for name in databases if dialect in DATABASES[name])
    return here or tuple(name for name in DATABASES if name == dialect) or databases


def first_tables(there: Configured, scripts: ScriptDirectory, pending: bool) -> str | None:
    """The statements that create the tables of the lock and the journal, where env.py uses them."""
    env = Path(scripts.env_py_location).read_text(encoding="utf-8")
    if not pending or "migration_guard.deploying" not in env:
        return None
    dialect = load_dialect(there.url)()
    statements = [str(CreateTable(each).compile(dialect=dialect)).strip() for each in there.tables]
    return "\n\n".join(f"{text};" for text in statements) or None


def current(url: URL, scripts: ScriptDirectory, options: dict[str, Any], root: Path) -> Configured:
    """Where the database stands, read in a transaction that can't write.

    ``options`` are those that env.py gives to context.configure(). Raises what stops an upgrade.
    """
    load_dialect(url)
    names = ("version_table", "version_table_schema")
    table = {name: options[name] for name in names if options.get(name) is not None}
    version_table = table.get("version_table", "alembic_version")
    if schema := table.get("version_table_schema"):
        version_table = f"{schema}.{version_table}"
    with read_only(url) as connection:
        if connection is None:
            return Configured(url, (), [TABLE], version_table)
        heads = MigrationContext.configure(connection, opts=table).get_current_heads()
        scripts.get_revisions(heads)  # raises if the code lacks one of them
        look_back(connection, scripts)
        sqlite = url.get_backend_name() == "sqlite"
        lock = None if sqlite else lock_for(connection, read_limits(root))
        tables = [lock.table, TABLE] if isinstance(lock, Lease) else [TABLE]
        inspector = sa.inspect(connection)
        missing = [each for each in tables if not inspector.has_table(each.name)]
        return Configured(url, heads, missing, version_table)


def why_not_shown(migration: Migration, problem: str | None) -> str | None:
    """Why the SQL of a migration is not shown, or that more may run than is shown."""
    reads = [line for function, line in migration.bind_reads if function.startswith("upgrade")]
    if problem and reads:
        where = f"{migration.path}:{min(reads)}"
        return f"this revision reads the database ({where}): it can't be shown before it runs"
    if problem is None and re.search(r"\b(is_offline_mode|as_sql)\b", migration.source):
        return f"{migration.path} asks for offline mode: on a database it may run more than this"
    return problem


def that_run(migration: Migration, dialect: str) -> list[Operation]:
    """The operations of ``upgrade`` on this database, without SQL text that was read itself."""
    ops = [op for op in migration.operations if op.function.startswith("upgrade")]
    found = []
    for op, following in zip_longest(ops, ops[1:]):
        read = op.operation == "execute" and following is not None and following.via == "execute"
        if not read and (op.dialects is None or dialect in op.dialects):
            found.append(op)
    return found


def planned_operations(
    operations: list[Operation],
    dialect: str,
    sizes: dict[str, Size],
    new: set[str],
    sure: bool,
) -> Iterator[Planned]:
    """Each operation with what it locks.

    ``new`` collects the tables that are to come, which nobody uses yet; ``sure``: the locks of this
    database are known.
    """
    for op in operations:
        about = label(op)
        if op.operation == "execute" and op.sql:
            about = " ".join(op.sql.split())[:80]
        locks = locks_of(op, dialect, new) if sure else None
        if locks is not None:
            locks = [with_size(lock, sizes) for lock in locks]
        yield Planned(op.operation, about, op.line, locks)
        if op.operation.startswith("create_table") and "comment" not in op.operation:
            new.add(table_of(op))


def with_size(lock: TableLock, sizes: dict[str, Size]) -> TableLock:
    size = sizes.get(lock.table.casefold().removeprefix("public."))
    return replace(lock, rows=size.rows, megabytes=size.megabytes) if size else lock
