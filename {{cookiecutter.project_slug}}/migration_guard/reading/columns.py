"""Columns and types, from the calls that build them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .migration import HOLE, UNKNOWN, Call, Type
from .values import Ref, Table, Text, shown

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
    args, kwargs = tuple(map(shown, value.args)), shown(value.kwargs)
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
