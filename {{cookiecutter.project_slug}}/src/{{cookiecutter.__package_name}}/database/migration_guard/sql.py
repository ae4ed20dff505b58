"""SQL text -> operations, under Alembic's names.

sqlglot cuts the text into tokens, as the dialect has its comments, strings and dollar quotes. The statements are read
from the tokens here: sqlglot's own parser gives up on half of the forms of ALTER TABLE, and the table with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partialmethod
from typing import Any

from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType  # type: ignore[attr-defined,unused-ignore]

from .operation import HOLE, UNKNOWN, Column, Constraint, Operation, Type, Unknown, words

__all__ = ["read_sql"]

MAX_SQL = 500_000  # characters; a longer text is a dump, and read as far as that
SQLGLOT = {"postgresql": "postgres", "cockroachdb": "postgres", "mariadb": "mysql", "mssql": "tsql"}
READING = words(
    "SELECT SHOW PRAGMA BEGIN COMMIT ROLLBACK START SAVEPOINT RELEASE EXPLAIN VALUES USE ANALYZE NOTIFY RESET DECLARE "
    "CLOSE FETCH CHECKPOINT DESCRIBE GRANT REVOKE END DISCARD PERFORM RETURN RAISE NULL GO PRINT UNLOCK"
)
KINDS = words(
    "TABLE INDEX VIEW FUNCTION PROCEDURE TRIGGER SEQUENCE TYPE DOMAIN SCHEMA DATABASE EXTENSION POLICY RULE ROLE USER "
    "STATISTICS PUBLICATION SUBSCRIPTION AGGREGATE COLLATION SERVER EVENT CAST OWNED SYSTEM LANGUAGE OPERATOR"
)
TYPES = {
    "character varying": "varchar",
    "character": "char",
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "int2": "smallint",
    "bool": "boolean",
    "float4": "real",
    "float8": "double",
    "double precision": "double",
    "decimal": "numeric",
    "timestamptz": "timestamp",
    "timetz": "time",
}
# What ends a type or a default in the definition of a column, and the words of a type after the first.
AFTER_TYPE = words(
    ", ) NOT NULL DEFAULT PRIMARY UNIQUE REFERENCES CHECK CONSTRAINT GENERATED COLLATE AUTO_INCREMENT AUTOINCREMENT "
    "COMMENT FIRST AFTER ON AS IDENTITY KEY USING DEFERRABLE INITIALLY VISIBLE INVISIBLE STORED VIRTUAL"
)
TYPE_WORDS = words("VARYING PRECISION UNSIGNED ZEROFILL SIGNED")
TABLE_PARTS = words("CONSTRAINT PRIMARY UNIQUE CHECK FOREIGN EXCLUDE INDEX KEY FULLTEXT SPATIAL LIKE PERIOD")
BLOCK_WORDS = words("BEGIN THEN ELSE LOOP")
POSTGRESQL = re.compile(r"::|\$\w*\$|\[\d*\]")  # casts, dollar quotes, arrays
QUOTED = frozenset(kind for kind in TokenType if kind.name.endswith(("STRING", "IDENTIFIER")))
_tokenizers: dict[str, Any] = {}


def read_sql(text: str, dialects: Sequence[str]) -> list[Operation]:
    """Return an operation for each thing that the statements change."""
    cut = text.rfind(";", 0, MAX_SQL) + 1 if len(text) > MAX_SQL else len(text)
    tokens = _tokens(text[:cut], dialects)
    operations = [] if cut == len(text) and tokens is not None else [Operation("unparsed", certain=False)]
    for statement in _split(tokens or []):
        operations += _Statement(text, statement, dialects).read()
    for operation in operations:
        operation.via = "execute"
    return operations


def _tokens(text: str, dialects: Sequence[str]) -> list[Any] | None:
    hint = ["mysql"] if "`" in text else ["postgresql"] if POSTGRESQL.search(text) else []
    for dialect in dict.fromkeys((*hint, *dialects, "postgresql", "mysql")):
        name = SQLGLOT.get(dialect, dialect)
        if name not in _tokenizers:
            base = Dialect.get_or_raise(name).tokenizer_class
            words = {word: kind for word, kind in base.KEYWORDS.items() if " " not in word}  # one token for each word
            _tokenizers[name] = type("Tokenizer", (base,), {"COMMANDS": set(), "KEYWORDS": words})()
        try:
            return list(_tokenizers[name].tokenize(text))
        except SqlglotError:
            continue
    return None


def _split(tokens: list[Any]) -> Iterator[list[Any]]:
    """Cut at semicolons, but not in the body of a trigger or routine."""
    statement: list[Any] = []
    for token in tokens:
        if token.token_type is not TokenType.SEMICOLON:
            statement.append(token)
        elif statement:
            words = [other.text.upper() for other in statement]
            routine = words[0] == "CREATE" and not {"TRIGGER", "PROCEDURE", "FUNCTION"}.isdisjoint(words[:8])
            if not routine or "BEGIN" not in words or words[-1] == "END":
                yield statement
                statement = []
    if statement:
        yield statement


def _known(name: str | None) -> str | None:
    return name if name and HOLE not in name else None


class _Statement:
    """One statement, read from left to right."""

    def __init__(self, text: str, tokens: list[Any], dialects: Sequence[str]) -> None:
        self.text, self.tokens, self.dialects = text, tokens, dialects
        self.words = ["" if token.token_type in QUOTED else token.text.upper() for token in tokens]
        self.at = 0
        self.target: dict[str, Any] = {}

    # From token to token

    def word(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ";"

    def take(self, *words: str) -> bool:
        """Go past these words if they are next."""
        end = self.at + len(words)
        if tuple(self.words[self.at : end]) != words:
            return False
        self.at = end
        return True

    def take_any(self, *words: str) -> str:
        word = self.word()
        self.at += word in words
        return word if word in words else ""

    def options(self) -> dict[str, Any]:
        """Read CONCURRENTLY and IF [NOT] EXISTS, as Alembic's arguments."""
        options: dict[str, Any] = {"postgresql_concurrently": True} if self.take("CONCURRENTLY") else {}
        if self.take("IF", "NOT", "EXISTS"):
            options["if_not_exists"] = True
        elif self.take("IF", "EXISTS"):
            options["if_exists"] = True
        return options

    def listed(self) -> Iterator[None]:
        """One turn for each part of a list, from comma to comma."""
        yield
        while self.take(","):
            yield

    def identifier(self) -> str | None:
        if self.word() in ("(", ")", ",", ".", "=", ";"):
            return None
        self.at += 1
        return str(self.tokens[self.at - 1].text)

    def parts(self) -> list[str | None]:
        """Read a name and what it is qualified by; None where a part can't be told."""
        parts = [_known(self.identifier())]
        while self.take("."):
            parts.append(_known(self.identifier()))
        self.take("*")
        return parts

    def name(self) -> dict[str, Any]:
        """Read a name as ``table`` and ``schema``."""
        *schema, table = self.parts()
        return {"table": table, "schema": schema[-1] if schema else None, "certain": None not in (table, *schema)}

    def plain_name(self) -> str | None:
        name = self.name()
        return name["table"] if name["certain"] else None

    def slice(self, start: int, end: int | None = None) -> str:
        tokens = self.tokens[start:end]
        return self.text[tokens[0].start : tokens[-1].end + 1] if tokens else ""

    def skip(self, *stops: str) -> str:
        """Go to one of these words outside of parentheses; return the text up to there."""
        start, depth = self.at, 0
        while self.at < len(self.words):
            word = self.words[self.at]
            if not depth and (word in stops or word == ")"):
                break
            depth += (word == "(") - (word == ")")
            self.at += 1
        return self.slice(start, self.at)

    def items(self) -> tuple[str, ...]:
        """Return what stands between parentheses, cut at commas; a quoted name without its quotes."""
        items: list[str] = []
        while self.take("(") if not items else self.take(","):
            start = self.at
            text = self.skip(",")
            after = self.words[start + 1] if start + 1 < len(self.words) else ""
            name = self.tokens[start].text if self.at > start and after in (",", ")", "ASC", "DESC") else text
            items.append(name)
        self.take(")")
        return tuple(item for item in items if _known(item))

    # Statements

    def read(self) -> list[Operation]:
        sql = self.slice(0)
        while self.take_any("WITH", ","):
            self.take("RECURSIVE")
            self.skip("UPDATE", "DELETE", "INSERT", "SELECT", "MERGE", ",")
        verb = self.word()
        read = getattr(self, f"read_{verb.lower()}", None)
        self.at += 1
        operations = [] if verb in READING else list(read()) if read else [Operation(verb.lower(), certain=False)]
        if HOLE in verb or not verb:
            operations = [Operation("unparsed", certain=False)]
        for operation in operations:
            operation.sql = operation.sql or sql.replace(HOLE, "?")
        return operations

    def read_update(self) -> Iterator[Operation]:
        self.take_any("ONLY", "IGNORE", "LOW_PRIORITY")
        target = self.name()
        self.skip("WHERE")
        yield Operation("update", kwargs={"where": self.where()}, **target)

    def read_delete(self) -> Iterator[Operation]:
        self.skip("FROM")
        self.take("FROM")
        self.take("ONLY")
        target = self.name()
        self.skip("WHERE")
        yield Operation("delete", kwargs={"where": self.where()}, **target)

    def where(self) -> Any:
        if self.take("WHERE"):
            return self.skip("RETURNING").replace(HOLE, "?")
        return UNKNOWN if HOLE in self.words[-1] and self.words[-2:-1] != ["="] else None

    def into(self, operation: str) -> Iterator[Operation]:
        if "INTO" in self.words:
            self.skip("INTO")
            self.take("INTO")
        yield Operation(operation, **self.name())

    read_insert = read_replace = read_copy = partialmethod(into, "bulk_insert")
    read_merge = partialmethod(into, "merge")

    def read_vacuum(self) -> Iterator[Operation]:
        full = "FULL" in self.words
        self.items()
        while self.take_any("FULL", "FREEZE", "VERBOSE", "ANALYZE"):
            pass
        for operation in self.tables("vacuum"):
            operation.kwargs["full"] = full
            yield operation

    def tables(self, operation: str) -> Iterator[Operation]:
        """An operation for each of the tables that are named."""
        self.take_any("TABLE", "TABLES")
        kwargs = self.options()
        self.take("ONLY")
        if self.word() == ";":
            yield Operation(operation)
            return
        for _ in self.listed():
            yield Operation(operation, kwargs=dict(kwargs), **self.name())

    read_truncate = partialmethod(tables, "truncate")
    read_lock = partialmethod(tables, "lock_table")
    read_cluster = partialmethod(tables, "cluster")
    read_optimize = partialmethod(tables, "optimize")

    def read_reindex(self) -> Iterator[Operation]:
        kind = self.take_any("TABLE", "INDEX", "SCHEMA", "DATABASE", "SYSTEM")
        kwargs = self.options()
        target = self.name() if kind == "TABLE" else {"name": self.plain_name()}
        yield Operation("reindex", kwargs=kwargs, **target)

    def read_refresh(self) -> Iterator[Operation]:
        self.take("MATERIALIZED", "VIEW")
        self.options()
        yield Operation("refresh_materialized_view", name=self.plain_name())

    def read_rename(self) -> Iterator[Operation]:
        self.take("TABLE")
        for _ in self.listed():
            self.target = self.name()
            yield self.rename()

    def read_set(self) -> Iterator[Operation]:
        yield Operation("set", name=self.identifier())

    def read_comment(self) -> Iterator[Operation]:
        self.take("ON")
        if self.take("TABLE"):
            yield Operation("create_table_comment", **self.name())
        elif self.take("COLUMN"):
            *owner, column = self.parts()
            table, schema = [*owner[::-1], None, None][:2]
            self.target = {"table": table, "schema": schema}
            yield self.column_op("alter_column", column, kwargs={"comment": self.slice(self.at + 1)})

    def read_call(self) -> Iterator[Operation]:
        yield Operation("call", name=self.identifier(), certain=False)

    def read_execute(self) -> Iterator[Operation]:
        if self.word() == "" and len(self.tokens) == self.at + 1:
            yield from read_sql(self.tokens[self.at].text, self.dialects)
        else:
            yield Operation("execute", certain=False)

    read_exec = read_execute

    def read_do(self) -> Iterator[Operation]:
        """Read an anonymous block: what it does may depend on its conditions."""
        body = next((token.text for token in self.tokens if token.token_type in QUOTED), "")
        for tokens in _split(_tokens(body, ("postgresql",)) or []):
            part = _Statement(body, tokens, self.dialects)
            while part.words and not hasattr(part, f"read_{part.words[0].lower()}"):
                start = next((at + 1 for at, word in enumerate(part.words) if word in BLOCK_WORDS), len(part.words))
                part = _Statement(body, part.tokens[start:], self.dialects)
            for operation in part.read() if part.words else ():
                operation.conditional = True
                yield operation

    # CREATE, DROP, ALTER

    def kind(self) -> str:
        """Read what is made, dropped or altered, past the words that qualify it."""
        self.take("OR", "REPLACE")
        start = self.at
        while self.word() not in KINDS and self.word() not in ("(", "AS", ";"):
            self.at += 1
        self.before = self.words[start : self.at]
        self.at += 1
        kind = self.words[self.at - 1].lower() if self.at <= len(self.words) else ""
        return "materialized_view" if "MATERIALIZED" in self.before else kind

    def read_create(self) -> Iterator[Operation]:
        kind = self.kind()
        if kind == "table":
            yield self.create_table()
        elif kind == "index":
            yield self.create_index()
        else:
            yield self.other("create", kind)

    def other(self, verb: str, kind: str) -> Operation:
        """Something that is no table; a trigger, policy or rule has one."""
        kwargs = self.options()
        if kind.upper() not in KINDS | {"MATERIALIZED_VIEW"}:
            return Operation(verb, certain=False)
        name = self.plain_name()
        if kind in ("trigger", "policy", "rule"):
            self.skip("ON")
            if self.take("ON"):
                self.target = self.name()
        if self.take("ADD", "VALUE"):
            self.options()
            kwargs["add_value"] = _known(self.identifier())
        elif self.take("RENAME", "TO"):
            kwargs["new_name"] = self.plain_name()
        elif self.take("AS", "ENUM"):
            kwargs["values"] = self.items()
        return self.op(f"{verb}_{kind}", name=name, kwargs=kwargs)

    def create_table(self) -> Operation:
        operation = Operation("create_table", kwargs=self.options(), **self.name())
        columns: list[Column] = []
        constraints: list[Constraint] = []
        while self.take_any("(", ","):
            if self.word() in TABLE_PARTS:
                constraint, _ = self.constraint()
                constraints += [constraint] if constraint else []
            else:
                columns.append(self.column(constraints))
            self.skip(",")
        operation.definitions = tuple(columns)
        operation.columns = tuple(column.name for column in columns if isinstance(column.name, str))
        operation.constraints = tuple(constraints)
        return operation

    def create_index(self) -> Operation:
        kwargs = self.options() | ({"unique": True} if "UNIQUE" in self.before else {})
        name = self.plain_name() if self.word() != "ON" else None
        self.skip("ON")
        self.take("ON")
        if self.take("ONLY"):
            kwargs["only"] = True
        target = self.name()
        if self.take("USING"):
            kwargs["postgresql_using"] = self.identifier()
        columns = self.items()
        self.skip("WHERE")
        if self.take("WHERE"):
            kwargs["postgresql_where"] = self.skip()
        return Operation("create_index", name=name, columns=columns, kwargs=kwargs, **target)

    def read_drop(self) -> Iterator[Operation]:
        kind = self.kind()
        if kind == "table":
            yield from self.tables("drop_table")
        elif kind == "index":
            kwargs = self.options()
            for _ in self.listed():
                name = self.plain_name()
                target = self.name() if self.take("ON") else {}
                yield Operation("drop_index", name=name, kwargs=dict(kwargs), **target)
        else:
            yield self.other("drop", kind)

    def read_alter(self) -> Iterator[Operation]:
        kind = self.kind()
        if kind != "table":
            yield self.other("alter", kind)
            return
        self.options()
        self.take("ONLY")
        self.target = self.name()
        while self.word() != ";":
            yield from self.action()
            self.skip(",")
            self.at += 1

    def op(self, operation: str, **fields: Any) -> Operation:
        return Operation(operation, **{**self.target, **fields})

    def column_op(self, operation: str, name: str | Unknown | None, **fields: Any) -> Operation:
        made = self.op(operation, columns=(name,) if name else (), **fields)
        made.certain &= bool(name)
        return made

    def action(self) -> Iterator[Operation]:
        """Read one action of ALTER TABLE."""
        word = self.take_any("ADD", "DROP", "ALTER", "RENAME", "MODIFY", "CHANGE", "VALIDATE")
        if word == "ADD" and self.word() in TABLE_PARTS:
            yield self.add_constraint()
        elif word == "ADD":
            self.take("COLUMN")
            kwargs = self.options()
            group = self.take("(")
            while True:
                checks: list[Constraint] = []
                column = self.column(checks)
                made = {"definitions": (column,), "constraints": tuple(checks)}
                yield self.column_op("add_column", column.name, kwargs=dict(kwargs), **made)
                self.skip(",")
                if not group or not self.take(","):
                    return
        elif word == "DROP":
            yield self.drop()
        elif word == "ALTER":
            yield self.alter_column()
        elif word == "RENAME":
            yield self.rename()
        elif word in ("MODIFY", "CHANGE"):
            self.take("COLUMN")
            old = _known(self.identifier()) if word == "CHANGE" else None
            column = self.column([])
            kwargs = {"type_": column.type, "nullable": column.nullable is not False}
            if old and column.name != old:
                kwargs["new_column_name"] = column.name
            yield self.column_op("alter_column", old or column.name, kwargs=kwargs)
        elif word == "VALIDATE":
            self.take("CONSTRAINT")
            yield self.op("validate_constraint", name=_known(self.identifier()))
        else:
            yield self.op("alter_table", certain=self.target["certain"] and HOLE not in self.word())

    def add_constraint(self) -> Operation:
        if self.take_any("INDEX", "KEY", "FULLTEXT", "SPATIAL"):
            self.take_any("INDEX", "KEY")
            name = self.identifier()
            return self.op("create_index", name=name, columns=self.items())
        constraint, kwargs = self.constraint()
        if constraint is None:
            return self.op("alter_table")
        name = constraint.name if isinstance(constraint.name, str) else None
        kind = constraint.kind if constraint.kind in ("primary_key", "foreign_key") else f"{constraint.kind}_constraint"
        return self.op(
            f"create_{kind}", name=name, columns=constraint.columns, constraints=(constraint,), kwargs=kwargs
        )

    def constraint(self) -> tuple[Constraint | None, dict[str, Any]]:
        """Read a constraint of a table."""
        name = _known(self.identifier()) if self.take("CONSTRAINT") else None
        kwargs: dict[str, Any] = {}
        kind = self.take_any("PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE").lower()
        columns: tuple[str, ...] = ()
        expression, references = None, None
        self.take_any("KEY", "INDEX")
        if kind == "check":
            self.take("(")
            expression = self.skip()
            self.take(")")
        elif kind in ("primary", "unique", "foreign"):
            if self.word() not in ("(", "USING", "NULLS"):
                name = name or self.identifier()
            if self.take("USING", "INDEX"):
                kwargs["using_index"] = self.identifier()
            self.skip("(", ",", "REFERENCES", "NOT")
            columns = self.items()
        if self.take("REFERENCES"):
            references = self.plain_name() or UNKNOWN
        rest = self.skip(",").upper().split()
        if not kind:
            return None, kwargs
        not_valid = "VALID" in rest
        if not_valid:
            kwargs["postgresql_not_valid"] = True
        kind = f"{kind}_key" if kind in ("primary", "foreign") else kind
        return Constraint(kind, name, columns, expression, references, not_valid), kwargs

    def drop(self) -> Operation:
        kind = self.take_any("COLUMN", "CONSTRAINT", "FOREIGN", "PRIMARY", "INDEX", "KEY", "CHECK", "PARTITION")
        kwargs: dict[str, Any] = {}
        if kind in ("FOREIGN", "PRIMARY"):
            self.take("KEY")
            kwargs["type_"] = {"FOREIGN": "foreignkey", "PRIMARY": "primary"}[kind]
        kwargs |= self.options()
        name = _known(self.identifier()) if kind != "PRIMARY" else None
        if kind in ("", "COLUMN"):
            return self.column_op("drop_column", name, kwargs=kwargs)
        if kind == "PARTITION":
            return self.op("alter_table")
        return self.op("drop_index" if kind in ("INDEX", "KEY") else "drop_constraint", name=name, kwargs=kwargs)

    def rename(self) -> Operation:
        kind = self.take_any("TO", "AS", "COLUMN", "CONSTRAINT", "INDEX", "KEY")
        if kind in ("TO", "AS"):
            return self.op("rename_table", kwargs={"new_table_name": self.plain_name() or UNKNOWN})
        old = _known(self.identifier())
        self.take("TO")
        new = _known(self.identifier()) or UNKNOWN
        if kind in ("CONSTRAINT", "INDEX", "KEY"):
            return self.op(f"rename_{'constraint' if kind == 'CONSTRAINT' else 'index'}", name=old)
        return self.column_op("alter_column", old, kwargs={"new_column_name": new})

    def alter_column(self) -> Operation:
        if self.take_any("INDEX", "CONSTRAINT", "CHECK"):
            return self.op("alter_table")
        self.take("COLUMN")
        name = _known(self.identifier())
        kwargs: dict[str, Any] = {}
        if self.take("SET", "NOT", "NULL") or self.take("DROP", "NOT", "NULL"):
            kwargs["nullable"] = self.words[self.at - 3] == "DROP"
        elif self.take("SET", "DEFAULT"):
            kwargs["server_default"] = self.skip(",").replace(HOLE, "?")
        elif self.take("DROP", "DEFAULT"):
            kwargs["server_default"] = None
        elif (
            self.take("SET", "DATA", "TYPE")
            or self.take("TYPE")
            or self.word() not in ("SET", "DROP", "ADD", "RESTART")
        ):
            kwargs["type_"] = self.type() or UNKNOWN
            if self.take("USING"):
                kwargs["postgresql_using"] = self.skip(",")
        return self.column_op("alter_column", name, kwargs=kwargs)

    # Columns

    def column(self, constraints: list[Constraint]) -> Column:
        """Read the definition of a column; its CHECK goes to the constraints."""
        column = Column(_known(self.identifier()) or UNKNOWN, self.type())
        named = False
        if column.type and column.type.name in ("serial", "bigserial", "smallserial"):
            column.nullable, column.identity = False, True
        while self.word() not in (",", ")", ";"):
            if self.take("NOT", "NULL") or self.take("NULL"):
                column.nullable = self.words[self.at - 2] != "NOT"
            elif self.take("GENERATED", "BY", "DEFAULT", "AS", "IDENTITY"):
                column.identity = True
            elif self.take("DEFAULT"):
                start = self.at
                self.at += self.word() != "("
                self.skip(*AFTER_TYPE)
                default = self.slice(start, self.at).replace(HOLE, "?")
                column.server_default = None if default.upper() == "NULL" else default
            elif self.take("PRIMARY", "KEY"):
                column.primary_key = True
            elif self.take("UNIQUE"):
                column.unique = True
            elif self.take("CONSTRAINT"):
                named = bool(self.identifier())
            elif self.take("REFERENCES"):
                column.unnamed = not named
                table = self.name()
                qualified = ".".join(filter(None, (table["schema"], table["table"] or "")))
                column.references = (".".join((qualified, *self.items()[:1])),)
            elif self.take("CHECK", "("):
                constraints.append(Constraint("check", None, (), self.skip()))
                self.at += 1
            elif self.take_any("AUTO_INCREMENT", "IDENTITY"):
                column.identity = True
            elif self.take("AS", "("):
                self.skip()
                self.at += 1
                column.computed = "stored" if self.take_any("STORED", "PERSISTED") else "virtual"
            else:
                self.at += 1
        return column

    def type(self) -> Type | None:
        if self.word() in AFTER_TYPE or self.word() == ";":
            return None
        quoted = self.word() == ""
        name = self.identifier() or ""
        while self.take("."):
            name = self.identifier() or ""
        name = name if quoted else name.lower()
        args: tuple[Any, ...] = ()
        while True:
            if self.word() in TYPE_WORDS:
                name += " " + self.word().lower()
                self.at += 1
            elif self.word() == "(":
                args = tuple(int(item) if item.isdecimal() else item for item in self.items())
            else:
                break
        kwargs: dict[str, Any] = {}
        zone = self.take("WITH", "TIME", "ZONE") or name.endswith("tz")
        if zone:
            kwargs["timezone"] = True
        self.take("WITHOUT", "TIME", "ZONE")
        if name == "enum":
            args, kwargs = (), {"values": args}
        made = Type(TYPES.get(name, name), args, kwargs)
        while self.take("[") or self.take_any("ARRAY"):
            self.skip("]")
            self.take("]")
            made = Type("array", (made,))
        return None if HOLE in name else made
