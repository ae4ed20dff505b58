"""Whether the rows of the configured database fit the pending migrations. It is only read."""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from ..error_messages import one_line
from ..finding import Finding
from ..reading.migration import HOLE, Column, Migration, Operation, Type
from ..rules.column_types import for_database
from ..rules.past import table_of
from ..rules.rule import Rule, finding
from ..rules.upgrade import DATA_CHANGES
from ..running.schema.objects import words

SECONDS = 5  # for one query

FIX = "Fix these rows first: delete them, or correct their values. To list them, run: {rows};"

EARLIER = "An earlier pending statement changes {table} and may fix them."

FOREIGN_KEY = re.compile(r"(?i)FOREIGN KEY \((.*?)\) REFERENCES ([^ (]+) ?\((.*?)\)")

LIMITS = {
    "postgresql": (
        f"SET SESSION statement_timeout = '{SECONDS}s'",
        "SET SESSION row_security = off",  # refuse a query that would see a part of the rows
    ),
    "mariadb": (f"SET SESSION max_statement_time = {SECONDS}",),
    "mysql": (f"SET SESSION max_execution_time = {SECONDS * 1000}",),
}

Probe = tuple[str, str]  # what does not fit, and the query for such rows


@dataclass(slots=True)
class Prober:
    """Finds rows that do not fit, one pending migration after the other."""

    connection: sa.Connection
    tables: dict[str, dict[str, Any]]  # the properties of each existing table, by its name
    rule: Rule
    not_checked: list[str] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)  # tables whose rows a pending statement changes
    new: set[tuple[str, str]] = field(default_factory=set)  # columns of pending migrations
    not_valid: dict[str | None, Operation] = field(default_factory=dict)  # new constraints

    def __post_init__(self) -> None:
        maria = getattr(self.connection.dialect, "is_mariadb", False)
        for limit in LIMITS.get("mariadb" if maria else self.connection.dialect.name, ()):
            self.connection.exec_driver_sql(limit)
        self.connection.commit()

    def probe(self, migration: Migration, operations: list[Operation]) -> list[Finding]:
        """Return the findings of one migration; add what can't be counted to ``not_checked``."""
        found = []
        for op in operations:
            table = table_of(op)
            for what, rows in self.probes(op) if table in self.tables else ():
                number = self.count(rows, f"{migration.path}:{op.line}")
                if not number:
                    continue
                fix = FIX.format(rows=rows)
                each = finding(self.rule, migration, op, f"{what}: {number:,}.", fix)
                if table in self.changed:
                    now = f"{what}: {number:,} now. {EARLIER.format(table=table)}"
                    each = replace(each, severity="note", message=now)
                found.append(each)
            if op.operation in DATA_CHANGES:
                self.changed.add(table)
            if op.operation == "add_column":
                self.new |= {(table, column.casefold()) for column in op.columns}
            if any(key.not_valid for key in op.constraints):
                self.not_valid[op.name] = op
        return found

    def count(self, rows: str, where: str) -> int:
        """Return how many rows the query has; 0 if it fails, with a note in ``not_checked``."""
        text = f"SELECT count(*) FROM ({rows}) AS counted"
        if self.connection.dialect.name == "sqlite":
            end = time.monotonic() + SECONDS
            driver: Any = self.connection.connection.driver_connection
            driver.set_progress_handler(lambda: time.monotonic() > end, 10_000)
        try:
            return int(self.connection.exec_driver_sql(text.replace("%", "%%")).scalar() or 0)
        except sa.exc.DBAPIError as error:
            why = f"whether the rows fit ({one_line(error)})"
            self.not_checked.append(f"{where}: {why}. Run it yourself: {text};")
            return 0
        finally:
            self.connection.rollback()

    def probes(self, op: Operation) -> Iterator[Probe]:
        """Yield what would stop an operation on an existing table."""
        kind, table = op.operation, self.quoted(op.qualified_table or "")
        key = op
        if kind == "validate_constraint":
            key = self.not_valid.get(op.name, op)
        columns = [self.quoted(name) for name in key.columns]
        if kind in ("create_foreign_key", "create_check_constraint", "validate_constraint"):
            if kind != "validate_constraint" and any(each.not_valid for each in op.constraints):
                return
            own = self.tables[table_of(op)].get(f"constraint {op.name}", "")
            check = re.search(r"CHECK (\(.*\))", str(own))
            if check or key.operation == "create_check_constraint":
                given = key.constraints[0].expression if key.constraints else check and check[1]
                yield from self.unmet(op, given)
            else:
                yield from self.orphans(op, key, table)
            return
        if self.connection.dialect.name in ("postgresql", "sqlite"):  # MySQL fills in a value
            for each in filter(is_required, op.definitions if kind == "add_column" else ()):
                what = f"Rows of {op.qualified_table}, which get no value for {each.name}"
                yield what, f"SELECT * FROM {table}"
        if not columns or any((table_of(op), name.casefold()) in self.new for name in op.columns):
            return  # a new column has no values yet
        named = f"{op.qualified_table} ({', '.join(op.columns)})"
        select = f"SELECT {', '.join(columns)} FROM {table} WHERE "
        unique = kind == "create_index" and op.kwargs.get("unique") is True
        if unique or kind in ("create_unique_constraint", "create_primary_key"):
            conditions = [f"{column} IS NOT NULL" for column in columns]
            if op.kwargs.get("postgresql_nulls_not_distinct") is True:
                conditions = ["1 = 1"]
            where = op.kwargs.get(f"{self.connection.dialect.name}_where")
            conditions += [f"({where})"] if isinstance(where, str) else []
            group = f" GROUP BY {', '.join(columns)} HAVING count(*) > 1"
            yield f"Values of {named} in several rows", select + " AND ".join(conditions) + group
        if op.kwargs.get("nullable") is False or kind == "create_primary_key":
            nulls = " OR ".join(f"{column} IS NULL" for column in columns)
            yield f"Rows of {named} with NULL", select + nulls
        type_ = op.kwargs.get("type_")
        if kind == "alter_column" and isinstance(type_, Type):
            type_ = for_database(type_, self.connection.dialect.name)
            if "char" in type_.name and type_.args and self.connection.dialect.name != "sqlite":
                length = f"char_length(rtrim(concat({columns[0]}))) > {type_.args[0]}"
                yield f"Rows of {named} with more than {type_.args[0]} characters", select + length

    def unmet(self, op: Operation, condition: object) -> Iterator[Probe]:
        """Yield the rows that don't meet the condition of a CHECK, unless a new column is in it."""
        if not isinstance(condition, str) or HOLE in condition:
            self.not_checked.append(f"whether the rows meet {op.name}, whose condition is not text")
        elif not words([condition]) & {name for table, name in self.new if table == table_of(op)}:
            rows = f"SELECT * FROM {self.quoted(op.qualified_table or '')} WHERE NOT ({condition})"
            yield f"Rows of {op.qualified_table} that don't meet {op.name}", rows

    def orphans(self, op: Operation, key: Operation, table: str) -> Iterator[Probe]:
        """Yield the rows whose foreign key refers to no row.

        ``key`` is the operation that adds the foreign key, or ``op``, which validates one that
        exists.
        """
        own: Sequence[str] = key.columns
        other = key.kwargs.get("remote_cols") or ()
        referred = str(key.constraints[0].references) if key.constraints else ""
        if key.operation == "validate_constraint":
            text = str(self.tables[table_of(op)].get(f"constraint {op.name}", ""))
            match = FOREIGN_KEY.search(text.replace('"', ""))
            if match is None:
                return
            own, referred, other = match[1].split(", "), match[2], match[3].split(", ")
        if not other:  # the primary key, which the migration does not name
            self.not_checked.append(f"whether the rows fit the foreign key {op.name}")
            return
        columns = [f"child.{self.quoted(name)}" for name in own]
        rows = f"SELECT {', '.join(columns)} FROM {table} child WHERE "
        rows += " AND ".join(f"{column} IS NOT NULL" for column in columns)
        if referred.casefold().removeprefix("public.") in self.tables:  # else it is new and empty
            pairs = zip(columns, other, strict=True)
            same = [f"parent.{self.quoted(name)} = {column}" for column, name in pairs]
            parents = f"SELECT 1 FROM {self.quoted(referred)} parent WHERE {' AND '.join(same)}"
            rows += f" AND NOT EXISTS ({parents})"
        named = f"{op.qualified_table} ({', '.join(own)})"
        yield f"Rows of {named} that refer to no row of {referred}", rows

    def quoted(self, name: str) -> str:
        quote = self.connection.dialect.identifier_preparer.quote
        return ".".join(quote(part) for part in name.split("."))


def is_required(column: Column) -> bool:
    """Return whether a new column has NOT NULL and nothing that gives existing rows a value."""
    filled = column.server_default is not None or column.computed or column.identity
    serial = column.type is None or "serial" in column.type.name
    return column.nullable is False and not filled and not serial and not column.primary_key
