"""The one exception that a check raises, and messages that need no other module."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class CannotCheck(Exception):
    """The check could not be made: one line saying why and what to do; exit status 2."""


def nearest(name: str, known: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}" if close else ""


def several(heads: Sequence[str]) -> tuple[str, str]:
    """What is wrong with several heads, and what to do."""
    message = f"{len(heads)} heads: {', '.join(heads)}; `alembic upgrade head` refuses to choose."
    return message, f'Merge them: alembic merge -m "Merge migrations" {" ".join(heads)}'
