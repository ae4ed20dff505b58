"""The plan of a deployment: what `alembic upgrade head` would do to the configured database."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
from ..deploying.applied import Applied, journal_table, own_tables
from ..deploying.changed import never_ran_message
from ..deploying.lease import Lease
from ..deploying.limits import read_limits
from ..deploying.locks import lock_for
from ..error_messages import one_line
from ..exceptions import CannotCheck
from ..finding import Finding
from ..reading.migration import Migration, Operation
from ..reporting.text import counted
from ..rules.past import table_of
from ..rules.rule import Rule
from ..rules.upgrade import label
from ..running.expected import expected_schema
from ..running.scratch import find_url, load_dialect
from ..running.stepping import read_scripts, render_pending
from ..settings import Settings
from .connecting import read_only, shown
from .live_schema import LiveSchema, server_for
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

    ``problem`` is the reason, or a warning that more than this SQL may run.
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
    """What would run, and whether the database and its rows are as the migrations expect."""

    database: str  # its URL, without the password
    current: tuple[str, ...]
    first: str | None  # SQL for the tables of the lock and the journal, which come first
    revisions: list[Revision] = field(default_factory=list)
    compared: bool = False  # whether its schema was compared with that of its revision
    probed: bool = False
    findings: list[Finding] = field(default_factory=list)  # of the database itself
    not_checked: list[str] = field(default_factory=list)  # what could not be checked, and why

    @property
    def summary(self) -> str:
        number = counted(len(self.revisions), "revisions") if self.revisions else "nothing"
        return f"now at {' and '.join(self.current) or 'base'}: {number} to run."

    @property
    def schema(self) -> str:
        """Return how its schema compares with that of its revision, or that nothing compared it."""
        at = " and ".join(self.current) or "base"
        if not self.compared:
            return "Its schema was not compared with what its revision should be."
        drifted = sum(each.rule == "database-drift" for each in self.findings)
        if drifted:
            return f"Its schema differs from revision {at} in {counted(drifted, 'places')}."
        return f"Its schema is what revision {at} should be."


Also = Callable[[Migration], list[Finding]]
Judged = tuple[Migration, list[Finding], list[Finding]]
Judge = Callable[[Path, tuple[str, ...], Also], Judged]


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
    seen: list[tuple[LiveSchema, list[sa.Table]]] = []

    def heads_of(url: URL, options: dict[str, Any]) -> tuple[str, ...]:
        seen.append(current(url, scripts, options, settings.root))
        return seen[-1][0].heads

    pending = render_pending(config, scripts, heads_of)
    live, tables = seen[-1]
    first = first_tables(live.url, tables, scripts) if pending else None
    plan = Plan(shown(live.url), live.heads, first)
    steps = Steps(live.url.get_backend_name(), settings.databases)
    readable = True
    with read_only(live.url) as connection:
        if connection is not None:
            try:
                steps.sizes = sizes_of(connection)
                live.read(connection)
            except sa.exc.DBAPIError as error:
                readable = False
                why = f"its schema and rows: {one_line(error)}; run the plan again later"
                plan.not_checked.append(why)
            connection.rollback()
            plan.probed = probe and readable and "rows-do-not-fit" in rules
            if plan.probed:
                steps.prober = Prober(connection, live.tables, rules["rows-do-not-fit"])
        for script, sql, problem in pending:
            step = judge(Path(script.path), steps.databases, steps.read)
            about = script.revision, script.doc, step[0].path
            problem = why_not_shown(step[0], problem)
            plan.revisions.append(Revision(*about, sql, problem, steps.planned(), *step[1:]))
    if readable:
        live.check_validity(rules, steps.pending)
    if readable and (drift := rules.get("database-drift")):
        try:
            expected: tuple[list[Any], Any] = [], None
            if live.heads:
                given = find_url(settings.root, server) if server else None
                other = server_for(live.url, given)
                expected = expected_schema(config, scripts, live.heads, other)
            live.compare(expected[0], drift, expected[1])
            plan.compared = True
        except CannotCheck as error:
            plan.not_checked.append(f"its schema: {error}")
    plan.findings = live.findings
    plan.not_checked += live.not_checked + (steps.prober.not_checked if steps.prober else [])
    return plan


@dataclass(slots=True)
class Steps:
    """What the pending revisions do on this database, one after the other."""

    dialect: str
    declared: tuple[str, ...]
    sizes: dict[str, Size] = field(default_factory=dict)
    prober: Prober | None = None
    operations: list[Operation] = field(default_factory=list)  # of the last revision
    pending: set[tuple[str, str]] = field(default_factory=set)  # all operations, with their names
    new: set[str] = field(default_factory=set)  # tables that are to come: nobody uses them yet

    @property
    def databases(self) -> tuple[str, ...]:
        """Return the declared databases that this one may be."""
        here = tuple(name for name in self.declared if self.dialect in DATABASES[name])
        return here or tuple(name for name in DATABASES if name == self.dialect) or self.declared

    def read(self, migration: Migration) -> list[Finding]:
        """Read the operations of the next revision; return findings for rows that don't fit."""
        self.operations = that_run(migration, self.dialect)
        self.pending |= {(op.operation, op.name or "") for op in self.operations}
        return self.prober.probe(migration, self.operations) if self.prober else []

    def planned(self) -> list[Planned]:
        """Return the operations of the last revision with what they lock."""
        found, sure = [], ONE_SERVER.issuperset(self.databases)
        for op in self.operations:
            about = label(op)
            if op.operation == "execute" and op.sql:
                about = " ".join(op.sql.split())[:80]
            locks = locks_of(op, self.dialect, self.new) if sure else None
            for lock in locks or ():
                if size := self.sizes.get(lock.table.casefold().removeprefix("public.")):
                    lock.rows, lock.megabytes = size.rows, size.megabytes
            found.append(Planned(op.operation, about, op.line, locks))
            if op.operation.startswith("create_table") and "comment" not in op.operation:
                self.new.add(table_of(op))
        return found


def first_tables(url: URL, tables: list[sa.Table], scripts: ScriptDirectory) -> str | None:
    """Return the SQL that creates the tables of the lock and the journal, if env.py uses them."""
    if "migration_guard.deploying" not in Path(scripts.env_py_location).read_text(encoding="utf-8"):
        return None
    dialect = load_dialect(url)()
    statements = [str(CreateTable(each).compile(dialect=dialect)).strip() for each in tables]
    return "\n\n".join(f"{text};" for text in statements) or None


def current(
    url: URL, scripts: ScriptDirectory, options: dict[str, Any], root: Path
) -> tuple[LiveSchema, list[sa.Table]]:
    """Return where the database is, and the tables that the lock and the journal will create.

    ``options`` are those that env.py passes to context.configure(). Raises what stops an upgrade.
    """
    load_dialect(url)
    names = ("version_table", "version_table_schema")
    table = {name: options[name] for name in names if options.get(name) is not None}
    schema = table.get("version_table_schema")
    version_table = table.get("version_table", "alembic_version")
    journal = journal_table(version_table, schema)
    live = LiveSchema(url, (), own_tables(version_table, schema))
    with read_only(url) as connection:
        if connection is None:
            return live, [journal]
        live.heads = MigrationContext.configure(connection, opts=table).get_current_heads()
        scripts.get_revisions(live.heads)  # raises if the code lacks one of them
        applied = Applied(connection, scripts, journal)
        applied.check()
        if missing := applied.never_ran(live.heads):
            raise CannotCheck(f"{never_ran_message(missing)}.")
        lock = None
        if url.get_backend_name() != "sqlite":
            lock = lock_for(connection, read_limits(root), version_table, schema)
        tables = [lock.table, journal] if isinstance(lock, Lease) else [journal]
        known = sa.inspect(connection)
        return live, [each for each in tables if not known.has_table(each.name, schema=each.schema)]


def why_not_shown(migration: Migration, problem: str | None) -> str | None:
    """Return why the SQL of a migration is not shown, or that more may run than is shown."""
    reads = [line for function, line in migration.bind_reads if function.startswith("upgrade")]
    if problem and reads:
        where = f"{migration.path}:{min(reads)}"
        return f"this revision reads the database ({where}), so its SQL is unknown before it runs"
    if problem is None and re.search(r"\b(is_offline_mode|as_sql)\b", migration.source):
        return f"{migration.path} checks for offline mode: on a database it may run more than this"
    return problem


def that_run(migration: Migration, dialect: str) -> list[Operation]:
    """Return the operations of ``upgrade`` on this database.

    An ``execute`` is left out if the operations in its SQL text follow.
    """
    ops = [op for op in migration.operations if op.function.startswith("upgrade")]
    found = []
    for op, following in zip_longest(ops, ops[1:]):
        read = op.operation == "execute" and following is not None and following.via == "execute"
        if not read and (op.dialects is None or dialect in op.dialects):
            found.append(op)
    return found
