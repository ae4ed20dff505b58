"""Columns and types, from the calls that build them."""

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .migration import HOLE, UNKNOWN, Call, Column, Constraint, Type
from .values import Args, Either, Kwargs, Ref, Table, Text, shown, shown_values, text_of, texts_of

# The types whose SQL name is not their class name in lower case.
TYPES = {
    "String": "varchar",
    "Unicode": "varchar",
    "UnicodeText": "text",
    "BigInteger": "bigint",
    "SmallInteger": "smallint",
    "LargeBinary": "blob",
    "PickleType": "blob",
    "DateTime": "timestamp",
    "INT": "integer",
    "DECIMAL": "numeric",
    "DOUBLE_PRECISION": "double",
    "BYTEA": "blob",
    "AutoString": "varchar",  # of sqlmodel
}

SQLALCHEMY = ("sqlalchemy", "sqlmodel")
INTEGERS = ("smallint", "integer", "bigint")

# Arguments that only concern Python, and not the database's type.
IN_PYTHON = ("as_uuid", "asdecimal", "decimal_return_scale", "native_uuid", "none_as_null")


def given(args: Sequence[Any], kwargs: Mapping[str, Any], position: int, name: str) -> Any:
    """Return an argument that is passed by position or by name."""
    return args[position] if len(args) > position else kwargs.get(name)


def class_name(ref: Ref) -> str:
    """Return the name of a type's class; the application's own JSON or function: its path."""
    own = (ref.name == "JSON" or ref.name.islower()) and ref.root not in SQLALCHEMY
    return ref.path if own else ref.name


def type_of(value: Any) -> Type | None:
    """Return a column's type from the call that builds it; None if it isn't known."""
    if isinstance(value, Type) or value is None:
        return value
    if isinstance(value, Ref):
        own = value.name in ("TIMESTAMP", "DateTime") and value.root not in SQLALCHEMY
        value = Call(class_name(value), (), {"timezone": UNKNOWN} if own else {})
    if isinstance(value, Either):  # another type on each database
        ways = {name: type_of(each) for names, _, each in value.ways for name in names}
        base = next(filter(None, ways.values()), None)
        return base and Type(base.name, base.args, {**base.kwargs, "variants": ways})
    if not isinstance(value, Call):
        return None
    name = TYPES.get(value.name) or value.name.lower()
    args, kwargs = tuple(map(shown, value.args)), shown_values(value.kwargs)
    for argument in IN_PYTHON:
        kwargs.pop(argument, None)
    if name == "enum":
        first = value.args[0] if value.args else None
        # A Python enumeration names the type.
        if isinstance(first, (Ref, Table)) and "name" not in kwargs:
            python = first.name if isinstance(first, Ref) else first.names.get("__name__")
            kwargs["name"] = str(python).lower() if python else UNKNOWN
        return Type("enum", (), {**kwargs, "values": args})
    if name == "numeric" and "precision" in kwargs:
        args = (kwargs.pop("precision"), *([kwargs.pop("scale")] if "scale" in kwargs else args))
    if name == "bit" and kwargs.pop("varying", None):
        name = "varbit"
    if value.name == "ARRAY":
        return Type("array", (type_of(value.args[0]) if value.args else None,), kwargs)
    if "length" in kwargs:
        args = (kwargs.pop("length"), *args)
    return Type(name, args, kwargs)


def default_of(value: Any) -> Any:
    """Return a server default as SQL, in which a plain string is a quoted value."""
    null = value.strip() if isinstance(value, Text) else getattr(value, "name", "")
    if isinstance(null, str) and null.upper() == "NULL":
        return None
    if isinstance(value, Call) and "." in value.name:  # computed in Python
        return UNKNOWN
    if isinstance(value, Text) or not isinstance(value, str):
        return value if value is None or isinstance(value, (Text, Call, bool)) else UNKNOWN
    return UNKNOWN if HOLE in value else "'" + value.replace("'", "''") + "'"


def column(args: Args, kwargs: Kwargs) -> Column:
    """Return what ``sa.Column(...)`` defines."""
    name = kwargs.get("name", UNKNOWN)
    if args and (args[0] is UNKNOWN or args[0] is None or isinstance(args[0], str)):
        name, *args = args
    type_, references, computed, identity, unnamed = kwargs.get("type_"), [], None, False, False
    checks: list[Constraint] = []
    not_valid = True
    for arg in args:
        kind = arg.name if type(arg) is Call else ""
        if kind == "ForeignKey":
            references.append(text_of(arg.args[0]) or "" if arg.args else "")
            unnamed = unnamed or not arg.kwargs.get("name")
            not_valid = not_valid and arg.kwargs.get("postgresql_not_valid") is True
        elif type(arg) is Constraint:
            checks.append(arg)
        elif kind == "Computed":
            persisted = shown(given(arg.args, arg.kwargs, 1, "persisted"))
            computed = {"True": "stored", "False": "virtual"}.get(str(persisted), "default")
        elif kind == "Identity":
            identity = True
        elif type_ is None and kind not in ("Sequence", "FetchedValue"):
            type_ = arg
    column = Column(shown(name), type_of(type_), computed=computed, identity=identity)
    column.references, column.unnamed = tuple(references), unnamed
    column.not_valid = bool(references) and not_valid
    enum = column.type.kwargs if column.type and column.type.name == "enum" else {}
    if enum.get("native_enum") is False and enum.get("create_constraint") is True:
        checks.append(Constraint("check", enum.get("name")))
    column.checks = tuple(checks)
    column.nullable = shown(kwargs.get("nullable"))
    column.server_default = default_of(kwargs.get("server_default"))
    column.default = kwargs.get("default") is not None
    for key in ("primary_key", "unique", "index"):
        setattr(column, key, kwargs.get(key) is True)
    # SQLAlchemy numbers such a key: SERIAL, AUTO_INCREMENT
    if column.primary_key and column.type and column.type.name in INTEGERS and not references:
        column.identity = identity or kwargs.get("autoincrement") is not False
    return column


def constraint(kind: str, args: Args, kwargs: Kwargs) -> Constraint:
    """Return what ``sa.CheckConstraint(...)`` and the like define."""
    name, not_valid = shown(kwargs.get("name")), kwargs.get("postgresql_not_valid") is True
    if kind == "check":
        return Constraint(kind, name, (), shown(given(args, kwargs, 0, "sqltext")), None, not_valid)
    if kind == "foreign_key":
        columns = given(args, kwargs, 0, "columns")
        remote = texts_of(given(args, kwargs, 1, "refcolumns"))
        target = remote[0].rpartition(".")[0] if remote else UNKNOWN
        return Constraint(kind, name, texts_of(columns), None, target, not_valid)
    return Constraint(kind, name, texts_of(args))


NULL_TESTS: dict[Any, str] = {
    ast.Eq: "IS NULL",
    ast.NotEq: "IS NOT NULL",
    "is_": "IS NULL",
    "is_not": "IS NOT NULL",
    "isnot": "IS NOT NULL",
}


def condition_of(node: ast.expr | ast.keyword) -> str:
    """Return the text of a condition; if it tests for NULL as SQL: ``x IS NULL``."""
    test = ""
    left: ast.expr
    right: ast.expr
    if isinstance(node, ast.keyword):
        left, right, test = ast.Name(node.arg or ""), node.value, "IS NULL"
    elif isinstance(node, ast.Compare):
        left, right, test = node.left, node.comparators[0], NULL_TESTS.get(type(node.ops[0]), "")
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        left, right, test = node.func.value, node.args[0], NULL_TESTS.get(node.func.attr, "")
    if test and (ast.unparse(right) == "None" or name_of(right) == "null"):
        return f"{name_of(left)} {test}"
    return ast.unparse(node)


def name_of(node: ast.expr) -> str:
    """Return the last name of an expression: ``x`` of ``t.c.x`` and of ``sa.column("x")``."""
    text = ast.unparse(node)
    quoted = re.search(r"'(\w+)'", text)
    return quoted[1] if quoted else re.findall(r"\w+", f"_ {text}")[-1]
