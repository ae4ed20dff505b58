"""The values that the interpreter works with: Python's own, and objects that stand for others.

A value that can't be known is ``UNKNOWN`` (in a string, ``HOLE``).
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .migration import DIALECTS, HOLE, UNKNOWN, Call, Column, Constraint, Type, Unknown, words
from .paths import Path, combined

Args = list[Any]  # of a call


Kwargs = dict[str, Any]


MAX_WAYS = 6  # on which one value may depend


class Ref:
    """Something imported, by its dotted path (``alembic.op.create_index``), one object for each."""

    __slots__ = ("attributes", "name", "owner", "path", "root")
    known: ClassVar[dict[str, Any]] = {}

    def __init__(self, path: str) -> None:
        self.path = path
        self.root = path.partition(".")[0]
        self.owner, _, self.name = path.rpartition(".")
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
    """Something of which only the kind matters, such as the bind. A call of it returns itself."""

    def __init__(self, name: str) -> None:
        self.name = name


@dataclass(frozen=True, slots=True)
class Test:
    """A test in Python: the databases on which it can hold, those on which it can fail, and whether
    the database alone decides it."""

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
        return Test(
            self.no, self.yes, self.sure, None if self.offline is None else not self.offline
        )


class Text(str):
    """``sa.text(...)``: SQL where a plain string would be a value."""

    __slots__ = ()


@dataclass(slots=True)
class Function:
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scopes: tuple[dict[str, Any], ...]
    # What the base classes of a method's class define.
    inherited: dict[str, Any] = field(default_factory=dict)


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
    """``sa.table``, ``sa.Table`` or a class of the file; a class that is not mapped has no name."""

    name: Any = None
    schema: Any = None
    names: dict[str, Any] = field(default_factory=dict)
    items: tuple[Any, ...] = ()


class Metadata(dict[str, Table]):
    """SQLAlchemy's MetaData: its tables by their names. Any other may be reflected."""

    def __missing__(self, name: str) -> Table:
        return Table(name)


@dataclass(slots=True, eq=False)
class Instance:
    """An instance of a class that is not mapped."""

    kind: Table
    names: dict[str, Any]
    itself: Any = None  # the instance that super() stands for


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
    """A value that depends on the way: the databases, the path, and the value there.

    With one way it is an item that a container has only on that path.
    """

    ways: list[tuple[frozenset[str], Path, Any]]


BIND = Marker("bind")
CONTEXT = Marker("context")
SESSION = Marker("session")
DIALECT = Marker("dialect")
DIALECT_NAME = Marker("dialect name")
AUTOCOMMIT = Marker("autocommit block")
RESULT = Marker("result")


OFFLINE = Test(DIALECTS, DIALECTS, False, True)


UNSURE = Test(DIALECTS, DIALECTS, False)


MARKED: dict[tuple[Marker, str], Any] = {
    **{
        (BIND, name): BIND
        for name in words("engine bind begin begin_nested connect execution_options connection")
    },
    **{(CONTEXT, name): BIND for name in words("bind connection get_bind")},
    **{
        (CONTEXT, name): CONTEXT
        for name in words("impl migration_context begin_transaction get_context")
    },
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


# Values of the reader, which no operation shows.
PRIVATE = {Ref, Marker, Test, Function, Method, Partial, Batch, Table, Instance, Row, Statement}
PRIVATE |= {Either, Metadata}


# Values that are not data, although operations show them.
DESCRIPTIONS = {Unknown, Call, Column, Constraint, Type}


ABSTRACT = PRIVATE | DESCRIPTIONS


SHOWN = DESCRIPTIONS | {bool, int, type(None)}


CONTAINERS = {list, tuple, set, dict}


MAX_VALUES = 200_000  # in a container and the containers in it


large: dict[int, Any] = {}  # the containers that hold more, by id


def is_large(value: Any) -> bool:
    """Return whether it is a container with so many values that reading all takes long."""
    if type(value) not in CONTAINERS:
        return False
    if id(value) in large:
        return True
    inside, count = [value], 0
    while inside:
        container = inside.pop()
        items = container.values() if type(container) is dict else container
        count += len(items)
        if count > MAX_VALUES or id(container) in large:
            large[id(value)] = value
            return True
        inside += [item for item in items if type(item) in CONTAINERS]
    return False


def plain(value: Any) -> bool:
    """Return whether the whole value is known, and only data."""
    return not is_large(value) and is_data(value)


def is_data(value: Any) -> bool:
    kind = type(value)
    if kind is str or kind is Text:
        return HOLE not in value
    if kind in CONTAINERS:
        return all(map(is_data, value.values() if kind is dict else value))
    return kind not in ABSTRACT


def shown(value: Any) -> Any:
    """Return the value as an operation's argument, without the reader's own objects."""
    return UNKNOWN if is_large(value) else as_argument(value)


def shown_values(kwargs: Kwargs) -> dict[str, Any]:
    """Return the keyword arguments as those of an operation."""
    return {name: shown(value) for name, value in kwargs.items()}


def in_container(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return the list, tuple or dictionary with changed values."""
    if type(value) is dict:
        return {key: change(item) for key, item in value.items()}
    return type(value)(map(change, value))


def as_argument(value: Any) -> Any:
    kind = type(value)
    if kind is str or kind is Text:
        return UNKNOWN if HOLE in value else value
    if kind in SHOWN:
        return value
    if kind in (list, tuple, dict):
        return in_container(value, as_argument)
    if kind is Table:
        return as_argument(value.name)
    if kind is Either and len(value.ways) == 1:
        return as_argument(value.ways[0][2])
    if kind is Ref:
        return Call(value.name)
    return UNKNOWN if kind in PRIVATE else value


def text_of(value: Any) -> str | None:
    """Return a name, or None if it is unknown."""
    return str(value) if isinstance(value, str) and HOLE not in value else None


def texts_of(value: Any) -> tuple[str, ...]:
    """Return the names of columns."""
    if value is None:
        return ()
    if type(value) in (list, tuple, set):
        return tuple(filter(None, map(column_name, value)))
    name = column_name(value)
    return (name,) if name else ()


def column_name(value: Any) -> str | None:
    """Return ``a`` for ``sa.column("a")``, ``lower(a)`` for ``sa.func.lower(sa.column("a"))``."""
    value = without_path(value)
    if isinstance(value, Call) and value.args:
        name = column_name(value.args[0])
        if not name or value.name in ("column", "literal_column", "desc", "asc"):
            return name
        return f"{value.name}({name})"
    return text_of(value.name if isinstance(value, Column) else value)


def same(left: Any, right: Any) -> bool:
    if left is right:
        return True
    if type(left) is not type(right) or isinstance(left, Unknown) or is_large(left):
        return False
    return bool(left == right)


def joined(ways: list[tuple[frozenset[str], Path, Any]]) -> Any:
    """Return the value that several ways lead to."""
    first = ways[0][2]
    if all(same(first, value) for _, _, value in ways[1:]):
        return first
    flat = [each for way in ways for each in within(*way)]
    return Either(flat) if 0 < len(flat) <= MAX_WAYS else UNKNOWN


def within(
    databases: frozenset[str], path: Path, value: Any
) -> list[tuple[frozenset[str], Path, Any]]:
    """Return the ways of a value on these databases and this path."""
    if not isinstance(value, Either):
        return [(databases, path, value)]
    ways = [(databases & each, combined(path, way), item) for each, way, item in value.ways]
    return [(each, way, item) for each, way, item in ways if way is not None]


def without_path(value: Any) -> Any:
    """Return an item that a container has only on one path, as if it were always there."""
    return value.ways[0][2] if type(value) is Either and len(value.ways) == 1 else value


def size(value: Any) -> int:
    if isinstance(value, (str, list, tuple, bytes)):
        return len(value)
    return abs(value) if type(value) is int else 1


def filled(value: Any) -> Any:
    """Return the values to format a string with: a hole for each that can't be known."""
    return HOLE if is_large(value) else with_holes(value)


def with_holes(value: Any) -> Any:
    value = without_path(value)
    if type(value) in (list, tuple, dict):
        return in_container(value, with_holes)
    return value if isinstance(value, str) or is_data(value) else HOLE
