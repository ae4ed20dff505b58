"""The exception of a check that can't run, and messages that need no other module."""

from collections.abc import Iterable, Sequence


class CannotCheck(Exception):
    """The check can't run. The message is one line with the cause and the fix; exit status 2."""


class NoServer(CannotCheck):
    """The server does not answer, or refuses the user."""


def nearest(name: str, known: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}" if close else ""


REBASE = (
    "`alembic downgrade {parent}` where it has run, set `down_revision = {other}` in {file}, then"
    " `alembic upgrade head`."
)


def several(heads: Sequence[str], rebase: str = "") -> tuple[str, str]:
    """Return the message about several heads, and its fix, which begins with ``rebase``."""
    message = f"{len(heads)} heads: {', '.join(heads)}; `alembic upgrade head` refuses to choose."
    merge = f'`alembic merge -m "Merge migrations" {" ".join(heads)}`'
    if rebase:
        return message, f"{rebase} Or merge them: {merge}"
    how = REBASE.format(parent="<its parent>", other='"<the other>"', file="its file")
    return message, f"Merge them: {merge}. Or, if one is not deployed, rebase it: {how}"
