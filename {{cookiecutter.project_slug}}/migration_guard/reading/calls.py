"""The value of a call: the migration's functions are followed, Python's run on known values."""

import ast
import re
import sys
from typing import Any

from .columns import class_name
from .expressions import Expressions
from .files import call_of_files
from .functions import CHANGING, EXACT, GROWING, METHODS, STRUCTURAL, WIDE
from .migration import HOLE, UNKNOWN, Call, words
from .paths import ALWAYS
from .state import MAX_SIZE
from .values import (
    ABSTRACT,
    DIALECT,
    Args,
    Either,
    Function,
    Instance,
    Kwargs,
    Marker,
    Method,
    Partial,
    Ref,
    Row,
    Table,
    Test,
    Text,
    filled,
    is_large,
    joined,
    plain,
    size,
)

MAX_DEPTH = 16  # helpers that call helpers


MAX_STEPS = 50_000  # statements, calls and turns of loops in one migration


# Calls into these don't change a database.
QUIET = sys.stdlib_module_names | words(
    "builtins sqlalchemy alembic click structlog loguru tqdm "
    "aiohttp boto3 botocore httpx redis requests urllib3"
)


# These exceptions run code that the reader can't see.
HIDING = words(
    "builtins.exec builtins.eval builtins.__import__ os.system os.popen runpy.run_path "
    "runpy.run_module subprocess.run subprocess.call subprocess.check_call "
    "subprocess.check_output subprocess.Popen"
)


DIALECT_CLASS = re.compile(r"sqlalchemy\.dialects\.(\w+)\.")


class Calls(Expressions):
    """Follows calls."""

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
            elif type(value) is dict and all(isinstance(key, str) for key in value):
                kwargs |= value
            else:
                kwargs["**"] = UNKNOWN
        if type(function) is Ref:
            return self.call_imported(function, args, kwargs, node, bare)
        return self.call(function, args, kwargs, node)

    def call(self, function: Any, args: Args, kwargs: Kwargs, node: ast.expr) -> Any:
        kind = type(function)
        if kind is Ref:
            return self.call_ref(function, args, kwargs, node)
        if kind is Method:
            return self.call_method(function.owner, function.name, args, kwargs, node)
        if kind is Function:
            known = all(plain(v) or type(v) is Instance for v in (*args, *kwargs.values()))
            if not known and any(function.node is other.node for other in self.stack):
                return UNKNOWN  # as in a loop, one turn stands for all
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
        return self.call_unseen("call", args, kwargs, node)

    def instance(self, kind: Table, args: Args, kwargs: Kwargs, node: ast.expr) -> Instance:
        instance = Instance(kind, {})
        if isinstance(kind.names.get("__init__"), Function):
            self.call(kind.names["__init__"], [instance, *args], kwargs, node)
        else:  # a data class or a named tuple
            instance.names = {**dict(zip(kind.names["__fields__"], args, strict=False)), **kwargs}
        return instance

    def run(
        self, function: Function, args: Args, kwargs: Kwargs, call: ast.expr | None = None
    ) -> Any:
        """Follow a function with these arguments and return its value."""
        node, place = function.node, (self.site, self.line)
        way = self.branch, self.path, self.online
        frame = self.scopes, self.returns, self.yields
        after = self.after_return, self.after_break
        local = self.arguments(function, args, kwargs)
        self.scopes, self.returns, self.yields = (local, *function.scopes), [], []
        self.after_return = self.after_break = ALWAYS
        self.stack.append(function)
        if function.scopes[-1] is not self.globals and self.site is None:
            self.site = call  # an operation of another file gets the place of the call in this one
        if isinstance(node, ast.Lambda):
            self.returns = [(self.branch, self.path, self.value(node.body))]
        elif self.block(node.body) is None and not self.yields:
            self.returns.append((self.branch, self.path, None))
        returns, yields = self.returns, self.yields
        self.stack.pop()
        (self.site, self.line), (self.branch, self.path, self.online) = place, way
        self.after_return, self.after_break = after
        self.scopes, self.returns, self.yields = frame
        if yields:  # the decorator of a generator is @contextmanager
            return yields[0] if getattr(node, "decorator_list", None) else yields
        return joined(returns) if returns else UNKNOWN

    def arguments(self, function: Function, args: Args, kwargs: Kwargs) -> dict[str, Any]:
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

    def call_python(self, ref: Ref, args: Args, kwargs: Kwargs, node: ast.expr) -> Any:
        """Return the value of a function of Python's own, or of one that can't be seen."""
        name = ref.name
        endless = any(type(arg) is range and arg[MAX_SIZE:] for arg in args)
        if (endless and name not in ("range", "len")) or any(map(is_large, args)):
            return UNKNOWN
        if name == "isinstance" and len(args) == 2 and args[0] is DIALECT:
            classes = args[1] if isinstance(args[1], (tuple, list)) else [args[1]]
            paths = [each.path for each in classes if type(each) is Ref]
            wanted = {found[1] for path in paths if (found := DIALECT_CLASS.match(path))}
            if "mysql" in wanted:
                wanted.add("mariadb")
            return self.on_dialects(lambda dialect: dialect in wanted) if wanted else UNKNOWN
        if name in STRUCTURAL and not any(type(arg) in ABSTRACT for arg in args):
            return self.attempt(STRUCTURAL[name], *args)
        if name in EXACT and plain(args) and plain(kwargs):
            return self.attempt(EXACT[name], *args, **kwargs)
        if name in STRUCTURAL or name in EXACT:
            return HOLE if name == "str" else UNKNOWN
        found = call_of_files(ref.path, args, self.file)
        if found is not None:
            return found
        if name == "getattr" and len(args) > 1 and isinstance(args[1], str):
            return self.attribute(args[0], args[1])
        if name == "setattr" and args and isinstance(args[0], Row):
            return self.change(args[0].table, "update", node, str(args[1]))
        if name == "super" and self.stack:
            owner = next(iter(self.scopes[0].values()), None)
            if isinstance(owner, Instance):
                parent = Table(names=self.stack[-1].inherited)
                return Instance(parent, owner.names, owner.itself or owner)
        if name == "partial" and args:
            return Partial(args[0], args[1:], kwargs)
        if name == "dedent" and args:
            return args[0]
        if name == "import_module" and args and isinstance(args[0], str) and plain(args):
            self.migration.imports.append((args[0], self.line))
            return Ref.of(args[0])
        if ref.root in QUIET:
            given = (*args, *kwargs.values())
            if ref.path in HIDING or any(type(value) is Function for value in given):
                self.hidden = True
            return UNKNOWN
        self.call_unseen(name, args, kwargs, node)
        return Call(class_name(ref), tuple(args), kwargs)

    def call_plain(self, owner: Any, name: str, args: Args, kwargs: Kwargs) -> Any:
        kind = str if isinstance(owner, str) else type(owner)
        if name not in METHODS.get(kind, ()):
            return UNKNOWN
        if kind is str:
            if name == "format":
                if WIDE.search(owner):
                    return HOLE
                args, kwargs = filled(args), filled(kwargs)
            elif name == "join":
                known = args and isinstance(args[0], (list, tuple, set, dict))
                args = [filled(list(args[0])) if known else UNKNOWN]
            if size(owner) * max(map(size, args), default=1) > 100 * MAX_SIZE:
                return HOLE
            text = self.attempt(getattr(owner, name), *args, **kwargs)
            return Text(text) if isinstance(owner, Text) and isinstance(text, str) else text
        if name not in GROWING and any(map(is_large, args)):
            return UNKNOWN
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
