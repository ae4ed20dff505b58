"""Rows for a table, from what its server says of it: so that a migration meets the data that it will meet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from ..error_messages import one_line
from .schema.objects import Column, Properties, unquoted, words
from .schema.snapshot import Snapshot

ENOUGH = 60  # rows of a table that others refer to, so that a long history does not pile them up


KEY = re.compile(
    r"(primary key|unique|foreign key)[^(]*\(([^)]*)\)(?:\s*references ([^\s(]+)\s*\(([^)]*)\))?",
    re.IGNORECASE,
)


CHECK = re.compile(r"check (\(.*\))", re.IGNORECASE | re.DOTALL)


PARENT = re.compile(r"\(SELECT \S+ FROM \(SELECT [^()]+\) AS parent\)")


MISSING = re.compile(
    r"no such (table|column|function)|has no column named|does not exist|\((1054|1146|1305),"
)


LITERAL = re.compile(r"'((?:[^']|'')*)'|(?<![\w.'])-?\d+(?:\.\d+)?(?![\w.'])")


INTEGERS = {
    "tinyint": 100,
    "smallint": 30_000,
    "int2": 30_000,
    "mediumint": 8_000_000,
    "bigint": 9 * 10**18,
}


class Rows:
    """The rows that a scratch database holds while its history runs."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot, self.connection = snapshot, snapshot.connection
        self.dialect = snapshot.connection.dialect.name
        self.percent = snapshot.connection.dialect.paramstyle in (
            "format",
            "pyformat",
        )  # the driver reads %% as %
        self.serial = 0
        self.known: dict[str, list[dict[str, str]]] = {}
        self.revision = ""  # at which rows are made
        self.inserts: dict[
            str, list[tuple[int, str, str]]
        ] = {}  # their order, revision and statement
        self.refused: dict[str, str] = {}  # tables for which no row could be made, and why
        self.broken: dict[
            str, str
        ] = {}  # tables that had rows and take no more, since a trigger's table is gone; why

    def quote(self, name: str) -> str:
        return self.snapshot.quote(name)

    def execute(self, statement: str) -> sa.CursorResult[Any]:
        return self.connection.exec_driver_sql(
            statement.replace("%", "%%") if self.percent else statement
        )

    def table(self, name: str) -> str:
        return self.snapshot.quoted(name)

    def read(self, table: str) -> list[dict[str, str]]:
        self.serial += 1  # a text of its own: no driver has it prepared for the columns of before
        result = self.execute(f"SELECT * FROM {self.table(table)} /* {self.serial} */")
        names = [name.lower() for name in result.keys()]
        return [dict(zip(names, map(shown, row), strict=True)) for row in result]

    def changed(self, tables: Iterable[str]) -> Iterator[tuple[str, list[str], int, int]]:
        """The tables whose rows are not those that are known: the columns that differ, rows before and now."""
        there = self.snapshot.tables
        for table in sorted(tables):
            before = self.known.get(table)
            if (
                not before or table not in there
            ):  # a table that is gone is a difference of the schema
                continue
            after = self.read(table)
            if not after:
                yield table, [], len(before), 0
                continue
            described = {
                prop[7:].lower(): made
                for prop, made in there[table].items()
                if isinstance(made, Column)
            }
            columns = [
                name for name in before[0] if name in described and writable(described[name])
            ]
            if counted(before, columns) != counted(after, columns):
                differing = [
                    name for name in columns if counted(before, [name]) != counted(after, [name])
                ]
                yield table, differing, len(before), len(after)

    def remember(self, tables: Iterable[str]) -> None:
        there = self.snapshot.tables
        for table in tables:
            if table in there:
                self.known[table] = self.read(table)
            else:
                self.known.pop(table, None)

    def fill(self, tables: Iterable[str]) -> None:
        """Put rows into ``tables``, parents first."""
        there = self.snapshot.tables
        filled = waiting = {table for table in tables if table in there}
        while waiting:
            ready = [
                table for table in waiting if not (self.snapshot.parents[table] - {table}) & waiting
            ] or waiting
            for table in sorted(ready):
                self.insert(table, there[table])
            waiting = waiting - set(ready)
        if filled & self.snapshot.triggered:  # which may have changed the rows of any table
            self.remember(there)

    def insert(self, table: str, properties: Properties) -> None:
        """Insert a row of NULLs, one of full values, and one that repeats these where it may."""
        if any(
            prop.startswith("parent ") for prop in properties
        ):  # a partition: its rows are its parent's
            return
        if len(self.known.get(table, ())) > 9 and self.snapshot.children({table}) == {table}:
            self.execute(f"DELETE FROM {self.table(table)}")
            self.known[table], self.inserts[table] = [], []
        elif len(self.known.get(table, ())) > ENOUGH:
            return
        rows = self.rows(table, properties)
        statements = [self.statement(table, row) for row in rows]
        together = f"{statements[0]}, {', '.join(text.partition(' VALUES ')[2] for text in statements[1:])}"
        done = statements
        if why := self.run(together):
            if (
                "(1442," in why
            ):  # MariaDB's and MySQL's triggers may not change what the same statement reads
                statements = [PARENT.sub(self.literal, text) for text in statements]
            tried = [(text, self.run(text)) for text in statements]
            done = [text for text, why in tried if why is None]
            text, why = tried[1]
            if not done and not self.known.get(table):
                self.refused[table] = why or ""
                return
            if not done and MISSING.search(why or ""):
                self.broken[table] = f"{why} in: {text}"
        self.refused.pop(table, None)
        self.inserts.setdefault(table, []).extend(
            (self.serial, self.revision, text) for text in done
        )
        self.remember([table])

    def literal(self, value: re.Match[str]) -> str:
        return str(self.execute(f"SELECT quote({value[0]})").scalar())

    def run(self, statement: str) -> str | None:
        try:
            with self.connection.begin_nested():
                self.execute(statement)
        except sa.exc.DBAPIError as error:
            return one_line(error)
        return None

    def statement(self, table: str, row: dict[str, str]) -> str:
        names = ", ".join(self.quote(name) for name in row)
        return f"INSERT INTO {self.table(table)} ({names}) VALUES ({', '.join(row.values())})"

    def rows(self, table: str, properties: Properties) -> list[dict[str, str]]:
        columns = {prop[7:]: made for prop, made in properties.items() if isinstance(made, Column)}
        columns = {name: made for name, made in columns.items() if writable(made)}
        keys = [
            match
            for prop, text in properties.items()
            if prop.startswith("constraint ") and (match := KEY.match(str(text)))
        ]
        unique = [names(match[2]) for match in keys if not match[3]]
        for prop, text in properties.items():
            if prop.startswith("index ") and "unique" in str(text).lower().split("(")[0]:
                unique.append(
                    [
                        name
                        for name in columns
                        if name.lower() in words([str(text).partition("(")[2]])
                    ]
                )
        foreign = sorted(
            (match for match in keys if match[3]), key=lambda match: -len(names(match[2]))
        )
        solved = self.solve(
            columns,
            checks(properties, columns),
            {name for match in foreign for name in names(match[2])},
        )
        made: list[dict[str, str]] = []
        first: dict[str, str] = {}
        for number in range(3):
            self.serial += 1
            row = {}
            for name, column in columns.items():
                varies = any(name in key for key in unique)
                row[name] = self.value(column, self.serial if varies or number == 0 else 0)
                if name in solved:
                    row[name] = (
                        solved[name][number % len(solved[name])] if varies else solved[name][0]
                    )
                elif number == 2 and not varies:
                    row[name] = first[name]
            for match in foreign:
                row |= self.parent(
                    table, row, names(match[2]), unquoted(match[3]), names(match[4]), number
                )
            if number == 0:
                for name, column in columns.items():
                    if not column.not_null and not any(
                        "primary" in key[1].lower() and name in names(key[2]) for key in keys
                    ):
                        row[name] = "NULL"
                    elif column.default and not column.default.startswith("nextval("):
                        row[name] = f"({column.default})"
            first = row
            made.append(row)
        return made

    def parent(
        self,
        table: str,
        row: dict[str, str],
        columns: list[str],
        parent: str,
        keys: list[str],
        number: int,
    ) -> dict[str, str]:
        """The columns of a foreign key: those of a row of its parent, or of the row itself."""
        rows = self.known.get(parent, [])
        if not rows:
            return (
                dict(zip(columns, [row.get(key, "NULL") for key in keys], strict=True))
                if parent.lower() == table.lower()
                else {}
            )
        listed = ", ".join(self.quote(key) for key in keys)
        some = f"SELECT {listed} FROM {self.table(parent)} ORDER BY {listed} LIMIT 1 OFFSET {number % len(rows)}"
        return {
            c: f"(SELECT {self.quote(k)} FROM ({some}) AS parent)"
            for c, k in zip(columns, keys, strict=True)
        }

    def solve(
        self, columns: dict[str, Column], conditions: list[str], foreign: set[str]
    ) -> dict[str, list[str]]:
        """Values that satisfy the CHECK constraints, found by the server itself among likely ones."""
        solved: dict[str, list[str]] = {}
        groups: list[tuple[set[str], list[str]]] = []
        for condition in conditions:
            told = words([condition])
            group = (
                {name for name in columns if name.lower() in told and name not in foreign},
                [condition],
            )
            for other in [other for other in groups if other[0] & group[0]]:
                groups.remove(other)
                group = (other[0] | group[0], other[1] + group[1])
            groups.append(group)
        for members, texts in groups:
            each = max(3, int(20_000 ** (1 / max(len(members), 1))))
            lists = {name: self.candidates(columns[name], texts)[:each] for name in sorted(members)}
            sources = []
            for index, (name, values) in enumerate(lists.items()):
                cast = columns[name].type if self.dialect == "postgresql" else ""
                some = (
                    f"SELECT {f'CAST({value} AS {cast})' if cast else value} AS {self.quote(name)}, {rank} AS rank{index}"
                    for rank, value in enumerate(values)
                )
                sources.append(f"({' UNION ALL '.join(some)}) AS source{index}")
            if not sources:
                continue
            ranks = [f"rank{index}" for index in range(len(lists))]
            query = (
                f"SELECT {', '.join(ranks)} FROM {', '.join(sources)} WHERE {' AND '.join(texts)}"
                f" ORDER BY {' + '.join(ranks)} LIMIT 3"
            )
            try:
                with self.connection.begin_nested():
                    found = self.execute(query).all()
            except sa.exc.DBAPIError:
                continue  # then without: the insert says what is wrong
            if found:
                solved |= {
                    name: [values[ranked[i]] for ranked in found]
                    for i, (name, values) in enumerate(lists.items())
                }
        return solved

    def candidates(self, column: Column, conditions: list[str]) -> list[str]:
        found = [self.value(column, serial) for serial in range(self.serial + 1, self.serial + 4)]
        number = not found[0].startswith(("'", "x'", "TRUE", "FALSE"))
        for condition in conditions:
            for match in LITERAL.finditer(condition):
                text = match[1]
                if text is None and number:
                    value = float(match[0]) if "." in match[0] else int(match[0])
                    found += [str(value), str(value + 1), str(value - 1)]
                elif text is not None and not number:
                    found += [f"'{re.sub('[%_]', filler, text)}'" for filler in ("x", "y", "z")]
                elif text is None:
                    found += [
                        f"'{filler * min(int(abs(float(match[0]))), 1000)}'"
                        for filler in ("x", "y", "z")
                    ]
        found += (
            ["0", "1", "-1", "2", "3"]
            if number
            else ["'x'", "'a@b.example'", "'c@d.example'", "'1'"]
        )
        return list(dict.fromkeys(found if column.not_null else [*found, "NULL"]))

    def value(self, column: Column, serial: int) -> str:
        """A literal of the column's type at its full length; ``serial`` makes it another one."""
        full = column.type.lower()
        base, arguments = (
            re.split(r"[(\[]", full)[0].strip(),
            full.partition("(")[2].partition(")")[0],
        )
        size = (
            [int(digits) for digits in re.findall(r"\d+", arguments)]
            if "'" not in arguments
            else []
        )
        if full.endswith("[]"):
            return "'{}'"
        if labels := self.labels(column):
            return labels[serial % len(labels)]
        if "json" in base or "json_valid" in column.rest:
            return f"'{{\"a\": {serial}}}'"
        if "bool" in base or full == "tinyint(1)":
            return str(serial % 2 == 0).upper()
        if "int" in base and "interval" not in base and "point" not in base:
            return str(INTEGERS.get(base.split()[0], 2 * 10**9) + serial)
        if base in ("numeric", "decimal"):
            precision, scale = (*size, 10, 0)[:2] if len(size) != 1 else (size[0], 0)
            digits = f"{10**precision - 1 - serial:0{precision}d}"
            return f"{digits[:-scale] or '0'}.{digits[-scale:]}" if scale else digits
        if base.startswith(("float", "double", "real")):
            return f"{1_000_000 + serial}.5"
        if base in ("timestamp", "datetime") or base.startswith(("timestamp ", "datetime ")):
            return f"'{2037 - serial // 12 % 60}-{12 - serial % 12:02d}-28 23:59:59.000000'"
        if base == "date":
            return f"'{2037 - serial // 12 % 60}-{12 - serial % 12:02d}-28'"
        if base.startswith("time"):
            return f"'23:59:{59 - serial % 60:02d}'"
        if base == "uuid" or (base == "char" and size == [32]):
            text = f"{serial:032x}"
            return (
                f"'{text}'"
                if base == "char"
                else f"'{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}'"
            )
        if "blob" in base or "binary" in base or base == "bytea":
            text = f"{serial:06x}".rjust(2 * (size[0] if size else 4), "f")
            return f"'\\x{text}'" if base == "bytea" else f"x'{text}'"
        others = {
            "interval": f"'{serial + 1} days'",
            "inet": f"'10.0.{serial // 250 % 250}.{serial % 250}'",
            "cidr": "'10.0.0.0/8'",
            "xml": "'<a/>'",
            "year": f"{2000 + serial % 100}",
            "money": f"'{serial}'",
            "bit": f"B'{'1' * (size[0] if size else 1)}'",
            "macaddr": "'08:00:2b:01:02:03'",
            "hstore": "'a=>1'",
            "ltree": f"'a{serial}'",
            "point": "'(1,1)'",
        }
        if base in others or base.endswith("range"):
            return others.get(base, "'empty'")
        length = size[0] if size else 300 if "tinytext" not in base else 100
        text = f"{serial}" if serial else ""
        return "'" + text[-length:].ljust(length, "x") + "'"

    def labels(self, column: Column) -> list[str]:
        """The values of an enum type."""
        text: object = column.type if column.type.lower().startswith("enum(") else ""
        if self.dialect == "postgresql":
            name = column.type.replace('"', "")
            item = self.snapshot.objects.get(f"type {name}")
            text = item.properties[""] if item else ""
        return re.findall(r"'(?:[^']|'')*'", str(text))


def shown(value: object) -> str:
    return repr(value.normalize() if isinstance(value, Decimal) else value)


def writable(column: Column) -> bool:
    generated = column.generated.lower()
    return not generated or generated in (
        "auto_increment",
        "autoincrement",
        "generated by default as identity",
    )


def checks(properties: Properties, columns: dict[str, Column]) -> list[str]:
    texts = [str(text) for prop, text in properties.items() if prop.startswith("constraint ")]
    texts += [column.rest for column in columns.values()]
    return [
        match[1]
        for text in texts
        if (match := CHECK.search(re.sub(r" (NOT VALID|NO INHERIT|comment '.*')", "", text)))
    ]


def names(listed: str) -> list[str]:
    return [unquoted(re.sub(r" (asc|desc)$", "", name.strip())) for name in listed.split(",")]


def counted(rows: list[dict[str, str]], columns: list[str]) -> Counter[tuple[str, ...]]:
    return Counter(tuple(row[name] for name in columns) for row in rows)
