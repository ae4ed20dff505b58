"""The value of an expression, if it can be known without running the migration."""

import ast
import operator
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

from .files import OF_A_PATH
from .functions import OPERATORS, WIDE
from .migration import HOLE, UNKNOWN
from .paths import ALWAYS, new_choice, on_branches
from .state import MAX_SIZE
from .truth import Truth
from .values import (
    ABSTRACT,
    AUTOCOMMIT,
    DIALECT_NAME,
    MARKED,
    RESULT,
    Either,
    Function,
    Instance,
    Marker,
    Metadata,
    Method,
    Partial,
    Ref,
    Table,
    Text,
    filled,
    is_large,
    plain,
    size,
)

INDEXED = (list, tuple, dict, range, Metadata)


# The conversions of an f-string, as the syntax tree has them: {x!a}, {x!r}, {x!s}.
CONVERSIONS: dict[int, Callable[[object], str]] = {ord("a"): ascii, ord("r"): repr, ord("s"): str}


class Expressions(Truth):
    """Evaluates expressions."""

    def value(self, node: Any) -> Any:
        kind = type(node)  # the frequent ones come first: the table takes twice as long
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
        evaluate = self.expressions.get(kind)
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
        if kind is Metadata and name == "tables":
            return owner
        if kind is Instance and name in owner.names:
            return owner.names[name]
        if kind is Instance or (kind is Table and isinstance(owner.names.get(name), Function)):
            return self.bound(owner, name)
        if kind is Table and (
            name in owner.names or name in ("__table__", "name", "__tablename__")
        ):
            return owner.names.get(name, owner if name == "__table__" else owner.name)
        if isinstance(owner, PurePath) and name in OF_A_PATH:
            return getattr(owner, name)
        if name == "value" and plain(owner):  # a member of an enumeration
            return owner
        return Method(owner, name)

    def bound(self, owner: Instance | Table, name: str) -> Any:
        """Return a method or another attribute of an instance or its class."""
        kind = owner
        if isinstance(owner, Instance):
            kind, owner = owner.kind, owner.itself or owner
        value = kind.names.get(name, UNKNOWN)
        if not isinstance(value, Function):
            return value
        above = getattr(value.node, "decorator_list", ())
        decorators = {each.id for each in above if isinstance(each, ast.Name)}
        if "property" in decorators:
            return self.run(value, [owner], {})
        if "classmethod" in decorators:
            return Partial(value, [kind], {})
        if "staticmethod" in decorators or owner is kind:
            return value
        return Partial(value, [owner], {})

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
                key = self.value(key_node)
                result[key if plain(key) else UNKNOWN] = value
        return result

    def elements(self, nodes: list[ast.expr]) -> list[Any]:
        values: list[Any] = []
        for node in nodes:
            if type(node) is ast.Starred:
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
        if node.conversion in CONVERSIONS:
            value = CONVERSIONS[node.conversion](value)
        text = self.attempt(format, value, spec)
        return text if isinstance(text, str) else HOLE

    def of_BinOp(self, node: ast.BinOp) -> Any:
        spine = [node]  # a + b + c + ... is nested as deeply as it is long
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

    def of_BoolOp(self, node: ast.BoolOp) -> Any:
        either = isinstance(node.op, ast.Or)
        result = self.value(node.values[0])
        total = self.test(result)
        for part in node.values[1:]:
            if not (total.no if either else total.yes):  # decided: the rest does not run
                break
            value = self.value(part)
            last = not (total.yes if either else total.no)  # this part alone decides
            total = total | self.test(value) if either else total & self.test(value)
            result = value if last else total
        return result

    def of_UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return ~self.test(value)
        negative = isinstance(node.op, ast.USub) and plain(value)
        return self.attempt(operator.neg, value) if negative else UNKNOWN

    def of_Compare(self, node: ast.Compare) -> Any:
        if len(node.ops) != 1:
            return UNKNOWN
        return self.compare(node.ops[0], self.value(node.left), self.value(node.comparators[0]))

    def of_IfExp(self, node: ast.IfExp) -> Any:
        test, choice = self.test(self.value(node.test)), new_choice()
        paths = (ALWAYS, ALWAYS) if test.sure else (on_branches(choice, 0), on_branches(choice, 1))
        ways = [(test.yes, paths[0], node.body), (test.no, paths[1], node.orelse)]
        return self.each(Either(ways), self.value)

    def of_Subscript(self, node: ast.Subscript) -> Any:
        owner, key = self.value(node.value), self.value(node.slice)
        if owner is RESULT:
            self.bind_read()
        if key is DIALECT_NAME and type(owner) is dict:
            return self.by_dialect(owner)
        known = HOLE not in owner if isinstance(owner, str) else type(owner) in INDEXED
        if known and (type(key) is slice or plain(key)):
            return self.attempt(operator.getitem, owner, key)
        if isinstance(owner, Table) and isinstance(key, str):
            return owner.names.get(key, UNKNOWN)
        return UNKNOWN

    def of_Slice(self, node: ast.Slice) -> Any:
        bounds = [part and self.value(part) for part in (node.lower, node.upper, node.step)]
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
        return UNKNOWN if pairs is UNKNOWN or is_large(pairs) else self.attempt(dict, pairs)

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
                _, value = self.enter_turn(value, not sure or id(iterated) in self.partial)
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

    of_SetComp = of_GeneratorExp = of_ListComp
