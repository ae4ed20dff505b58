"""The state of the interpreter: the names, the path and the databases of the current statement.

The modules of the interpreter are layers, each a subclass of the one before: state, truth of tests,
expressions, calls, branches, statements. A migration is followed and never run.
"""

import ast
import os.path
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from .migration import DIALECTS, UNKNOWN, Migration
from .paths import ALWAYS, Path, combined, new_choice, on_branches
from .values import Args, Either, Function, Kwargs, Ref, joined, size, within

MAX_SIZE = 1_000_000  # of a string or list that is computed


class State:
    """The state of the interpreter."""

    # What the layers above define.
    value: Callable[[Any], Any]  # of an expression
    of_Call: Callable[[ast.Call], Any]
    call: Callable[[Any, Args, Kwargs, ast.expr], Any]  # of any function
    run: Callable[..., Any]  # of a function whose source can be read
    block: Callable[[Iterable[ast.stmt]], str | None]  # how it is left: "return", "break" ...
    assign: Callable[[ast.expr, Any, ast.stmt | ast.expr], None]
    turns: Callable[[Any], tuple[Sequence[Any], bool]]  # of a loop, and whether they are known

    # What the reader defines, for libraries.
    call_imported: Callable[[Ref, Args, Kwargs, ast.expr, bool], Any]
    call_ref: Callable[[Ref, Args, Kwargs, ast.expr], Any]  # whose source can't be followed
    call_method: Callable[[Any, str, Args, Kwargs, ast.expr], Any]
    call_unseen: Callable[[str, Args, Kwargs, ast.expr], Any]  # of code that can't be seen
    found: Callable[..., Any]  # what an imported name refers to, if its file can be read
    unresolved: Callable[[str, Args, Kwargs, ast.expr], Any]  # adds an uncertain operation
    change: Callable[..., Any]  # adds an operation that changes rows through an object
    bind_read: Callable[[], None]  # notes that a value from the database is used

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

    def enter_turn(self, turn: Any, uncertain: bool) -> tuple[bool, Any]:
        """Narrow the path to a turn of a loop; return whether it can run, and its value."""
        if uncertain:
            self.narrow(self.branch, on_branches(new_choice(), 0))
        if type(turn) is not Either or len(turn.ways) != 1:
            return True, turn
        databases, path, value = turn.ways[0]  # an item that exists on one path
        return self.narrow(databases, path), value

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
