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


def several_heads(heads: Sequence[str], *rebase: str) -> tuple[str, str]:
    """Return the message about several heads, and its fix.

    ``rebase``: the head that may be rebased, what its first revision follows, another head, and
    the file of its first revision.
    """
    unknown = "one", "<the parent of its first file>", "<the other>", "its first file"
    mine, parent, other, file = rebase or unknown
    message = f"{len(heads)} heads: {', '.join(heads)}; `alembic upgrade head` refuses to choose."
    fix = (
        f'Merge them: `alembic merge -m "Merge migrations" {" ".join(heads)}`. Or, if {mine} is not'
        f" deployed, rebase it: `alembic downgrade {parent}` where it has run, set `down_revision ="
        f' "{other}"` in {file}, then `alembic upgrade head`.'
    )
    return message, fix
