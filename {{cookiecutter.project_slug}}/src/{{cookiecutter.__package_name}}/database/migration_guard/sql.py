"""SQL text -> operations, under Alembic's names.

sqlglot splits the text into tokens, as the dialect has its comments, strings and dollar quotes; the statements that change
something are read from the tokens here. sqlglot's own parser knows too few forms of ALTER TABLE to be relied on, and a
statement that it can't parse would lose its table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, Tokenizer, TokenType

from .operation import HOLE, UNKNOWN, Column, Constraint, Operation, Type

MAX_SQL = 1_000_000  # characters; what is longer is a dump
SQLGLOT = {"postgresql": "postgres", "cockroachdb": "postgres", "mariadb": "mysql", "mssql": "tsql"}
TYPE_ALIASES = {
    "character varying": "varchar",
    "character": "char",
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "int2": "smallint",
    "serial4": "serial",
    "serial8": "bigserial",
    "bool": "boolean",
    "float4": "real",
    "float8": "double",
    "double precision": "double",
    "decimal": "numeric",
    "timestamptz": "timestamp",
    "timetz": "time",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamp",
    "time with time zone": "time",
    "time without time zone": "time",
}
# What ends a type or a default in a column's definition.
AFTER_TYPE = frozenset(
    "NOT NULL DEFAULT PRIMARY UNIQUE REFERENCES CHECK CONSTRAINT GENERATED COLLATE AUTO_INCREMENT AUTOINCREMENT COMMENT "
    "FIRST AFTER ON AS IDENTITY KEY USING DEFERRABLE INITIALLY VISIBLE INVISIBLE STORED VIRTUAL".split()
)
BLOCK_WORDS = frozenset("BEGIN DECLARE ELSE LOOP THEN EXCEPTION".split())
tokenizers: dict[str, Tokenizer] = {}


def read_sql(text: str, dialects: Sequence[str]) -> list[Operation]:
    """An operation for each thing that the statements change."""
    cut = len(text) > MAX_SQL
    tokens = tokenize(text[: text.rfind(";", 0, MAX_SQL) + 1] if cut else text, dialects)
    if tokens is None:
        return [Operation("unparsed", sql=text, certain=False, via="execute")]
    operations = []
    for statement in split(tokens):
        operations += Statement(text, statement, dialects).read()
    if cut:
        operations.append(Operation("unparsed", certain=False, via="execute"))
    return operations


def tokenize(text: str, dialects: Sequence[str]) -> list[Token] | None:
    hints = ["mysql"] if "`" in text else ["postgresql"] if "$$" in text or "::" in text else []
    for dialect in dict.fromkeys([*hints, *dialects, "postgresql", "mysql"]):
        name = SQLGLOT.get(dialect, dialect)
        if name not in tokenizers:
            base = Dialect.get_or_raise(name).tokenizer_class
            # Without COMMANDS the rest of a statement such as VACUUM is split into tokens too.
            tokenizers[name] = type(base.__name__, (base,), {"COMMANDS": set()})()
        try:
            return tokenizers[name].tokenize(text)
        except SqlglotError:
            continue
    return None


def split(tokens: list[Token]) -> Iterator[list[Token]]:
    """At semicolons, except inside the body of a trigger or routine."""
    statement: list[Token] = []
    for token in tokens:
        if token.token_type is not TokenType.SEMICOLON:
            statement.append(token)
        elif statement:
            words = [t.text.upper() for t in statement]
            routine = words[0] == "CREATE" and not {"TRIGGER", "PROCEDURE", "FUNCTION"}.isdisjoint(words[:8])
            if not (routine and "BEGIN" in words and words[-1] != "END"):
                yield statement
                statement = []
    if statement:
        yield statement


class Statement:
    """One statement, read from left to right."""

    def __init__(self, text: str, tokens: list[Token], dialects: Sequence[str]) -> None:
        self.text = text
        self.tokens = tokens
        self.dialects = dialects
        self.words = [
            "" if t.token_type in (TokenType.STRING, TokenType.IDENTIFIER) else t.text.upper() for t in tokens
        ]
        self.at = 0

    # Reading

    def next(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ";"

    def take(self, *words: str) -> bool:
        """Move past these words if they are the next."""
        end = self.at + len(words)
        if self.words[self.at : end] != list(words):
            return False
        self.at = end
        return True

    def take_any(self, *words: str) -> bool:
        if self.next() not in words:
            return False
        self.at += 1
        return True

    def exists(self) -> dict[str, Any]:
        if self.take("IF", "NOT", "EXISTS"):
            return {"if_not_exists": True}
        return {"if_exists": True} if self.take("IF", "EXISTS") else {}

    def identifier(self) -> str | None:
        if self.at >= len(self.tokens) or self.words[self.at] in ("(", ")", ",", ".", "="):
            return None
        text = self.tokens[self.at].text
        self.at += 1
        return text

    def table(self) -> dict[str, Any]:
        """``table`` and ``schema`` of the name that is next, and whether they are certain."""
        parts = [self.identifier()]
        while self.take("."):
            parts.append(self.identifier())
        known = all(part and HOLE not in part for part in parts)
        return {
            "table": parts[-1] if parts[-1] and HOLE not in parts[-1] else None,
            "schema": parts[-2] if len(parts) > 1 and known else None,
            "certain": known,
        }

    def slice(self, start: int, end: int) -> str:
        if start >= end:
            return ""
        return self.text[self.tokens[start].start : self.tokens[end - 1].end + 1].strip()

    def skip(self, *stops: str) -> str:
        """The text up to one of these words outside parentheses."""
        start, depth = self.at, 0
        while self.at < len(self.words):
            word = self.words[self.at]
            if depth == 0 and word in stops:
                break
            depth += (word == "(") - (word == ")")
            if depth < 0:
                break
            self.at += 1
        return self.slice(start, self.at)

    def group(self) -> list[str]:
        """What stands between the parentheses that are next, split at commas; quotes off plain names."""
        parts: list[str] = []
        if not self.take("("):
            return parts
        while self.at < len(self.words) and self.next() != ")":
            start = self.at
            text = self.skip(",")
            parts.append(self.tokens[start].text if self.at == start + 1 else text)
            self.take(",")
        self.take(")")
        return parts

    # Statements

    def read(self) -> list[Operation]:
        self.sql = self.slice(0, len(self.tokens))
        if self.take("WITH"):
            while self.at < len(self.words) and self.next() not in ("UPDATE", "DELETE", "INSERT", "SELECT", "MERGE"):
                self.at += 1
                self.skip("UPDATE", "DELETE", "INSERT", "SELECT", "MERGE")
        verb = self.next().lower()
        read = getattr(self, f"read_{verb}", None)
        if read is None:
            return []
        self.at += 1
        return [replace(o, sql=self.sql, via="execute") for o in read()]

    def read_update(self) -> Iterator[Operation]:
        self.take("ONLY")
        target = self.table()
        self.skip("WHERE")
        yield Operation("update", **target, kwargs={"where": self.where()})

    def read_delete(self) -> Iterator[Operation]:
        self.take("FROM")
        self.take("ONLY")
        target = self.table()
        self.skip("WHERE")
        yield Operation("delete", **target, kwargs={"where": self.where()})

    def where(self) -> Any:
        if self.take("WHERE"):
            return self.skip("RETURNING")
        return UNKNOWN if HOLE in self.words[-1] else None

    def read_insert(self) -> Iterator[Operation]:
        self.skip("INTO")
        self.take("INTO")
        yield Operation("bulk_insert", **self.table())

    def read_truncate(self) -> Iterator[Operation]:
        self.take("TABLE")
        self.take("ONLY")
        yield Operation("truncate", **self.table())
        while self.take(","):
            yield Operation("truncate", **self.table())

    def read_create(self) -> Iterator[Operation]:
        self.take("OR", "REPLACE")
        unique = self.take("UNIQUE")
        if self.take("INDEX"):
            kwargs: dict[str, Any] = {"unique": True} if unique else {}
            if self.take("CONCURRENTLY"):
                kwargs["postgresql_concurrently"] = True
            kwargs |= self.exists()
            name = self.identifier() if self.next() != "ON" else None
            self.skip("ON")
            self.take("ON")
            self.take("ONLY")
            target = self.table()
            if self.take("USING"):
                kwargs["postgresql_using"] = self.identifier()
            columns = tuple(self.group())
            self.skip("WHERE")
            if self.take("WHERE"):
                kwargs["postgresql_where"] = self.skip()
            yield Operation("create_index", name=name, columns=columns, kwargs=kwargs, **target)
            return
        self.take_any("TEMP", "TEMPORARY", "UNLOGGED", "GLOBAL", "LOCAL")
        if self.take("TABLE"):
            kwargs = self.exists()
            yield Operation("create_table", kwargs=kwargs, **self.table())

    def read_drop(self) -> Iterator[Operation]:
        if self.take("TABLE"):
            kwargs = self.exists()
            yield Operation("drop_table", kwargs=dict(kwargs), **self.table())
            while self.take(","):
                yield Operation("drop_table", kwargs=dict(kwargs), **self.table())
        elif self.take("INDEX"):
            kwargs = {"postgresql_concurrently": True} if self.take("CONCURRENTLY") else {}
            kwargs |= self.exists()
            yield Operation("drop_index", name=self.identifier(), kwargs=kwargs)

    def read_alter(self) -> Iterator[Operation]:
        if not self.take("TABLE"):
            return
        self.exists()
        self.take("ONLY")
        target = self.table()
        yield Operation("alter_table", **target)
