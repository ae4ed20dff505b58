"""Statements that change rows."""

from collections.abc import Iterator
from functools import partialmethod
from typing import Any

from .migration import HOLE, UNKNOWN, Operation, words
from .sql_cursor import Cursor

HINTS = ("ONLY", "IGNORE", "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK", "VERBOSE")

JOINS = words(
    "JOIN INNER LEFT RIGHT CROSS NATURAL STRAIGHT_JOIN ON USING USE FORCE IGNORE PARTITION"
)


class Rows(Cursor):
    """Reads statements that change rows."""

    def read_select(self) -> Iterator[Operation]:
        """Read SELECT ... INTO: a new table on PostgreSQL, a file or a variable on MySQL."""
        self.skip("INTO", "FROM")
        if self.take("INTO"):
            while self.take_any("TEMP", "TEMPORARY", "UNLOGGED", "TABLE"):
                pass
            if self.word() not in ("OUTFILE", "DUMPFILE") and not self.word().startswith("@"):
                yield Operation("create_table_as", **self.name())

    def hints(self) -> None:
        while self.take_any(*HINTS):
            pass
        if self.take("OR"):  # SQLite's OR IGNORE
            self.at += 1

    def sources(self, *stops: str) -> dict[str, dict[str, Any]]:
        """Go past the tables that are listed or joined; return them by alias."""
        found: dict[str, dict[str, Any]] = {}
        while True:
            self.hints()
            if self.word() != "(":
                target = self.name()
                self.take("AS")
                alias = self.identifier() if self.word() not in {*stops, *JOINS} else None
                found[(alias or target["table"] or "").lower()] = target
            self.skip(*stops, ",", "JOIN", "STRAIGHT_JOIN")
            if not self.take_any(",", "JOIN", "STRAIGHT_JOIN"):
                return found

    def changed(
        self, operation: str, sources: dict[str, dict[str, Any]], names: list[str]
    ) -> Iterator[Operation]:
        """Return an operation for each source that is named; for the first one if none is."""
        self.skip("WHERE", "LIMIT")
        where = self.where()
        if where is None and operation == "delete" and len(sources) > 1:
            where = "JOIN"  # an UPDATE with a join usually changes every row, a DELETE doesn't
        targets = [sources[name] for name in dict.fromkeys(names) if name in sources]
        for target in targets or list(sources.values())[:1]:
            yield Operation(operation, kwargs={"where": where}, **target)

    def read_update(self) -> Iterator[Operation]:
        sources = self.sources("SET")
        self.take("SET")
        names = []
        for _ in self.listed():
            if self.word() != "(":
                names += [name.lower() for name in self.parts()[:-1] if name]
            self.skip(",", "WHERE", "LIMIT", "FROM")
        yield from self.changed("update", sources, names)

    def read_delete(self) -> Iterator[Operation]:
        self.hints()
        names = []
        for _ in self.listed() if self.word() != "FROM" else ():
            names += [name.lower() for name in self.parts()[-1:] if name]
        self.skip("FROM")
        self.take("FROM")
        sources = self.sources("WHERE", "USING", "ORDER", "LIMIT", "RETURNING")
        if self.take("USING") and {"mysql", "mariadb"}.issuperset(self.dialects):
            names, sources = list(sources), self.sources("WHERE", "ORDER", "LIMIT")
        yield from self.changed("delete", sources, names)

    def where(self) -> Any:
        if self.take("WHERE"):
            return self.skip("RETURNING").replace(HOLE, "?")
        if self.word() == "LIMIT":
            return self.skip("RETURNING")
        return UNKNOWN if HOLE in self.words[-1] and self.words[-2:-1] != ["="] else None

    def into(self, operation: str) -> Iterator[Operation]:
        if "INTO" in self.words:
            self.skip("INTO")
            self.take("INTO")
        self.hints()
        self.take("TABLE")
        yield Operation(operation, **self.name())

    def read_copy(self) -> Iterator[Operation]:
        target = self.name() if self.word() != "(" else {}
        self.skip("FROM", "TO")
        if self.word() != "TO":
            yield Operation("bulk_insert", **target)

    read_insert = read_replace = read_load = partialmethod(into, "bulk_insert")

    read_merge = partialmethod(into, "merge")
