"""The state of the interpreter: the names, the path and the databases of the current statement.

The modules of the interpreter are layers, each a subclass of the one before: state, truth of tests,
expressions, calls, branches, statements. A migration is followed and never run.
"""

import ast
import os.path
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from .migration import DIALECTS, UNKNOWN, Migration
from .paths import ALWAYS, Path, combined
from .values import Args, Either, Function, Kwargs, Ref, joined, size, within

MAX_SIZE = 1_000_000  # of a string or list that is computed


class State(ABC):
    """The state of the interpreter, and the methods that the layers above must have."""

    statements: ClassVar[dict[type, Callable[..., Any]]]
    expressions: ClassVar[dict[type, Callable[..., Any]]]
    function = ""
    path = ALWAYS  # the conditions under which the current statement runs
    after_break = after_return = ALWAYS  # the conditions of later turns, and after the loop
    repeated = False  # inside a loop whose one turn stands for all
    autocommit = online = False
    steps = 0
    site: ast.expr | None = None  # the call that led to another file
    line = 1
    hidden = False  # the function has called code that can't be seen
    bare: ast.expr | None = None  # an expression that is a whole statement

    def __init_subclass__(cls) -> None:
        """Collect the methods by the nodes of the syntax tree that they handle."""
        names = dir(cls)
        cls.statements = {
            getattr(ast, name[3:]): getattr(cls, name) for name in names if name[:3] == "do_"
        }
        cls.expressions = {
            getattr(ast, name[3:]): getattr(cls, name) for name in names if name[:3] == "of_"
        }

    def __init__(self, migration: Migration, dialects: tuple[str, ...]) -> None:
        self.migration = migration
        self.file = os.path.abspath(migration.path)  # where it lies
        self.dialects = dialects
        self.globals: dict[str, Any] = {}
        self.scopes: tuple[dict[str, Any], ...] = (self.globals,)
        # The databases on which the current statement runs.
        self.branch = self.every = DIALECTS.union(dialects)
        self.stack: list[Function] = []  # the functions that are being followed
        self.partial: dict[int, Any] = {}  # containers that may lack some elements, by id
        self.returns: list[tuple[frozenset[str], Path, Any]] = []
        self.yields: list[Any] = []

    def narrow(self, databases: frozenset[str], path: Path) -> bool:
        """Restrict what follows to these databases and this path, if any execution takes both."""
        both = combined(self.path, path)
        if both is None or not self.branch & databases:
            return False
        self.branch, self.path = self.branch & databases, both
        return True

    def perhaps(self, value: Any) -> Any:
        """Return a value that a container gets only on the current path."""
        if not self.path and self.branch == self.every:
            return value
        return Either(within(self.branch, self.path, value))

    def each(self, either: Either, use: Callable[[Any], Any]) -> Any:
        """Use each value on its databases and its path, and return what that results in."""
        state, results = (self.branch, self.path), []
        for databases, path, value in either.ways:
            if self.narrow(databases, path):
                results.append((databases, path, use(value)))
            self.branch, self.path = state
        return joined(results) if results else UNKNOWN

    def attempt(self, run: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return the value of one of Python's functions, or UNKNOWN if it raises or is large."""
        try:
            value = run(*args, **kwargs)
        except Exception:  # any exception that Python would raise
            return UNKNOWN
        return UNKNOWN if size(value) > MAX_SIZE and not isinstance(value, range) else value

    # Of the layers above

    @abstractmethod
    def value(self, node: Any) -> Any:
        """Return the value of an expression."""

    @abstractmethod
    def of_Call(self, node: ast.Call) -> Any:
        """Return the value of a call."""

    @abstractmethod
    def call(self, function: Any, args: Args, kwargs: Kwargs, node: ast.expr) -> Any:
        """Return the value of a call of a function."""

    @abstractmethod
    def run(
        self, function: Function, args: Args, kwargs: Kwargs, call: ast.expr | None = None
    ) -> Any:
        """Follow a function whose source can be read, and return its value."""

    @abstractmethod
    def block(self, body: Iterable[ast.stmt]) -> str | None:
        """Follow statements; return "return", "break", "continue" or "raise" if one leaves."""

    @abstractmethod
    def assign(self, target: ast.expr, value: Any, node: ast.stmt | ast.expr) -> None:
        """Assign a value to a name, an item or an attribute."""

    @abstractmethod
    def turns(self, value: Any) -> tuple[Sequence[Any], bool]:
        """Return the values over which a loop goes, and whether they are known."""

    # Of the reader

    @abstractmethod
    def call_imported(
        self, ref: Ref, args: Args, kwargs: Kwargs, node: ast.expr, bare: bool
    ) -> Any:
        """Follow a call of something imported. ``bare``: its value is not used."""

    @abstractmethod
    def call_ref(self, ref: Ref, args: Args, kwargs: Kwargs, node: ast.expr) -> Any:
        """Follow a call of something imported whose source can't be followed."""

    @abstractmethod
    def call_method(self, owner: Any, name: str, args: Args, kwargs: Kwargs, node: ast.expr) -> Any:
        """Follow a call of a method."""

    @abstractmethod
    def found(self, ref: Any, near: bool = False) -> Any:
        """Return what an imported name stands for, if its file can be read."""

    @abstractmethod
    def handed_over(self, name: str, args: Args, kwargs: Kwargs, node: ast.expr) -> Any:
        """Follow a call of code that can't be seen."""

    @abstractmethod
    def unresolved(self, name: str, args: Args, kwargs: Kwargs, node: ast.expr) -> Any:
        """Add an operation for a call that is nested too deeply to be followed."""

    @abstractmethod
    def change(self, table: Any, name: str, node: Any, *columns: str) -> Any:
        """Add an operation that changes rows through an object that stands for one."""

    @abstractmethod
    def bind_read(self) -> None:
        """Note that the migration uses a value from the database."""
