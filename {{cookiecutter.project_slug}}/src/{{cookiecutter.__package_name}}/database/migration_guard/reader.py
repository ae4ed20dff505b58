"""Source -> operations: a small abstract interpreter over the syntax tree.

It follows ``upgrade()`` and ``downgrade()`` statement by statement, as Python would, and notes every operation. It runs
nothing and imports nothing of what it reads. What can't be told from the source is ``UNKNOWN``; a condition that can't
be told is followed both ways; loops and helper functions are followed within bounds.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .operation import HOLE, UNKNOWN, Call, Column, Constraint, Migration, Operation, Type, Unknown, UnreadableMigration

MAX_DEPTH = 12  # helpers that call helpers
MAX_STEPS = 20_000  # calls of helpers and turns of loops in one migration
MAX_UNROLL = 2_000  # turns of one loop
MAX_SIZE = 10_000_000  # of a string or list that is computed

DATABASES = frozenset({"sqlite", "postgresql", "mysql", "mariadb", "oracle", "mssql", "cockroachdb"})

# Alembic's positional parameters. In a batch the table is given already.
SIGNATURES: dict[str, tuple[str, ...]] = {
    "add_column": ("table_name", "column"),
    "alter_column": ("table_name", "column_name"),
    "bulk_insert": ("table", "rows"),
    "create_check_constraint": ("constraint_name", "table_name", "condition"),
    "create_exclude_constraint": ("constraint_name", "table_name"),
    "create_foreign_key": ("constraint_name", "source_table", "referent_table", "local_cols", "remote_cols"),
    "create_index": ("index_name", "table_name", "columns"),
    "create_primary_key": ("constraint_name", "table_name", "columns"),
    "create_table": ("table_name",),
    "create_table_comment": ("table_name", "comment"),
    "create_unique_constraint": ("constraint_name", "table_name", "columns"),
    "drop_column": ("table_name", "column_name"),
    "drop_constraint": ("constraint_name", "table_name", "type_"),
    "drop_index": ("index_name", "table_name"),
    "drop_table": ("table_name",),
    "drop_table_comment": ("table_name",),
    "execute": ("sqltext",),
    "rename_table": ("old_table_name", "new_table_name"),
}
TABLE_PARAMETERS = frozenset({"table_name", "source_table", "old_table_name"})
NAME_PARAMETERS = frozenset({"index_name", "constraint_name"})
COLUMN_PARAMETERS = frozenset({"columns", "local_cols", "column_name"})
BATCH_SIGNATURES = {
    name: tuple(parameter for parameter in parameters if parameter not in TABLE_PARAMETERS)
    for name, parameters in SIGNATURES.items()
}
CONSTRAINT_KINDS = {
    "create_check_constraint": "check",
    "create_exclude_constraint": "exclude",
    "create_foreign_key": "foreign_key",
    "create_primary_key": "primary_key",
    "create_unique_constraint": "unique",
    "PrimaryKeyConstraint": "primary_key",
    "UniqueConstraint": "unique",
    "CheckConstraint": "check",
    "ForeignKeyConstraint": "foreign_key",
    "ExcludeConstraint": "exclude",
}
# SQLAlchemy's type classes whose SQL name is not their own name in lower case.
TYPES = {
    "String": "varchar",
    "Unicode": "varchar",
    "UnicodeText": "text",
    "BigInteger": "bigint",
    "SmallInteger": "smallint",
    "LargeBinary": "blob",
    "PickleType": "blob",
    "DateTime": "timestamp",
    "DATETIME": "timestamp",
    "Enum": "enum",
    "INT": "integer",
    "DECIMAL": "numeric",
    "DOUBLE_PRECISION": "double",
    "TIMESTAMP": "timestamp",
    "Uuid": "uuid",
}
TYPE_NAMES = frozenset(
    "integer smallinteger biginteger numeric float double boolean date time datetime timestamp interval text string "
    "unicode unicodetext largebinary pickletype enum json jsonb uuid array bytea inet cidr macaddr hstore tsvector "
    "varchar char nchar nvarchar clob blob binary varbinary int bigint smallint decimal real double_precision money "
    "tinyint mediumint year mediumtext longtext tinytext mediumblob longblob tinyblob bit oid citext domain tuple_ "
    "int4range int8range numrange daterange tsrange tstzrange set".split()
)


class Ref:
    """Something imported, by its dotted path: ``alembic.op.create_index``. One object for each path."""

    __slots__ = ("attributes", "name", "path", "root")
    known: dict[str, Ref] = {}

    def __init__(self, path: str) -> None:
        self.path = path
        self.root, _, _ = path.partition(".")
        self.name = path.rpartition(".")[2]
        self.attributes: dict[str, Ref] = {}

    @classmethod
    def of(cls, path: str) -> Ref:
        ref = cls.known.get(path)
        if ref is None:
            ref = cls.known[path] = cls(path)
        return ref

    def attribute(self, name: str) -> Ref:
        ref = self.attributes.get(name)
        if ref is None:
            ref = self.attributes[name] = Ref.of(f"{self.path}.{name}")
        return ref


class Marker:
    """A thing of which only its kind matters: the bind, the context, the dialect's name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}>"


BIND, CONTEXT, SESSION, DIALECT, DIALECT_NAME, AUTOCOMMIT, RESULT, OPERATIONS = map(
    Marker, ("bind", "context", "session", "dialect", "dialect name", "autocommit", "result", "operations")
)
MARKER_ATTRIBUTES: dict[tuple[Marker, str], Marker] = {
    (BIND, "dialect"): DIALECT,
    (BIND, "engine"): BIND,
    (BIND, "name"): DIALECT_NAME,
    (BIND, "bind"): BIND,
    (CONTEXT, "dialect"): DIALECT,
    (CONTEXT, "bind"): BIND,
    (CONTEXT, "connection"): BIND,
    (CONTEXT, "impl"): CONTEXT,
    (DIALECT, "name"): DIALECT_NAME,
    (SESSION, "bind"): BIND,
}
MARKER_CALLS: dict[tuple[Marker, str], Marker] = {
    (CONTEXT, "autocommit_block"): AUTOCOMMIT,
    (CONTEXT, "get_bind"): BIND,
    (CONTEXT, "begin_transaction"): CONTEXT,
    (BIND, "begin"): BIND,
    (BIND, "begin_nested"): BIND,
    (BIND, "connect"): BIND,
    (BIND, "execution_options"): BIND,
    (SESSION, "begin"): SESSION,
    (SESSION, "connection"): BIND,
    (SESSION, "get_bind"): BIND,
    (DIALECT_NAME, "lower"): DIALECT_NAME,
}


class Text(str):
    """``sa.text(...)``: SQL, where a plain string would be a value."""


@dataclass(frozen=True, slots=True)
class Test:
    """A condition: the databases on which it can hold, those on which it can fail, and whether that says it all."""

    yes: frozenset[str]
    no: frozenset[str]
    sure: bool = True

    def __and__(self, other: Test) -> Test:
        return Test(self.yes & other.yes, self.no | other.no, self.sure and other.sure)

    def __or__(self, other: Test) -> Test:
        return Test(self.yes | other.yes, self.no & other.no, self.sure and other.sure)

    def __invert__(self) -> Test:
        return Test(self.no, self.yes, self.sure)


@dataclass(slots=True)
class Function:
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scopes: tuple[dict[str, Any], ...]


@dataclass(slots=True)
class Method:
    owner: Any
    name: str


@dataclass(slots=True)
class Bound:
    """``functools.partial``."""

    function: Any
    args: list[Any]
    kwargs: dict[str, Any]


@dataclass(slots=True)
class Batch:
    table: Any
    schema: Any


@dataclass(slots=True)
class Table:
    """``sa.table``, ``sa.Table``, or a class mapped in the file itself."""

    name: Any
    schema: Any = None
    names: dict[str, Any] = field(default_factory=dict)
    items: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Statement:
    """A Core statement: insert, update or delete."""

    kind: str
    table: Any
    where: str | None = None


def read_migration(
    path: str | Path, *, dialects: Sequence[str] = ("sqlite", "postgresql", "mariadb"), source: str | None = None
) -> Migration:
    """What the migration does, or ``UnreadableMigration``."""
    name = str(path)
    try:
        if source is None:
            source = decode(Path(path).read_bytes())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes: Python says so itself when the migration runs
            tree = ast.parse(source, filename=name)
        return Reader(Migration(name, source), tuple(dialects)).read(tree)
    except SyntaxError as error:
        raise UnreadableMigration(name, error.lineno or 1, error.msg or "invalid syntax") from error
    except (RecursionError, MemoryError) as error:
        raise UnreadableMigration(name, 1, "nested too deeply") from error
    except ValueError as error:  # null bytes, an undecodable byte
        raise UnreadableMigration(name, 1, str(error)) from error
    except OSError as error:
        raise UnreadableMigration(name, 1, error.strerror or str(error)) from error


def decode(data: bytes) -> str:
    """As Python itself decodes a source file."""
    if b"coding" in b"\n".join(data.split(b"\n", 2)[:2]):
        from importlib.util import decode_source

        return decode_source(data)
    return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


class Reader:
    """Follows one migration."""

    def __init__(self, migration: Migration, dialects: tuple[str, ...]) -> None:
        self.migration = migration
        self.dialects = dialects
        self.every = DATABASES | frozenset(dialects)
        self.globals: dict[str, Any] = {}
        self.scopes: tuple[dict[str, Any], ...] = (self.globals,)
        self.function = ""
        self.branch = self.every  # the databases on which the current statement runs
        self.conditional = False
        self.autocommit = False
        self.online = False
        self.depth = 0
        self.steps = 0
        self.returns: list[Any] = []
        self.lines: list[str] | None = None

    # The module

    def read(self, tree: ast.Module) -> Migration:
        migration = self.migration
        for node in tree.body:
            self.note_names(node)
            self.statement(node)
        self.read_identifiers(tree)
        for function in ("upgrade", "downgrade"):
            self.read_function(function)
        if "upgrade" not in self.globals:
            migration.problems.append((1, "no upgrade() function"))
        for word in ("lossy", "irreversible"):
            value = self.globals.get(word)
            if isinstance(value, str):
                setattr(migration, word, value)
        return migration

    def note_names(self, node: ast.stmt) -> None:
        lines = self.migration.lines
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines[node.name] = node.lineno
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    lines[target.id] = node.lineno
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            lines[node.target.id] = node.lineno

    def read_identifiers(self, tree: ast.Module) -> None:
        migration = self.migration
        values: dict[str, Any] = {}
        for node in tree.body:
            if isinstance(node, ast.Assign) or (isinstance(node, ast.AnnAssign) and node.value is not None):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name) and target.id in IDENTIFIERS:
                        try:
                            values[target.id] = ast.literal_eval(node.value)  # type: ignore[arg-type]
                        except ValueError:
                            migration.problems.append((node.lineno, f"{target.id} is computed"))
                            values[target.id] = UNKNOWN
        revision = values.get("revision")
        if isinstance(revision, str):
            migration.revision = revision
        elif "revision" not in values:
            migration.problems.append((1, "no revision identifier"))
        for word in IDENTIFIERS[1:]:
            value = values.get(word)
            names = (value,) if isinstance(value, str) else value if isinstance(value, (tuple, list)) else ()
            setattr(migration, word, tuple(name for name in names if isinstance(name, str)))

    def read_function(self, name: str) -> None:
        function = self.globals.get(name)
        if not isinstance(function, Function):
            return
        self.function = name
        body = function.node.body
        self.migration.bodies[name] = self.kind_of_body(body) if isinstance(body, list) else "code"
        self.call_function(function, [], {})
        engines = [n for n in self.globals if n.startswith(f"{name}_")] if function.node.args.args else []
        for engine in engines:  # the multi-database template: upgrade(engine_name) calls upgrade_<engine_name>()
            if isinstance(self.globals[engine], Function):
                self.call_function(self.globals[engine], [], {})

    @staticmethod
    def kind_of_body(body: list[ast.stmt]) -> str:
        for node in body:
            if isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                continue
            if isinstance(node, ast.Return) and (node.value is None or isinstance(node.value, ast.Constant)):
                break
            return "raises" if isinstance(node, ast.Raise) else "code"
        return "empty"

    # Statements. Each says how it leaves: None (to the next statement), "return", "raise", "break" or "continue".

    def block(self, body: Iterable[ast.stmt]) -> str | None:
        for node in body:
            left = self.statement(node)
            if left:
                return left
        return None

    def statement(self, node: ast.stmt) -> str | None:
        run = STATEMENTS.get(type(node))
        return run(self, node) if run else None

    def do_Expr(self, node: ast.Expr) -> None:
        if type(node.value) is not ast.Constant:
            self.value(node.value)

    def do_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.migration.imports.append((alias.name, node.lineno))
            if alias.asname:
                self.scopes[0][alias.asname] = Ref.of(alias.name)
            else:
                root = alias.name.partition(".")[0]
                self.scopes[0][root] = Ref.of(root)

    def do_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        self.migration.imports.append((module, node.lineno))
        for alias in node.names:
            self.scopes[0][alias.asname or alias.name] = Ref.of(f"{module}.{alias.name}")

    def do_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.scopes[0][node.name] = Function(node, self.scopes)

    def do_Assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self.assign(target, value)

    def do_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.value(node.value))

    def assign(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self.scopes[0][target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            known = isinstance(value, (tuple, list)) and len(value) == len(target.elts)
            for position, element in enumerate(target.elts):
                self.assign(element, value[position] if known else UNKNOWN)

    def do_Return(self, node: ast.Return) -> str:
        self.returns.append(self.value(node.value) if node.value else None)
        return "return"

    def do_With(self, node: ast.With | ast.AsyncWith) -> str | None:
        autocommit = self.autocommit
        for item in node.items:
            value = self.value(item.context_expr)
            self.autocommit = self.autocommit or value is AUTOCOMMIT
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value)
        left = self.block(node.body)
        self.autocommit = autocommit
        return left

    # Expressions

    def value(self, node: ast.expr) -> Any:
        if type(node) is ast.Constant:
            return node.value
        evaluate = EXPRESSIONS.get(type(node))
        return evaluate(self, node) if evaluate else UNKNOWN

    def of_Name(self, node: ast.Name) -> Any:
        for scope in self.scopes:
            if node.id in scope:
                return scope[node.id]
        return Ref.of(f"builtins.{node.id}")

    def of_Attribute(self, node: ast.Attribute) -> Any:
        owner = self.value(node.value)
        if type(owner) is Ref:
            return owner.attribute(node.attr)
        if type(owner) is Marker:
            known = MARKER_ATTRIBUTES.get((owner, node.attr))
            if known:
                return known
        return Method(owner, node.attr)

    def of_List(self, node: ast.List) -> list[Any]:
        return self.elements(node.elts)

    def of_Tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self.elements(node.elts))

    def elements(self, nodes: list[ast.expr]) -> list[Any]:
        return [self.value(node) for node in nodes]

    def of_Dict(self, node: ast.Dict) -> Any:
        return {self.value(k): self.value(v) for k, v in zip(node.keys, node.values, strict=True) if k is not None}

    def of_Call(self, node: ast.Call) -> Any:
        function = self.value(node.func)
        args = self.elements(node.args)
        kwargs = {k.arg: self.value(k.value) for k in node.keywords if k.arg}
        return self.call(function, args, kwargs, node)

    # Calls

    def call(self, function: Any, args: list[Any], kwargs: dict[str, Any], node: ast.Call) -> Any:
        if type(function) is Ref:
            return self.call_ref(function, args, kwargs, node)
        if type(function) is Function:
            return self.call_function(function, args, kwargs)
        if type(function) is Method:
            return self.call_method(function.owner, function.name, args, kwargs, node)
        return UNKNOWN

    def call_ref(self, ref: Ref, args: list[Any], kwargs: dict[str, Any], node: ast.Call) -> Any:
        if ref.root == "alembic" and ref.path == f"alembic.op.{ref.name}":
            return self.call_op(ref.name, args, kwargs, node)
        if ref.root == "sqlalchemy":
            if ref.name == "Column":
                return self.column(args, kwargs)
            if ref.name == "text":
                return Text(args[0]) if args and isinstance(args[0], str) else UNKNOWN
            if ref.name in CONSTRAINT_KINDS:
                return self.constraint(CONSTRAINT_KINDS[ref.name], args, kwargs)
            if ref.name.lower() in TYPE_NAMES:
                return Type(TYPES.get(ref.name, ref.name.lower()), tuple(args), kwargs)
        return Call(ref.name, tuple(args), kwargs)

    def call_function(self, function: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if self.depth >= MAX_DEPTH or self.steps >= MAX_STEPS:
            return UNKNOWN
        self.depth += 1
        self.steps += 1
        node = function.node
        scopes, returns = self.scopes, self.returns
        local: dict[str, Any] = {parameter.arg: UNKNOWN for parameter in node.args.args}
        local.update(zip(local, args, strict=False))
        local.update(kwargs)
        self.scopes, self.returns = (local, *function.scopes), []
        try:
            if isinstance(node.body, list):
                self.block(node.body)
            return self.returns[0] if len(self.returns) == 1 else UNKNOWN
        finally:
            self.scopes, self.returns = scopes, returns
            self.depth -= 1

    def call_method(self, owner: Any, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.Call) -> Any:
        if type(owner) is Batch:
            return self.call_op(name, args, kwargs, node, owner)
        if type(owner) is Marker:
            if (owner, name) in MARKER_CALLS:
                return MARKER_CALLS[owner, name]
            if owner is BIND and name in ("execute", "exec_driver_sql", "scalar"):
                return self.execute(args, kwargs, node)
        return UNKNOWN

    def call_op(
        self, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.Call, batch: Batch | None = None
    ) -> Any:
        if name == "f":
            return args[0] if args else UNKNOWN
        if name == "get_bind":
            return BIND
        if name == "get_context":
            return CONTEXT
        if name == "batch_alter_table":
            return Batch(args[0] if args else kwargs.get("table_name", UNKNOWN), kwargs.get("schema"))
        if name == "execute":
            return self.execute(args, kwargs, node)
        signature = (BATCH_SIGNATURES if batch else SIGNATURES).get(name, ())
        given = dict(zip(signature, args, strict=False)) | kwargs
        table, index, columns, schema = (batch.table if batch else None), None, None, given.get("schema")
        rest: dict[str, Any] = {}
        for parameter, value in given.items():
            if parameter in TABLE_PARAMETERS:
                table = value
            elif parameter in NAME_PARAMETERS:
                index = value
            elif parameter in COLUMN_PARAMETERS:
                columns = [value] if parameter == "column_name" else value
            else:
                rest[parameter] = value
        if batch:
            schema = batch.schema
        operation = Operation(name, args=args, kwargs=rest)
        operation.table = table if isinstance(table, str) else None
        operation.schema = schema if isinstance(schema, str) else None
        operation.name = index if isinstance(index, str) else None
        operation.certain = not isinstance(table, Unknown) and not isinstance(index, Unknown)
        if isinstance(columns, (list, tuple)):
            operation.columns = tuple(column for column in columns if isinstance(column, str))
        items = args[len(signature) :] if name == "create_table" else [given.get("column")]
        operation.definitions = tuple(item for item in items if isinstance(item, Column))
        operation.constraints = tuple(item for item in items if isinstance(item, Constraint))
        if operation.definitions:
            operation.columns = tuple(c.name for c in operation.definitions if isinstance(c.name, str))
        if name in CONSTRAINT_KINDS:
            operation.constraints = (
                Constraint(
                    CONSTRAINT_KINDS[name],
                    index,
                    operation.columns,
                    given.get("condition"),
                    given.get("referent_table"),
                    given.get("postgresql_not_valid") is True,
                ),
            )
        operation.batch = batch is not None
        self.note(operation, node)
        return UNKNOWN

    def execute(self, args: list[Any], kwargs: dict[str, Any], node: ast.Call) -> Any:
        text = args[0] if args else kwargs.get("sqltext", UNKNOWN)
        operation = Operation("execute", args=args, kwargs=kwargs)
        if not isinstance(text, str):
            operation.certain = False
            self.note(operation, node)
            return RESULT
        from .sql import read_sql

        operation.sql = text
        self.note(operation, node)
        for part in read_sql(text, self.dialects):
            self.note(part, node)
        return RESULT

    def note(self, operation: Operation, node: ast.Call) -> None:
        operation.function = self.function
        operation.line = node.lineno
        operation.column = node.col_offset + 1
        operation.end_column = (node.end_col_offset or 0) + 1
        operation.autocommit = self.autocommit
        operation.conditional = self.conditional
        if self.branch is not self.every:
            operation.dialects = self.branch
        self.migration.operations.append(operation)

    # What SQLAlchemy's constructors build

    def column(self, args: list[Any], kwargs: dict[str, Any]) -> Column:
        args = list(args)
        name = kwargs.get("name", UNKNOWN)
        if args and (isinstance(args[0], str) or args[0] is UNKNOWN):
            name = args.pop(0)
        type_ = kwargs.get("type_")
        references: list[str] = []
        computed, identity = None, False
        for arg in args:
            if isinstance(arg, Call) and arg.name == "ForeignKey":
                references.append(arg.args[0] if arg.args and isinstance(arg.args[0], str) else "")
            elif isinstance(arg, Call) and arg.name == "Computed":
                computed = "virtual" if arg.kwargs.get("persisted") is False else "stored"
            elif isinstance(arg, Call) and arg.name == "Identity":
                identity = True
            elif type_ is None:
                type_ = arg
        return Column(
            name,
            self.type(type_),
            kwargs.get("nullable"),
            self.default(kwargs.get("server_default")),
            kwargs.get("default") is not None,
            kwargs.get("primary_key") is True,
            kwargs.get("unique") is True,
            kwargs.get("index") is True,
            computed,
            identity,
            tuple(references),
        )

    def type(self, value: Any) -> Type | None:
        if isinstance(value, Type):
            return value
        if isinstance(value, Ref):
            return Type(TYPES.get(value.name, value.name.lower() if value.root == "sqlalchemy" else value.name))
        if isinstance(value, Call):
            return Type(value.name, value.args, value.kwargs)
        return None

    def default(self, value: Any) -> Any:
        """A server default as SQL: a plain string is a value there, and quoted."""
        if isinstance(value, Text) or not isinstance(value, str):
            return value
        return "'" + value.replace("'", "''") + "'"

    def constraint(self, kind: str, args: list[Any], kwargs: dict[str, Any]) -> Constraint:
        name = kwargs.get("name")
        if kind == "check":
            return Constraint(kind, name, (), args[0] if args else kwargs.get("sqltext"))
        if kind == "foreign_key":
            local = args[0] if args else kwargs.get("columns", ())
            remote = args[1] if len(args) > 1 else kwargs.get("refcolumns", ())
            target = remote[0] if remote and isinstance(remote[0], str) else UNKNOWN
            references = target.rpartition(".")[0] if isinstance(target, str) else UNKNOWN
            return Constraint(kind, name, tuple(c for c in local if isinstance(c, str)), None, references)
        return Constraint(kind, name, tuple(a for a in args if isinstance(a, str)))


IDENTIFIERS = ("revision", "down_revision", "depends_on", "branch_labels")
STATEMENTS: dict[type, Callable[[Reader, Any], str | None]] = {
    getattr(ast, name[3:]): method for name, method in vars(Reader).items() if name.startswith("do_")
}
STATEMENTS |= {ast.AsyncFunctionDef: Reader.do_FunctionDef, ast.AsyncWith: Reader.do_With}
EXPRESSIONS: dict[type, Callable[[Reader, Any], Any]] = {
    getattr(ast, name[3:]): method for name, method in vars(Reader).items() if name.startswith("of_")
}
