"""The schema of the configured database, compared with what its own revision should be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import URL

from ..deploying.applied import TABLES
from ..error_messages import one_line
from ..exceptions import CannotCheck
from ..finding import Finding
from ..places import place
from ..rules.rule import Rule
from ..running.schema.snapshot import Column, Difference, Thing, differences
from ..running.schema.snapshots import snapshot_of
from ..running.scratch import scratch_database
from ..running.stepping import Stepper, run_env
from .connecting import is_this_machine, shown

COMPARED = ("table", "column", "index", "constraint", "type")

NOT_VALID = re.compile(r" (NOT VALID|INVALID)\b")


@dataclass(frozen=True, slots=True)
class LiveSchema:
    """What the server describes to the role that asks."""

    objects: list[Thing]
    schema: str  # where unqualified names lead on PostgreSQL
    sees_all: bool  # False: tables may exist that this role can't see

    @property
    def tables(self) -> dict[str, dict[str, Any]]:
        return {table.casefold(): each.facts for each in self.objects if (table := each.table)}


@dataclass(slots=True)
class Expected:
    """What the migrations make, up to the revision of the configured database."""

    objects: list[Thing] = field(default_factory=list)
    schema: str = ""
    include_name: Any = None  # env.py's own choice of what Alembic looks at


def live_schema(connection: sa.Connection, hidden: set[str]) -> LiveSchema:
    """Describe the database of ``connection``. Raises DBAPIError."""
    hidden = {*hidden, *TABLES}
    sees_all, mysql = True, connection.dialect.name in ("mysql", "mariadb")
    if mysql:
        # To describe a view takes a right of its own, and views are not compared.
        views = "SHOW FULL TABLES WHERE Table_type = 'VIEW'"
        hidden |= set(connection.exec_driver_sql(views).scalars())
        rights = (
            "SELECT count(*) FROM information_schema.user_privileges"
            " WHERE privilege_type = 'SELECT' UNION ALL"
            " SELECT count(*) FROM information_schema.schema_privileges"
            " WHERE privilege_type = 'SELECT' AND database() LIKE table_schema"
        )
        sees_all = any(connection.exec_driver_sql(rights.replace("%", "%%")).scalars())
    snapshot = snapshot_of(connection, hidden)
    snapshot.look(everything=True)
    objects = [each for each in snapshot.things.values() if each.name not in snapshot.hidden]
    return LiveSchema(objects, default_schema(connection), sees_all)


def default_schema(connection: sa.Connection) -> str:
    if connection.dialect.name != "postgresql":
        return ""
    return str(connection.exec_driver_sql("SELECT current_schema()").scalar())


def server_for(planned: URL, given: URL | None) -> URL:
    """The server for the scratch database. Raises CannotCheck if there is none."""
    other = "name a server for a scratch database with --database-url"
    if given is None:
        if not is_this_machine(planned):
            raise CannotCheck(
                f"the server of {shown(planned)} is not this machine, and nothing is created"
                f" there; {other}"
            )
        return planned
    if family(given) != family(planned):
        raise CannotCheck(
            f"--database-url is {given.get_backend_name()}, and the database that is planned is"
            f" {planned.get_backend_name()}; {other}"
        )
    same = (given.host, given.port) == (planned.host, planned.port)
    if same and not is_this_machine(planned):
        raise CannotCheck(
            f"--database-url is the server that is planned, and nothing is created there; {other}"
        )
    return given


def family(url: URL) -> str:
    return url.get_backend_name().replace("mariadb", "mysql")


def expected_schema(
    config: Config, scripts: ScriptDirectory, heads: tuple[str, ...], server: URL, hidden: set[str]
) -> Expected:
    """Migrate a scratch database on ``server`` to ``heads`` and describe it. Raises CannotCheck."""
    expected = Expected()
    if not heads:  # nothing is applied, and nothing should be there
        return expected
    applied = list(scripts.iterate_revisions(heads, None, implicit_base=True))[::-1]

    def work(context: MigrationContext) -> None:
        stepper = Stepper(context, scripts)
        for script in applied:
            try:
                stepper.step(script, "upgrade")
            except Exception as error:
                where = place(error, script.path)
                raise CannotCheck(
                    f"{where}: upgrade() of {script.revision} fails on a scratch database:"
                    f" {one_line(error)}"
                ) from None
        assert context.connection is not None
        snapshot = snapshot_of(context.connection, {*hidden, *TABLES})
        snapshot.look(everything=True)
        expected.objects = list(snapshot.things.values())
        expected.schema = default_schema(context.connection)
        expected.include_name = context.opts.get("include_name")
        context.connection.commit()

    with scratch_database(server) as engine:
        run_env(config, scripts, engine, work)
    return expected


def compare(
    live: LiveSchema, expected: Expected, heads: tuple[str, ...]
) -> tuple[list[Difference], list[str]]:
    """The differences (before: expected, after: live), and what this role could not see.

    Raises CannotCheck if the two can't be compared.
    """
    if heads and live.schema != expected.schema:
        raise CannotCheck(
            f"its tables are in the schema {live.schema}, those of the scratch database in"
            f" {expected.schema}; set search_path for the role instead of the database"
        )
    found, unseen = [], []
    sides = [[comparable(each) for each in side] for side in (expected.objects, live.objects)]
    for each in differences(*sides):
        kind = each.object.partition(" ")[0]
        if kind not in COMPARED or (kind == "table" and exists_on_both_sides(each)):
            continue
        if kind == "table" and each.after is None and not live.sees_all:
            unseen.append(f"{each.object} is not visible: grant SELECT on it, or it is missing")
        elif kind == "table" and each.before is None and not is_looked_at(each, live, expected):
            continue
        else:
            found.append(each)
    return found, unseen


def comparable(each: Thing) -> Thing:
    """What validity a server adds to a definition has rules of its own."""
    facts = {
        name: NOT_VALID.sub("", fact) if isinstance(fact, str) else fact
        for name, fact in each.facts.items()
    }
    return Thing(each.name, facts)


def exists_on_both_sides(each: Difference) -> bool:
    """Both have the table, and its options differ: storage, comment."""
    return each.before is not None and each.after is not None


def is_looked_at(each: Difference, live: LiveSchema, expected: Expected) -> bool:
    """Whether to report a table that no migration creates: no partition, nor excluded by env.py."""
    name = each.object.partition(" ")[2]
    if any(fact.startswith("parent ") for fact in live.tables.get(name.casefold(), {})):
        return False
    if expected.include_name is None:
        return True
    schema, _, table = name.rpartition(".")
    parents = {
        "schema_name": schema or None,
        "table_name": table,
        "schema_qualified_table_name": name,
    }
    with suppress(Exception):  # env.py's own code, which expects Alembic around it
        return bool(
            (not schema or expected.include_name(schema, "schema", {}))
            and expected.include_name(table, "table", parents)
        )
    return True


def drift_findings(
    found: list[Difference],
    database: str,
    heads: tuple[str, ...],
    dialect: sa.Dialect,
    rule: Rule,
) -> Iterator[Finding]:
    """A finding for each difference, with the statement that removes it."""
    revision = " and ".join(heads) or "base"
    for each in found:
        what = describe(each)
        if each.after is None:
            message = f"The {what} is missing; the migrations up to {revision} create it."
            sql = statement("create", each, dialect)
            fix = f"Create it: {sql}" if sql else MISSING.format(revision=revision)
        elif each.before is None:
            message = f"The {what} exists, but no migration up to {revision} creates it."
            kept = KEPT if each.object.startswith("constraint ") else KEPT_IF_NOT_EXISTS
            sql = statement("drop", each, dialect)
            fix = f"{kept}, or drop it{f': {sql}' if sql else '.'}"
        else:
            message = f"The {what} is {each.after}; revision {revision} has it as {each.before}."
            fix = (
                "Change it back, or change the model and write a revision that takes both forms"
                " to the new one."
            )
        yield live_finding(rule, database, each.object, message, fix)


MISSING = "Run the statements that create it; they are in: alembic upgrade base:{revision} --sql"

KEPT_IF_NOT_EXISTS = (
    "Decide: keep it (add it to the models, write a revision, and pass if_not_exists=True)"
)

KEPT = "Decide: keep it (add it to the models, write a revision, and drop it here before that runs)"


def validity_findings(
    live: LiveSchema,
    database: str,
    dialect: sa.Dialect,
    pending: set[tuple[str, str]],
    rules: Mapping[str, Rule],
) -> Iterator[Finding]:
    """Invalid indexes and constraints that were not validated, but for those in ``pending``.

    ``pending`` has the operations to come that deal with them, each with the name of its object.
    """
    for each in live.objects:
        owner = each.name.partition(" ")[2]
        for fact, text in each.facts.items():
            kind, _, name = fact.partition(" ")
            invalid = kind == "index" and " INVALID" in str(text)
            if invalid and ("drop_index", name) not in pending and "invalid-index" in rules:
                message = INVALID.format(name=name, owner=owner)
                fix = f"REINDEX INDEX CONCURRENTLY {qualified(dialect, owner, name)}; {DUPLICATES}"
                rule = rules["invalid-index"]
                yield live_finding(rule, database, f"index {owner}.{name}", message, fix)
            not_valid = kind == "constraint" and str(text).endswith(" NOT VALID")
            handled = {("validate_constraint", name), ("drop_constraint", name)} & pending
            if not_valid and not handled and "not-validated" in rules:
                message = NOT_VALIDATED.format(name=name, owner=owner)
                quoted = dialect.identifier_preparer.quote(name)
                fix = f"ALTER TABLE {qualified(dialect, owner)} VALIDATE CONSTRAINT {quoted};"
                rule = rules["not-validated"]
                yield live_finding(rule, database, f"constraint {owner}.{name}", message, fix)


INVALID = (
    "The index {name} on {owner} is invalid: no query uses it, and each write updates it."
    " Unless it is being created now, its CREATE INDEX CONCURRENTLY failed."
)

DUPLICATES = "(If it is unique and this fails, fix the duplicates first.)"

NOT_VALIDATED = (
    "The constraint {name} on {owner} was never validated: rows that it forbids may exist, and"
    " no pending revision validates it."
)


def live_finding(rule: Rule, database: str, target: str, message: str, fix: str) -> Finding:
    return Finding(
        rule=rule.name,
        severity=rule.severity,
        message=message,
        fix=fix,
        path=database,
        operation=target,
    )


def describe(each: Difference) -> str:
    """``column name of users``; ``table users``."""
    kind, _, name = each.fact.partition(" ")
    return f"{kind} {name} of {each.thing.partition(' ')[2]}" if name else each.thing


def qualified(dialect: sa.Dialect, table: str, name: str | None = None) -> str:
    """The table, or ``name`` in its schema, quoted."""
    schema, _, own = table.rpartition(".")
    quote = dialect.identifier_preparer.quote
    return ".".join(quote(part) for part in (schema, name or own) if part)


def statement(verb: str, each: Difference, dialect: sa.Dialect) -> str:
    """The SQL that creates or drops the object of a difference; empty if one statement can't."""
    quote, owner = dialect.identifier_preparer.quote, each.thing.partition(" ")[2]
    kind, _, name = each.fact.partition(" ")
    table, postgresql = qualified(dialect, owner), dialect.name == "postgresql"
    if not each.fact:
        return f"DROP TABLE {table};" if verb == "drop" and each.thing.startswith("table ") else ""
    if verb == "drop":
        if kind == "column":
            return f"ALTER TABLE {table} DROP COLUMN {quote(name)};"
        if kind == "index" and postgresql:
            return f"DROP INDEX CONCURRENTLY {qualified(dialect, owner, name)};"
        if kind == "index":
            on = "" if dialect.name == "sqlite" else f" ON {table}"
            return f"DROP INDEX {quote(name)}{on};"
        if dialect.name == "sqlite" or not re.fullmatch(r"\w+", name):
            return ""
        return f"ALTER TABLE {table} DROP CONSTRAINT {quote(name)};"
    text = COMMENT.sub("", str(each.before))
    if kind == "column":
        column = each.before
        if isinstance(column, Column) and column.not_null and not column.default:
            return ""  # which value the rows get is for a person to say
        return f"ALTER TABLE {table} ADD COLUMN {quote(name)} {text};"
    if kind == "index" and postgresql:
        return text.replace(" INDEX ", f" INDEX CONCURRENTLY {quote(name)} ", 1) + ";"
    if kind == "index" and dialect.name == "sqlite":
        unique, _, columns = text.partition("on ")
        return f"CREATE {unique}INDEX {quote(name)} ON {columns};"
    if kind == "index":
        unique, _, columns = text.partition("(")
        return f"CREATE {unique}INDEX {quote(name)} ON {table} ({columns};"
    if kind == "constraint" and dialect.name != "sqlite":
        return f"ALTER TABLE {table} ADD CONSTRAINT {quote(name)} {text};"
    return ""


COMMENT = re.compile(r" comment '(?:[^']|'')*'$", re.IGNORECASE)
