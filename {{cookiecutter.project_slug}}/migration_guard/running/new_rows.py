"""Rows for a table, from the server's description: with NULLs, full and repeated values."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from .row_values import domain_of, value_of, without_domain
from .schema.objects import Column, Properties, SchemaObject, unquoted, words
from .schema.snapshot import Snapshot

KEY = re.compile(
    r"(primary key|unique|foreign key)[^(]*\(([^)]*)\)"
    r'(?:\s*references ((?:"[^"]*"|[^\s("])+)\s*\(([^)]*)\))?',
    re.IGNORECASE,
)


CHECK = re.compile(r"check (\(.*\))", re.IGNORECASE | re.DOTALL)


LITERAL = re.compile(r"'((?:[^']|'')*)'|(?<![\w.'])-?\d+(?:\.\d+)?(?![\w.'])")


Row = dict[str, str]  # a literal, or a query, for each column


class RowMaker:
    """Creates rows for the tables of a snapshot. ``known`` are the rows that its tables have."""

    def __init__(self, snapshot: Snapshot, known: Mapping[str, list[Row]]) -> None:
        self.snapshot, self.known = snapshot, known
        self.dialect = snapshot.connection.dialect.name
        self.objects: dict[str, SchemaObject] = {}
        # Columns that a pending revision added: no deployed code has written the same value twice.
        self.added: set[tuple[str, str]] = set()
        self.serial = 0

    def rows(self, table: str, properties: Properties) -> list[Row]:
        """Return three rows: with NULLs and defaults, with full values, and with the same values.

        The third row repeats what no unique key forbids, also the reference to its parent.
        """
        self.objects = {item.name: item for item in self.snapshot.objects.values()}
        columns = {prop[7:]: each for prop, each in properties.items() if isinstance(each, Column)}
        columns = {name: each for name, each in columns.items() if writable(each)}
        conditions = checks(properties, columns, self.objects)
        columns = {name: without_domain(each, self.objects) for name, each in columns.items()}
        constraints = [prop for prop in properties if prop.startswith("constraint ")]
        matches = [KEY.match(str(properties[prop])) for prop in constraints]
        keys = [match for match in matches if match]
        first = [match for match in keys if "primary" in match[1].lower()]
        primary = {name for match in first for name in names(match[2])}
        unique = {name for match in keys if not match[3] for name in names(match[2])}
        unique |= set(unique_by_index(columns, properties))
        unique |= {name for name in columns if (table, name.lower()) in self.added}
        foreign = [match for match in keys if match[3]]
        foreign.sort(key=lambda match: -len(names(match[2])))
        referring = {name for match in foreign for name in names(match[2])}
        solved = self.solve(columns, conditions, referring)
        rows: list[Row] = []
        for number in range(3):
            self.serial += 1
            row: Row = {}
            for name, column in columns.items():
                row[name] = self.value(column, self.serial if name in unique or not number else 0)
                if name in solved:
                    row[name] = solved[name][number % len(solved[name]) if name in unique else 0]
                elif number == 2 and name not in unique:
                    row[name] = rows[1][name]
            for match in foreign:
                children = names(match[2])
                which = number if unique & set(children) else min(number, 1)
                parent, theirs = unquoted(match[3]), names(match[4])
                row.update(self.parent(table, row, children, parent, theirs, which))
            if number == 0:
                for name, column in columns.items():
                    if not column.not_null and name not in primary:
                        row[name] = "NULL"
                    elif column.default and not column.default.startswith("nextval("):
                        row[name] = f"({column.default})"
            rows.append(row)
        return rows

    def value(self, column: Column, serial: int) -> str:
        return value_of(column, serial, self.dialect, self.objects)

    def parent(
        self, table: str, row: Row, columns: list[str], parent: str, keys: list[str], number: int
    ) -> Row:
        """Return the values of a foreign key: those of a row of its parent, or of this row."""
        rows = self.known.get(parent, [])
        if not rows:
            if parent.lower() != table.lower():
                return {}
            return {column: row.get(key, "NULL") for column, key in zip(columns, keys, strict=True)}
        quote = self.snapshot.quote
        listed = ", ".join(quote(key) for key in keys)
        some = f"SELECT {listed} FROM {self.snapshot.quoted(parent)} ORDER BY {listed}"
        some += f" LIMIT 1 OFFSET {number % len(rows)}"
        return {
            column: f"(SELECT {quote(key)} FROM ({some}) AS parent)"
            for column, key in zip(columns, keys, strict=True)
        }

    def solve(
        self, columns: dict[str, Column], conditions: list[str], referring: set[str]
    ) -> dict[str, list[str]]:
        """Return values that satisfy the CHECK constraints: the server selects likely ones."""
        solved: dict[str, list[str]] = {}
        groups: list[tuple[set[str], list[str]]] = []
        for condition in conditions:
            named = words([condition])
            members = {name for name in columns if name.lower() in named and name not in referring}
            texts = [condition]
            for other in [other for other in groups if other[0] & members]:
                groups.remove(other)
                members, texts = other[0] | members, other[1] + texts
            groups.append((members, texts))
        for members, texts in groups:
            each = max(3, int(20_000 ** (1 / max(len(members), 1))))
            lists = {name: self.candidates(columns[name], texts)[:each] for name in sorted(members)}
            if lists:
                solved.update(self.solutions(columns, lists, texts))
        return solved

    def solutions(
        self, columns: dict[str, Column], lists: dict[str, list[str]], conditions: list[str]
    ) -> dict[str, list[str]]:
        """Return the first combinations of values from these lists that the conditions accept."""
        sources = []
        for index, (name, values) in enumerate(lists.items()):
            selects = []
            for rank, value in enumerate(values):
                if self.dialect == "postgresql":
                    value = f"CAST({value} AS {columns[name].type})"
                selects.append(f"SELECT {value} AS {self.snapshot.quote(name)}, {rank} AS r{index}")
            sources.append(f"({' UNION ALL '.join(selects)}) AS source{index}")
        ranks = [f"r{index}" for index in range(len(lists))]
        query = (
            f"SELECT {', '.join(ranks)} FROM {', '.join(sources)} WHERE {' AND '.join(conditions)}"
            f" ORDER BY {' + '.join(ranks)} LIMIT 3"
        )
        try:
            with self.snapshot.connection.begin_nested():
                found: Any = self.snapshot.execute(query).all()
        except sa.exc.DBAPIError:
            return {}  # the INSERT will report what is wrong
        if not found:
            return {}
        return {
            name: [values[ranked[index]] for ranked in found]
            for index, (name, values) in enumerate(lists.items())
        }

    def candidates(self, column: Column, conditions: list[str]) -> list[str]:
        found = [self.value(column, serial) for serial in range(self.serial + 1, self.serial + 4)]
        is_number = not found[0].startswith(("'", "x'", "TRUE", "FALSE"))
        for condition in conditions:
            for match in LITERAL.finditer(condition):
                content = match[1]
                if content is None and is_number:
                    value = float(match[0]) if "." in match[0] else int(match[0])
                    found += [str(value), str(value + 1), str(value - 1)]
                elif content is not None and not is_number:
                    found += [f"'{re.sub('[%_]', filler, content)}'" for filler in "xyz"]
                elif content is None:
                    length = min(int(abs(float(match[0]))), 1000)
                    found += [f"'{filler * length}'" for filler in "xyz"]
        if is_number:
            found += ["0", "1", "-1", "2", "3"]
        else:
            found += ["'x'", "'a@b.example'", "'c@d.example'", "'1'"]
        return list(dict.fromkeys(found if column.not_null else [*found, "NULL"]))


def writable(column: Column) -> bool:
    generated = column.generated.lower()
    by_default = generated.startswith("generated by default as identity")
    return by_default or generated in ("", "auto_increment", "autoincrement")


def unique_by_index(columns: dict[str, Column], properties: Properties) -> Iterator[str]:
    for prop, value in properties.items():
        before, _, after = str(value).partition("(")
        if prop.startswith("index ") and "unique" in before.lower():
            yield from (name for name in columns if name.lower() in words([after]))


def checks(
    properties: Properties, columns: dict[str, Column], objects: Mapping[str, SchemaObject]
) -> list[str]:
    """Return the conditions of the CHECKs of the table, its columns and their domains."""
    texts = [str(value) for prop, value in properties.items() if prop.startswith("constraint ")]
    texts += [column.rest for column in columns.values()]
    for name, column in columns.items():
        texts.append(re.sub(r"\bVALUE\b", name, domain_of(column, objects)))
    plain = [re.sub(r" (NOT VALID|NO INHERIT|comment '.*')", "", each) for each in texts]
    return [match[1] for each in plain if (match := CHECK.search(each))]


def names(listed: str) -> list[str]:
    return [unquoted(re.sub(r" (asc|desc)$", "", name.strip())) for name in listed.split(",")]
