"""SQL text -> operations, under Alembic's names.

sqlglot cuts the text into tokens, as the dialect has its comments, strings and dollar quotes. The statements are read
from the tokens here: sqlglot's own parser gives up on half of the forms of ALTER TABLE, and the table with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partialmethod
from typing import Any

from .migration import HOLE, UNKNOWN, Column, Constraint, Operation, Type, Unknown, words
from .sql_tokens import EXECUTABLE, MAX_SQL, QUOTED, _known, _split, _tokens

__all__ = ["read_sql"]


READING = words(
    "SHOW PRAGMA BEGIN COMMIT ROLLBACK START SAVEPOINT RELEASE EXPLAIN VALUES USE ANALYZE NOTIFY RESET DECLARE "
    "CLOSE FETCH CHECKPOINT DESCRIBE GRANT REVOKE END DISCARD PERFORM RETURN RAISE NULL GO PRINT UNLOCK"
)


CHANGES = ("UPDATE", "DELETE", "INSERT", "MERGE")


HINTS = ("ONLY", "IGNORE", "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK", "VERBOSE")


JOINS = words(
    "JOIN INNER LEFT RIGHT CROSS NATURAL STRAIGHT_JOIN ON USING USE FORCE IGNORE PARTITION"
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


INDEXES = ("INDEX", "KEY", "FULLTEXT", "SPATIAL")


TABLE_PARTS = words("CONSTRAINT PRIMARY UNIQUE CHECK FOREIGN EXCLUDE LIKE PERIOD") | set(INDEXES)


BLOCK_WORDS = words("BEGIN THEN ELSE LOOP")


def read_sql(text: str, dialects: Sequence[str]) -> list[Operation]:
    """Return an operation for each thing that the statements change."""
    if "/*" in text and not {"mysql", "mariadb"}.isdisjoint(dialects):
        text = EXECUTABLE.sub(r"\1", text)
    cut = text.rfind(";", 0, MAX_SQL) + 1 if len(text) > MAX_SQL else len(text)
    tokens = _tokens(text[:cut], dialects)
    operations = (
        [] if cut == len(text) and tokens is not None else [Operation("unparsed", certain=False)]
    )
    for statement in _split(tokens or []):
        operations += _Statement(text, statement, dialects).read()
    for operation in operations:
        operation.via = "execute"
    return operations


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
        options: dict[str, Any] = (
            {"postgresql_concurrently": True} if self.take("CONCURRENTLY") else {}
        )
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
        return {
            "table": table,
            "schema": schema[-1] if schema else None,
            "certain": None not in (table, *schema),
        }

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
            name = (
                self.tokens[start].text
                if self.at > start and after in (",", ")", "ASC", "DESC")
                else text
            )
            items.append(name)
        self.take(")")
        return tuple(item for item in items if _known(item))

    # Statements

    def read(self) -> list[Operation]:
        sql = self.slice(0)
        operations: list[Operation] = []
        while self.take_any("WITH", ","):
            self.skip("AS")
            self.skip("(")
            start = self.at + 1
            self.take("(")
            self.skip()
            if self.words[start : start + 1] and self.words[start] in CHANGES:
                operations += _Statement(
                    self.text, self.tokens[start : self.at], self.dialects
                ).read()
            self.take(")")
            self.skip(*CHANGES, "SELECT", "TABLE", "VALUES", ",")
        verb = self.word()
        read = getattr(self, f"read_{verb.lower()}", None)
        self.at += 1
        if verb not in READING:
            operations += list(read()) if read else [Operation(verb.lower(), certain=False)]
        if HOLE in verb or not verb:
            operations = [Operation("unparsed", certain=False)]
        for operation in operations:
            operation.sql = operation.sql or sql.replace(HOLE, "?")
        return operations

    def read_select(self) -> Iterator[Operation]:
        """Read SELECT ... INTO, which makes a table on PostgreSQL and is a file or a variable on MySQL."""
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
        """Go past the tables that are listed or joined, to one of these words; return them by alias."""
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
        """An operation for each of the sources that is named; for the only or first one otherwise."""
        self.skip("WHERE", "LIMIT")
        where = self.where()
        if where is None and operation == "delete" and len(sources) > 1:
            where = "JOIN"  # only those that it finds; an update by a join most often fills a column of all
        targets = [sources[name] for name in dict.fromkeys(names) if name in sources] or list(
            sources.values()
        )[:1]
        for target in targets:
            yield Operation(operation, kwargs={"where": where}, **target)

    def read_update(self) -> Iterator[Operation]:
        sources = self.sources("SET")
        self.take("SET")
        names = []
        for _ in self.listed():
            names += (
                [name.lower() for name in self.parts()[:-1] if name] if self.word() != "(" else []
            )
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
        self.items()
        self.take_any("TABLE", "TABLES", "VERBOSE")
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
        listed = [option.upper() for option in self.items()]
        kind = self.take_any("TABLE", "INDEX", "SCHEMA", "DATABASE", "SYSTEM")
        kwargs = self.options() | (
            {"postgresql_concurrently": True} if "CONCURRENTLY" in listed else {}
        )
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
            yield self.column_op(
                "alter_column", column, kwargs={"comment": self.slice(self.at + 1)}
            )

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
            while (
                part.words
                and part.words[0] != "WITH"
                and not hasattr(part, f"read_{part.words[0].lower()}")
            ):
                start = next(
                    (at + 1 for at, word in enumerate(part.words) if word in BLOCK_WORDS),
                    len(part.words),
                )
                part = _Statement(body, part.tokens[start:], self.dialects)
            for operation in part.read() if part.words else ():
                operation.conditional = True
                if operation.operation != "create_table_as":  # SELECT INTO is for a variable there
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
            yield from self.create_table()
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

    def create_table(self) -> Iterator[Operation]:
        operation = Operation("create_table", kwargs=self.options(), **self.name())
        self.target = {name: getattr(operation, name) for name in ("table", "schema", "certain")}
        if self.words[1:3] == ["OR", "REPLACE"]:
            yield self.op("drop_table", kwargs={"if_exists": True})
        columns: list[Column] = []
        constraints: list[Constraint] = []
        indexes: list[Operation] = []
        while self.take_any("(", ","):
            if self.word() in INDEXES:
                indexes.append(self.add_constraint())
            elif self.word() in TABLE_PARTS:
                constraint, _ = self.constraint()
                constraints += [constraint] if constraint else []
            else:
                columns.append(self.column(constraints))
            self.skip(",")
        operation.definitions = tuple(columns)
        operation.columns = tuple(column.name for column in columns if isinstance(column.name, str))
        operation.constraints = tuple(constraints)
        yield operation
        yield from indexes

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
            while self.take(","):
                yield self.op(f"drop_{kind}", name=self.plain_name())

    def read_alter(self) -> Iterator[Operation]:
        kind = self.kind()
        if kind != "table":
            yield self.other("alter", kind)
            return
        self.options()
        self.take("ONLY")
        if self.take("ALL", "IN", "TABLESPACE"):
            yield Operation("alter_table", certain=False)
            return
        self.target = self.name()
        if self.take("WAIT"):
            self.at += 1
        self.take("NOWAIT")
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
        following = self.words[self.at + 1] if self.at + 1 < len(self.words) else ","
        added = word == "ADD" and following in ("(", "IF", "PARTITIONS")
        dropped = word == "DROP" and following != ","
        if following == "VERSIONING" or (self.word() == "PARTITION" and (added or dropped)):
            yield from self.partition(word)
        elif self.take_any("TRUNCATE", "EXCHANGE", "DETACH"):
            yield from self.partition(self.words[self.at - 1])
        elif word == "ADD" and self.word() in TABLE_PARTS:
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
            kwargs = self.options()
            old = _known(self.identifier()) if word == "CHANGE" else None
            column = self.column([])
            kwargs |= {"type_": column.type, "nullable": column.nullable is not False}
            if old and column.name != old:
                kwargs["new_column_name"] = column.name
            yield self.column_op("alter_column", old or column.name, kwargs=kwargs)
        elif word == "VALIDATE":
            self.take("CONSTRAINT")
            yield self.op("validate_constraint", name=_known(self.identifier()))
        else:
            yield self.op("alter_table", certain=self.target["certain"] and HOLE not in self.word())

    def partition(self, word: str) -> Iterator[Operation]:
        """Read what is done to partitions, or to the versions of rows."""
        if not self.take("PARTITION") or word not in ("DROP", "TRUNCATE", "EXCHANGE", "DETACH"):
            yield self.op("alter_table")
            return
        kwargs = self.options()
        for _ in self.listed():
            name = _known(self.identifier())
            if word in ("DROP", "TRUNCATE"):
                yield self.op(f"{word.lower()}_partition", name=name, kwargs=dict(kwargs))
        if word in ("EXCHANGE", "DETACH"):
            yield self.op("alter_table", kwargs=self.options())
            if self.take("WITH", "TABLE"):
                yield Operation("alter_table", **self.name())

    def add_constraint(self) -> Operation:
        if self.take_any(*INDEXES):
            self.take_any("INDEX", "KEY")
            kwargs = self.options()
            name = self.identifier() if self.word() not in ("(", "USING") else None
            self.skip("(")
            return self.op("create_index", name=name, columns=self.items(), kwargs=kwargs)
        constraint, kwargs = self.constraint()
        if constraint is None:
            return self.op("alter_table")
        name = constraint.name if isinstance(constraint.name, str) else None
        kind = (
            constraint.kind
            if constraint.kind in ("primary_key", "foreign_key")
            else f"{constraint.kind}_constraint"
        )
        return self.op(
            f"create_{kind}",
            name=name,
            columns=constraint.columns,
            constraints=(constraint,),
            kwargs=kwargs,
        )

    def constraint(self) -> tuple[Constraint | None, dict[str, Any]]:
        """Read a constraint of a table."""
        name, kwargs = None, {}
        kinds = ("PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE")
        if self.take("CONSTRAINT"):
            kwargs = self.options()
            name = _known(self.identifier()) if self.word() not in kinds else None
        kind = self.take_any(*kinds).lower()
        columns: tuple[str, ...] = ()
        expression, references = None, None
        self.take_any("KEY", "INDEX")
        kwargs |= self.options()
        if kind == "check":
            self.take("(")
            expression = self.skip()
            self.take(")")
        elif kind in ("primary", "unique", "foreign"):
            if self.word() not in ("(", "USING", "NULLS"):
                name = name or self.identifier()
            if self.take("USING", "INDEX"):
                kwargs["using_index"] = self.identifier()
            if self.take("NULLS"):
                self.take("NOT")
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
        kind = self.take_any("COLUMN", "CONSTRAINT", "FOREIGN", "PRIMARY", "INDEX", "KEY", "CHECK")
        kwargs: dict[str, Any] = {}
        if kind in ("FOREIGN", "PRIMARY"):
            self.take("KEY")
            kwargs["type_"] = {"FOREIGN": "foreignkey", "PRIMARY": "primary"}[kind]
        kwargs |= self.options()
        name = _known(self.identifier()) if kind != "PRIMARY" else None
        if kind in ("", "COLUMN"):
            return self.column_op("drop_column", name, kwargs=kwargs)
        if self.take("CASCADE"):
            kwargs["cascade"] = True
        return self.op(
            "drop_index" if kind in ("INDEX", "KEY") else "drop_constraint",
            name=name,
            kwargs=kwargs,
        )

    def rename(self) -> Operation:
        kind = self.take_any("TO", "AS", "COLUMN", "CONSTRAINT", "INDEX", "KEY")
        if kind in ("TO", "AS"):
            return self.op("rename_table", kwargs={"new_table_name": self.plain_name() or UNKNOWN})
        if not kind and self.words[self.at + 1 : self.at + 2] != ["TO"]:  # MySQL's RENAME new_name
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
        name: str | None = None
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
                name = (
                    self.identifier()
                    if self.word() not in ("CHECK", "UNIQUE", "PRIMARY", "REFERENCES")
                    else None
                )
            elif self.take("REFERENCES"):
                column.unnamed = not name
                table = self.name()
                qualified = ".".join(filter(None, (table["schema"], table["table"] or "")))
                column.references = (".".join((qualified, *self.items()[:1])),)
            elif self.take("ON", "DELETE") or self.take("ON", "UPDATE"):
                self.take_any("SET", "NO")
                self.at += 1
            elif self.take("CHECK", "("):
                constraints.append(Constraint("check", name, (), self.skip()))
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
