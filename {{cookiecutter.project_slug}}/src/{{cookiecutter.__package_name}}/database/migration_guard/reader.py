"""Source -> operations: a small abstract interpreter over the syntax tree.

It follows ``upgrade()`` and ``downgrade()`` statement by statement, as Python would, and notes each operation. It runs
nothing and imports nothing of what it reads. A value that can't be told is ``UNKNOWN`` (in a string, ``HOLE``); of a
condition that can't be told both sides are followed; loops and helpers are followed within bounds.
"""

from __future__ import annotations

import ast
import gc
import operator
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any, ClassVar

from .operation import (
    HOLE,
    UNKNOWN,
    Call,
    Column,
    Constraint,
    Migration,
    Operation,
    Type,
    Unknown,
    UnreadableMigration,
    pairs,
    words,
)

MAX_DEPTH = 16  # helpers that call helpers
MAX_STEPS = 50_000  # statements, calls and turns of loops in one migration
MAX_UNROLL = 2_000  # turns of a loop over known values
MAX_WHILE = 100  # turns of any other
MAX_WAYS = 6  # on which one value may depend
MAX_SIZE = 1_000_000  # of a string or list that is computed

IDENTIFIERS = ("revision", "down_revision", "depends_on", "branch_labels")
DATABASES = words("sqlite postgresql mysql mariadb oracle mssql cockroachdb")
# Calls into these do nothing to a database.
QUIET = words("builtins sqlalchemy alembic click structlog loguru tqdm") | sys.stdlib_module_names
QUERIES = words("select union union_all except_ intersect exists values")
LOGGING = words("debug info warning error exception log echo")

# Alembic's positional parameters; the table, a name and columns have fields of their own. A batch leaves out the table.
SIGNATURES = {
    name: tuple(parameters.split())
    for name, parameters in pairs(
        """
        add_column: table column
        alter_column: table columns
        bulk_insert: table rows
        create_check_constraint: name table condition
        create_exclude_constraint: name table
        create_foreign_key: name table referent_table columns remote_cols
        create_index: name table columns
        create_primary_key: name table columns
        create_table: table
        create_table_comment: table comment
        create_unique_constraint: name table columns
        drop_column: table columns
        drop_constraint: name table type_
        drop_index: name table
        drop_table: table
        drop_table_comment: table
        rename_table: table new_table_name
        """
    ).items()
}
IDENTITY = ("table", "name", "columns", "schema")  # two values of one of these are two operations
STARRED = {*SIGNATURES, "execute", "batch_alter_table", "invoke", "get_bind", "get_context", "f"}
BATCH_SIGNATURES = {name: tuple(p for p in parameters if p != "table") for name, parameters in SIGNATURES.items()}
FIELDS = dict.fromkeys(("table_name", "source_table", "old_table_name", "source"), "table") | {
    "index_name": "name",
    "constraint_name": "name",
    "column_name": "columns",
    "local_cols": "columns",
    "source_schema": "schema",
    "referent": "referent_table",
}


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


# Of each operation and class: the kind of its constraint.
CONSTRAINTS = {
    name: snake(name).removeprefix("create_").removesuffix("_constraint")
    for name in words(
        "create_check_constraint create_exclude_constraint create_foreign_key create_primary_key "
        "create_unique_constraint CheckConstraint ExcludeConstraint ForeignKeyConstraint PrimaryKeyConstraint "
        "UniqueConstraint"
    )
}
SESSIONS = words("Session sessionmaker scoped_session")
# What of SQLAlchemy is more to the reader than a call with its arguments.
CONSTRUCTORS = (
    CONSTRAINTS.keys()
    | SESSIONS
    | words("text DDL table Table insert update delete inspect from_engine reflect automap_base conv quoted_name")
)
# The types whose SQL name is not their class name in lower case.
TYPES = pairs(
    """
    String: varchar
    Unicode: varchar
    UnicodeText: text
    BigInteger: bigint
    SmallInteger: smallint
    LargeBinary: blob
    PickleType: blob
    DateTime: timestamp
    INT: integer
    DECIMAL: numeric
    DOUBLE_PRECISION: double
    """
)


class Ref:
    """Something imported, by its dotted path: ``alembic.op.create_index``. One object for each path."""

    __slots__ = ("attributes", "name", "path", "root")
    known: ClassVar[dict[str, Any]] = {}

    def __init__(self, path: str) -> None:
        self.path = path
        self.root = path.partition(".")[0]
        self.name = path.rpartition(".")[2]
        self.attributes: dict[str, Any] = {}

    @classmethod
    def of(cls, path: str) -> Any:
        if path not in cls.known:
            cls.known[path] = cls(path)
        return cls.known[path]

    def attribute(self, name: str) -> Any:
        if name not in self.attributes:
            self.attributes[name] = Ref.of(f"{self.path}.{name}")
        return self.attributes[name]


class Marker:
    """A thing of which only the kind matters: the bind, the context, the dialect's name. A call of one gives itself."""

    def __init__(self, name: str) -> None:
        self.name = name


@dataclass(frozen=True, slots=True)
class Test:
    """A condition: the databases on which it can hold, those on which it can fail, and whether that is all it says."""

    yes: frozenset[str]
    no: frozenset[str]
    sure: bool = True
    offline: bool | None = None  # holds in offline mode alone, or in online mode alone

    def __and__(self, other: Test) -> Test:
        offline = self.offline if other.offline is None else other.offline
        return Test(self.yes & other.yes, self.no | other.no, self.sure and other.sure, offline)

    def __or__(self, other: Test) -> Test:
        return ~(~self & ~other)

    def __invert__(self) -> Test:
        return Test(self.no, self.yes, self.sure, None if self.offline is None else not self.offline)


class Text(str):
    """``sa.text(...)``: SQL where a plain string would be a value."""

    __slots__ = ()


@dataclass(slots=True)
class Function:
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scopes: tuple[dict[str, Any], ...]
    inherited: dict[str, Any] = field(default_factory=dict)  # of a method: what its class's bases define


@dataclass(slots=True)
class Method:
    owner: Any
    name: str


@dataclass(slots=True)
class Partial:
    function: Any
    args: list[Any]
    kwargs: dict[str, Any]


@dataclass(slots=True)
class Batch:
    table: Any
    schema: Any


@dataclass(slots=True)
class Table:
    """``sa.table``, ``sa.Table`` or a class of the file, mapped (``__tablename__``) or not (no name)."""

    name: Any = None
    schema: Any = None
    names: dict[str, Any] = field(default_factory=dict)
    items: tuple[Any, ...] = ()


@dataclass(slots=True, eq=False)
class Instance:
    """An instance of a class that is not mapped."""

    kind: Table
    names: dict[str, Any]
    itself: Any = None  # of super()


@dataclass(slots=True)
class Row:
    """An instance of a mapped class."""

    table: Any


@dataclass(slots=True)
class Statement:
    """A Core or ORM statement: insert, update, delete or query."""

    kind: str
    table: Any
    where: str | None = None


@dataclass(slots=True)
class Either:
    """A value that depends on the way taken: on which databases, whether only perhaps, and the value."""

    ways: list[tuple[frozenset[str], bool, Any]]


BIND, CONTEXT, SESSION, DIALECT, DIALECT_NAME, AUTOCOMMIT, RESULT = map(
    Marker, ("bind", "context", "session", "dialect", "dialect name", "autocommit block", "result")
)
OFFLINE = Test(DATABASES, DATABASES, False, True)
UNSURE = Test(DATABASES, DATABASES, False)
MARKED: dict[tuple[Marker, str], Any] = {
    **{(BIND, name): BIND for name in words("engine bind begin begin_nested connect execution_options connection")},
    **{(CONTEXT, name): BIND for name in words("bind connection get_bind")},
    **{(CONTEXT, name): CONTEXT for name in words("impl migration_context begin_transaction get_context")},
    **{(SESSION, name): BIND for name in words("bind connection get_bind")},
    **{(owner, "dialect"): DIALECT for owner in (BIND, CONTEXT)},
    (CONTEXT, "autocommit_block"): AUTOCOMMIT,
    (CONTEXT, "as_sql"): OFFLINE,
    (CONTEXT, "version_table_schema"): None,  # env.py's; rarely set
    (SESSION, "begin"): SESSION,
    (BIND, "name"): DIALECT_NAME,
    (DIALECT, "name"): DIALECT_NAME,
    **{(DIALECT_NAME, name): DIALECT_NAME for name in ("lower", "strip")},
}
Ref.known.update(
    {
        "alembic.op.get_bind": BIND,
        "alembic.op.get_context": CONTEXT,
        "alembic.op.migration_context": CONTEXT,
        "alembic.op.impl": CONTEXT,
        "alembic.context.get_bind": BIND,
        "alembic.context.get_context": CONTEXT,
        "alembic.context.is_offline_mode": OFFLINE,
        "alembic.runtime.migration.MigrationContext.configure": CONTEXT,
        "alembic.migration.MigrationContext.configure": CONTEXT,
    }
)

# What is not data, and what of that an operation may show.
ABSTRACT = {Ref, Marker, Test, Function, Method, Partial, Batch, Table, Instance, Row, Statement, Either}
SHOWN = {Unknown, Call, Column, Constraint, Type, bool, int, type(None)}
PRIVATE = frozenset(ABSTRACT)
ABSTRACT |= {Unknown, Call, Column, Constraint, Type}
OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda value, container: value in container,
    ast.NotIn: lambda value, container: value not in container,
    ast.Is: lambda value, other: value is other,
    ast.IsNot: lambda value, other: value is not other,
}
# Functions that work on known containers whatever is in them, and functions that need every value.
STRUCTURAL: dict[str, Callable[..., Any]] = {
    "dict": dict,
    "enumerate": lambda *args: list(enumerate(*args)),
    "len": len,
    "list": list,
    "range": range,
    "reversed": lambda values: list(values)[::-1],
    "tuple": tuple,
    "zip": lambda *args, **_: list(zip(*args)),  # noqa: B905
    "OrderedDict": dict,
    "chain": lambda *args: [value for arg in args for value in arg],
}
EXACT: dict[str, Callable[..., Any]] = {
    f.__name__: f for f in (bool, int, str, repr, set, frozenset, sorted, min, max, sum, any, all, abs, isinstance)
}
METHODS: dict[type, frozenset[str]] = {
    str: words(
        "capitalize casefold endswith format join lower lstrip partition removeprefix removesuffix replace rpartition "
        "rsplit rstrip split splitlines startswith strip title upper isdigit"
    ),
    list: words("append extend insert copy index count pop reverse remove"),
    dict: words("items keys values get copy update setdefault pop"),
    set: words("add union update difference intersection discard copy"),
    tuple: words("index count"),
}
CHANGING = words("append extend insert remove pop add update setdefault discard")
# A width in a format that could fill the memory.
WIDE = re.compile(r"%(?:\(\w*\))?[-+ #0]*+(?:\d{4}|\*)|(?<!\d)\d{4,}+[a-zA-Z%]?}|{[^{}]*:{")


def read_migration(
    path: str | Path, *, dialects: Sequence[str] = ("sqlite", "postgresql", "mariadb"), source: str | None = None
) -> Migration:
    """What the migration does, or ``UnreadableMigration``."""
    name = str(path)
    collecting = gc.isenabled()
    gc.disable()  # nothing here is cyclic, and looking for cycles in a growing tree is a third of the time
    try:
        if source is None:
            with open(path, "rb") as file:
                source = decode(file.read())
        return Reader(Migration(name, source), tuple(dialects)).read(parse(source, name))
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


def decode(data: bytes) -> str:
    """As Python itself decodes a source file."""
    if b"coding" in b"".join(data.split(b"\n", 2)[:2]):
        from importlib.util import decode_source  # imports tokenize, which most files don't need

        return decode_source(data)
    return data.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def parse(source: str, name: str) -> ast.Module:
    with warnings.catch_warnings(action="ignore"):  # of invalid escapes Python tells when it runs
        return ast.parse(source, name)


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
    for base in parents[level - 1 : level] if level else (f"{p}{sub}" for p in parents for sub in ("", "/src")):
        for file in (f"{base}/{path}.py", f"{base}/{path}/__init__.py"):
            if os.path.isfile(file):
                return {} if near and not file.startswith(os.path.dirname(here)) else names_in(Path(file))
    return {}


def names_in(file: Path) -> dict[str, Any]:
    try:
        source = decode(file.read_bytes())
        reader = Reader(Migration(str(file), source), ())
        reader.block(parse(source, str(file)).body)
        return reader.globals
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return {}


def plain(value: Any) -> bool:
    """Whether all of the value is known, and nothing but data."""
    kind = type(value)
    if kind is str or kind is Text:
        return HOLE not in value
    if kind is list or kind is tuple or kind is set:
        return all(map(plain, value))
    if kind is dict:
        return all(map(plain, value.values()))
    return kind not in ABSTRACT


def shown(value: Any) -> Any:
    """The value as an operation's argument: nothing of the reader's own in it."""
    kind = type(value)
    if kind in SHOWN:
        return value
    if kind is str or kind is Text:
        return UNKNOWN if HOLE in value else value
    if kind is list or kind is tuple:
        return kind(map(shown, value))
    if kind is dict:
        return {key: shown(item) for key, item in value.items()}
    if kind is Table:
        return shown(value.name)
    if kind is Ref:
        return Call(value.name)
    return UNKNOWN if kind in PRIVATE else value


def text_of(value: Any) -> str | None:
    """A name, where it is known."""
    return str(value) if isinstance(value, str) and HOLE not in value else None


def texts_of(value: Any) -> tuple[str, ...]:
    """The names of columns."""
    if value is None:
        return ()
    values = value if type(value) in (list, tuple, set) else (value,)
    return tuple(name for name in map(column_name, values) if name)


def column_name(value: Any) -> str | None:
    """``"a"`` of ``"a"`` and ``sa.column("a")``, ``"lower(a)"`` of ``sa.func.lower(sa.column("a"))``."""
    if isinstance(value, Call) and value.args:
        name = column_name(value.args[0])
        return (
            name if value.name in ("column", "literal_column", "desc", "asc") or not name else f"{value.name}({name})"
        )
    return text_of(value.name if isinstance(value, Column) else value)


class Reader:
    """Follows one migration."""

    def __init__(self, migration: Migration, dialects: tuple[str, ...]) -> None:
        self.migration = migration
        self.dialects = dialects
        self.folder = os.path.dirname(migration.path)
        self.globals: dict[str, Any] = {}
        self.scopes: tuple[dict[str, Any], ...] = (self.globals,)
        self.function = ""
        self.branch = self.every = DATABASES.union(dialects)  # the databases on which the current statement runs
        self.conditional = self.autocommit = self.online = False
        self.steps = 0
        self.stack: list[Function] = []  # the functions that are being followed
        self.site: ast.expr | None = None  # the call that led to another file
        self.line = 1
        self.bare: ast.expr | None = None  # the expression that is a statement of its own
        self.partial: dict[int, Any] = {}  # containers of which some elements may be missing, by id
        self.told: set[tuple[str, str, int]] = set()
        self.returns: list[tuple[frozenset[str], bool, Any]] = []
        self.yields: list[Any] = []
        self.lines: list[str] | None = None
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
        migration.lossy = text_of(self.globals.get("lossy"))
        migration.irreversible = text_of(self.globals.get("irreversible"))
        for name in ("upgrade", "downgrade"):
            self.entry(name)
        tables = {o.name: o for o in migration.operations if o.operation == "create_index" and o.name and o.table}
        for operation in migration.operations:  # DROP INDEX need not say the table; the other direction does
            made = tables.get(operation.name or "")
            if made and operation.operation == "drop_index" and not operation.table:
                operation.table, operation.schema = made.table, made.schema
        return migration

    def identifier(self, name: str, node: ast.expr) -> None:
        try:
            value = ast.literal_eval(node)
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
        self.function = name
        if steps[0].node.args.args:  # the multi-database template: upgrade(engine_name) calls upgrade_<engine_name>()
            steps += [value for other, value in self.globals.items() if other.startswith(f"{name}_") and is_def(value)]
        for step in steps:
            self.run(step, [], {})
            if self.migration.bodies.get(name, "empty") == "empty":
                self.migration.bodies[name] = kind_of_body(step.node.body)

    # Statements. Each says how it leaves: "return", "raise", "break", "continue" or None, to the next statement.

    def block(self, body: Iterable[ast.stmt]) -> str | None:
        for node in body:
            left = self.statement(node)
            if left:
                return left
        return None

    def statement(self, node: ast.stmt) -> str | None:
        self.steps += 1
        self.line = self.site.lineno if self.site else node.lineno
        run = STATEMENTS.get(type(node))
        return run(self, node) if run else None

    def do_Expr(self, node: ast.Expr) -> None:
        self.bare = node.value
        self.value(node.value)

    def do_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.migration.imports.append((alias.name, node.lineno))
            name = alias.asname or alias.name.partition(".")[0]
            self.scopes[0][name] = Ref.of(alias.name if alias.asname else name)

    def do_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        self.migration.imports.append((module, node.lineno))
        for alias in node.names:
            names = STARRED if alias.name == "*" and module == "alembic.op" else (alias.name,)
            for name in names:
                self.scopes[0][alias.asname or name] = Ref.of(f"{module}.{name}")

    def do_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.scopes[0][node.name] = Function(node, self.scopes)

    def do_ClassDef(self, node: ast.ClassDef) -> None:
        inherited: dict[str, Any] = {}
        for base in reversed([self.found(self.value(base), near=True) for base in node.bases]):
            inherited |= base.names if isinstance(base, Table) else {}
        names: dict[str, Any] = {
            "__fields__": [
                n.target.id for n in node.body if isinstance(n, ast.AnnAssign) and type(n.target) is ast.Name
            ]
        }
        self.scopes = (names, *self.scopes)
        self.block(node.body)
        self.scopes = self.scopes[1:]
        for value in names.values():
            if isinstance(value, Function):
                value.scopes, value.inherited = value.scopes[1:], inherited
        names = inherited | names
        args = names.get("__table_args__")
        options = args[-1] if type(args) is tuple and args else args
        schema = options.get("schema") if type(options) is dict else None
        columns = [replace(v, name=k) if v.name is UNKNOWN else v for k, v in names.items() if isinstance(v, Column)]
        self.scopes[0][node.name] = Table(names.get("__tablename__"), schema, names, tuple(columns))

    def do_Assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self.assign(target, value, node)

    def do_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.value(node.value), node)

    def do_AugAssign(self, node: ast.AugAssign) -> None:
        self.assign(node.target, self.binary(node.op, self.value(node.target), self.value(node.value)), node)

    def assign(self, target: ast.expr, value: Any, node: ast.stmt | ast.expr) -> None:
        if isinstance(target, ast.Name):
            scope = self.scopes[0]
            (self.scopes[-1] if target.id in scope.get("__global__", ()) else scope)[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            values = self.unpack(target.elts, value)
            for element, item in zip(target.elts, values, strict=True):
                self.assign(element.value if isinstance(element, ast.Starred) else element, item, node)
        elif isinstance(target, ast.Subscript):
            owner, key = self.value(target.value), self.value(target.slice)
            if type(owner) in (dict, list) and plain(key):
                self.attempt(operator.setitem, owner, key, value)
        elif isinstance(target, ast.Attribute):
            owner = self.value(target.value)
            if isinstance(owner, Row):
                self.change(owner.table, "update", node, target.attr)
            elif isinstance(owner, Instance):
                owner.names[target.attr] = value

    def unpack(self, targets: list[ast.expr], value: Any) -> list[Any]:
        if type(value) not in (list, tuple):
            return [UNKNOWN] * len(targets)
        values = list(value)
        star = next((i for i, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
        if star is not None and len(values) >= len(targets) - 1:
            end = len(values) - (len(targets) - star - 1)
            values[star:end] = [values[star:end]]
        return values if len(values) == len(targets) else [UNKNOWN] * len(targets)

    def do_Global(self, node: ast.Global) -> None:
        self.scopes[0].setdefault("__global__", set()).update(node.names)

    def do_Return(self, node: ast.Return) -> str:
        self.returns.append((self.branch, self.conditional, self.value(node.value) if node.value else None))
        return "return"

    def do_Raise(self, node: ast.Raise | ast.Break | ast.Continue) -> str:
        return type(node).__name__.lower()

    def do_With(self, node: ast.With | ast.AsyncWith) -> str | None:
        autocommit = self.autocommit
        for item in node.items:
            value = self.value(item.context_expr)
            self.autocommit = self.autocommit or value is AUTOCOMMIT
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value, node)
        left = self.block(node.body)
        self.autocommit = autocommit
        return left

    def do_If(self, node: ast.If) -> str | None:
        test = self.test(self.value(node.test))
        return self.follow((test, node.body), (~test, node.orelse))

    def do_Match(self, node: ast.Match) -> str | None:
        subject = self.value(node.subject)
        rest, ways = Test(self.every, frozenset()), []
        for case in node.cases:
            test = self.pattern(case.pattern, subject)
            if case.guard:
                test = test & self.test(self.value(case.guard))
            ways.append((rest & test, case.body))
            rest = rest & ~test
        return self.follow(*ways, (rest, []))

    def pattern(self, node: ast.pattern, subject: Any) -> Test:
        if isinstance(node, ast.MatchOr):
            return reduce(operator.or_, [self.pattern(pattern, subject) for pattern in node.patterns])
        if isinstance(node, ast.MatchAs) and node.pattern is None:
            if node.name:
                self.scopes[0][node.name] = subject
            return self.test(True)
        if isinstance(node, ast.MatchValue):
            return self.test(self.compare(ast.Eq(), subject, self.value(node.value)))
        return UNSURE

    def follow(self, *ways: tuple[Test, list[ast.stmt]]) -> str | None:
        """Each way that can be taken. Afterwards a name on which they disagree is unknown."""
        branch, conditional, online = self.branch, self.conditional, self.online
        open_ways = [(test, body) for test, body in ways if test.yes & branch]
        if len(open_ways) == 1 and open_ways[0][0].sure:
            return self.block(open_ways[0][1])
        names = self.scopes[0]
        before, ends = dict(names), []
        for test, body in open_ways:
            self.branch = branch & test.yes
            self.conditional = conditional or not test.sure
            self.online = online or test.offline is False
            names.clear()
            names.update(before)
            left = self.block(body)
            ends.append((left, dict(names), self.branch, self.online, not test.sure))
        self.branch, self.conditional, self.online = branch, conditional, online
        going = [end for end in ends if not end[0]]
        names.clear()
        if len(going) == 1:  # what follows runs on what the others left over
            _, known, self.branch, self.online, _ = going[0]
            names.update(known)
            self.conditional |= any(not test.sure for test, _ in open_ways) and any(
                end[0] not in (None, "raise") for end in ends
            )
        elif going:
            for name in dict.fromkeys(name for _, known, *_ in going for name in known):
                names[name] = joined([(way, unsure, known.get(name, UNKNOWN)) for _, known, way, _, unsure in going])
        return ends[0][0] if ends and not going else None

    def do_For(self, node: ast.For | ast.AsyncFor) -> str | None:
        values = self.value(node.iter)
        turns, known = self.turns(values)
        return self.loop(node, ((node.target, turn) for turn in turns), known, id(values) in self.partial)

    def do_While(self, node: ast.While) -> str | None:
        def turns() -> Iterator[tuple[None, None]]:
            for _ in range(MAX_WHILE):
                test = self.test(self.value(node.test))
                if test.yes and test.no:
                    break
                if not test.yes:
                    return
                yield None, None
            raise OverflowError

        noted, names = len(self.migration.operations), dict(self.scopes[0])
        if not isinstance(node.test, ast.Constant):
            try:
                return self.loop(node, turns())
            except OverflowError:  # its end can't be told
                del self.migration.operations[noted:]
                self.scopes[0].update(names)
        return self.loop(node, [(None, None)], known=False)

    def loop(
        self, node: Any, turns: Iterable[tuple[Any, Any]], known: bool = True, partial: bool = False
    ) -> str | None:
        state = self.branch, self.conditional, self.online
        self.conditional |= partial or not known
        if not known:  # one turn stands for all: what the body assigns may have changed since the turn before
            self.scopes[0].update(dict.fromkeys(counters(node), UNKNOWN))
        left = None
        for target, turn in turns:
            self.steps += 1
            if target is not None:
                self.assign(target, turn, node)
            left = self.block(node.body)
            if left == "break" or (left in ("return", "raise") and known):
                break
            left = None
        self.branch, self.conditional, self.online = state
        if left in ("return", "raise"):
            return left
        return self.block(node.orelse) if left is None else None

    def turns(self, value: Any) -> tuple[Sequence[Any], bool]:
        """The values over which a loop goes, and whether they are known."""
        value = self.found(value)
        if isinstance(value, (list, tuple, dict, set, frozenset, str, range)):
            if len(value) <= MAX_UNROLL and self.steps < MAX_STEPS and not (isinstance(value, str) and HOLE in value):
                return sorted(value, key=repr) if isinstance(value, (set, frozenset)) else list(value), True
        elif isinstance(value, Table) and not value.name:  # an enumeration
            return [v for k, v in value.names.items() if k[0] != "_" and type(v) not in ABSTRACT], True
        elif isinstance(value, Statement):
            return [Row(value.table)], False
        elif value is RESULT:
            self.bind_read()
        return [UNKNOWN], False

    def do_Try(self, node: ast.Try) -> str | None:
        handlers = [(UNSURE, handler.body) for handler in node.handlers]
        left = self.block(node.body) or self.block(node.orelse)
        if handlers:
            after = self.follow((UNSURE, []), *handlers)
            left = left if after is None else after
        return self.block(node.finalbody) or left

    # Expressions

    def value(self, node: ast.expr) -> Any:
        kind = type(node)
        if kind is ast.Constant:
            return node.value  # type: ignore[attr-defined]
        evaluate = EXPRESSIONS.get(kind)
        return evaluate(self, node) if evaluate else UNKNOWN

    def of_Name(self, node: ast.Name) -> Any:
        name = node.id
        for scope in self.scopes:
            if name in scope:
                return scope[name]
        return Ref.of(f"builtins.{name}")

    def of_Attribute(self, node: ast.Attribute) -> Any:
        owner = self.of_Name(node.value) if type(node.value) is ast.Name else self.value(node.value)
        if type(owner) is Ref:
            return owner.attributes.get(node.attr) or owner.attribute(node.attr)
        return self.attribute(owner, node.attr)

    def attribute(self, owner: Any, name: str) -> Any:
        kind = type(owner)
        if kind is Ref:
            return owner.attribute(name)
        if kind is Marker:
            if owner is RESULT:
                self.bind_read()
                return UNKNOWN
            return MARKED[owner, name] if (owner, name) in MARKED else Method(owner, name)
        if kind is Instance and name in owner.names:
            return owner.names[name]
        if kind is Instance or (kind is Table and isinstance(owner.names.get(name), Function)):
            return self.bound(owner, name)
        if kind is Table and (name in owner.names or name in ("__table__", "name", "__tablename__")):
            return owner.names.get(name, owner if name == "__table__" else owner.name)
        if name == "value" and plain(owner):  # of a member of an enumeration
            return owner
        return Method(owner, name)

    def bound(self, owner: Instance | Table, name: str) -> Any:
        """A method or another attribute of an instance or its class."""
        kind, owner = (owner, owner) if isinstance(owner, Table) else (owner.kind, owner.itself or owner)
        value = kind.names.get(name, UNKNOWN)
        if not isinstance(value, Function):
            return value
        decorators = {d.id for d in getattr(value.node, "decorator_list", ()) if isinstance(d, ast.Name)}
        if "property" in decorators:
            return self.run(value, [owner], {})
        if "classmethod" in decorators:
            return Partial(value, [kind], {})
        return value if "staticmethod" in decorators or owner is kind else Partial(value, [owner], {})

    def of_List(self, node: ast.List) -> list[Any]:
        return self.elements(node.elts)

    def of_Tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self.elements(node.elts))

    def of_Set(self, node: ast.Set) -> Any:
        values = self.elements(node.elts)
        return set(values) if plain(values) else values

    def of_Dict(self, node: ast.Dict) -> Any:
        result: dict[Any, Any] = {}
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            value = self.value(value_node)
            if key_node is None:
                result.update(value if type(value) is dict else {UNKNOWN: UNKNOWN})
            else:
                self.attempt(operator.setitem, result, self.value(key_node), value)
        return result

    def elements(self, nodes: list[ast.expr]) -> list[Any]:
        values = []
        for node in nodes:
            if type(node) is ast.Constant:
                values.append(node.value)
            elif type(node) is ast.Starred:
                values.extend(self.turns(self.value(node.value))[0])
            else:
                values.append(self.value(node))
        return values

    def of_JoinedStr(self, node: ast.JoinedStr) -> str:
        return "".join(str(self.value(part)) for part in node.values)

    def of_FormattedValue(self, node: ast.FormattedValue) -> str:
        value = self.found(self.value(node.value))
        spec = self.value(node.format_spec) if node.format_spec else ""
        if not plain(value) or HOLE in spec or len(spec) > 4:
            return value if isinstance(value, str) and not spec else HOLE
        value = {-1: value, 97: ascii(value), 114: repr(value), 115: str(value)}[node.conversion]
        text = self.attempt(format, value, spec)
        return text if isinstance(text, str) else HOLE

    def of_BinOp(self, node: ast.BinOp) -> Any:
        spine = [node]  # a + b + c + ...: as deep as it is long
        while type(spine[-1].left) is ast.BinOp:
            spine.append(spine[-1].left)
        value = self.value(spine[-1].left)
        for part in reversed(spine):
            value = self.binary(part.op, value, self.value(part.right))
        return value

    def binary(self, op: ast.operator, left: Any, right: Any) -> Any:
        run, left, right = OPERATORS.get(type(op)), self.found(left), self.found(right)
        if run is None:
            return UNKNOWN
        if isinstance(left, str) and type(op) is ast.Mod:
            if WIDE.search(left):
                return HOLE
            text = self.attempt(run, left, filled(right))
            return text if isinstance(text, str) else HOLE
        if type(op) is ast.Add and isinstance(left, str) != isinstance(right, str):
            left, right = filled(left), filled(right)
        elif type(left) in ABSTRACT or type(right) in ABSTRACT:
            return UNKNOWN
        if type(op) is ast.Mult and max(size(left), 1) * max(size(right), 1) > MAX_SIZE:
            return UNKNOWN
        value = self.attempt(run, left, right)
        return type(left)(value) if type(left) is Text and isinstance(value, str) else value

    def attempt(self, run: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What Python's own function gives, if it gives something of a reasonable size."""
        try:
            value = run(*args, **kwargs)
        except Exception:  # whatever Python itself would raise
            return UNKNOWN
        return UNKNOWN if size(value) > MAX_SIZE and not isinstance(value, range) else value

    def of_BoolOp(self, node: ast.BoolOp) -> Any:
        either = isinstance(node.op, ast.Or)
        result = self.value(node.values[0])
        total = self.test(result)
        for part in node.values[1:]:
            if not (total.no if either else total.yes):  # decided: the rest does not run
                break
            value = self.value(part)
            last = not (total.yes if either else total.no)  # which says it alone
            total = total | self.test(value) if either else total & self.test(value)
            result = value if last else total
        return result

    def of_UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return ~self.test(value)
        return self.attempt(operator.neg, value) if isinstance(node.op, ast.USub) and plain(value) else UNKNOWN

    def of_Compare(self, node: ast.Compare) -> Any:
        if len(node.ops) != 1:
            return UNKNOWN
        return self.compare(node.ops[0], self.value(node.left), self.value(node.comparators[0]))

    def compare(self, op: ast.cmpop, left: Any, right: Any) -> Any:
        run: Callable[[Any, Any], Any] = OPERATORS.get(type(op), operator.eq)
        if left is DIALECT_NAME and plain(right):
            return self.on_dialects(lambda name: run(name, right))
        if right is DIALECT_NAME and plain(left):
            return self.on_dialects(lambda name: run(left, name))
        if type(left) is Either:
            yes, no, sure = frozenset[str](), frozenset[str](), True
            for databases, unsure, value in left.ways:
                test = self.test(self.compare(op, value, right))
                yes, no = yes | (test.yes & databases), no | (test.no & databases)
                sure = sure and test.sure and not unsure
            return Test(yes, no, sure)
        if id(left) in self.partial or id(right) in self.partial:
            return UNKNOWN
        if right is None and not isinstance(left, (Unknown, Marker, Method, Ref, Test)):
            return run(left, None)
        return self.attempt(run, left, right) if plain(left) and plain(right) else UNKNOWN

    def on_dialects(self, run: Callable[[str], Any]) -> Any:
        results = {name: self.attempt(run, name) for name in self.every}
        if not all(isinstance(result, bool) for result in results.values()):
            return UNKNOWN
        yes = frozenset(name for name, result in results.items() if result)
        return Test(yes, self.every - yes)

    def test(self, value: Any) -> Test:
        if isinstance(value, Test):
            return value
        if value is RESULT:
            self.bind_read()
        if type(value) in ABSTRACT or id(value) in self.partial or (isinstance(value, str) and value == HOLE):
            return UNSURE
        return Test(self.every, frozenset()) if value else Test(frozenset(), self.every)

    def of_IfExp(self, node: ast.IfExp) -> Any:
        test = self.test(self.value(node.test))
        ways = [(test.yes, not test.sure, node.body), (test.no, not test.sure, node.orelse)]
        return self.each(Either(ways), self.value)

    def each(self, either: Either, use: Callable[[Any], Any]) -> Any:
        """Use each of the values on the databases that it is for."""
        branch, conditional, results = self.branch, self.conditional, []
        for databases, unsure, value in either.ways:
            self.branch, self.conditional = branch & databases, conditional or unsure
            if self.branch:
                results.append((databases, unsure, use(value)))
        self.branch, self.conditional = branch, conditional
        return joined(results) if results else UNKNOWN

    def of_Subscript(self, node: ast.Subscript) -> Any:
        owner, key = self.value(node.value), self.value(node.slice)
        if owner is RESULT:
            self.bind_read()
        if isinstance(owner, (list, tuple, dict, range)) or (isinstance(owner, str) and HOLE not in owner):
            return self.attempt(operator.getitem, owner, key) if plain(key) or type(key) is slice else UNKNOWN
        if isinstance(owner, Table) and isinstance(key, str):
            return owner.names.get(key, UNKNOWN)
        return UNKNOWN

    def of_Slice(self, node: ast.Slice) -> Any:
        bounds = [self.value(part) if part else None for part in (node.lower, node.upper, node.step)]
        return slice(*bounds) if plain(bounds) else UNKNOWN

    def of_Lambda(self, node: ast.Lambda) -> Any:
        return Function(node, self.scopes)

    def of_NamedExpr(self, node: ast.NamedExpr) -> Any:
        value = self.value(node.value)
        self.assign(node.target, value, node)
        return value

    def of_Await(self, node: ast.Await) -> Any:
        return self.value(node.value)

    def of_Yield(self, node: ast.Yield) -> Any:
        self.yields.append(self.value(node.value) if node.value else None)
        return UNKNOWN

    def of_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Any:
        return self.comprehension(node.generators, lambda: self.value(node.elt))

    def of_DictComp(self, node: ast.DictComp) -> Any:
        pairs = self.comprehension(node.generators, lambda: (self.value(node.key), self.value(node.value)))
        return self.attempt(dict, pairs) if isinstance(pairs, list) else UNKNOWN

    def comprehension(self, generators: list[ast.comprehension], element: Callable[[], Any]) -> Any:
        known, unsure, conditional = True, False, self.conditional

        def turn(rest: list[ast.comprehension]) -> Iterator[Any]:
            nonlocal known, unsure
            if not rest:
                yield element()
                return
            iterated = self.value(rest[0].iter)
            values, sure = self.turns(iterated)
            known = known and sure
            for value in values:
                self.steps += 1
                self.assign(rest[0].target, value, rest[0].target)
                test = self.test(True)
                for condition in rest[0].ifs:
                    test = test & self.test(self.value(condition))
                unsure = unsure or bool(test.yes and test.no) or id(iterated) in self.partial
                self.conditional = conditional or unsure or not known
                if test.yes:
                    yield from turn(rest[1:])

        self.scopes = ({}, *self.scopes)
        values = list(turn(generators))
        self.scopes, self.conditional = self.scopes[1:], conditional
        if unsure and known:
            self.partial[id(values)] = values
        return values if known else UNKNOWN

    # Calls

    def of_Call(self, node: ast.Call) -> Any:
        bare = node is self.bare
        function = self.value(node.func)
        args = self.elements(node.args) if node.args else []
        kwargs = {}
        for keyword in node.keywords:
            value = keyword.value.value if type(keyword.value) is ast.Constant else self.value(keyword.value)
            if keyword.arg:
                kwargs[keyword.arg] = value
            else:
                kwargs |= value if type(value) is dict and all(isinstance(k, str) for k in value) else {"**": UNKNOWN}
        if type(function) is Ref:
            if function.root == "sqlalchemy":
                return self.call_sqlalchemy(function.name, args, kwargs, node)
            if function.root not in QUIET:  # where only a value is asked for, the application itself is not read
                name = function.name
                function = self.found(function, near=not bare and not self.hands_over(args, kwargs))
                if bare and type(function) is Ref and not self.site and name not in LOGGING:
                    return self.unresolved(name, args, kwargs, node)
        return self.call(function, args, kwargs, node)

    def call(self, function: Any, args: list[Any], kwargs: dict[str, Any], node: ast.expr) -> Any:
        kind = type(function)
        if kind is Ref:
            return self.call_ref(function, args, kwargs, node)
        if kind is Method:
            return self.call_method(function.owner, function.name, args, kwargs, node)
        if kind is Function:
            known = all(plain(v) or type(v) is Instance for v in (*args, *kwargs.values()))
            if not known and any(function.node is other.node for other in self.stack):
                return UNKNOWN  # as with a loop, one turn stands for all
            if len(self.stack) < MAX_DEPTH and self.steps < MAX_STEPS:
                return self.run(function, args, kwargs, node)
            return self.unresolved(getattr(function.node, "name", "lambda"), args, kwargs, node)
        if kind is Partial:
            return self.call(function.function, [*function.args, *args], function.kwargs | kwargs, node)
        if kind is Table:
            return Row(function) if function.name else self.instance(function, args, kwargs, node)
        if kind in (Marker, Test):
            return function
        return self.handed_over("call", args, kwargs, node)

    def instance(self, kind: Table, args: list[Any], kwargs: dict[str, Any], node: ast.expr) -> Instance:
        made = Instance(kind, {})
        if isinstance(kind.names.get("__init__"), Function):
            self.call(kind.names["__init__"], [made, *args], kwargs, node)
        else:  # a data class or a named tuple
            made.names = {**dict(zip(kind.names["__fields__"], args, strict=False)), **kwargs}
        return made

    def run(self, function: Function, args: list[Any], kwargs: dict[str, Any], call: ast.expr | None = None) -> Any:
        """What a function gives, followed with these arguments."""
        node, site, way = function.node, self.site, (self.branch, self.conditional, self.online)
        frame = self.scopes, self.returns, self.yields
        local = self.arguments(function, args, kwargs)
        self.scopes, self.returns, self.yields = (local, *function.scopes), [], []
        self.stack.append(function)
        if function.scopes[-1] is not self.globals and site is None:
            self.site = call  # what another file does has the place of the call in this one
        if isinstance(node, ast.Lambda):
            self.returns = [(self.branch, False, self.value(node.body))]
        elif self.block(node.body) is None and not self.yields:
            self.returns.append((self.branch, self.conditional, None))
        returns, yields = self.returns, self.yields
        self.stack.pop()
        self.site, (self.branch, self.conditional, self.online) = site, way
        self.scopes, self.returns, self.yields = frame
        if yields:
            return yields[0] if getattr(node, "decorator_list", None) else yields  # @contextmanager
        return joined(returns) if returns else UNKNOWN

    def found(self, ref: Any, near: bool = False) -> Any:
        """What an imported name stands for, where its file is found in the project: read, and not run either."""
        if type(ref) is not Ref or ref.root in QUIET or not self.function:
            return ref
        module, _, name = ref.path.rpartition(".")
        return module_beside(self.folder, module, near or self.site is not None).get(name, ref)

    def arguments(self, function: Function, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
        spec = function.node.args
        parameters = [parameter.arg for parameter in (*spec.posonlyargs, *spec.args)]
        local: dict[str, Any] = dict.fromkeys([*parameters, *(p.arg for p in spec.kwonlyargs)], UNKNOWN)
        scopes, self.scopes = self.scopes, function.scopes
        for name, default in zip(reversed(parameters), reversed(spec.defaults), strict=False):
            local[name] = self.value(default)
        for parameter, value in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
            local[parameter.arg] = self.value(value) if value else UNKNOWN
        self.scopes = scopes
        local.update(zip(parameters, args, strict=False))
        if spec.vararg:
            local[spec.vararg.arg] = tuple(args[len(parameters) :])
        if spec.kwarg:
            local[spec.kwarg.arg] = {k: v for k, v in kwargs.items() if k not in local}
        local.update((k, v) for k, v in kwargs.items() if k in local)
        return local

    def call_ref(self, ref: Ref, args: list[Any], kwargs: dict[str, Any], node: ast.expr) -> Any:
        name, root = ref.name, ref.root
        if root == "alembic":
            if ref.path == f"alembic.op.{name}":
                return self.call_op(name, args, kwargs, node)
            return OP if name == "Operations" else Call(name, tuple(args), kwargs)
        if root == "sqlalchemy":
            return self.call_sqlalchemy(name, args, kwargs, node)
        if name in STRUCTURAL:
            return UNKNOWN if any(type(arg) in ABSTRACT for arg in args) else self.attempt(STRUCTURAL[name], *args)
        if name in EXACT:
            exact = plain(args) and plain(kwargs)
            return self.attempt(EXACT[name], *args, **kwargs) if exact else HOLE if name == "str" else UNKNOWN
        if name == "getattr" and len(args) > 1 and isinstance(args[1], str):
            return self.attribute(args[0], args[1])
        if name == "setattr" and args and isinstance(args[0], Row):
            return self.change(args[0].table, "update", node, str(args[1]))
        if name == "super" and self.stack:
            owner = next(iter(self.scopes[0].values()), None)
            if isinstance(owner, Instance):
                return Instance(Table(names=self.stack[-1].inherited), owner.names, owner.itself or owner)
        if name == "partial" and args:
            return Partial(args[0], args[1:], kwargs)
        if name == "map" and len(args) == 2:
            return [self.call(args[0], [value], {}, node) for value in self.turns(args[1])[0]]
        if name == "dedent" and args:
            return args[0]
        if name == "import_module" and plain(args):
            return Ref.of(args[0])
        if name in SESSIONS:
            return SESSION
        if root in QUIET:
            return UNKNOWN
        self.handed_over(name, args, kwargs, node)
        return Call(name, tuple(args), kwargs)

    def call_sqlalchemy(self, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.expr) -> Any:
        if name == "Column" or name == "mapped_column":
            return self.column(args, kwargs)
        if name not in CONSTRUCTORS:
            return Call(name, tuple(args), kwargs)
        first = args[0] if args else UNKNOWN
        if name in CONSTRAINTS:
            return self.constraint(CONSTRAINTS[name], args, kwargs)
        if name in ("text", "DDL"):
            if isinstance(first, Either):
                return self.each(first, lambda value: self.call_sqlalchemy(name, [value], kwargs, node))
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

    def call_method(self, owner: Any, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.expr) -> Any:
        kind = type(owner)
        if kind is Batch:
            return owner if name == "__enter__" else self.call_op(name, args, kwargs, node, owner)
        if name in ("execute", "exec_driver_sql", "scalar", "scalars") and kind is not Statement:
            if name.startswith("scalar"):
                self.bind_read()
            return self.execute(args, kwargs, node)
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
            one = owner.kind == "query" and name in ("first", "one", "one_or_none", "get", "scalar_one")
            return Row(owner.table) if one else owner
        elif kind is Call:
            if name in ("create", "drop") and owner.name.upper() == "ENUM":
                type_name = text_of(owner.kwargs.get("name"))
                return self.note(Operation(f"{name}_type", name=type_name, certain=bool(type_name)), node)
            if name in ("create", "drop") and owner.name == "Index":
                return self.call_op(f"{name}_index", [owner.args[0], UNKNOWN, list(owner.args[1:])], owner.kwargs, node)
            if name == "with_variant" and len(args) == 2:
                variants = {**owner.kwargs.get("variants", {}), args[1]: type_of(args[0])}
                return Call(owner.name, owner.args, {**owner.kwargs, "variants": variants})
            if name == "enter_context" and args:
                return args[0]
            if name in ("create_all", "drop_all"):
                for table in kwargs.get("tables") or [UNKNOWN]:
                    self.change(table, f"{name.removesuffix('all')}table", node)
            return owner
        elif owner is SESSION:
            return self.call_session(name, args, kwargs, node)
        elif owner is DIALECT_NAME:
            return self.on_dialects(lambda dialect: getattr(dialect, name)(*args)) if plain(args) else UNKNOWN
        elif owner is BIND or owner is CONTEXT:
            self.bind_read() if name not in ("commit", "close", "rollback") else None
            if name == "run_sync" and args:
                return self.call(args[0], [BIND, *args[1:]], kwargs, node)
        return self.handed_over(name, args, kwargs, node)

    def call_session(self, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.expr) -> Any:
        if name in ("commit", "flush", "close", "rollback", "expunge_all"):
            return None
        first = args[0] if args else UNKNOWN
        self.bind_read()
        if name in ("query", "get"):
            table = self.found(first)
            return Row(table) if name == "get" else Statement("query", table)
        change = {"delete": "delete", "bulk_update_mappings": "update"}.get(name, "bulk_insert")
        if name in ("add", "merge", "delete", "add_all", "bulk_save_objects") or name.startswith("bulk_"):
            for row in first if isinstance(first, list) else [first]:
                self.change(row.table if isinstance(row, Row) else row, change, node)
        return SESSION if name == "__call__" else UNKNOWN

    def call_plain(self, owner: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        kind = str if isinstance(owner, str) else type(owner)
        if name not in METHODS.get(kind, ()):
            return UNKNOWN
        if kind is str:
            if name == "format":
                if WIDE.search(owner):
                    return HOLE
                args, kwargs = filled(args), filled(kwargs)
            elif name == "join":
                args = [filled(args[0])] if args and isinstance(args[0], (list, tuple, set, dict)) else [UNKNOWN]
            if size(owner) * max(map(size, args), default=1) > 100 * MAX_SIZE:
                return HOLE
            text = self.attempt(getattr(owner, name), *args, **kwargs)
            return Text(text) if isinstance(owner, Text) and isinstance(text, str) else text
        if name in CHANGING and (self.conditional or self.branch != self.every or not all(map(plain, args))):
            self.partial[id(owner)] = owner
        value = self.attempt(getattr(owner, name), *args, **kwargs)
        return list(value) if name in ("items", "keys", "values") and kind is dict else value

    def handed_over(self, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.expr) -> Any:
        """Code that can't be seen may do anything with what it is handed."""
        return self.unresolved(name, args, kwargs, node) if self.hands_over(args, kwargs) else UNKNOWN

    @staticmethod
    def hands_over(args: list[Any], kwargs: dict[str, Any]) -> bool:
        return any(v is OP or v is BIND or v is SESSION or type(v) is Batch for v in (*args, *kwargs.values()))

    def unresolved(self, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.expr) -> Any:
        place = (name, self.function, (self.site or node).lineno)
        if place not in self.told:  # once is enough, however often it is called
            self.told.add(place)
            self.note(Operation(name, args=shown(args), kwargs=shown(kwargs), certain=False), node)
        return UNKNOWN

    # Operations

    def call_op(
        self, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.expr, batch: Batch | None = None
    ) -> Any:
        signature = (BATCH_SIGNATURES if batch else SIGNATURES).get(name)
        if signature is None:
            return self.call_other(name, args, kwargs, batch, node)
        fields: dict[str, Any] = dict(zip(signature, args))  # noqa: B905
        for key, value in kwargs.items():
            fields[FIELDS.get(key, key)] = value
        if batch:
            fields["table"], fields["schema"] = batch.table, batch.schema
        identity = [fields.pop(key, None) for key in IDENTITY]
        kinds = [type(value) for value in identity]
        if Either in kinds:
            either = identity[kinds.index(Either)]
            return self.each(either, lambda way: self.call_op(name, *chosen(either, way, args, kwargs), node, batch))
        if Ref in kinds:
            identity = [self.found(value) for value in identity]
        table, index, columns, schema = identity
        if type(table) is Table:
            table, schema = table.name, table.schema
        operation = Operation(name, self.function, shown(args), shown(kwargs), text_of(table), text_of(schema))
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
            operation.constraints = (Constraint(kind, shown(index), operation.columns, condition, target, not_valid),)
        elif name in ("create_table", "add_column"):
            items = args[len(signature) :] if name == "create_table" else [fields.get("column")]
            self.define(operation, items)
        for key, value in fields.items():
            if name == "alter_column" and key in ("type_", "existing_type"):
                value = type_of(value) or UNKNOWN
            elif key == "server_default":
                value = default_of(value)
            if key not in ("column", "rows", "**"):
                operation.kwargs[key] = shown(value)
        self.note(operation, node)
        return Table(table, schema, {}, tuple(args[1:])) if name == "create_table" else UNKNOWN

    def define(self, operation: Operation, items: Iterable[Any]) -> None:
        """The columns and constraints among the arguments of ``create_table`` or ``add_column``."""
        items = list(items)
        operation.definitions = tuple(item for item in items if type(item) is Column)
        operation.constraints = tuple(item for item in items if type(item) is Constraint)
        operation.columns = texts_of([definition.name for definition in operation.definitions])
        operation.certain &= UNKNOWN not in items

    def call_other(
        self, name: str, args: list[Any], kwargs: dict[str, Any], batch: Batch | None, node: ast.expr
    ) -> Any:
        """What is no operation, or one that is not Alembic's own but registered with it."""
        first = args[0] if args else UNKNOWN
        if name == "f" or name == "inline_literal":
            return first if args else next(iter(kwargs.values()), UNKNOWN)
        if name == "batch_alter_table":
            return Batch(self.found(given(args, kwargs, 0, "table_name")), given(args, kwargs, 1, "schema"))
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
        operation.table, operation.schema = text_of(table), text_of(batch.schema if batch else kwargs.get("schema"))
        self.note(operation, node)
        return UNKNOWN

    def invoke(self, call: Any, node: ast.expr) -> Any:
        """``op.invoke(ops.CreateIndexOp(...))``."""
        if not isinstance(call, Call) or not call.name.endswith("Op"):
            return self.unresolved("invoke", [call], {}, node)
        name = snake(call.name.removesuffix("Op")).removesuffix("_sql")
        args, kwargs = list(call.args), {key.removeprefix("modify_"): value for key, value in call.kwargs.items()}
        if name == "create_table":
            args = [*args[:1], *(args[1] if len(args) > 1 else kwargs.pop("columns", []))]
        if name == "alter_column":
            kwargs = {{"type": "type_", "name": "new_column_name"}.get(key, key): v for key, v in kwargs.items()}
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
            self.change(target if isinstance(target, Table) else None, name, node).name = text_of(named)
        elif name not in QUERIES:
            operation = Operation("execute", args=shown(args), kwargs=shown(kwargs), certain=False)
            self.note(operation, node)
            if isinstance(what, str):
                operation.sql, operation.certain = what.replace(HOLE, "?"), what != HOLE
            if operation.certain:
                from .sql import read_sql  # loads sqlglot, which few migrations need

                known = [name for name in self.dialects if name in self.branch] or sorted(self.branch)
                for part in read_sql(what, known):
                    self.note(part, node)
        return RESULT

    def change(self, table: Any, name: str, node: Any, *columns: str, where: str | None = None) -> Any:
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
            line = self.lines[node.lineno - 1].encode()
            end = node.end_col_offset if node.end_lineno == node.lineno else len(line)
            operation.column = len(line[: node.col_offset].decode(errors="ignore")) + 1
            operation.end_column = len(line[:end].decode(errors="ignore")) + 1
        operation.autocommit, operation.conditional = self.autocommit, self.conditional
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
        for arg in args:
            kind = arg.name if type(arg) is Call else ""
            if kind == "ForeignKey":
                references.append(text_of(arg.args[0]) or "" if arg.args else "")
                unnamed = unnamed or not arg.kwargs.get("name")
            elif kind == "Computed":
                computed = "virtual" if arg.kwargs.get("persisted") is False else "stored"
            elif kind == "Identity":
                identity = True
            elif type_ is None and kind not in ("Sequence", "FetchedValue") and type(arg) is not Constraint:
                type_ = arg
        get = kwargs.get
        return Column(
            shown(name),
            type_of(type_),
            shown(get("nullable")),
            default_of(get("server_default")),
            get("default") is not None,
            get("primary_key") is True,
            get("unique") is True,
            get("index") is True,
            computed,
            identity,
            tuple(references),
            unnamed,
        )

    def constraint(self, kind: str, args: list[Any], kwargs: dict[str, Any]) -> Constraint:
        name, not_valid = shown(kwargs.get("name")), kwargs.get("postgresql_not_valid") is True
        if kind == "check":
            return Constraint(kind, name, (), shown(given(args, kwargs, 0, "sqltext")), None, not_valid)
        if kind == "foreign_key":
            columns, remote = given(args, kwargs, 0, "columns"), texts_of(given(args, kwargs, 1, "refcolumns"))
            target = remote[0].rpartition(".")[0] if remote else UNKNOWN
            return Constraint(kind, name, texts_of(columns), None, target, not_valid)
        return Constraint(kind, name, texts_of(args))


@lru_cache(maxsize=256)
def counters(loop: ast.AST) -> frozenset[str]:
    """The names that a loop adds to."""
    changes = (node.target for node in ast.walk(loop) if isinstance(node, ast.AugAssign))
    return frozenset(target.id for target in changes if isinstance(target, ast.Name))


def is_def(value: Any) -> bool:
    return isinstance(value, Function) and not isinstance(value.node, ast.Lambda)


def kind_of_body(body: Any) -> str:
    """Whether a function is empty, raises, or holds code."""
    for node in body:
        if isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            continue
        if isinstance(node, ast.Return) and (node.value is None or isinstance(node.value, ast.Constant)):
            break
        return "raises" if isinstance(node, ast.Raise) else "code"
    return "empty"


def same(left: Any, right: Any) -> bool:
    return left is right or (type(left) is type(right) and not isinstance(left, Unknown) and bool(left == right))


def joined(ways: list[tuple[frozenset[str], bool, Any]]) -> Any:
    """What several ways have led to."""
    first = ways[0][2]
    if all(same(first, value) for _, _, value in ways[1:]):
        return first
    flat: list[tuple[frozenset[str], bool, Any]] = []
    for databases, unsure, value in ways:
        nested = value.ways if isinstance(value, Either) else [(databases, unsure, value)]
        flat += [(databases & each, unsure or perhaps, item) for each, perhaps, item in nested]
    return Either(flat) if len(flat) <= MAX_WAYS else UNKNOWN


def size(value: Any) -> int:
    return len(value) if isinstance(value, (str, list, tuple, bytes)) else abs(value) if type(value) is int else 1


def filled(value: Any) -> Any:
    """The values to format a string with: a hole where one can't be told."""
    if type(value) in (list, tuple):
        return type(value)(map(filled, value))
    if type(value) is dict:
        return {key: filled(item) for key, item in value.items()}
    return value if plain(value) or isinstance(value, str) else HOLE


def chosen(either: Either, value: Any, args: list[Any], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments with one of the values."""
    named = {key: value if each is either else each for key, each in kwargs.items()}
    return [value if each is either else each for each in args], named


def given(args: Sequence[Any], kwargs: Mapping[str, Any], position: int, name: str) -> Any:
    return args[position] if len(args) > position else kwargs.get(name)


def type_of(value: Any) -> Type | None:
    if isinstance(value, Type) or value is None:
        return value
    if isinstance(value, Ref):
        value = Call(value.name)
    if not isinstance(value, Call):
        return None
    args, kwargs = tuple(map(shown, value.args)), value.kwargs and shown(value.kwargs)
    name = TYPES.get(value.name, value.name)
    if name.upper() == "ENUM":
        return Type("enum", (), {**kwargs, "values": args})
    if name == "ARRAY":
        return Type("array", (type_of(value.args[0]) if value.args else None,), kwargs)
    if "length" in kwargs:
        args, kwargs = (kwargs["length"], *args), {k: v for k, v in kwargs.items() if k != "length"}
    return Type(name.lower(), args, kwargs)


def default_of(value: Any) -> Any:
    """A server default as SQL: a plain string is a value there, and quoted."""
    if isinstance(value, Text) or not isinstance(value, str):
        return value if value is None or isinstance(value, (Text, Call, bool)) else UNKNOWN
    return UNKNOWN if HOLE in value else "'" + value.replace("'", "''") + "'"


OP = Ref.of("alembic.op")
STATEMENTS: dict[type, Callable[[Reader, Any], str | None]] = {
    getattr(ast, name[3:]): method for name, method in vars(Reader).items() if name.startswith("do_")
}
STATEMENTS |= {ast.AsyncFunctionDef: Reader.do_FunctionDef, ast.AsyncWith: Reader.do_With, ast.AsyncFor: Reader.do_For}
STATEMENTS |= {ast.Break: Reader.do_Raise, ast.Continue: Reader.do_Raise}
EXPRESSIONS: dict[type, Callable[[Reader, Any], Any]] = {
    getattr(ast, name[3:]): method for name, method in vars(Reader).items() if name.startswith("of_")
}
EXPRESSIONS |= {ast.SetComp: Reader.of_ListComp, ast.GeneratorExp: Reader.of_ListComp}
