"""Python, followed statement by statement: a small abstract interpreter over the syntax tree.

It runs nothing and imports nothing of what it follows. Of a condition that can't be told both sides are followed; loops
and functions are followed within bounds. What a call of a library means is for its subclass, the reader, to say.
"""

from __future__ import annotations

import ast
import operator
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, ClassVar, NamedTuple

from .migration import DIALECTS, HOLE, UNKNOWN, Call, Column, Migration, Unknown, words
from .paths import ALWAYS, Path, combined, new_choice, on_branches
from .values import (
    ABSTRACT,
    AUTOCOMMIT,
    DIALECT_NAME,
    MARKED,
    RESULT,
    UNSURE,
    Either,
    Function,
    Instance,
    Marker,
    Method,
    Partial,
    Ref,
    Row,
    Statement,
    Table,
    Test,
    Text,
    filled,
    joined,
    plain,
    size,
    within,
)

MAX_DEPTH = 16  # helpers that call helpers


MAX_STEPS = 50_000  # statements, calls and turns of loops in one migration


MAX_UNROLL = 2_000  # turns of a loop over known values


MAX_WHILE = 100  # turns of any other


MAX_SIZE = 1_000_000  # of a string or list that is computed


# Calls into these do nothing to a database.
QUIET = words("builtins sqlalchemy alembic click structlog loguru tqdm") | sys.stdlib_module_names


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
    "zip": lambda *args, **_: list(zip(*args)),
    "OrderedDict": dict,
    "chain": lambda *args: [value for arg in args for value in arg],
}


EXACT: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        bool,
        int,
        str,
        repr,
        set,
        frozenset,
        sorted,
        min,
        max,
        sum,
        any,
        all,
        abs,
        isinstance,
    )
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


class Interpreter(ABC):
    """Follows one module, and notes in ``migration`` what it imports."""

    starred: ClassVar[
        Mapping[str, Iterable[str]]
    ] = {}  # by module: the names that ``import *`` brings
    function = ""
    path = ALWAYS  # the conditions under which the current statement runs
    after_break = after_return = ALWAYS  # those that hold in later turns, and after the loop
    repeated = False  # in a loop of which one turn stands for all
    autocommit = online = False
    steps = 0
    site: ast.expr | None = None  # the call that led to another file
    line = 1
    bare: ast.expr | None = None  # the expression that is a statement of its own

    def __init__(self, migration: Migration, dialects: tuple[str, ...]) -> None:
        self.migration = migration
        self.dialects = dialects
        self.globals: dict[str, Any] = {}
        self.scopes: tuple[dict[str, Any], ...] = (self.globals,)
        self.branch = self.every = DIALECTS.union(
            dialects
        )  # the databases on which the current statement runs
        self.stack: list[Function] = []  # the functions that are being followed
        self.partial: dict[int, Any] = {}  # containers of which some elements may be missing, by id
        self.returns: list[tuple[frozenset[str], Path, Any]] = []
        self.yields: list[Any] = []

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
        if type(node) is ast.Expr:
            self.bare = node.value
            self.value(node.value)
            return None
        run = STATEMENTS.get(type(node))
        return run(self, node) if run else None

    def do_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.migration.imports.append((alias.name, node.lineno))
            name = alias.asname or alias.name.partition(".")[0]
            self.scopes[0][name] = Ref.of(alias.name if alias.asname else name)

    def do_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        self.migration.imports.append((module, node.lineno))
        for alias in node.names:
            names = self.starred.get(module, ()) if alias.name == "*" else (alias.name,)
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
                n.target.id
                for n in node.body
                if isinstance(n, ast.AnnAssign) and type(n.target) is ast.Name
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
        columns = [
            replace(v, name=k) if v.name is UNKNOWN else v
            for k, v in names.items()
            if isinstance(v, Column)
        ]
        names["__name__"] = node.name
        self.scopes[0][node.name] = Table(names.get("__tablename__"), schema, names, tuple(columns))

    def do_Assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self.assign(target, value, node)

    def do_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.value(node.value), node)

    def do_AugAssign(self, node: ast.AugAssign) -> None:
        left, right = self.value(node.target), self.value(node.value)
        if type(left) is list and type(right) in (list, tuple) and type(node.op) is ast.Add:
            self.call_plain(left, "extend", [right], {})
        else:
            self.assign(node.target, self.binary(node.op, left, right), node)

    def assign(self, target: ast.expr, value: Any, node: ast.stmt | ast.expr) -> None:
        if isinstance(target, ast.Name):
            scope = self.scopes[0]
            (self.scopes[-1] if target.id in scope.get("__global__", ()) else scope)[target.id] = (
                value
            )
        elif isinstance(target, (ast.Tuple, ast.List)):
            values = self.unpack(target.elts, value)
            for element, item in zip(target.elts, values, strict=True):
                self.assign(
                    element.value if isinstance(element, ast.Starred) else element, item, node
                )
        elif isinstance(target, ast.Subscript):
            owner, key = self.value(target.value), self.value(target.slice)
            if type(owner) in (dict, list) and plain(key):
                if type(owner) is dict and key not in owner:
                    value = self.perhaps(value)
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
        star = next(
            (i for i, target in enumerate(targets) if isinstance(target, ast.Starred)), None
        )
        if star is not None and len(values) >= len(targets) - 1:
            end = len(values) - (len(targets) - star - 1)
            values[star:end] = [values[star:end]]
        return values if len(values) == len(targets) else [UNKNOWN] * len(targets)

    def do_Global(self, node: ast.Global) -> None:
        self.scopes[0].setdefault("__global__", set()).update(node.names)

    def do_Return(self, node: ast.Return) -> str:
        self.returns.append(
            (self.branch, self.path, self.value(node.value) if node.value else None)
        )
        return "return"

    def do_Raise(self, node: ast.Raise | ast.Break | ast.Continue) -> str:
        return type(node).__name__.lower()

    def do_With(self, node: ast.With | ast.AsyncWith) -> str | None:
        autocommit = self.autocommit
        for item in node.items:
            value = self.value(item.context_expr)
            ways = (
                [way for databases, _, way in value.ways if databases & self.branch]
                if type(value) is Either
                else [value]
            )
            self.autocommit = self.autocommit or AUTOCOMMIT in ways
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

    def follow(self, *ways: tuple[Test, list[ast.stmt]]) -> str | None:
        """Each way that can be taken, from the same names."""
        ways = tuple(way for way in ways if way[0].yes & self.branch)
        if len(ways) == 1 and ways[0][0].sure:
            return self.block(ways[0][1])
        before, choice = dict(self.scopes[0]), new_choice()
        ends = [self.way(choice, n, test, body, before) for n, (test, body) in enumerate(ways)]
        return self.meet(choice, ends)

    def way(
        self, choice: int, number: int, test: Test, body: list[ast.stmt], names: dict[str, Any]
    ) -> End:
        """Follow one branch of a choice."""
        state = self.branch, self.path, self.online
        if names is not self.scopes[0]:
            self.scopes[0].clear()
            self.scopes[0].update(names)
        taken = ALWAYS
        if not test.sure:  # in a loop that stands for many turns, each branch may be taken
            taken = on_branches(new_choice() if self.repeated else choice, number)
        self.online = self.online or test.offline is False
        self.narrow(test.yes, taken)
        left = self.block(body)
        end = End(number, left, self.scopes[0].copy(), taken, self.branch, self.path, self.online)
        self.branch, self.path, self.online = state
        return end

    def meet(self, choice: int, ends: list[End]) -> str | None:
        """Go on where the branches of a choice meet. A name on which they disagree has either value."""
        going = [end for end in ends if end.left is None]
        if not going:
            return ends[0].left if ends else None
        path = self.path
        for end in going:  # where a branch was left early, its conditions hold from here on
            path = combined(path, end.path - end.taken) or path
        left = {end.left for end in ends if end.taken}
        if "return" in left:
            self.after_return = self.without(self.after_return, choice, ends, "return")
        if "break" in left:
            self.after_break = self.without(self.after_break, choice, ends, "return", "break")
        if not left.isdisjoint(("return", "break", "continue")):
            path = self.without(path, choice, ends, "return", "break", "continue")
        self.path = path
        self.branch = frozenset().union(*(end.branch for end in going))
        names = self.scopes[0]
        names.clear()
        if len(going) == 1:
            names.update(going[0].names)
            self.online = going[0].online
            return None
        for name in dict.fromkeys(name for end in going for name in end.names):
            names[name] = joined(
                [(end.branch, end.taken, end.names.get(name, UNKNOWN)) for end in going]
            )
        return None

    def without(self, path: Path, choice: int, ends: list[End], *left: str) -> Path:
        """The path without the branches that were left in one of these ways."""
        staying = [end.number for end in ends if end.left not in (*left, "raise")]
        if self.repeated:  # an earlier turn may have taken another branch
            return combined(path, on_branches(new_choice(), 0)) or path
        return combined(path, on_branches(choice, *staying)) or path

    def narrow(self, databases: frozenset[str], path: Path) -> bool:
        """Restrict what follows to these databases and this path, if any execution takes both."""
        both = combined(self.path, path)
        if both is None or not self.branch & databases:
            return False
        self.branch, self.path = self.branch & databases, both
        return True

    def perhaps(self, value: Any) -> Any:
        """A value that a container gets on the current path alone."""
        if not self.path and self.branch == self.every:
            return value
        return Either(within(self.branch, self.path, value))

    def do_For(self, node: ast.For | ast.AsyncFor) -> str | None:
        values = self.value(node.iter)
        turns, known = self.turns(values)
        return self.loop(
            node, ((node.target, turn) for turn in turns), known, id(values) in self.partial
        )

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
        branch, path, online = self.branch, self.path, self.online
        repeated, after_break, self.after_break = self.repeated, self.after_break, ALWAYS
        self.repeated = repeated or not known
        if (
            not known
        ):  # one turn stands for all: what the body assigns may have changed since the turn before
            self.scopes[0].update(dict.fromkeys(counters(node.body), UNKNOWN))
        left = None
        for target, turn in turns:
            self.steps += 1
            self.branch, self.online = branch, online
            self.path = (
                combined(combined(path, self.after_return) or path, self.after_break) or path
            )
            if partial or not known:  # it may run zero times
                self.narrow(branch, on_branches(new_choice(), 0))
            if type(turn) is Either and len(turn.ways) == 1:  # an item of one path
                databases, way, turn = turn.ways[0]
                if not self.narrow(databases, way):
                    continue
            if target is not None:
                self.assign(target, turn, node)
            left = self.block(node.body)
            if left == "break" or (left in ("return", "raise") and known):
                break
            left = None
        self.branch, self.path, self.online = (
            branch,
            combined(path, self.after_return) or path,
            online,
        )
        self.repeated, self.after_break = repeated, after_break
        if left in ("return", "raise"):
            return left
        return self.block(node.orelse) if left is None else None

    def turns(self, value: Any) -> tuple[Sequence[Any], bool]:
        """The values over which a loop goes, and whether they are known."""
        value = self.found(value)
        if type(value) is Either:
            items, known = [], True
            for databases, path, each in value.ways:
                values, sure = self.turns(each)
                items += [Either(within(databases, path, item)) for item in values]
                known = known and sure
            return items, known
        if isinstance(value, (list, tuple, dict, set, frozenset, str, range)):
            if (
                len(value) <= MAX_UNROLL
                and self.steps < MAX_STEPS
                and not (isinstance(value, str) and HOLE in value)
            ):
                return sorted(value, key=repr) if isinstance(value, (set, frozenset)) else list(
                    value
                ), True
        elif isinstance(value, Table) and not value.name:  # an enumeration
            return [
                v for k, v in value.names.items() if k[0] != "_" and type(v) not in ABSTRACT
            ], True
        elif isinstance(value, Statement):
            return [Row(value.table)], False
        elif value is RESULT:
            self.bind_read()
        return [UNKNOWN], False

    def do_Try(self, node: ast.Try) -> str | None:
        body, names = [*node.body, *node.orelse], self.scopes[0]
        if node.handlers:
            choice = new_choice()
            ends = [self.way(choice, 0, UNSURE, body, names)]
            after = dict(names)  # a handler may run when most of the body has
            for number, handler in enumerate(node.handlers, 1):
                ends.append(self.way(choice, number, UNSURE, handler.body, after))
            left = self.meet(choice, ends)
            if left is None and all(end.left for end in ends[1:]):  # it goes on as the body went
                self.narrow(self.branch, ends[0].taken)
        else:
            left = self.block(body)
        return self.block(node.finalbody) or left

    # Expressions

    def value(self, node: Any) -> Any:
        kind = type(node)  # the frequent ones first: a call through the table costs twice as much
        if kind is ast.Constant:
            return node.value
        if kind is ast.Call:
            return self.of_Call(node)
        if kind is ast.Attribute:
            return self.of_Attribute(node)
        if kind is ast.Name:
            name = node.id
            for scope in self.scopes:
                if name in scope:
                    return scope[name]
            return Ref.of(f"builtins.{name}")
        evaluate = EXPRESSIONS.get(kind)
        return evaluate(self, node) if evaluate else UNKNOWN

    def of_Attribute(self, node: ast.Attribute) -> Any:
        owner, name = self.value(node.value), node.attr
        if type(owner) is Ref:
            return owner.attributes[name] if name in owner.attributes else owner.attribute(name)
        return self.attribute(owner, name)

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
        if kind is Table and (
            name in owner.names or name in ("__table__", "name", "__tablename__")
        ):
            return owner.names.get(name, owner if name == "__table__" else owner.name)
        if name == "value" and plain(owner):  # of a member of an enumeration
            return owner
        return Method(owner, name)

    def bound(self, owner: Instance | Table, name: str) -> Any:
        """A method or another attribute of an instance or its class."""
        kind, owner = (
            (owner, owner) if isinstance(owner, Table) else (owner.kind, owner.itself or owner)
        )
        value = kind.names.get(name, UNKNOWN)
        if not isinstance(value, Function):
            return value
        decorators = {
            d.id for d in getattr(value.node, "decorator_list", ()) if isinstance(d, ast.Name)
        }
        if "property" in decorators:
            return self.run(value, [owner], {})
        if "classmethod" in decorators:
            return Partial(value, [kind], {})
        return (
            value if "staticmethod" in decorators or owner is kind else Partial(value, [owner], {})
        )

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
        values: list[Any] = []
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
        return (
            self.attempt(operator.neg, value)
            if isinstance(node.op, ast.USub) and plain(value)
            else UNKNOWN
        )

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
        return Test(self.every, frozenset()) if value else Test(frozenset(), self.every)

    def of_IfExp(self, node: ast.IfExp) -> Any:
        test, choice = self.test(self.value(node.test)), new_choice()
        paths = (ALWAYS, ALWAYS) if test.sure else (on_branches(choice, 0), on_branches(choice, 1))
        ways = [(test.yes, paths[0], node.body), (test.no, paths[1], node.orelse)]
        return self.each(Either(ways), self.value)

    def each(self, either: Either, use: Callable[[Any], Any]) -> Any:
        """Use each of the values on the databases and the path that it is for."""
        state, results = (self.branch, self.path), []
        for databases, path, value in either.ways:
            if self.narrow(databases, path):
                results.append((databases, path, use(value)))
            self.branch, self.path = state
        return joined(results) if results else UNKNOWN

    def of_Subscript(self, node: ast.Subscript) -> Any:
        owner, key = self.value(node.value), self.value(node.slice)
        if owner is RESULT:
            self.bind_read()
        if key is DIALECT_NAME and type(owner) is dict:
            return self.by_dialect(owner)
        if isinstance(owner, (list, tuple, dict, range)) or (
            isinstance(owner, str) and HOLE not in owner
        ):
            return (
                self.attempt(operator.getitem, owner, key)
                if plain(key) or type(key) is slice
                else UNKNOWN
            )
        if isinstance(owner, Table) and isinstance(key, str):
            return owner.names.get(key, UNKNOWN)
        return UNKNOWN

    def by_dialect(self, owner: dict[Any, Any], default: Any = UNKNOWN) -> Any:
        """What a mapping has for the name of the dialect."""
        others = self.every - owner.keys()
        ways = [
            (frozenset({name}), ALWAYS, value)
            for name, value in owner.items()
            if name in self.every
        ]
        return joined([*ways, (others, ALWAYS, default)]) if ways else default

    def of_Slice(self, node: ast.Slice) -> Any:
        bounds = [
            self.value(part) if part else None for part in (node.lower, node.upper, node.step)
        ]
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
        within = AUTOCOMMIT if self.autocommit else None  # of a context manager
        self.yields.append(self.value(node.value) if node.value else within)
        return UNKNOWN

    def of_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Any:
        return self.comprehension(node.generators, lambda: self.value(node.elt))

    def of_DictComp(self, node: ast.DictComp) -> Any:
        pairs = self.comprehension(
            node.generators, lambda: (self.value(node.key), self.value(node.value))
        )
        return self.attempt(dict, pairs) if isinstance(pairs, list) else UNKNOWN

    def comprehension(self, generators: list[ast.comprehension], element: Callable[[], Any]) -> Any:
        known, state = True, (self.path, self.repeated)

        def turn(rest: list[ast.comprehension]) -> Iterator[Any]:
            nonlocal known
            if not rest:
                value = element()
                yield value if self.path == state[0] else self.perhaps(value)
                return
            iterated = self.value(rest[0].iter)
            values, sure = self.turns(iterated)
            known = known and sure
            self.repeated = self.repeated or not sure
            for value in values:
                self.steps += 1
                path = self.path
                if not sure or id(iterated) in self.partial:
                    self.narrow(self.branch, on_branches(new_choice(), 0))
                if type(value) is Either and len(value.ways) == 1:
                    self.narrow(self.branch, value.ways[0][1])
                    value = value.ways[0][2]
                self.assign(rest[0].target, value, rest[0].target)
                test = self.test(True)
                for condition in rest[0].ifs:
                    test = test & self.test(self.value(condition))
                if not test.sure or (test.yes and test.no):
                    self.narrow(self.branch, on_branches(new_choice(), 0))
                if test.yes:
                    yield from turn(rest[1:])
                self.path = path

        self.scopes = ({}, *self.scopes)
        values = list(turn(generators))
        self.scopes, (self.path, self.repeated) = self.scopes[1:], state
        return values if known else UNKNOWN

    # Calls

    def of_Call(self, node: ast.Call) -> Any:
        bare = node is self.bare
        function = self.value(node.func)
        args = self.elements(node.args) if node.args else []
        kwargs = {}
        for keyword in node.keywords:
            part = keyword.value
            value = part.value if type(part) is ast.Constant else self.value(part)
            if keyword.arg:
                kwargs[keyword.arg] = value
            else:
                kwargs |= (
                    value
                    if type(value) is dict and all(isinstance(k, str) for k in value)
                    else {"**": UNKNOWN}
                )
        if type(function) is Ref:
            return self.call_imported(function, args, kwargs, node, bare)
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
            return self.call(
                function.function, [*function.args, *args], function.kwargs | kwargs, node
            )
        if kind is Table:
            return Row(function) if function.name else self.instance(function, args, kwargs, node)
        if kind in (Marker, Test):
            self.autocommit = self.autocommit or kwargs.get("isolation_level") == "AUTOCOMMIT"
            return function
        if kind is Either:
            return self.each(function, lambda way: self.call(way, args, kwargs, node))
        return self.handed_over("call", args, kwargs, node)

    def instance(
        self, kind: Table, args: list[Any], kwargs: dict[str, Any], node: ast.expr
    ) -> Instance:
        made = Instance(kind, {})
        if isinstance(kind.names.get("__init__"), Function):
            self.call(kind.names["__init__"], [made, *args], kwargs, node)
        else:  # a data class or a named tuple
            made.names = {**dict(zip(kind.names["__fields__"], args, strict=False)), **kwargs}
        return made

    def run(
        self,
        function: Function,
        args: list[Any],
        kwargs: dict[str, Any],
        call: ast.expr | None = None,
    ) -> Any:
        """What a function gives, followed with these arguments."""
        node, site, way = function.node, self.site, (self.branch, self.path, self.online)
        frame = self.scopes, self.returns, self.yields
        after = self.after_return, self.after_break
        local = self.arguments(function, args, kwargs)
        self.scopes, self.returns, self.yields = (local, *function.scopes), [], []
        self.after_return = self.after_break = ALWAYS
        self.stack.append(function)
        if function.scopes[-1] is not self.globals and site is None:
            self.site = call  # what another file does has the place of the call in this one
        if isinstance(node, ast.Lambda):
            self.returns = [(self.branch, self.path, self.value(node.body))]
        elif self.block(node.body) is None and not self.yields:
            self.returns.append((self.branch, self.path, None))
        returns, yields = self.returns, self.yields
        self.stack.pop()
        self.site, (self.branch, self.path, self.online) = site, way
        self.after_return, self.after_break = after
        self.scopes, self.returns, self.yields = frame
        if yields:
            return yields[0] if getattr(node, "decorator_list", None) else yields  # @contextmanager
        return joined(returns) if returns else UNKNOWN

    def arguments(
        self, function: Function, args: list[Any], kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        spec = function.node.args
        if not (spec.args or spec.posonlyargs or spec.kwonlyargs or spec.vararg or spec.kwarg):
            return {}
        parameters = [parameter.arg for parameter in (*spec.posonlyargs, *spec.args)]
        local: dict[str, Any] = dict.fromkeys(
            [*parameters, *(p.arg for p in spec.kwonlyargs)], UNKNOWN
        )
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

    def call_python(self, ref: Ref, args: list[Any], kwargs: dict[str, Any], node: ast.expr) -> Any:
        """A function of Python's own, or one that can't be seen."""
        name = ref.name
        if any(type(arg) is range and arg[MAX_SIZE:] for arg in args) and name not in (
            "range",
            "len",
        ):
            return UNKNOWN
        if name in STRUCTURAL:
            return (
                UNKNOWN
                if any(type(arg) in ABSTRACT for arg in args)
                else self.attempt(STRUCTURAL[name], *args)
            )
        if name in EXACT:
            exact = plain(args) and plain(kwargs)
            return (
                self.attempt(EXACT[name], *args, **kwargs)
                if exact
                else HOLE
                if name == "str"
                else UNKNOWN
            )
        if name == "getattr" and len(args) > 1 and isinstance(args[1], str):
            return self.attribute(args[0], args[1])
        if name == "setattr" and args and isinstance(args[0], Row):
            return self.change(args[0].table, "update", node, str(args[1]))
        if name == "super" and self.stack:
            owner = next(iter(self.scopes[0].values()), None)
            if isinstance(owner, Instance):
                return Instance(
                    Table(names=self.stack[-1].inherited), owner.names, owner.itself or owner
                )
        if name == "partial" and args:
            return Partial(args[0], args[1:], kwargs)
        if name == "map" and len(args) == 2:
            return [self.call(args[0], [value], {}, node) for value in self.turns(args[1])[0]]
        if name == "dedent" and args:
            return args[0]
        if name == "import_module" and args and isinstance(args[0], str) and plain(args):
            self.migration.imports.append((args[0], node.lineno))
            return Ref.of(args[0])
        if ref.root in QUIET:
            return UNKNOWN
        self.handed_over(name, args, kwargs, node)
        return Call(name, tuple(args), kwargs)

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
                args = (
                    [filled(args[0])]
                    if args and isinstance(args[0], (list, tuple, set, dict))
                    else [UNKNOWN]
                )
            if size(owner) * max(map(size, args), default=1) > 100 * MAX_SIZE:
                return HOLE
            text = self.attempt(getattr(owner, name), *args, **kwargs)
            return Text(text) if isinstance(owner, Text) and isinstance(text, str) else text
        if name in CHANGING and size(owner) + max(map(size, args), default=0) > MAX_SIZE:
            self.partial[id(owner)] = owner
            return UNKNOWN
        if name in CHANGING and (
            self.path or self.branch != self.every or not all(map(plain, args))
        ):
            if kind is list and name == "append":
                args = list(map(self.perhaps, args))
            elif kind is list and name == "extend" and len(args) == 1:
                items, known = self.turns(args[0])
                args = [list(map(self.perhaps, items))]
                if not known:
                    self.partial[id(owner)] = owner
            else:
                self.partial[id(owner)] = owner
        value = self.attempt(getattr(owner, name), *args, **kwargs)
        return list(value) if name in ("items", "keys", "values") and kind is dict else value

    # What is not Python's own

    @abstractmethod
    def call_imported(
        self, ref: Ref, args: list[Any], kwargs: dict[str, Any], node: ast.expr, bare: bool
    ) -> Any:
        """A call of what is imported; ``bare``: its value is not used."""

    @abstractmethod
    def call_ref(self, ref: Ref, args: list[Any], kwargs: dict[str, Any], node: ast.expr) -> Any:
        """A call of what is imported and can't be followed."""

    @abstractmethod
    def call_method(
        self, owner: Any, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.expr
    ) -> Any:
        """A call of a method."""

    @abstractmethod
    def found(self, ref: Any, near: bool = False) -> Any:
        """What an imported name stands for, where its file can be read."""

    @abstractmethod
    def handed_over(
        self, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.expr
    ) -> Any:
        """A call of what can't be seen."""

    @abstractmethod
    def unresolved(self, name: str, args: list[Any], kwargs: dict[str, Any], node: ast.expr) -> Any:
        """A call that was too deep to be followed."""

    @abstractmethod
    def change(self, table: Any, name: str, node: Any, *columns: str) -> Any:
        """Rows changed through an object that stands for one."""

    @abstractmethod
    def bind_read(self) -> None:
        """A value that the database gives was looked at."""


def counters(body: Iterable[Any]) -> Iterator[str]:
    """The names to which statements add."""
    for node in body:
        if type(node) is ast.AugAssign and type(node.target) is ast.Name:
            yield node.target.id
        for part in ("body", "orelse", "handlers", "finalbody", "cases"):
            yield from counters(getattr(node, part, ()))


class End(NamedTuple):
    """How one branch of a choice ends."""

    number: int
    left: str | None
    names: dict[str, Any]
    taken: Path  # the condition that stands for the branch
    branch: frozenset[str]
    path: Path
    online: bool


STATEMENTS: dict[type, Callable[[Interpreter, Any], str | None]] = {
    getattr(ast, name[3:]): method
    for name, method in vars(Interpreter).items()
    if name.startswith("do_")
}


STATEMENTS |= {ast.AsyncFunctionDef: Interpreter.do_FunctionDef}


STATEMENTS |= {ast.AsyncWith: Interpreter.do_With, ast.AsyncFor: Interpreter.do_For}


STATEMENTS |= {ast.Break: Interpreter.do_Raise, ast.Continue: Interpreter.do_Raise}


EXPRESSIONS: dict[type, Callable[[Interpreter, Any], Any]] = {
    getattr(ast, name[3:]): method
    for name, method in vars(Interpreter).items()
    if name.startswith("of_")
}


EXPRESSIONS |= {ast.SetComp: Interpreter.of_ListComp, ast.GeneratorExp: Interpreter.of_ListComp}
