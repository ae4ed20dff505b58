"""The plan of a deployment: what `alembic upgrade head` would run on the configured database, which is only read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from textwrap import indent
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable

from .errors import one_line
from .findings import CannotCheck, Finding
from .journal import TABLE, look_back
from .limits import read_limits
from .lock import Lease, lock_for
from .operation import Migration
from .rules import label, table_of
from .scratch import load_dialect
from .settings import DATABASES, Settings
from .stepping import read_scripts, render_pending
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
    if not pending or "journal" not in Path(scripts.env_py_location).read_text(encoding="utf-8"):
        tables = []
    made = [str(CreateTable(table).compile(dialect=load_dialect(url)())).strip() + ";" for table in tables]
    first = "\n\n".join(made) or None
    dialect = url.get_backend_name()
    here = tuple(name for name in databases if dialect in DATABASES[name])
    here = here or tuple(name for name in DATABASES if name == dialect) or databases
    revisions = []
    for script, sql, problem in pending:
        migration, findings, suppressed = judge(Path(script.path), here)
        operations = list(planned(migration, dialect, sure=ONE_SERVER.issuperset(here)))
        if problem and (reads := [line for function, line in migration.bind_reads if function.startswith("upgrade")]):
            where = f"{migration.path}:{min(reads)}"
            problem = f"this revision reads the database ({where}): it can't be shown before it runs"
        elif problem is None and re.search(r"\b(is_offline_mode|as_sql)\b", migration.source):
            problem = f"{migration.path} asks for offline mode: on a database it may run more than this"
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
            raise CannotCheck(f"{Path(file).parent}: no such folder: make it, or mend DATABASE_URL.")
        if not Path(file).is_file():
            return (), [TABLE]
        url = url.set(database=f"file:{quote(str(Path(file).absolute()))}", query={"mode": "ro", "uri": "true"})
    table = {name: options[name] for name in ("version_table", "version_table_schema") if name in options}
    try:
        with sa.create_engine(url, poolclass=NullPool).connect() as connection:
            if not sqlite:
                connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            heads = MigrationContext.configure(connection, opts=table).get_current_heads()
            scripts.get_revisions(heads)  # raises if the code has not all of them
            look_back(connection, scripts)
            lock = None if sqlite else lock_for(connection, read_limits(root))
            tables = [lock.table, TABLE] if isinstance(lock, Lease) else [TABLE]
            return heads, [table for table in tables if not sa.inspect(connection).has_table(table.name)]
    except sa.exc.DBAPIError as error:
        offline = isinstance(error, sa.exc.OperationalError)
        remedy = "; start the server, create the database, or mend DATABASE_URL" if offline else ""
        raise CannotCheck(f"{url.set(query={}).render_as_string()} can't be read: {one_line(error)}{remedy}.") from None


def planned(migration: Migration, dialect: str, sure: bool) -> Iterator[Planned]:
    """The operations of ``upgrade`` on this database. SQL text stands for itself only where nothing was read from it."""
    ops = [op for op in migration.operations if op.function.startswith("upgrade")]
    new: set[str] = set()
    for op, following in zip_longest(ops, ops[1:]):
        read = op.operation == "execute" and following is not None and following.via == "execute"
        if read or (op.dialects is not None and dialect not in op.dialects):
            continue
        about = label(op) if op.operation != "execute" or not op.sql else " ".join(op.sql.split())[:80]
        yield Planned(op.operation, about, op.line, locks_of(op, dialect, new) if sure else None)
        new |= {table_of(op)} if op.operation.startswith("create_table") and "comment" not in op.operation else set()


# --- reports

COMMENT = 65_536  # characters, the most that a comment on GitHub holds


def locked(op: Planned) -> str:
    if op.locks is None:
        return "locks not known"
    locks = [f"{lock.mode} on {lock.table} (holds up {lock.holds_up})" for lock in op.locks]
    return ", ".join(locks) or "locks nothing in use"


def as_json(plan: Plan) -> str:
    return json.dumps({"version": 1, **asdict(plan)}, indent=2) + "\n"


def as_text(plan: Plan) -> str:
    out = [f"{plan.database}, {plan.summary}"]
    out += ["", "First, what the guard keeps there:", "", indent(plan.first, "    ")] if plan.first else []
    for each in plan.revisions:
        out += ["", f"{each.revision} {each.message} ({each.path})"]
        for op in each.operations:
            out.append(f"  line {op.line}: {op.operation} {op.about}: {locked(op)}")
        for found in each.findings:
            out += [f"  {found.severity} {found.rule} (line {found.line}): {found.message}", f"    fix: {found.fix}"]
        out += [f"  suppressed: {found.rule} (line {found.line}): {found.message}" for found in each.suppressed]
        out += ["", indent(each.sql, "    ")] if each.sql is not None else []
        out += [f"  SQL: {each.problem}"] if each.problem else []
    return "\n".join(out) + "\n"


def as_markdown(plan: Plan) -> str:
    """A comment for a pull request. Names and messages may hold anything: they are written as entities."""

    def plain(text: str) -> str:
        return re.sub(r"[^\w .,:;()/-]", lambda match: f"&#{ord(match[0])};", text)

    head = ["## Migration plan", "", f"{plain(plan.database)}, {plan.summary}"]
    if plan.first:
        head += ["", "First, what the guard keeps there:", "", "```sql", plan.first, "```"]
    made, number = "\n".join(head) + "\n", len(plan.revisions)
    for index, each in enumerate(plan.revisions):
        out = ["", f"### {plain(each.revision)} {plain(each.message)}", "", plain(each.path), ""]
        out += ["| line | operation | locks |", "|---|---|---|"] if each.operations else []
        for op in each.operations:
            out.append(f"| {op.line} | {op.operation} {plain(op.about)} | {plain(locked(op))} |")
        out.append("")
        for found in each.findings:
            what = plain(f"(line {found.line}): {found.message} {found.fix}")
            out.append(f"- **{found.severity} {found.rule}** {what}")
        out += [f"- suppressed: {found.rule} (line {found.line})" for found in each.suppressed]
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", each.sql or "")), default=0))
        sql = ["<details><summary>SQL</summary>", "", f"{fence}sql", each.sql or "", fence, "", "</details>"]
        out += ["", *sql] if each.sql is not None else []
        out += ["", f"SQL: {plain(each.problem)}"] if each.problem else []
        part = "\n".join(out) + "\n"
        if len(made) + len(part) > COMMENT - 200:  # for the last line
            return f"{made}\nLeft out: {number - index} of {number} revisions; --plan --format text shows all.\n"
        made += part
    return made


PLANS: dict[str, Callable[[Plan], str]] = {"text": as_text, "json": as_json, "markdown": as_markdown}
