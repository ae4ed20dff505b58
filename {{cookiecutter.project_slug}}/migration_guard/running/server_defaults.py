"""Server defaults that MySQL and MariaDB write in words of their own: an autogenerate plugin that knows them as the same.

A plugin, since Alembic asks a ``compare_server_default`` function about computed columns too, and then fails.
"""

from __future__ import annotations

import re
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

from alembic.runtime.plugins import Plugin
from alembic.util import PriorityDispatchResult
from sqlalchemy import Boolean, DefaultClause, Float, Integer, Numeric

PLUGIN = "migration_guard.server_defaults"


NOW = re.compile(r"(now|current_timestamp|localtimestamp|localtime)(\((?P<digits>\d*)\))?")


def setup(plugin: Plugin) -> None:
    for dialect in ("mysql", "mariadb"):
        plugin.add_autogenerate_comparator(compare, "column", "server_default", qualifier=dialect)


def compare(
    context: Any, operation: Any, schema: Any, table: Any, name: Any, found: Any, wanted: Any
) -> Any:
    """Stop Alembic's own comparison, which is by text, where both mean the same."""
    defaults = found.server_default, wanted.server_default
    if all(isinstance(default, DefaultClause) for default in defaults):
        number = isinstance(found.type, (Boolean, Float, Integer, Numeric))
        texts = [
            default.arg
            if isinstance(default.arg, str)
            else str(
                default.arg.compile(dialect=context.dialect, compile_kwargs={"literal_binds": True})
            )
            for default in defaults
        ]
        if meaning(texts[0], number) == meaning(texts[1], number):
            return PriorityDispatchResult.STOP
    return PriorityDispatchResult.CONTINUE


def meaning(default: str, number: bool) -> object:
    text = default.strip()
    while re.fullmatch(r"\([^()]*(\([^()]*\))?[^()]*\)", text):
        text = text[1:-1].strip()
    if number:
        plain = text.strip("'\"").lower()
        try:
            return Decimal({"true": "1", "false": "0"}.get(plain, plain))
        except InvalidOperation:
            return text.lower()
    first, found, rest = text.lower().partition(" on update ")
    return (
        tuple(moment(part) for part in (first, rest) if part)
        if found or NOW.fullmatch(first)
        else text
    )


def moment(text: str) -> str:
    match = NOW.fullmatch(text.strip())
    return f"now({match['digits'] or ''})" if match else text.strip()


with suppress(ValueError):  # it is there: this module was imported by another name
    setup(Plugin(PLUGIN))
