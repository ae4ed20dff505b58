"""One line for what the project's code, Alembic or the server raises: where, what, and a fix."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from alembic.script import revision
from alembic.util import CommandError
from sqlalchemy.exc import NoReferenceError

from .exceptions import CannotCheck, nearest, several
from .places import foreign_key, place


@contextmanager
def in_one_line() -> Iterator[None]:
    """Turn any exception of the project's own code into a CannotCheck of one line."""
    try:
        yield
    except CannotCheck:
        raise
    except Exception as error:
        raise CannotCheck(fault(error)) from error


# Messages of Alembic or the server without a fix, and what is reported instead.
REMEDIES = {
    r'near "ALTER": syntax error|batch mode feature': (
        "SQLite has no ALTER TABLE for this: use op.batch_alter_table(), which copies the table"
    ),
    "Target database is not up to date": "Target database is not up to date: alembic upgrade head",
    "Ambiguous walk": (
        "After a merge -1 can be either parent: name the revision to go to: alembic downgrade"
        " <revision>"
    ),
    "needed in a foreign key constraint": (
        "MySQL and MariaDB need this index for a foreign key: drop that first; if you drop the"
        " whole table, don't drop the index"
    ),
    r"\(1064,.* near 'NOT NULL": (
        "MariaDB takes no NOT NULL here: set nullable=True for a computed column, in the model,"
        " too. For another column use MODIFY with its whole definition"
    ),
    "require the existing type": (
        "MySQL and MariaDB need the whole definition of a column: pass existing_type= and"
        " existing_nullable="
    ),
}


def text_of(error: BaseException) -> str:
    """The message of Alembic or the server, without what SQLAlchemy adds, and with a fix."""
    cause = error.__cause__
    if isinstance(cause, revision.MultipleHeads):
        heads = sorted(set(cause.heads))
        if len(heads) == 1:
            return (
                f"Revision {heads[0]} is in several files: give each an identifier of its own, or"
                " remove the copies"
            )
        return " ".join(several(heads))
    if isinstance(cause, revision.ResolutionError) and "start with" not in str(cause):
        return lost(cause.argument)
    text = str(getattr(error, "orig", None) or error)
    return next((fix for pattern, fix in REMEDIES.items() if re.search(pattern, text)), text)


def lost(name: str) -> str:
    return (
        f"Can't locate revision {name}: it is in no migration here. If the database has it, this"
        " code is older or lost it: update the code, deploy the release before a squash first, or"
        " bring the file back"
    )


def full_message(error: BaseException) -> str:
    """All of its lines as one, with the server's hints, for a person who runs a command."""
    return printable(" ".join(text_of(error).split()))


def printable(text: str) -> str:
    """Return the text with its control characters escaped: a terminal or a CI would obey them."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


# The name of a scratch database.
SCRATCH = r"migration_guard_(?P<machine>[0-9a-f]{8})_(?P<pid>\d+)_(?P<start>\d+)_[0-9a-f]{8}"


def one_line(error: BaseException) -> str:
    """The first of its lines, for a report."""
    # MySQL's messages name the database, whose name differs each time.
    text = re.sub(f"`?{SCRATCH}`?\\.", "", text_of(error).strip()) or type(error).__name__
    first, *rest = text.splitlines()
    depending = [
        line.removeprefix("DETAIL:").strip()
        for line in rest
        if first.endswith("depend on it") and "DETAIL" in line
    ]
    return ": ".join([first.rstrip("."), *depending])


def fault(error: Exception) -> str:
    """Where in the project it was raised, and its message; Alembic's own errors name the place."""
    if isinstance(error, CommandError):
        return one_line(error)
    if (
        isinstance(error, KeyError)
        and traceback.extract_tb(error.__traceback__)[-1].filename == revision.__file__
    ):
        return (
            f"Can't locate revision {error}, which another one follows: bring its file back, or"
            " name the right parent"
        )
    what = error.msg if isinstance(error, SyntaxError) else one_line(error)
    if isinstance(error, NoReferenceError) and (key := foreign_key(error)):
        tables, table, column = (
            key.parent.table.metadata.tables,
            error.table_name,
            getattr(error, "column_name", ""),
        )
        what += (
            nearest(column, tables[table].columns.keys())
            if table in tables
            else nearest(table, tables)
        )
    return f"{place(error)}: {type(error).__name__}: {what}"
