"""A MySQL or MariaDB database as the statements that make it again, for servers that can copy none.

The very same or not at all: of a database with more than tables there is no dump, and one that gives another description
of itself when it is made again is refused.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.engine import Connection

from .snapshot import words

# What SHOW CREATE TABLE and the rows are written in, and read.
SESSION = "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', foreign_key_checks = 0"
TABLES = "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = database()"
COLUMNS = """SELECT table_name, column_name, data_type, coalesce(generation_expression, '') <> ''
  FROM information_schema.columns WHERE table_schema = database() ORDER BY ordinal_position"""
MORE_THAN_TABLES = "SELECT " + " + ".join(
    f"(SELECT count(*) FROM information_schema.{kind}s WHERE {kind}_schema = database())"
    for kind in ("trigger", "routine", "event")
)
# By type of column: its value in words that give it again, to the last bit.
LITERALS = {
    "concat('_binary X\\'', hex({0}), '\\'')": "char varchar tinytext text mediumtext longtext binary varbinary"
    " tinyblob blob mediumblob longblob",
    "{0} + 0e0": "float double",
    "{0} + 0": "bit enum set",
    "quote({0})": "tinyint smallint mediumint int bigint decimal date time datetime timestamp year uuid inet4 inet6 json",
}
LITERAL = {kind: literal for literal, kinds in LITERALS.items() for kind in kinds.split()}
PACKET = 500_000  # characters of a statement, which any server takes
KEY = re.compile(r"^  KEY (`(?:[^`]|``)+`) (.*?),?$", re.MULTILINE)
UNNAMED = re.compile(r"^  CONSTRAINT `\w+_ibfk_\d+` (?=FOREIGN KEY)", re.MULTILINE)


class Tables:
    """The tables of the database of a connection, which is for this alone."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection.execution_options(no_parameters=True)  # a % is a %
        self.run(SESSION)
        tables = dict(self.run(TABLES))
        self.columns: dict[str, dict[str, str]] = {table: {} for table in tables}
        self.generated: dict[str, list[str]] = {table: [] for table in tables}
        kinds = set()
        for table, name, kind, generated in self.run(COLUMNS):
            kinds.add(kind)
            literal = f"if({quoted(name)} IS NULL, 'NULL', {LITERAL.get(kind, '').format(quoted(name))})"
            if generated:
                self.generated[table].append(literal)
            else:
                self.columns[table][quoted(name)] = literal
        self.plain = (
            set(tables.values()) <= {"BASE TABLE"}
            and kinds <= LITERAL.keys()
            and all(self.columns.values())
            and not self.run(MORE_THAN_TABLES)[0][0]
        )

    def run(self, statement: str) -> list[Any]:
        result = self.connection.exec_driver_sql(statement)
        return list(result) if result.returns_rows else []

    def text(self, table: str) -> str:
        return str(self.run(f"SHOW CREATE TABLE {quoted(table)}")[0][1])

    def read(self, table: str) -> tuple[str, list[Any]]:
        """Its text, and of each row its values to insert and those that are generated; None: longer than a packet."""
        parts = [
            "concat(" + ", ',', ".join(each or ["''"]) + ")"
            for each in (self.columns[table].values(), self.generated[table])
        ]
        return self.text(table), self.run(f"SELECT {', '.join(parts)} FROM {quoted(table)}")

    def statements(self, table: str, text: str, rows: list[Any]) -> list[str] | None:
        """What makes it again. To find the indexes that foreign keys made, it is changed."""
        if keys := dict(KEY.findall(text)):
            # The server itself drops what it made as soon as there is another: so it does when a revision makes one.
            more = (f"ADD KEY migration_guard_{number} {rest}" for number, rest in enumerate(keys.values()))
            self.run(f"ALTER TABLE {quoted(table)} {', '.join(more)}")
            own = keys.keys() - dict(KEY.findall(self.text(table))).keys()
            if own and "FOREIGN KEY" not in text:  # which is gone, and nothing else makes such an index
                return None
            for name in own:
                text = re.sub(rf"  KEY {re.escape(name)} .*\n", "", text)
        lists = [f"({values})" for values, _ in rows]
        if "(None)" in lists:
            return None
        if len(together := ", ".join(lists)) < PACKET:
            lists = [together] * bool(rows)
        into = f"INSERT INTO {quoted(table)} ({', '.join(self.columns[table])}) VALUES"
        return [UNNAMED.sub("  ", text), *(f"{into} {values}" for values in lists)]


Dump = dict[str, dict[str, list[str]]]  # of each table the statements, and the description of what they must give


def dump(connection: Connection, before: Dump, named: set[str]) -> Dump | None:
    """The dump of a database, which is not to be used afterwards.

    ``before`` is that from which it was made, ``named`` the words of the statements that it has seen since: a table that
    none of them names is made again as it was.
    """
    tables, dumped = Tables(connection), Dump()
    if not tables.plain:
        return None
    for table in sorted(tables.columns):
        text, rows = tables.read(table)
        described, known = description(text, rows), before.get(table)
        if known is None or known["described"] != described or words([table]) <= named:
            statements = tables.statements(table, text, rows)
            if statements is None:
                return None
            known = {"statements": statements, "described": described}
        dumped[table] = known
    return dumped


def restore(connection: Connection, dumped: Dump) -> bool:
    """Make it again in an empty database; False: it is not the same."""
    empty = Tables(connection)
    for known in dumped.values():
        empty.run(known["statements"][0])
    for known in dumped.values():  # the rows together: each CREATE TABLE commits
        for statement in known["statements"][1:]:
            empty.run(statement)
    connection.commit()
    tables = Tables(connection)
    described = {table: description(*tables.read(table)) for table in tables.columns}
    return described == {table: known["described"] for table, known in dumped.items()}


def description(text: str, rows: list[Any]) -> list[str]:
    """All that the server says of a table. The lines are sorted: an index comes back where the server puts it."""
    return sorted(line.rstrip(",") for line in text.split("\n")) + [f"{values}, {made}" for values, made in rows]


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
