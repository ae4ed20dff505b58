"""The rows of a scratch database while its history runs, and how they change."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

import sqlalchemy as sa

from ..error_messages import one_line
from .new_rows import Row, RowMaker, writable
from .schema.objects import Column, Properties
from .schema.snapshot import Snapshot

ENOUGH = 60  # the most rows of a table that others refer to, also in a long history


PARENT = re.compile(r"\(SELECT \S+ FROM \(SELECT [^()]+\) AS parent\)")


MISSING = re.compile(
    r"no such (table|column|function)|has no column named|does not exist|\((1054|1146|1305),"
)


class Rows:
    """Inserts rows into the tables of a snapshot, and compares them with those before."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot, self.connection = snapshot, snapshot.connection
        self.known: dict[str, list[Row]] = {}
        self.maker = RowMaker(snapshot, self.known)
        self.reads = 0
        self.revision = ""  # at which rows are inserted
        # Of each table: the order of the statement, its revision, and its text.
        self.inserts: dict[str, list[tuple[int, str, str]]] = {}
        self.refused: dict[str, str] = {}  # tables that accept no row, and why
        # Tables that accept no more rows, because a trigger uses what was dropped, and why.
        self.broken: dict[str, str] = {}

    def read(self, table: str) -> list[Row]:
        self.reads += 1  # a new text, which no driver has prepared for the columns before
        query = f"SELECT * FROM {self.snapshot.quoted(table)} /* {self.reads} */"
        result = self.snapshot.execute(query)
        names = [name.lower() for name in result.keys()]  # noqa: SIM118
        return [dict(zip(names, map(comparable, row), strict=True)) for row in result]

    def changed(
        self, tables: Iterable[str], fillable: Iterable[tuple[str, str]] = ()
    ) -> Iterator[tuple[str, list[str], int, int]]:
        """Yield the tables whose rows differ from those that are known.

        Each comes with the columns that differ, and the number of rows before and now. In columns
        that are ``fillable`` a value may replace NULL.
        """
        for table in sorted(tables):
            before = self.known.get(table)
            if not before or table not in self.snapshot.tables:
                continue  # a dropped table is a difference of the schema
            after = self.read(table)
            if not after:
                yield table, [], len(before), 0
                continue
            items = self.snapshot.tables[table].items()
            described = {it[7:].lower(): each for it, each in items if isinstance(each, Column)}
            names = [name for name in before[0] if name in described and writable(described[name])]
            filled = [name for name in names if (table, name) in fillable]
            if is_same(before, after, names, filled):
                continue
            differing = [name for name in names if not is_same(before, after, [name], filled)]
            yield table, differing, len(before), len(after)

    def remember(self, tables: Iterable[str]) -> None:
        for table in tables:
            if table in self.snapshot.tables:
                self.known[table] = self.read(table)
            else:
                self.known.pop(table, None)

    def fill(self, tables: Iterable[str]) -> None:
        """Insert rows into ``tables``, parents first."""
        there = self.snapshot.tables
        filled = waiting = {table for table in tables if table in there}
        while waiting:
            parents = self.snapshot.parents
            ready = [it for it in waiting if not (parents[it] - {it}) & waiting] or waiting
            for table in sorted(ready):
                self.insert(table, there[table])
            waiting = waiting - set(ready)
        if filled & self.snapshot.triggered:  # which may have changed the rows of any table
            self.remember(there)

    def insert(self, table: str, properties: Properties) -> None:
        """Insert the rows that `RowMaker.rows` returns, if the table accepts them."""
        if any(prop.startswith("parent ") for prop in properties):
            return  # the rows of a partition are those of its parent
        # MySQL and MariaDB delete no row that another one of the same table refers to.
        referred = any(table in parents for parents in self.snapshot.parents.values())
        if len(self.known.get(table, ())) > 9 and not referred:
            self.snapshot.execute(f"DELETE FROM {self.snapshot.quoted(table)}")
            self.known[table], self.inserts[table] = [], []
        elif len(self.known.get(table, ())) > ENOUGH:
            return
        statements = [self.statement(table, row) for row in self.maker.rows(table, properties)]
        values = [statement.partition(" VALUES ")[2] for statement in statements[1:]]
        done = statements
        if why := self.run(", ".join([statements[0], *values])):
            if "(1442," in why:
                # MariaDB's and MySQL's triggers may not change what the same statement reads.
                statements = [PARENT.sub(self.literal, statement) for statement in statements]
            tried = [(statement, self.run(statement)) for statement in statements]
            done = [statement for statement, error in tried if error is None]
            statement, error = tried[1]
            if not done and not self.known.get(table):
                self.refused[table] = error or ""
                return
            if not done and MISSING.search(error or ""):
                self.broken[table] = f"{error} in: {statement}"
        self.refused.pop(table, None)
        order, revision = self.maker.serial, self.revision
        self.inserts.setdefault(table, []).extend((order, revision, text) for text in done)
        self.remember([table])

    def literal(self, value: re.Match[str]) -> str:
        return str(self.snapshot.execute(f"SELECT quote({value[0]})").scalar())

    def run(self, statement: str) -> str | None:
        """Execute the statement; return the error if it fails and is rolled back."""
        try:
            with self.connection.begin_nested():
                self.snapshot.execute(statement)
        except sa.exc.DBAPIError as error:
            return one_line(error)
        return None

    def statement(self, table: str, row: Row) -> str:
        names = ", ".join(map(self.snapshot.quote, row))
        values = ", ".join(row.values())
        return f"INSERT INTO {self.snapshot.quoted(table)} ({names}) VALUES ({values})"


NULL = repr(None)


def is_same(before: list[Row], after: list[Row], names: list[str], fillable: list[str]) -> bool:
    """Return whether both have the same rows in these columns, except for filled NULLs."""
    fixed = [name for name in names if name not in fillable]
    if counted(before, fixed) != counted(after, fixed):
        return False
    for name in set(names) & set(fillable):
        kept = [row for row in before if row[name] != NULL]
        if not counted(kept, [*fixed, name]) <= counted(after, [*fixed, name]):
            return False
    return True


def comparable(value: object) -> str:
    return repr(value.normalize() if isinstance(value, Decimal) else value)


def counted(rows: list[Row], columns: list[str]) -> Counter[tuple[str, ...]]:
    return Counter(tuple(row[name] for name in columns) for row in rows)
