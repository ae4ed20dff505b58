"""The truth of a test in Python: on which databases it can hold, and whether that is known."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

from .functions import OPERATORS
from .migration import HOLE, UNKNOWN, Unknown
from .paths import ALWAYS, combined
from .state import State
from .values import (
    ABSTRACT,
    DIALECT_NAME,
    RESULT,
    UNSURE,
    Either,
    Marker,
    Method,
    Ref,
    Test,
    joined,
    plain,
)


class Truth(State):
    """Judges tests."""

    def test(self, value: Any) -> Test:
        if isinstance(value, Test):
            return value
        if value is RESULT:
            self.bind_read()
        if type(value) is Ref and value.name == "TYPE_CHECKING":
            return Test(frozenset(), self.every)
        if (
            type(value) in ABSTRACT
            or id(value) in self.partial
            or (isinstance(value, str) and value == HOLE)
        ):
            return UNSURE
        if value and type(value) is list and all(type(item) is Either for item in value):
            return UNSURE  # each item exists only on some paths
        return Test(self.every, frozenset()) if value else Test(frozenset(), self.every)

    def compare(self, op: ast.cmpop, left: Any, right: Any) -> Any:
        run: Callable[[Any, Any], Any] = OPERATORS.get(type(op), operator.eq)
        if left is DIALECT_NAME and plain(right):
            return self.on_dialects(lambda name: run(name, right))
        if right is DIALECT_NAME and plain(left):
            return self.on_dialects(lambda name: run(left, name))
        if type(left) is Either:
            yes, no, sure = frozenset[str](), frozenset[str](), True
            for databases, path, value in left.ways:
                if combined(self.path, path) is not None:
                    test = self.test(self.compare(op, value, right))
                    yes, no = yes | (test.yes & databases), no | (test.no & databases)
                    sure = sure and test.sure and path <= self.path
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

    def by_dialect(self, owner: dict[Any, Any], default: Any = UNKNOWN) -> Any:
        """Return what a mapping has for the name of the dialect."""
        others = self.every - owner.keys()
        ways = [
            (frozenset({name}), ALWAYS, value)
            for name, value in owner.items()
            if name in self.every
        ]
        return joined([*ways, (others, ALWAYS, default)]) if ways else default

    def pattern(self, node: ast.pattern, subject: Any) -> Test:
        if isinstance(node, ast.MatchOr):
            return reduce(
                operator.or_, [self.pattern(pattern, subject) for pattern in node.patterns]
            )
        if isinstance(node, ast.MatchAs) and node.pattern is None:
            if node.name:
                self.scopes[0][node.name] = subject
            return self.test(True)
        if isinstance(node, ast.MatchValue):
            return self.test(self.compare(ast.Eq(), subject, self.value(node.value)))
        return UNSURE
