"""SQL text -> operations, under Alembic's names.

sqlglot cuts the text into tokens, with the dialect's comments, strings and dollar quotes. This
module reads the statements from the tokens, because sqlglot's parser keeps what it doesn't know
(for example, many forms of ALTER TABLE) as one piece of text.
"""

import re
from collections.abc import Iterator, Sequence
from copy import copy
from functools import lru_cache, partialmethod

from .migration import HOLE, Operation, words
from .sql_rows import Rows
from .sql_tables import Tables
from .sql_tokens import EXECUTABLE, MAX_SQL, QUOTED, known, split, tokens_of

__all__ = ["read_sql"]

READING = words(
    "SHOW PRAGMA EXPLAIN VALUES USE ANALYZE NOTIFY RESET DECLARE CLOSE FETCH CHECKPOINT DESCRIBE "
    "GRANT REVOKE DISCARD PERFORM RETURN RAISE NULL GO PRINT UNLOCK"
)

TRANSACTION = words("BEGIN START COMMIT END ROLLBACK ABORT SAVEPOINT RELEASE")


CHANGES = ("UPDATE", "DELETE", "INSERT", "MERGE")

KINDS = words(
    "TABLE INDEX VIEW FUNCTION PROCEDURE TRIGGER SEQUENCE TYPE DOMAIN SCHEMA DATABASE EXTENSION "
    "POLICY RULE ROLE USER STATISTICS PUBLICATION SUBSCRIPTION AGGREGATE COLLATION SERVER EVENT "
    "CAST OWNED SYSTEM LANGUAGE OPERATOR"
)

BLOCK_WORDS = words("BEGIN THEN ELSE LOOP")


# An INSERT with plain values. Dumps have thousands of them, so only the beginning is read.
ROW = r"\((?:[^()'\"`\\;$/#-]|-(?!-)|'(?:[^'\\]|'')*+')*+\)"
INSERT = re.compile(
    rf"\s*+(INSERT\s+INTO\s+[\w.\"`]++\s*+(?:\([\w\s,\"`]*+\)\s*+)?VALUES\s*+)"
    rf"{ROW}(?:\s*+,\s*+{ROW})*+\s*+(?:;|\Z)",
    re.IGNORECASE,
)


def read_sql(text: str, dialects: Sequence[str]) -> list[Operation]:
    """Return an operation for each thing that the statements change."""
    operations, start = [], 0
    while match := INSERT.match(text, start):
        inserted = copy(read_insert(match[1], tuple(dialects)))
        inserted.kwargs, inserted.sql = {}, match[0].strip(" \n;").replace(HOLE, "?")
        operations.append(inserted)
        start = match.end()
    operations += read_statements(text[start:], dialects)
    for operation in operations:
        operation.via = "execute"
    return operations


@lru_cache(maxsize=64)
def read_insert(head: str, dialects: tuple[str, ...]) -> Operation:
    """Return the operation of an INSERT that begins like this."""
    return read_statements(f"{head} (1)", dialects)[0]


def read_statements(text: str, dialects: Sequence[str]) -> list[Operation]:
    if "/*" in text and not {"mysql", "mariadb"}.isdisjoint(dialects):
        text = EXECUTABLE.sub(r"\1", text)
    cut = text.rfind(";", 0, MAX_SQL) + 1 if len(text) > MAX_SQL else len(text)
    tokens = tokens_of(text[:cut], dialects)
    operations = []
    if cut < len(text) or tokens is None:
        operations.append(Operation("unparsed", certain=False))
    for statement in split(tokens or []):
        operations += Statement(text, statement, dialects).read()
    return operations


class Statement(Tables, Rows):
    """Reads one statement."""

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
                inner = Statement(self.text, self.tokens[start : self.at], self.dialects)
                operations += inner.read()
            self.take(")")
            self.skip(*CHANGES, "SELECT", "TABLE", "VALUES", ",")
        verb = self.word()
        read = getattr(self, f"read_{verb.lower()}", None)
        self.at += 1
        if verb in TRANSACTION:
            operations.append(Operation("transaction", name=verb.lower()))
        elif verb not in READING:
            operations += list(read()) if read else [Operation(verb.lower(), certain=False)]
        if HOLE in verb or not verb:
            operations = [Operation("unparsed", certain=False)]
        locks = self.how_it_locks() if verb in ("ALTER", "CREATE", "DROP") else {}
        for operation in operations:
            operation.kwargs.update(locks)
            operation.sql = operation.sql or sql.replace(HOLE, "?")
        return operations

    def read_vacuum(self) -> Iterator[Operation]:
        options = [option.upper().split() for option in self.items()]
        off = ("FALSE", "OFF", "0")
        full = "FULL" in self.words and not any(
            option[0] == "FULL" and option[-1].strip("'") in off for option in options
        )
        while self.take_any("FULL", "FREEZE", "VERBOSE", "ANALYZE"):
            pass
        for operation in self.tables("vacuum"):
            operation.kwargs["full"] = full
            yield operation

    def tables(self, operation: str) -> Iterator[Operation]:
        """Yield an operation for each table of a list."""
        self.items()
        self.take_any("TABLE", "TABLES", "VERBOSE")
        kwargs = self.options()
        self.take("ONLY")
        if self.word() == ";":
            yield Operation(operation)
            return
        operations = []
        for _ in self.listed():
            operations.append(Operation(operation, kwargs=dict(kwargs), **self.name()))
            if operation == "lock_table" and self.word() not in (",", "IN"):
                operations[-1].kwargs["mode"] = self.skip(",").upper()
        if operation == "lock_table" and self.take("IN"):
            mode = self.skip("MODE").upper()
            for each in operations:
                each.kwargs["mode"] = mode
        yield from operations

    read_truncate = partialmethod(tables, "truncate")

    read_lock = partialmethod(tables, "lock_table")

    read_cluster = partialmethod(tables, "cluster")

    read_optimize = partialmethod(tables, "optimize")

    def read_reindex(self) -> Iterator[Operation]:
        listed = [option.upper() for option in self.items()]
        kind = self.take_any("TABLE", "INDEX", "SCHEMA", "DATABASE", "SYSTEM")
        kwargs = self.options()
        if "CONCURRENTLY" in listed:
            kwargs["postgresql_concurrently"] = True
        target = self.name() if kind == "TABLE" else {"name": self.plain_name()}
        yield Operation("reindex", kwargs=kwargs, **target)

    def read_refresh(self) -> Iterator[Operation]:
        self.take("MATERIALIZED", "VIEW")
        kwargs = self.options()
        yield Operation("refresh_materialized_view", name=self.plain_name(), kwargs=kwargs)

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
            kwargs = {"comment": self.slice(self.at + 1)}
            yield self.column_op("alter_column", column, kwargs=kwargs)

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
        for tokens in split(tokens_of(body, ("postgresql",)) or []):
            part = Statement(body, tokens, self.dialects)
            while (
                part.words
                and part.words[0] != "WITH"
                and not hasattr(part, f"read_{part.words[0].lower()}")
            ):
                start = next(
                    (at + 1 for at, word in enumerate(part.words) if word in BLOCK_WORDS),
                    len(part.words),
                )
                part = Statement(body, part.tokens[start:], self.dialects)
            for operation in part.read() if part.words else ():
                operation.conditional = True
                # Here BEGIN and END belong to a block, and SELECT INTO sets a variable.
                if operation.operation not in ("create_table_as", "transaction"):
                    yield operation

    def kind(self) -> str:
        """Read what is created, dropped or altered, past the words that qualify it."""
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
        """Return an operation on another object; a trigger, policy or rule belongs to a table."""
        kwargs = self.options()
        if kind.upper() not in KINDS | {"MATERIALIZED_VIEW"}:
            return Operation(verb, certain=False)
        name = self.plain_name()
        if kind in ("trigger", "policy", "rule"):
            self.skip("ON")
            if self.take("ON"):
                self.target = self.name()
        operation = self.op(f"{verb}_{kind}", name=name, kwargs=kwargs)
        if kind in ("function", "procedure", "aggregate"):
            self.items()
        if self.take("ADD", "VALUE"):
            self.options()
            kwargs["add_value"] = known(self.identifier())
        elif self.take("RENAME", "VALUE"):
            kwargs["rename_value"] = known(self.identifier())
            self.take("TO")
            kwargs["new_value"] = known(self.identifier())
        elif self.take("RENAME", "TO"):
            kwargs["new_name"] = self.plain_name()
        elif self.take("SET", "SCHEMA"):
            kwargs["new_schema"] = known(self.identifier())
        elif self.take("AS", "ENUM"):
            kwargs["values"] = self.items()
        elif kind == "domain" and self.take("SET", "NOT", "NULL"):
            kwargs["nullable"] = False
        elif kind == "domain" and self.take("VALIDATE", "CONSTRAINT"):
            kwargs["validate_constraint"] = known(self.identifier())
        elif kind == "domain" and self.take("ADD"):
            constraint, more = self.constraint()
            operation.constraints = (constraint,) if constraint else ()
            kwargs |= more
        return operation

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
