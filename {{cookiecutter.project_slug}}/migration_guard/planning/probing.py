"""Do the rows of the configured database fit what is pending? It is only read."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from ..error_messages import one_line
from ..finding import Finding
from ..reading.migration import Migration, Operation, Type
from ..rules.column_types import for_database
from ..rules.rule import Rule, finding
from ..rules.upgrade import DATA_CHANGES, table_of

SECONDS = 5  # for one query

FIX = "Fix these rows first: delete them, or fill or shorten what does not fit. They are: {rows};"

EARLIER = "An earlier pending statement changes {table}, and may fix them."

FOREIGN_KEY = re.compile(
    r"FOREIGN KEY \((?P<own>[^)]*)\) REFERENCES (?P<table>[^ (]+) ?\((?P<other>[^)]*)\)", re.I
)


@dataclass(frozen=True, slots=True)
class Probe:
    """Rows that an operation would not accept, and the words for them."""

    rows: sa.Select[Any]
    found: str  # before the number


@dataclass(slots=True)
class Prober:
    """Looks for rows that do not fit, one pending migration after the other."""

    connection: sa.Connection
    tables: dict[str, dict[str, Any]]  # what is there: the properties of each table, by its name
    rule: Rule
    not_checked: list[str] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)  # tables whose rows a pending statement changes
    new: set[tuple[str, str]] = field(default_factory=set)  # columns that are to come
    unchecked_keys: dict[str, Operation] = field(default_factory=dict)  # foreign keys, NOT VALID

    def __post_init__(self) -> None:
        limit_queries(self.connection)

    def look(self, migration: Migration, operations: list[Operation]) -> list[Finding]:
        """The findings of one migration; ``not_checked`` gets what could not be counted."""
        found = []
        for op in operations:
            place = f"{migration.path}:{op.line}"
            for probe in self.probes(op, place):
                rows = str(
                    probe.rows.compile(self.connection, compile_kwargs={"literal_binds": True})
                ).replace("\n", "")
                number = self.count(rows, place)
                if not number:
                    continue
                table = table_of(op)
                each = finding(
                    self.rule,
                    migration,
                    op,
                    f"{probe.found}: {number:,}.",
                    FIX.format(rows=rows),
                )
                if table in self.changed:
                    later = f"{probe.found}: {number:,} now. {EARLIER.format(table=table)}"
                    each = replace(each, severity="note", message=later)
                found.append(each)
            if op.operation in DATA_CHANGES:
                self.changed.add(table_of(op))
            if op.operation == "add_column":
                self.new |= {(table_of(op), column.lower()) for column in op.columns}
        return found

    def count(self, rows: str, place: str) -> int:
        """How many rows the query has; 0 if it fails, which goes to ``not_checked``."""
        text = f"SELECT count(*) FROM ({rows}) AS counted"
        driver: Any = self.connection.connection.driver_connection
        if self.connection.dialect.name == "sqlite":
            end = time.monotonic() + SECONDS
            driver.set_progress_handler(lambda: time.monotonic() > end, 10_000)
        try:
            return int(self.connection.exec_driver_sql(text.replace("%", "%%")).scalar() or 0)
        except sa.exc.DBAPIError as error:
            why = one_line(error)
            self.not_checked.append(
                f"{place}: whether the rows fit ({why}). Run it yourself: {text};"
            )
            return 0
        finally:
            self.connection.rollback()

    def probes(self, op: Operation, place: str) -> Iterator[Probe]:
        """What would stop the operation, for tables and columns that are there."""
        table = table_of(op)
        if table not in self.tables:
            return  # it is to come, and has no rows
        kind = op.operation
        if kind == "alter_column" and op.columns:
            yield from self.altered(op, place)
        unique = kind == "create_index" and op.kwargs.get("unique") is True
        unique = unique or kind in ("create_unique_constraint", "create_primary_key")
        if unique and self.has_columns(table, op.columns, place):
            yield self.duplicates(op)
            if kind == "create_primary_key":
                yield self.nulls(op)
        if kind == "create_foreign_key":
            if any(key.not_valid for key in op.constraints):
                self.unchecked_keys[op.name or ""] = op
            else:
                yield from self.orphans(op, op, place)
        if kind == "validate_constraint":
            yield from self.orphans(op, self.unchecked_keys.get(op.name or "", op), place)

    def altered(self, op: Operation, place: str) -> Iterator[Probe]:
        dialect = self.connection.dialect.name
        type_ = op.kwargs.get("type_")
        type_ = for_database(type_, dialect) if isinstance(type_, Type) else None
        length = type_.args[0] if type_ and type_.args and "char" in type_.name else None
        shortens = isinstance(length, int) and dialect != "sqlite"  # it stores any length
        requires = op.kwargs.get("nullable") is False
        if (shortens or requires) and not self.has_columns(table_of(op), op.columns, place):
            return
        if requires:
            yield self.nulls(op)
        if shortens:
            own, name = self.selectable(op.qualified_table or ""), op.columns[0]
            text = sa.cast(sa.column(name), sa.Text)
            longer = sa.func.char_length(sa.func.rtrim(text)) > length
            rows: sa.Select[Any] = sa.select(sa.column(name)).select_from(own).where(longer)
            yield Probe(
                rows, f"Rows of {op.qualified_table} with more than {length} characters in {name}"
            )

    def nulls(self, op: Operation) -> Probe:
        columns: list[Any] = [sa.column(name) for name in op.columns]
        rows = sa.select(*columns).select_from(self.selectable(op.qualified_table or ""))
        rows = rows.where(sa.or_(*(column.is_(None) for column in columns)))
        return Probe(rows, f"Rows of {op.qualified_table} with NULL in {', '.join(op.columns)}")

    def duplicates(self, op: Operation) -> Probe:
        columns: list[Any] = [sa.column(name) for name in op.columns]
        rows = sa.select(*columns).select_from(self.selectable(op.qualified_table or ""))
        if op.kwargs.get("postgresql_nulls_not_distinct") is not True:
            rows = rows.where(*(column.is_not(None) for column in columns))
        condition = op.kwargs.get(f"{self.connection.dialect.name}_where")
        if isinstance(condition, str):
            rows = rows.where(sa.text(condition.replace(":", "\\:")))
        rows = rows.group_by(*columns).having(sa.func.count() > 1)
        return Probe(
            rows,
            f"Values of {op.qualified_table} ({', '.join(op.columns)}) in several rows",
        )

    def orphans(self, op: Operation, key: Operation, place: str) -> Iterator[Probe]:
        """``key`` adds the foreign key; or it is ``op``, which validates an existing one."""
        table, own, other, referred = table_of(op), list(key.columns), [], ""
        if key.operation == "create_foreign_key":
            referred = str(key.constraints[0].references) if key.constraints else ""
            given = key.kwargs.get("remote_cols")
            other = [str(name) for name in given] if isinstance(given, list | tuple) else []
        else:
            text = str(self.tables[table].get(f"constraint {op.name}", ""))
            match = FOREIGN_KEY.search(text)
            if match is None:
                return  # a CHECK
            own, other = (match[name].replace('"', "").split(", ") for name in ("own", "other"))
            referred = match["table"].replace('"', "")
        if not other or not self.has_columns(table, own, place):
            self.not_checked.append(f"{place}: whether the rows fit the foreign key {op.name}")
            return
        there = self.tables.get(referred.casefold().removeprefix("public."))
        child = self.selectable(op.qualified_table or "").alias("child")
        parent = self.selectable(referred).alias("parent")
        filled: list[Any] = [sa.column(name, _selectable=child) for name in own]
        rows = sa.select(*filled).where(*(column.is_not(None) for column in filled))
        if there is not None:  # else it is to come, and every row is without
            pairs = zip(filled, other, strict=True)
            same = [column == sa.column(name, _selectable=parent) for column, name in pairs]
            rows = rows.where(~sa.exists(sa.select(sa.literal(1)).select_from(parent).where(*same)))
        yield Probe(
            rows,
            f"Rows of {op.qualified_table} ({', '.join(own)}) that refer to no row of {referred}",
        )

    def has_columns(self, table: str, columns: Any, place: str) -> bool:
        """Whether the columns exist; those that neither exist nor are to come are not checked."""
        known = {fact.lower() for fact in self.tables[table]}
        missing = [name for name in columns if f"column {name}".lower() not in known]
        lost = [name for name in missing if (table, name.lower()) not in self.new]
        if lost:
            self.not_checked.append(
                f"{place}: whether the rows fit ({table} has no {' or '.join(lost)} now)"
            )
        return not missing

    def selectable(self, table: str) -> Any:
        schema, _, name = table.rpartition(".")
        return sa.table(name, schema=schema or None)


def limit_queries(connection: sa.Connection) -> None:
    """Have the server end long queries, and refuse those that would see a part of the rows."""
    dialect = connection.dialect
    if dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET SESSION statement_timeout = '{SECONDS}s'")
        connection.exec_driver_sql("SET SESSION row_security = off")
        connection.commit()
    elif getattr(dialect, "is_mariadb", False):
        connection.exec_driver_sql(f"SET SESSION max_statement_time = {SECONDS}")
    elif dialect.name == "mysql":
        connection.exec_driver_sql(f"SET SESSION max_execution_time = {SECONDS * 1000}")
