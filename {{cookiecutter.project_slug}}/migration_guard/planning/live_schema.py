"""The schema of the configured database, compared with the schema of its revision."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL

from ..exceptions import CannotCheck
from ..finding import Finding
from ..rules.rule import Rule, report
from ..running.schema.objects import Difference, SchemaObject, differences, without_comment
from ..running.schema.snapshots import describe
from .connecting import is_this_machine, shown

COMPARED = ("table", "column", "index", "constraint", "type")
# Compared where each role sees them, and only if a migration creates them: others add their own.
PROGRAMS = ("view", "trigger", "function", "procedure")

STATEMENTS = {
    "create column": "ALTER TABLE {table} ADD COLUMN {name} {text};",
    "create constraint": "ALTER TABLE {table} ADD CONSTRAINT {name} {text};",
    "create index": "CREATE {unique}INDEX {name} ON {table} {tail};",
    "create index postgresql": "CREATE {unique}INDEX CONCURRENTLY {name} ON {table} {tail};",
    "drop table": "DROP TABLE {table};",
    "drop column": "ALTER TABLE {table} DROP COLUMN {name};",
    "drop constraint": "ALTER TABLE {table} DROP CONSTRAINT {name};",
    "drop index": "DROP INDEX {name} ON {table};",
    "drop index sqlite": "DROP INDEX {name};",
    "drop index postgresql": "DROP INDEX CONCURRENTLY {object};",
}

VALIDATE = "ALTER TABLE {table} VALIDATE CONSTRAINT {name};"

# What the server adds to a definition, which pending operations resolve it, and the fix.
VALIDITY = {
    "invalid-index": (" INVALID", ("drop_index",), "REINDEX INDEX CONCURRENTLY {object};"),
    "not-validated": (" NOT VALID", ("validate_constraint", "drop_constraint"), VALIDATE),
}


@dataclass(slots=True)
class LiveSchema:
    """The database as its server describes it to the connected role, and the findings."""

    url: URL
    heads: tuple[str, ...]
    hidden: set[str]  # the tables of Alembic, of the lock and of the journal
    objects: list[SchemaObject] = field(default_factory=list)
    sees_all: bool = True  # False: there may be tables that this role can't see
    findings: list[Finding] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)

    @property
    def tables(self) -> dict[str, dict[str, Any]]:
        return {table.casefold(): each.properties for each in self.objects if (table := each.table)}

    def read(self, connection: sa.Connection) -> None:
        """Describe the database of ``connection``. Raises DBAPIError."""
        hidden = set(self.hidden)
        if connection.dialect.name in ("mysql", "mariadb"):
            # SHOW CREATE VIEW needs another privilege, and views are not compared.
            views = "SHOW FULL TABLES WHERE Table_type = 'VIEW'"
            hidden |= set(connection.exec_driver_sql(views).scalars())
            self.sees_all = any(connection.exec_driver_sql(MAY_SELECT).scalars())
        self.objects = list(describe(connection, hidden).values())

    def check_validity(self, rules: Mapping[str, Rule], pending: set[tuple[str, str]]) -> None:
        """Report invalid indexes and constraints that no operation in ``pending`` resolves."""
        for each in self.objects:
            for prop, text in each.properties.items():
                name = prop.partition(" ")[2]
                for rule, (mark, remedies, fix) in VALIDITY.items():
                    handled = any((remedy, name) in pending for remedy in remedies)
                    if rule in rules and mark in str(text) and not handled:
                        found = Difference(each.name, prop, None, text)
                        message = f"The {title_of(found)} is{mark}. {rules[rule].why}"
                        self.report(rules[rule], found, message, self.sql(fix, found))

    def compare(self, expected: list[SchemaObject], rule: Rule, include_name: Any = None) -> None:
        """Report what differs from ``expected``. ``include_name`` is the filter of env.py."""
        at = " and ".join(self.heads) or "base"
        sides = [[without_validity(each) for each in side] for side in (expected, self.objects)]
        for each in differences(*sides):
            kind, what = each.name.partition(" ")[0], title_of(each)
            storage = kind == "table" and not each.prop and None not in each
            if kind in PROGRAMS and each.before is not None:
                if "mysql" not in self.url.get_dialect().__module__:
                    state = "is missing" if each.after is None else "was changed"
                    message = f"The {what} {state}; the migrations up to {at} create it."
                    self.report(rule, each, message, PRINTED.format(at=at))
                continue
            if storage or each.prop == "comment" or kind not in COMPARED:
                continue
            if each.after is None and kind == "table" and not self.sees_all:
                grant = "it is missing, or this role needs SELECT on it"
                self.not_checked.append(f"{what} is not visible: {grant}")
            elif each.after is None:
                message = f"The {what} is missing; the migrations up to {at} create it."
                sql = self.sql(template("create", kind, self.url), each)
                fix = f"Create it: {sql}" if sql else PRINTED.format(at=at)
                self.report(rule, each, message, fix)
            elif each.before is None:
                if kind == "table" and not self.is_looked_at(each, include_name):
                    continue
                message = f"The {what} exists, but no migration up to {at} creates it."
                sql = self.sql(template("drop", kind, self.url), each)
                keep = "drop it here before" if kind == "constraint" else "pass if_not_exists=True"
                self.report(rule, each, message, KEEP.format(keep=keep, sql=sql))
            else:
                message = f"The {what} is {each.after}, but in revision {at} it is {each.before}."
                self.report(rule, each, message, CHANGED)

    def is_looked_at(self, each: Difference, include_name: Any) -> bool:
        """Return whether to report this table: not a partition, and not excluded by env.py."""
        name = each.name.partition(" ")[2]
        schema, _, table = name.rpartition(".")
        if any(prop.startswith("parent ") for prop in self.tables.get(name.casefold(), {})):
            return False
        names = {"schema_name": schema or None, "schema_qualified_table_name": name}
        with suppress(Exception):  # the project's code, which expects to run inside Alembic
            if include_name is not None:
                return bool(include_name(table, "table", names))
        return True

    def report(self, rule: Rule, each: Difference, message: str, fix: str) -> None:
        self.findings.append(report(rule, message, fix, shown(self.url), operation=each.name))

    def sql(self, form: str, each: Difference) -> str:
        """Return the statement, or "" where a person has to decide first."""
        quote = self.url.get_dialect()().identifier_preparer.quote
        kind, _, name = each.prop.partition(" ")
        schema, _, table = each.owner.partition(" ")[2].rpartition(".")
        text = without_comment(each.before)
        values = getattr(each.before, "not_null", False) and not getattr(each.before, "default", "")
        unnamed = kind == "constraint" and not re.fullmatch(r"\w+", name)
        if values or unnamed:
            return ""
        tail = re.search(r"USING .*|\(.*", text)
        return form.format(
            table=".".join(quote(part) for part in (schema, table) if part),
            object=".".join(quote(part) for part in (schema, name) if part),
            name=quote(name),
            text=text,
            unique="UNIQUE " if re.match(r"(?i)(create )?unique", text) else "",
            tail=tail[0] if tail else "",
        )


MAY_SELECT = (
    "SELECT count(*) FROM information_schema.user_privileges WHERE privilege_type = 'SELECT'"
    " UNION ALL SELECT count(*) FROM information_schema.schema_privileges"
    " WHERE privilege_type = 'SELECT' AND database() LIKE table_schema"
)

PRINTED = "Run the statements that create it; they are in: alembic upgrade base:{at} --sql"

KEEP = "Decide: keep it (add it to the models, write a revision, {keep}), or drop it: {sql}"

CHANGED = "Change it back, or change the model and write a revision that accepts both forms."


def template(verb: str, kind: str, url: URL) -> str:
    """Return the statement's template for this database, or "" if there is none."""
    dialect = url.get_backend_name()
    if kind == "constraint" and dialect == "sqlite":
        return ""
    return STATEMENTS.get(f"{verb} {kind} {dialect}") or STATEMENTS.get(f"{verb} {kind}", "")


def title_of(each: Difference) -> str:
    """Return what a message calls it: ``column name of users``, ``table users``."""
    kind, _, name = each.prop.partition(" ")
    return f"{kind} {name} of {each.owner.partition(' ')[2]}" if name else each.owner


def without_validity(each: SchemaObject) -> SchemaObject:
    """Return the object without INVALID and NOT VALID, which have their own rules."""
    marks = re.compile(r" (NOT VALID|INVALID)\b")
    properties = {
        name: marks.sub("", prop) if isinstance(prop, str) else prop
        for name, prop in each.properties.items()
    }
    return SchemaObject(each.name, properties)


def server_for(planned: URL, given: URL | None) -> URL:
    """Return the server for the scratch database. Raises CannotCheck if there is none."""
    problem = ""
    family = (given or planned).get_backend_name().replace("mariadb", "mysql")
    if family != planned.get_backend_name().replace("mariadb", "mysql"):
        problem = f"--database-url is another kind of database than {shown(planned)}"
    elif not is_this_machine(planned) and (
        given is None or (given.host, given.port) == (planned.host, planned.port)
    ):
        problem = f"{shown(planned)} is not on this machine, and --plan creates nothing there"
    if problem:
        raise CannotCheck(f"{problem}; name a server for a scratch database with --database-url")
    return given or planned
