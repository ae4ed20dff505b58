"""Python's operators, functions and methods that the interpreter runs on known values."""

import ast
import builtins
import operator
import re
from collections.abc import Callable
from typing import Any

from .migration import UNKNOWN, words
from .values import Either

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


# Functions that need a known container, with any values in it.
STRUCTURAL: dict[str, Callable[..., Any]] = {
    "dict": dict,
    "enumerate": lambda *args: list(enumerate(*args)),
    "len": lambda values: UNKNOWN if any(type(v) is Either for v in values) else len(values),
    "list": list,
    "range": range,
    "reversed": lambda values: list(values)[::-1],
    "tuple": tuple,
    "zip": lambda *args, **_: list(zip(*args, strict=False)),
    "OrderedDict": dict,
    "chain": lambda *args: [value for arg in args for value in arg],
}


# Functions for which every value must be known.
EXACT: dict[str, Callable[..., Any]] = {
    name: getattr(builtins, name)
    for name in words("abs all any bool frozenset int isinstance max min repr set sorted str sum")
}


METHODS: dict[type, frozenset[str]] = {
    str: words(
        "capitalize casefold endswith format isdigit join lower lstrip partition removeprefix "
        "removesuffix replace rpartition rsplit rstrip split splitlines startswith strip title "
        "upper"
    ),
    list: words("append extend insert copy index count pop reverse remove"),
    dict: words("items keys values get copy update setdefault pop"),
    set: words("add union update difference intersection discard copy"),
    tuple: words("index count"),
}


GROWING = words("append extend insert")
CHANGING = GROWING | words("remove pop add update setdefault discard")


# A width in a format that could fill the memory.
WIDE = re.compile(r"%(?:\(\w*\))?[-+ #0]*+(?:\d{4}|\*)|(?<!\d)\d{4,}+[a-zA-Z%]?}|{[^{}]*:{")
