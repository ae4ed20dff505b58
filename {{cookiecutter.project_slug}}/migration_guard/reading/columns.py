"""Columns and types, from the calls that build them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .migration import HOLE, UNKNOWN, Call, Column, Constraint, Type
from .values import Ref, Table, Text, shown, shown_values, text_of, texts_of

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
}


def given(args: Sequence[Any], kwargs: Mapping[str, Any], position: int, name: str) -> Any:
    return args[position] if len(args) > position else kwargs.get(name)


def type_of(value: Any) -> Type | None:
    if isinstance(value, Type) or value is None:
        return value
    if isinstance(value, Ref):
        value = Call(value.name)
    if not isinstance(value, Call):
        return None
    name = TYPES.get(value.name) or value.name.lower()
    args, kwargs = tuple(map(shown, value.args)), shown_values(value.kwargs)
    if name == "enum":
        first = value.args[0] if value.args else None
        if (
            isinstance(first, (Ref, Table)) and "name" not in kwargs
        ):  # a Python enumeration, which names its type
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
    """A server default as SQL: a plain string is a value there, and quoted."""
    if isinstance(value, Text) and value.strip().upper() == "NULL":
        return None
    if isinstance(value, Text) or not isinstance(value, str):
        return value if value is None or isinstance(value, (Text, Call, bool)) else UNKNOWN
    return UNKNOWN if HOLE in value else "'" + value.replace("'", "''") + "'"


def column(args: list[Any], kwargs: dict[str, Any]) -> Column:
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
            persisted = given(arg.args, arg.kwargs, 1, "persisted")
            computed = (
                "stored" if persisted is True else "virtual" if persisted is False else "default"
            )
        elif kind == "Identity":
            identity = True
        elif type_ is None and kind not in ("Sequence", "FetchedValue"):
            type_ = arg
    column = Column(shown(name), type_of(type_), computed=computed, identity=identity)
    column.references, column.unnamed, column.not_valid = (
        tuple(references),
        unnamed,
        bool(references) and not_valid,
    )
    said = column.type.kwargs if column.type and column.type.name == "enum" else {}
    if said.get("native_enum") is False and said.get("create_constraint") is True:
        checks.append(Constraint("check", said.get("name")))
    column.checks = tuple(checks)
    for key, value in kwargs.items():
        if key == "nullable":
            column.nullable = shown(value)
        elif key == "server_default":
            column.server_default = default_of(value)
        elif key == "default":
            column.default = value is not None
        elif key in ("primary_key", "unique", "index"):
            setattr(column, key, value is True)
    return column


def constraint(kind: str, args: list[Any], kwargs: dict[str, Any]) -> Constraint:
    name, not_valid = shown(kwargs.get("name")), kwargs.get("postgresql_not_valid") is True
    if kind == "check":
        return Constraint(kind, name, (), shown(given(args, kwargs, 0, "sqltext")), None, not_valid)
    if kind == "foreign_key":
        columns, remote = (
            given(args, kwargs, 0, "columns"),
            texts_of(given(args, kwargs, 1, "refcolumns")),
        )
        target = remote[0].rpartition(".")[0] if remote else UNKNOWN
        return Constraint(kind, name, texts_of(columns), None, target, not_valid)
    return Constraint(kind, name, texts_of(args))
