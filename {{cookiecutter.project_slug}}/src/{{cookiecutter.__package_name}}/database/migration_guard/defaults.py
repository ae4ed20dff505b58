"""Server defaults that a server writes in words of its own, for ``compare_server_default`` of Alembic's configure()."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Boolean, Float, Integer, Numeric

NOW = re.compile(r"(now|current_timestamp|localtimestamp|localtime)(\((?P<digits>\d*)\))?")


def compare_server_default(
    context: Any,
    inspected_column: Any,
    metadata_column: Any,
    inspected_default: str | None,
    metadata_default: Any,
    rendered_metadata_default: str | None,
) -> bool | None:
    """Return False where MySQL or MariaDB means the same default by another text; None: let Alembic compare."""
    if context.dialect.name not in ("mysql", "mariadb") or not inspected_default or not rendered_metadata_default:
        return None
    number = isinstance(inspected_column.type, (Boolean, Float, Integer, Numeric))
    same = _meaning(inspected_default, number) == _meaning(rendered_metadata_default, number)
    return False if same else None


def _meaning(default: str, number: bool) -> object:
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
    return tuple(_moment(part) for part in (first, rest) if part) if found or NOW.fullmatch(first) else text


def _moment(text: str) -> str:
    match = NOW.fullmatch(text.strip())
    return f"now({match['digits'] or ''})" if match else text.strip()
