"""Creates operations from calls of Alembic, SQL text and SQLAlchemy's statements."""

import ast
import re
from collections.abc import Iterable
from typing import Any

from .columns import default_of, given, type_of
from .interpreter import Interpreter
from .migration import HOLE, UNKNOWN, Call, Column, Constraint, Migration, Operation, words
from .paths import ALWAYS, new_choice, on_branches
from .signatures import BATCH_SIGNATURES, CONSTRAINTS, FIELDS, IDENTITY, SIGNATURES, snake
from .values import (
    BIND,
    RESULT,
    SESSION,
    Args,
    Batch,
    Either,
    Kwargs,
    Ref,
    Statement,
    Table,
    Test,
    shown,
    shown_values,
    text_of,
    texts_of,
)

QUERIES = words("select union union_all except_ intersect exists values")


LOGGING = words(
    "debug info warning error exception log echo get_main_option get_section_option get_x_argument"
)


TYPED = words("postgresql cockroachdb oracle")  # the databases that have CREATE TYPE


OP = Ref.of("alembic.op")


SEARCH_PATH = re.compile(
    r"(?i)SET\s+(?:SESSION\s+|LOCAL\s+)?search_path\s*(?:=|\bTO\b)\s*[\"']?(\w+)"
)


class Operations(Interpreter):
    """Adds operations to ``migration``."""

    search_path: str | None = None  # the schema of names without one, where the migration sets it

    def __init__(self, migration: Migration, dialects: tuple[str, ...]) -> None:
        super().__init__(migration, dialects)
        self.reported: set[tuple[str, str, int]] = set()
        self.lines = migration.source.split("\n")

    def call_op(
        self, name: str, args: Args, kwargs: Kwargs, node: ast.expr, batch: Batch | None = None
    ) -> Any:
        signature = (BATCH_SIGNATURES if batch else SIGNATURES).get(name)
        if signature is None:
            return self.call_other(name, args, kwargs, batch, node)
        fields: dict[str, Any] = dict(zip(signature, args, strict=False))
        for key, value in kwargs.items():
            if type(value) is Test and value.sure and key.startswith("postgresql_"):
                value = kwargs[key] = "postgresql" in value.yes
            fields[FIELDS.get(key, key)] = value
        if batch:
            fields["table"], fields["schema"] = batch.table, batch.schema
        table, index, columns, schema = [fields.pop(name, None) for name in IDENTITY]
        kinds = {type(table), type(index), type(columns), type(schema)}
        if Either in kinds:
            either = next(v for v in (table, index, columns, schema) if type(v) is Either)
            return self.each(
                either,
                lambda way: self.call_op(name, *chosen(either, way, args, kwargs), node, batch),
            )
        if Ref in kinds:
            table, index = self.found(table), self.found(index)
            columns, schema = self.found(columns), self.found(schema)
        if type(table) is Table:
            table, schema = table.name, table.schema
        operation = called(name, args, kwargs)
        operation.table, operation.schema = text_of(table), text_of(schema)
        operation.batch = batch is not None
        operation.name = text_of(index)
        operation.columns = texts_of(columns)
        given_columns = columns if type(columns) is list else [columns]
        operation.certain = (
            (operation.table is not None if table is not None else name == "drop_index")
            and (operation.name is not None or index is None)
            and (operation.schema is not None or schema is None)
            and "**" not in fields
            and UNKNOWN not in given_columns
            and HOLE not in given_columns
        )
        if name in CONSTRAINTS:
            condition, target = shown(fields.get("condition")), shown(fields.get("referent_table"))
            not_valid = fields.get("postgresql_not_valid") is True
            kind = CONSTRAINTS[name]
            operation.constraints = (
                Constraint(kind, shown(index), operation.columns, condition, target, not_valid),
            )
        elif name in ("create_table", "add_column"):
            items = args[len(signature) :] if name == "create_table" else [fields.get("column")]
            self.define(operation, items)
        for key, value in fields.items():
            if key == "server_default":
                operation.kwargs[key] = shown(default_of(value))
            elif name == "alter_column" and key in ("type_", "existing_type"):
                operation.kwargs[key] = type_of(value) or UNKNOWN
            elif key not in operation.kwargs and key not in ("column", "rows", "**"):
                operation.kwargs[key] = shown(value)
        self.note(operation, node)
        return Table(table, schema, {}, tuple(args[1:])) if name == "create_table" else UNKNOWN

    def define(self, operation: Operation, items: Iterable[Any]) -> None:
        """Set the columns and constraints from the arguments of an operation."""
        definitions: list[Column] = []
        constraints: list[Constraint] = []
        for item in items:
            if type(item) is Column:
                definitions.append(item)
                constraints += item.checks
            elif type(item) is Constraint:
                constraints.append(item)
            elif item is UNKNOWN:
                operation.certain = False
        operation.definitions, operation.constraints = tuple(definitions), tuple(constraints)
        operation.columns = tuple(
            [column.name for column in definitions if isinstance(column.name, str)]
        )

    def call_other(
        self, name: str, args: Args, kwargs: Kwargs, batch: Batch | None, node: ast.expr
    ) -> Any:
        """Follow a function of ``op`` that is no operation, or an operation of a plugin."""
        first = args[0] if args else UNKNOWN
        if name == "f" or name == "inline_literal":
            return first if args else next(iter(kwargs.values()), UNKNOWN)
        if name == "batch_alter_table":
            table = self.found(given(args, kwargs, 0, "table_name"))
            return Batch(table, given(args, kwargs, 1, "schema"))
        if name == "execute":
            return self.execute(args, kwargs, node)
        if batch and name in ("get_bind", "get_context"):
            return Ref.of(f"alembic.op.{name}")
        if name == "run_async":
            return self.call(first, [BIND, *args[1:]], kwargs, node)
        if name == "invoke":
            return self.invoke(first, node)
        operation = called(name, args, kwargs)
        table = batch.table if batch else kwargs.get("table_name", kwargs.get("source_table"))
        schema = batch.schema if batch else kwargs.get("schema")
        operation.table, operation.schema = text_of(table), text_of(schema)
        self.note(operation, node)
        return UNKNOWN

    def invoke(self, call: Any, node: ast.expr) -> Any:
        """Follow ``op.invoke(ops.CreateIndexOp(...))``."""
        if not isinstance(call, Call) or not call.name.endswith("Op"):
            return self.unresolved("invoke", [call], {}, node)
        name = snake(call.name.removesuffix("Op")).removesuffix("_sql")
        args = list(call.args)
        if name == "create_table" and len(args) > 1:
            args = [*args[:1], *args[1]]
        names = {"modify_type": "type_", "modify_name": "new_column_name"}
        given = call.kwargs.items()
        kwargs = {names.get(key, key.removeprefix("modify_")): value for key, value in given}
        return self.call_op(name, args, kwargs, node)

    def execute(self, args: Args, kwargs: Kwargs, node: ast.expr) -> Any:
        what: Any = args[0] if args else kwargs.get("sqltext", kwargs.get("statement", UNKNOWN))
        if isinstance(what, Either):
            return self.each(what, lambda value: self.execute([value], {}, node))
        name = snake(what.name) if isinstance(what, Call) else ""
        if isinstance(what, Statement):
            if what.kind != "query":
                kind = "bulk_insert" if what.kind == "insert" else what.kind
                self.change(what.table, kind, node, where=what.where)
        elif name.startswith(("create_", "drop_", "add_", "alter_")):
            target = what.args[0] if what.args else UNKNOWN
            named = target.args[0] if isinstance(target, Call) and target.args else target
            table = target if isinstance(target, Table) else None
            operation = self.change(table, name, node)
            operation.name, operation.kwargs = text_of(named), shown_values(what.kwargs)
        elif name not in QUERIES:
            operation = called("execute", args, kwargs)
            self.note(operation, node)
            if isinstance(what, str):
                operation.sql, operation.certain = what.replace(HOLE, "?"), what != HOLE
            if operation.certain:
                from .sql import read_sql  # loads sqlglot, which few migrations need

                known = [name for name in self.dialects if name in self.branch]
                for part in read_sql(what, known or sorted(self.branch)):
                    self.note(part, node)
        return RESULT

    def change(
        self, table: Any, name: str, node: Any, *columns: str, where: str | None = None
    ) -> Any:
        """Add an operation that changes rows or a table through SQLAlchemy's own objects."""
        table = self.found(table)
        table = Table(UNKNOWN) if table is UNKNOWN or isinstance(table, (Ref, Call)) else table
        operation = Operation(name, self.function, columns=columns)
        if isinstance(table, Table):
            operation.table, operation.schema = text_of(table.name), text_of(table.schema)
            operation.certain = operation.table is not None
            if name == "create_table":
                self.define(operation, table.items)
        if name in ("update", "delete"):
            operation.kwargs["where"] = "row" if columns else where
        self.note(operation, node)
        return operation

    def call_unseen(self, name: str, args: Args, kwargs: Kwargs, node: ast.expr) -> Any:
        """Follow a call of code that can't be seen, which may use op or the bind."""
        if self.passes_op(args, kwargs):
            return self.unresolved(name, args, kwargs, node)
        self.hidden = self.hidden or name not in LOGGING
        return UNKNOWN

    @staticmethod
    def passes_op(args: Args, kwargs: Kwargs) -> bool:
        return any(
            v is OP or v is BIND or v is SESSION or type(v) is Batch
            for v in (*args, *kwargs.values())
        )

    def unresolved(self, name: str, args: Args, kwargs: Kwargs, node: ast.expr) -> Any:
        place = (name, self.function, (self.site or node).lineno)
        if place not in self.reported:  # one operation for each place
            self.reported.add(place)
            operation = called(name, args, kwargs)
            operation.via = "call"
            self.note(operation, node)
        return UNKNOWN

    def note(self, operation: Operation, node: Any) -> None:
        if not (self.function or operation.operation == "create_type"):
            return
        node = self.site or node
        operation.function = self.function or "upgrade"  # what an import creates is there before
        if operation.operation == "set" and (path := SEARCH_PATH.match(operation.sql or "")):
            self.search_path = path[1] if path[1].casefold() != "default" else None
        elif operation.table and not operation.schema:
            operation.schema = self.search_path
        line = self.lines[node.lineno - 1].encode()  # Python counts bytes
        end = node.end_col_offset if node.end_lineno == node.lineno else len(line)
        operation.line = node.lineno
        operation.column = len(line[: node.col_offset].decode(errors="ignore")) + 1
        operation.end_column = len(line[:end].decode(errors="ignore")) + 1
        operation.autocommit = self.autocommit
        operation.path = self.path if self.function else ALWAYS
        if operation.conditional:  # inside a block of SQL
            operation.path |= on_branches(new_choice(), 0)
        operation.conditional = bool(operation.path)
        branch = self.branch
        if operation.operation.endswith("_type"):
            branch &= TYPED
        if branch != self.every:
            operation.dialects = branch
        self.migration.operations.append(operation)

    def bind_read(self) -> None:
        read = (self.function, self.line)
        here = not self.branch.isdisjoint(self.dialects)
        if self.function and here and not self.online and read not in self.migration.bind_reads:
            self.migration.bind_reads.append(read)


def called(name: str, args: Args, kwargs: Kwargs) -> Operation:
    """Return an operation with only its arguments."""
    return Operation(name, args=[*map(shown, args)], kwargs=shown_values(kwargs), certain=False)


def chosen(
    either: Either, value: Any, args: Args, kwargs: Kwargs
) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments with one of the values."""
    named = {key: value if each is either else each for key, each in kwargs.items()}
    return [value if each is either else each for each in args], named
