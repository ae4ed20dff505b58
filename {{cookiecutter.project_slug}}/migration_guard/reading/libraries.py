"""The meaning of calls of Alembic's and SQLAlchemy's objects."""

import ast
from pathlib import PurePath
from typing import Any

from .calls import QUIET
from .columns import column, condition_of, constraint, type_of
from .files import method_of_path
from .migration import HOLE, UNKNOWN, Call, Column, Operation, words
from .operations import LOGGING, OP, Operations
from .signatures import CONSTRAINTS, CONSTRUCTORS, SESSIONS
from .values import (
    AUTOCOMMIT,
    BIND,
    CONTEXT,
    DIALECT_NAME,
    SESSION,
    Args,
    Batch,
    Either,
    Kwargs,
    Metadata,
    Ref,
    Row,
    Statement,
    Table,
    Text,
    plain,
    text_of,
)

ONE_ROW = words("first one one_or_none get scalar_one")


class Libraries(Operations):
    """Follows calls into libraries."""

    def call_imported(
        self, ref: Ref, args: Args, kwargs: Kwargs, node: ast.expr, bare: bool
    ) -> Any:
        root = ref.root
        if root == "sqlalchemy":
            return self.call_sqlalchemy(ref.name, args, kwargs, node)
        if root == "alembic":
            return self.call_ref(ref, args, kwargs, node)
        function: Any = ref
        if root not in QUIET:  # for a value alone, the application's own files are not read
            function = self.found(ref, near=not bare and not self.passes_op(args, kwargs))
            # A function of a module outside of the project, as in requests.delete(...).
            attribute = isinstance(getattr(node, "func", None), ast.Attribute)
            foreign = "." not in ref.owner and attribute
            unseen = type(function) is Ref and not foreign and ref.name not in LOGGING
            if bare and unseen and not self.site:
                return self.unresolved(ref.name, args, kwargs, node)
        return self.call(function, args, kwargs, node)

    def call_ref(self, ref: Ref, args: Args, kwargs: Kwargs, node: ast.expr) -> Any:
        name, root = ref.name, ref.root
        if root == "alembic":
            if ref.owner == "alembic.op":
                return self.call_op(name, args, kwargs, node)
            if ref.path == "alembic.context.execute":
                return self.execute(args, kwargs, node)
            return OP if name == "Operations" else Call(name, tuple(args), kwargs)
        if root == "sqlalchemy":
            return self.call_sqlalchemy(name, args, kwargs, node)
        if name in SESSIONS:
            return SESSION
        return self.call_python(ref, args, kwargs, node)

    def call_sqlalchemy(self, name: str, args: Args, kwargs: Kwargs, node: ast.expr) -> Any:
        if name == "Column" or name == "mapped_column":
            return column(args, kwargs)
        if name not in CONSTRUCTORS:
            return Call(name, tuple(args), kwargs)
        first = args[0] if args else UNKNOWN
        if name in CONSTRAINTS:
            return constraint(CONSTRAINTS[name], args, kwargs)
        if name in ("text", "DDL"):
            if isinstance(first, Either):
                return self.each(
                    first, lambda value: self.call_sqlalchemy(name, [value], kwargs, node)
                )
            if type(kwargs.get("context")) is dict and isinstance(first, str):  # of a DDL
                first = self.binary(ast.Mod(), first, kwargs["context"])
            return Text(first) if isinstance(first, str) else Text(HOLE)
        if name in ("table", "Table"):
            if "autoload_with" in kwargs or kwargs.get("autoload"):
                self.bind_read()
            table = Table(first, kwargs.get("schema"), {}, tuple(args[1:]))
            if args[1:] and type(args[1]) is Metadata and isinstance(first, str):
                args[1][first] = table
            return table
        if name == "MetaData":
            return Metadata()
        if name in ("insert", "update", "delete"):
            return Statement(name, first)
        if name in SESSIONS:
            return SESSION
        if name in ("inspect", "from_engine", "reflect", "automap_base"):
            self.bind_read()
            return UNKNOWN
        return first  # conv, quoted_name

    def call_method(self, owner: Any, name: str, args: Args, kwargs: Kwargs, node: ast.expr) -> Any:
        kind = type(owner)
        if kind is Batch:
            return owner if name == "__enter__" else self.call_op(name, args, kwargs, node, owner)
        if name in ("execute", "exec_driver_sql", "scalar", "scalars") and kind is not Statement:
            if name.startswith("scalar"):
                self.bind_read()
            return self.execute(args, kwargs, node)
        if name == "enter_context" and args:  # of an ExitStack
            self.autocommit = self.autocommit or args[0] is AUTOCOMMIT
            return args[0]
        if kind is Column and name in ("copy", "_copy"):
            return owner
        if kind is dict and name == "get" and args and args[0] is DIALECT_NAME:
            return self.by_dialect(owner, args[1] if len(args) > 1 else None)
        if kind is Text and name in ("bindparams", "params", "columns", "execution_options"):
            return owner
        if isinstance(owner, PurePath):
            return method_of_path(owner, name, args, self.file)
        tables = kwargs.get("tables") or (list(owner.values()) if kind is Metadata else None)
        if name in ("create_all", "drop_all") and (tables or kind is Metadata):
            for table in tables or [UNKNOWN]:
                self.change(table, f"{name.removesuffix('all')}table", node)
            return owner
        if kind is Metadata:
            if name == "reflect":
                self.bind_read()
            return owner
        if isinstance(owner, (str, list, dict, set, tuple)):
            return self.call_plain(owner, name, args, kwargs)
        if kind is Table:
            if name in ("insert", "update", "delete"):
                return Statement(name, owner)
            if name in ("create", "drop"):
                return self.change(owner, f"{name}_table", node)
            if name == "select":
                return Call(name)
        elif kind is Statement:
            if name in ("where", "filter", "filter_by"):
                parts: list[ast.expr | ast.keyword] = []
                if isinstance(node, ast.Call):
                    parts = [*node.args, *node.keywords]
                conditions = [owner.where] if owner.where else []
                conditions += map(condition_of, parts)
                return Statement(owner.kind, owner.table, " AND ".join(conditions) or "?")
            if owner.kind == "query" and name in ("update", "delete"):
                return self.change(owner.table, name, node, where=owner.where)
            return Row(owner.table) if owner.kind == "query" and name in ONE_ROW else owner
        elif kind is Call:
            if name in ("create", "drop") and owner.name.upper() == "ENUM":
                type_ = type_of(owner)
                enum = text_of(type_.kwargs.get("name")) if type_ else None
                return self.note(Operation(f"{name}_type", name=enum, certain=bool(enum)), node)
            if name in ("create", "drop") and owner.name == "Index":
                index = [owner.args[0], UNKNOWN, list(owner.args[1:])]
                return self.call_op(f"{name}_index", index, owner.kwargs, node)
            if name == "with_variant" and len(args) == 2:
                variants = {**owner.kwargs.get("variants", {}), args[1]: type_of(args[0])}
                return Call(owner.name, owner.args, {**owner.kwargs, "variants": variants})
            return owner
        elif owner is SESSION:
            return self.call_session(name, args, kwargs, node)
        elif owner is DIALECT_NAME and plain(args):
            return self.on_dialects(lambda dialect: getattr(dialect, name)(*args))
        elif owner is BIND or owner is CONTEXT:
            if name not in ("commit", "close", "rollback"):
                self.bind_read()
            if name == "run_sync" and args:
                return self.call(args[0], [BIND, *args[1:]], kwargs, node)
        return self.call_unseen(name, args, kwargs, node)

    def call_session(self, name: str, args: Args, kwargs: Kwargs, node: ast.expr) -> Any:
        if name in ("commit", "flush", "close", "rollback", "expunge_all"):
            return None
        first = args[0] if args else UNKNOWN
        self.bind_read()
        if name in ("query", "get"):
            table = self.found(first)
            return Row(table) if name == "get" else Statement("query", table)
        change = {"delete": "delete", "bulk_update_mappings": "update"}.get(name, "bulk_insert")
        if name in ("add", "merge", "delete", "add_all") or name.startswith("bulk_"):
            for row in first if isinstance(first, list) else [first]:
                table = row.table if isinstance(row, Row) else row
                self.change(table, change, node, where="row" if change != "bulk_insert" else None)
        return SESSION if name == "__call__" else UNKNOWN
