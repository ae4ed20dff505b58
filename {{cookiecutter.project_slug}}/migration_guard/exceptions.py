"""The one exception that a check raises, and the nearest known name for a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable


class CannotCheck(Exception):
    """The check could not be made: one line saying why and what to do; exit status 2."""


def nearest(name: str, known: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}" if close else ""
