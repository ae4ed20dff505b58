"""Source -> operations: what a migration does, by what its calls mean to Alembic and SQLAlchemy.

`Interpreter` follows ``upgrade()`` and ``downgrade()`` as Python would; the reader notes each operation.
"""

from __future__ import annotations

import ast
import gc
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from ..source import decode, parse
from .columns import default_of, given, type_of
from .interpreter import QUIET, Interpreter
from .migration import (
    HOLE,
    UNKNOWN,
    Call,
    Column,
    Constraint,
    Migration,
    Operation,
    UnreadableMigration,
    words,
)
from .paths import new_choice, on_branches
from .signatures import (
    BATCH_SIGNATURES,
    CONSTRAINTS,
    CONSTRUCTORS,
    FIELDS,
    IDENTIFIERS,
    IDENTITY,
    SESSIONS,
    SIGNATURES,
    STARRED,
    snake,
)
from .values import (
    AUTOCOMMIT,
    BIND,
    CONTEXT,
    DIALECT_NAME,
    RESULT,
    SESSION,
    Batch,
    Either,
    Function,
    Ref,
    Row,
    Statement,
    Table,
    Test,
    Text,
    plain,
    shown,
    text_of,
    texts_of,
)

QUERIES = words("select union union_all except_ intersect exists values")


LOGGING = words("debug info warning error exception log echo")


OP = Ref.of("alembic.op")


# What env.py may hand to upgrade() by keyword: context.run_migrations(op=op).
HANDED_IN = {"op": OP, "operations": OP, "connection": BIND, "conn": BIND, "bind": BIND}


QUERY = re.compile(r"(?i)[\s(]*(SELECT|SHOW|EXPLAIN|DESCRIBE|VALUES|PRAGMA\s+\w+\s*(;|$))")


def read_migration(
    path: str | Path,
    *,
    dialects: Sequence[str] = ("sqlite", "postgresql", "mariadb"),
    source: str | None = None,
) -> Migration:
    """What the migration does, or ``UnreadableMigration``."""
    name = str(path)
    collecting = gc.isenabled()
    gc.disable()  # to look for cycles in a growing tree is a third of the time
    try:
        if source is None:
            with open(path, "rb", buffering=0) as file:
                source = decode(file.read())
        reader = Reader(Migration(name, source), tuple(dialects))
        migration = reader.read(parse(source, name))
        reader.globals.clear()  # where each function holds the names, and they the function: no more cycle to find
        return migration
    except SyntaxError as error:
        raise UnreadableMigration(name, error.lineno or 1, error.msg) from error
    except (RecursionError, MemoryError) as error:
        raise UnreadableMigration(name, 1, "nested too deeply") from error
    except ValueError as error:  # a null byte, or bytes that are no text
        raise UnreadableMigration(name, 1, str(error)) from error
    except OSError as error:
        raise UnreadableMigration(name, 1, error.strerror or str(error)) from error
    finally:
        if collecting:
            gc.enable()


@lru_cache(maxsize=256)
def module_beside(folder: str, module: str, near: bool) -> dict[str, Any]:
    """The names of a module of the project that a migration in this folder belongs to; none if it isn't found.

    ``near``: beside the migrations alone. What their helpers import from farther away is the application itself.
    """
    path, level = module.lstrip(".").replace(".", "/"), len(module) - len(module.lstrip("."))
    here = os.path.abspath(folder)
    parents = [here]
    while os.path.dirname(parents[-1]) != parents[-1]:
        parents.append(os.path.dirname(parents[-1]))
    for base in (
        parents[level - 1 : level]
        if level
        else (f"{p}{sub}" for p in parents for sub in ("", "/src"))
    ):
        for file in (f"{base}/{path}.py", f"{base}/{path}/__init__.py"):
            if os.path.isfile(file):
                return (
                    {}
                    if near and not file.startswith(os.path.dirname(here))
                    else names_in(Path(file))
                )
    return {}


def names_in(file: Path) -> dict[str, Any]:
    try:
        source = decode(file.read_bytes())
        reader = Reader(Migration(str(file), source), ())
        reader.block(parse(source, str(file)).body)
        return reader.globals
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return {}


class Reader(Interpreter):
    """Follows one migration."""

    starred: ClassVar[Mapping[str, Iterable[str]]] = {"alembic.op": STARRED}
    lines: list[str] | None = None
    hidden = False  # the function has called what can't be seen

    def __init__(self, migration: Migration, dialects: tuple[str, ...]) -> None:
        super().__init__(migration, dialects)
        self.told: set[tuple[str, str, int]] = set()
        self.ascii = migration.source.isascii()

    # The module

    def read(self, tree: ast.Module) -> Migration:
        migration = self.migration
        for node in tree.body:
            self.statement(node)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                migration.lines[node.name] = node.lineno
            elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name):
                        migration.lines[target.id] = node.lineno
                        if target.id in IDENTIFIERS:
                            self.identifier(target.id, node.value)
        if "revision" not in migration.lines:
            migration.problems.append((1, "no revision identifier"))
        if "upgrade" not in self.globals:
            migration.problems.append((1, "no upgrade() function"))
        elif not is_def(self.globals["upgrade"]):
            migration.problems.append(
                (migration.lines.get("upgrade", 1), "upgrade is no function that is defined here")
            )
        migration.lossy = text_of(self.globals.get("lossy"))
        migration.irreversible = text_of(self.globals.get("irreversible"))
        for name in ("upgrade", "downgrade"):
            self.entry(name)
        nowhere = [o for o in migration.operations if o.operation == "drop_index" and not o.table]
        if nowhere:  # DROP INDEX need not say the table; the other direction does
            made = {
                o.name: o
                for o in migration.operations
                if o.operation == "create_index" and o.name and o.table
            }
            for operation in nowhere:
                if other := made.get(operation.name or ""):
                    operation.table, operation.schema = other.table, other.schema
        return migration

    def identifier(self, name: str, node: ast.expr) -> None:
        try:
            value = node.value if type(node) is ast.Constant else ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError):
            self.migration.problems.append((node.lineno, f"{name} is computed"))
            return
        if name != "revision":
            setattr(self.migration, name, texts_of(value))
        elif isinstance(value, str):
            self.migration.revision = value
        else:
            self.migration.problems.append((node.lineno, "revision is no string"))

    def entry(self, name: str) -> None:
        steps: list[Any] = [self.globals.get(name)]
        if not is_def(steps[0]):
            return
        self.function, self.autocommit = name, False
        parameters = {parameter.arg for parameter in steps[0].node.args.args}
        if parameters - HANDED_IN.keys():  # the multi-database template: upgrade(engine_name)
            steps += [
                value
                for other, value in self.globals.items()  # calls upgrade_<engine_name>()
                if other.startswith(f"{name}_") and is_def(value)
            ]
        noted, reads = len(self.migration.operations), len(self.migration.bind_reads)
        kinds = []
        for step in steps:
            self.hidden = False
            self.run(step, [], dict(HANDED_IN))
            kinds.append(kind_of_body(step.node.body))
        kinds = kinds[1:] or kinds  # the template's own upgrade() only chooses
        operations = self.migration.operations[noted:]
        only_reads = len(self.migration.bind_reads) > reads
        body = next((kind for kind in kinds if kind != "empty"), "empty")
        if body == "code" and not any(map(is_read, operations)):
            if operations or (self.hidden and not only_reads):
                self.migration.unread.append(name)
            elif only_reads:
                body = "reads"
        elif body == "code" and all(is_query(operation) for operation in operations):
            body = "reads"
        self.migration.bodies[name] = body

    def found(self, ref: Any, near: bool = False) -> Any:
        """What an imported name stands for, where its file is found in the project: read, and not run either."""
        if type(ref) is not Ref or ref.root in QUIET or not self.function:
            return ref
        module, _, name = ref.path.rpartition(".")
        return module_beside(
            os.path.dirname(self.migration.path), module, near or self.site is not None
        ).get(name, ref)

    # Calls

    def call_imported(
        self, ref: Ref, args: list[Any], kwargs: dict[str, Any], node: ast.expr, bare: bool
    ) -> Any:
        root = ref.root
        if root == "sqlalchemy":
            return self.call_sqlalchemy(ref.name, args, kwargs, node)
        if root == "alembic":
            return self.call_ref(ref, args, kwargs, node)
        function: Any = ref
        if root not in QUIET:  # where only a value is asked for, the application itself is not read
            function = self.found(ref, near=not bare and not self.hands_over(args, kwargs))
            if bare and type(function) is Ref and not self.site and ref.name not in LOGGING:
                if not isinstance(node.func, ast.Attribute) or "." in ref.owner:
                    return self.unresolved(ref.name, args, kwargs, node)
        return self.call(function, args, kwargs, node)

    def call_ref(self, ref: Ref, args: list[Any], kwargs: dict[str, Any], node: ast.expr) -> Any:
        name, root = ref.name, ref.root
        if root == "alembic":
            if ref.owner == "alembic.op":
                return self.call_op(name, args, kwargs, node)
            if ref.path == "alembic.context.execute":
                return self.execute(args, kwargs, node)
            return OP if name == "Operations" else Call(name, tuple(args), kwargs)
        if root == "sqlalchemy":
            return self.call_sqlalchemy(name, args, kwargs, node)
        if name in SESSIONS:
            return SESSION
        return self.call_python(ref, args, kwargs, node)

    def call_sqlalchemy(
        self, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.expr
    ) -> Any:
        if name == "Column" or name == "mapped_column":
            return self.column(args, kwargs)
        if name not in CONSTRUCTORS:
            return Call(name, tuple(args), kwargs)
        first = args[0] if args else UNKNOWN
        if name in CONSTRAINTS:
            return self.constraint(CONSTRAINTS[name], args, kwargs)
        if name in ("text", "DDL"):
            if isinstance(first, Either):
                return self.each(
                    first, lambda value: self.call_sqlalchemy(name, [value], kwargs, node)
                )
            if type(kwargs.get("context")) is dict and isinstance(first, str):  # of a DDL
                first = self.binary(ast.Mod(), first, kwargs["context"])
            return Text(first) if isinstance(first, str) else Text(HOLE)
        if name in ("table", "Table"):
            if "autoload_with" in kwargs or kwargs.get("autoload"):
                self.bind_read()
            return Table(first, kwargs.get("schema"), {}, tuple(args[1:]))
        if name in ("insert", "update", "delete"):
            return Statement(name, first)
        if name in SESSIONS:
            return SESSION
        if name in ("inspect", "from_engine", "reflect", "automap_base"):
            self.bind_read()
            return UNKNOWN
        return first  # conv, quoted_name

    def call_method(
        self, owner: Any, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.expr
    ) -> Any:
        kind = type(owner)
        if kind is Batch:
            return owner if name == "__enter__" else self.call_op(name, args, kwargs, node, owner)
        if name in ("execute", "exec_driver_sql", "scalar", "scalars") and kind is not Statement:
            if name.startswith("scalar"):
                self.bind_read()
            return self.execute(args, kwargs, node)
        if name == "enter_context" and args:  # of an ExitStack
            self.autocommit = self.autocommit or args[0] is AUTOCOMMIT
            return args[0]
        if kind is Column and name in ("copy", "_copy"):
            return owner
        if kind is dict and name == "get" and args and args[0] is DIALECT_NAME:
            return self.by_dialect(owner, args[1] if len(args) > 1 else None)
        if kind is Text and name in ("bindparams", "columns", "execution_options"):
            return owner
        if isinstance(owner, (str, list, dict, set, tuple)):
            return self.call_plain(owner, name, args, kwargs)
        if kind is Table:
            if name in ("insert", "update", "delete"):
                return Statement(name, owner)
            if name in ("create", "drop"):
                return self.change(owner, f"{name}_table", node)
        elif kind is Statement:
            if name in ("where", "filter", "filter_by"):
                parts = [*node.args, *node.keywords] if isinstance(node, ast.Call) else []
                return Statement(owner.kind, owner.table, ", ".join(map(ast.unparse, parts)) or "?")
            if owner.kind == "query" and name in ("update", "delete"):
                return self.change(owner.table, name, node, where=owner.where)
            one = owner.kind == "query" and name in (
                "first",
                "one",
                "one_or_none",
                "get",
                "scalar_one",
            )
            return Row(owner.table) if one else owner
        elif kind is Call:
            if name in ("create", "drop") and owner.name.upper() == "ENUM":
                type_name = text_of(owner.kwargs.get("name"))
                return self.note(
                    Operation(f"{name}_type", name=type_name, certain=bool(type_name)), node
                )
            if name in ("create", "drop") and owner.name == "Index":
                return self.call_op(
                    f"{name}_index",
                    [owner.args[0], UNKNOWN, list(owner.args[1:])],
                    owner.kwargs,
                    node,
                )
            if name == "with_variant" and len(args) == 2:
                variants = {**owner.kwargs.get("variants", {}), args[1]: type_of(args[0])}
                return Call(owner.name, owner.args, {**owner.kwargs, "variants": variants})
            if name in ("create_all", "drop_all"):
                for table in kwargs.get("tables") or [UNKNOWN]:
                    self.change(table, f"{name.removesuffix('all')}table", node)
            return owner
        elif owner is SESSION:
            return self.call_session(name, args, kwargs, node)
        elif owner is DIALECT_NAME:
            return (
                self.on_dialects(lambda dialect: getattr(dialect, name)(*args))
                if plain(args)
                else UNKNOWN
            )
        elif owner is BIND or owner is CONTEXT:
            self.bind_read() if name not in ("commit", "close", "rollback") else None
            if name == "run_sync" and args:
                return self.call(args[0], [BIND, *args[1:]], kwargs, node)
        return self.handed_over(name, args, kwargs, node)

    def call_session(
        self, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.expr
    ) -> Any:
        if name in ("commit", "flush", "close", "rollback", "expunge_all"):
            return None
        first = args[0] if args else UNKNOWN
        self.bind_read()
        if name in ("query", "get"):
            table = self.found(first)
            return Row(table) if name == "get" else Statement("query", table)
        change = {"delete": "delete", "bulk_update_mappings": "update"}.get(name, "bulk_insert")
        if name in ("add", "merge", "delete", "add_all", "bulk_save_objects") or name.startswith(
            "bulk_"
        ):
            for row in first if isinstance(first, list) else [first]:
                table = row.table if isinstance(row, Row) else row
                self.change(table, change, node, where="row" if change != "bulk_insert" else None)
        return SESSION if name == "__call__" else UNKNOWN

    def handed_over(
        self, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.expr
    ) -> Any:
        """Code that can't be seen may do anything with what it is handed."""
        if self.hands_over(args, kwargs):
            return self.unresolved(name, args, kwargs, node)
        self.hidden = self.hidden or name not in LOGGING
        return UNKNOWN

    @staticmethod
    def hands_over(args: list[Any], kwargs: dict[str, Any]) -> bool:
        return any(
            v is OP or v is BIND or v is SESSION or type(v) is Batch
            for v in (*args, *kwargs.values())
        )

    def unresolved(self, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.expr) -> Any:
        place = (name, self.function, (self.site or node).lineno)
        if place not in self.told:  # once is enough, however often it is called
            self.told.add(place)
            operation = Operation(name, args=shown(args), kwargs=shown(kwargs), certain=False)
            operation.via = "call"
            self.note(operation, node)
        return UNKNOWN

    # Operations

    def call_op(
        self,
        name: str,
        args: list[Any],
        kwargs: dict[str, Any],
        node: ast.expr,
        batch: Batch | None = None,
    ) -> Any:
        signature = (BATCH_SIGNATURES if batch else SIGNATURES).get(name)
        if signature is None:
            return self.call_other(name, args, kwargs, batch, node)
        fields: dict[str, Any] = dict(zip(signature, args))
        for key, value in kwargs.items():
            if type(value) is Test and value.sure and key.startswith("postgresql_"):
                value = kwargs[key] = "postgresql" in value.yes
            fields[FIELDS.get(key, key)] = value
        if batch:
            fields["table"], fields["schema"] = batch.table, batch.schema
        table, index, columns, schema = map(fields.pop, IDENTITY, (None, None, None, None))
        kinds = {type(table), type(index), type(columns), type(schema)}
        if Either in kinds:
            either = next(
                value for value in (table, index, columns, schema) if type(value) is Either
            )
            return self.each(
                either,
                lambda way: self.call_op(name, *chosen(either, way, args, kwargs), node, batch),
            )
        if Ref in kinds:
            table, index, columns, schema = map(self.found, (table, index, columns, schema))
        if type(table) is Table:
            table, schema = table.name, table.schema
        operation = Operation(
            name, self.function, shown(args), shown(kwargs), text_of(table), text_of(schema)
        )
        operation.batch = batch is not None
        operation.name = text_of(index)
        operation.columns = texts_of(columns)
        told = columns if type(columns) is list else [columns]
        operation.certain = (
            (operation.table is not None if table is not None else name == "drop_index")
            and (operation.name is not None or index is None)
            and (operation.schema is not None or schema is None)
            and "**" not in fields
            and UNKNOWN not in told
            and HOLE not in told
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
        """The columns and constraints among the arguments of ``create_table`` or ``add_column``."""
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
        self,
        name: str,
        args: list[Any],
        kwargs: dict[str, Any],
        batch: Batch | None,
        node: ast.expr,
    ) -> Any:
        """What is no operation, or one that is not Alembic's own but registered with it."""
        first = args[0] if args else UNKNOWN
        if name == "f" or name == "inline_literal":
            return first if args else next(iter(kwargs.values()), UNKNOWN)
        if name == "batch_alter_table":
            return Batch(
                self.found(given(args, kwargs, 0, "table_name")), given(args, kwargs, 1, "schema")
            )
        if name == "execute":
            return self.execute(args, kwargs, node)
        if batch and name in ("get_bind", "get_context"):
            return Ref.of(f"alembic.op.{name}")
        if name == "run_async":
            return self.call(first, [BIND, *args[1:]], kwargs, node)
        if name == "invoke":
            return self.invoke(first, node)
        operation = Operation(name, self.function, shown(args), shown(kwargs), certain=False)
        table = batch.table if batch else kwargs.get("table_name", kwargs.get("source_table"))
        operation.table, operation.schema = (
            text_of(table),
            text_of(batch.schema if batch else kwargs.get("schema")),
        )
        self.note(operation, node)
        return UNKNOWN

    def invoke(self, call: Any, node: ast.expr) -> Any:
        """``op.invoke(ops.CreateIndexOp(...))``."""
        if not isinstance(call, Call) or not call.name.endswith("Op"):
            return self.unresolved("invoke", [call], {}, node)
        name = snake(call.name.removesuffix("Op")).removesuffix("_sql")
        args, kwargs = (
            list(call.args),
            {key.removeprefix("modify_"): value for key, value in call.kwargs.items()},
        )
        if name == "create_table":
            args = [*args[:1], *(args[1] if len(args) > 1 else kwargs.pop("columns", []))]
        if name == "alter_column":
            kwargs = {
                {"type": "type_", "name": "new_column_name"}.get(key, key): v
                for key, v in kwargs.items()
            }
        return self.call_op(name, args, kwargs, node)

    def execute(self, args: list[Any], kwargs: dict[str, Any], node: ast.expr) -> Any:
        what = args[0] if args else kwargs.get("sqltext", kwargs.get("statement", UNKNOWN))
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
            self.change(target if isinstance(target, Table) else None, name, node).name = text_of(
                named
            )
        elif name not in QUERIES:
            operation = Operation("execute", args=shown(args), kwargs=shown(kwargs), certain=False)
            self.note(operation, node)
            if isinstance(what, str):
                operation.sql, operation.certain = what.replace(HOLE, "?"), what != HOLE
            if operation.certain:
                from .sql import read_sql  # loads sqlglot, which few migrations need

                known = [name for name in self.dialects if name in self.branch] or sorted(
                    self.branch
                )
                for part in read_sql(what, known):
                    self.note(part, node)
        return RESULT

    def change(
        self, table: Any, name: str, node: Any, *columns: str, where: str | None = None
    ) -> Any:
        """Rows or a table changed through SQLAlchemy's own objects."""
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

    def note(self, operation: Operation, node: Any) -> None:
        if not self.function:
            return
        node = self.site or node
        operation.function = self.function
        operation.line, operation.column = node.lineno, node.col_offset + 1
        operation.end_column = node.end_col_offset + 1
        if node.end_lineno != node.lineno or not self.ascii:
            self.lines = self.lines or self.migration.source.split("\n")
            line = self.lines[node.lineno - 1]
            if not self.ascii:  # Python counts bytes
                operation.column = len(line.encode()[: node.col_offset].decode(errors="ignore")) + 1
                operation.end_column = (
                    len(line.encode()[: node.end_col_offset].decode(errors="ignore")) + 1
                )
            if node.end_lineno != node.lineno:
                operation.end_column = len(line) + 1
        operation.autocommit, operation.path = self.autocommit, self.path
        if operation.conditional:  # in SQL's own block
            operation.path |= on_branches(new_choice(), 0)
        operation.conditional = bool(operation.path)
        if self.branch != self.every:
            operation.dialects = self.branch
        self.migration.operations.append(operation)

    def bind_read(self) -> None:
        read = (self.function, self.line)
        if self.function and not self.online and read not in self.migration.bind_reads:
            self.migration.bind_reads.append(read)

    # What SQLAlchemy's constructors build

    def column(self, args: list[Any], kwargs: dict[str, Any]) -> Column:
        name = kwargs.get("name", UNKNOWN)
        if args and (args[0] is UNKNOWN or args[0] is None or isinstance(args[0], str)):
            name, *args = args
        type_, references, computed, identity, unnamed = kwargs.get("type_"), [], None, False, False
        checks: list[Constraint] = []
        not_valid = True
        for arg in args:
            kind = arg.name if type(arg) is Call else ""
            if kind == "ForeignKey":
                references.append(text_of(arg.args[0]) or "" if arg.args else "")
                unnamed = unnamed or not arg.kwargs.get("name")
                not_valid = not_valid and arg.kwargs.get("postgresql_not_valid") is True
            elif type(arg) is Constraint:
                checks.append(arg)
            elif kind == "Computed":
                persisted = given(arg.args, arg.kwargs, 1, "persisted")
                computed = (
                    "stored"
                    if persisted is True
                    else "virtual"
                    if persisted is False
                    else "default"
                )
            elif kind == "Identity":
                identity = True
            elif type_ is None and kind not in ("Sequence", "FetchedValue"):
                type_ = arg
        column = Column(shown(name), type_of(type_), computed=computed, identity=identity)
        column.references, column.unnamed, column.not_valid = (
            tuple(references),
            unnamed,
            bool(references) and not_valid,
        )
        said = column.type.kwargs if column.type and column.type.name == "enum" else {}
        if said.get("native_enum") is False and said.get("create_constraint") is True:
            checks.append(Constraint("check", said.get("name")))
        column.checks = tuple(checks)
        for key, value in kwargs.items():
            if key == "nullable":
                column.nullable = shown(value)
            elif key == "server_default":
                column.server_default = default_of(value)
            elif key == "default":
                column.default = value is not None
            elif key in ("primary_key", "unique", "index"):
                setattr(column, key, value is True)
        return column

    def constraint(self, kind: str, args: list[Any], kwargs: dict[str, Any]) -> Constraint:
        name, not_valid = shown(kwargs.get("name")), kwargs.get("postgresql_not_valid") is True
        if kind == "check":
            return Constraint(
                kind, name, (), shown(given(args, kwargs, 0, "sqltext")), None, not_valid
            )
        if kind == "foreign_key":
            columns, remote = (
                given(args, kwargs, 0, "columns"),
                texts_of(given(args, kwargs, 1, "refcolumns")),
            )
            target = remote[0].rpartition(".")[0] if remote else UNKNOWN
            return Constraint(kind, name, texts_of(columns), None, target, not_valid)
        return Constraint(kind, name, texts_of(args))


def is_def(value: Any) -> bool:
    return isinstance(value, Function) and not isinstance(value.node, ast.Lambda)


def is_read(operation: Operation) -> bool:
    """Whether anything is known of what an operation does."""
    unknown_sql = operation.operation in ("execute", "unparsed") and not operation.certain
    return operation.via != "call" and not unknown_sql


def is_query(operation: Operation) -> bool:
    """Whether an operation only reads from the database."""
    text = operation.sql if operation.operation == "execute" else None
    return text is not None and all(map(QUERY.match, filter(str.strip, text.split(";"))))


def kind_of_body(body: Any) -> str:
    """Whether a function is empty, raises, or holds code."""
    for node in body:
        if isinstance(node, ast.Pass) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            continue
        if isinstance(node, ast.Return) and (
            node.value is None or isinstance(node.value, ast.Constant)
        ):
            break
        return "raises" if isinstance(node, ast.Raise) else "code"
    return "empty"


def chosen(
    either: Either, value: Any, args: list[Any], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments with one of the values."""
    named = {key: value if each is either else each for key, each in kwargs.items()}
    return [value if each is either else each for each in args], named
