"""Python, followed statement by statement: a small abstract interpreter over the syntax tree.

It runs and imports nothing of the source that it follows. Its subclass, the reader, handles calls
of libraries.
"""

import ast
import operator
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from .branches import Branches
from .migration import UNKNOWN, Column
from .values import AUTOCOMMIT, Either, Function, Instance, Ref, Row, Table, plain


class Interpreter(Branches):
    """Follows one module, and adds its imports to ``migration``."""

    starred: ClassVar[Mapping[str, Iterable[str]]] = {}  # by module: what ``import *`` brings

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
        run = self.statements.get(type(node))
        return run(self, node) if run else None

    def do_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.migration.imports.append((alias.name, self.line))
            name = alias.asname or alias.name.partition(".")[0]
            self.scopes[0][name] = Ref.of(alias.name if alias.asname else name)

    def do_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        self.migration.imports.append((module, self.line))
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
            is_global = target.id in self.scopes[0].get("__global__", ())
            scope = self.scopes[-1] if is_global else self.scopes[0]
            scope[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            values = self.unpack(target.elts, value)
            for element, item in zip(target.elts, values, strict=True):
                name = element.value if isinstance(element, ast.Starred) else element
                self.assign(name, item, node)
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
            ways = [value]
            if type(value) is Either:
                ways = [way for databases, _, way in value.ways if databases & self.branch]
            self.autocommit = self.autocommit or AUTOCOMMIT in ways
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value, node)
        left = self.block(node.body)
        self.autocommit = autocommit
        return left

    do_AsyncFunctionDef = do_FunctionDef
    do_AsyncWith = do_With
    do_Break = do_Continue = do_Raise
