"""What the project's own code, Alembic or the server raises, in one line: where, what it says, and the remedy."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from alembic.script import revision
from alembic.util import CommandError
from sqlalchemy.exc import NoReferenceError

from .exceptions import CannotCheck, nearest
from .places import foreign_key, place


@contextmanager
def in_one_line() -> Iterator[None]:
    """Whatever the project's own code raises, as what a check says that can't be made."""
    try:
        yield
    except CannotCheck:
        raise
    except Exception as error:
        raise CannotCheck(fault(error)) from error


REMEDIES = {  # what Alembic or the server says without one, and what we say instead
    r'near "ALTER": syntax error|batch mode feature': "SQLite has no ALTER TABLE for this: use op.batch_alter_table(),"
    " which copies the table",
    "Target database is not up to date": "Target database is not up to date: alembic upgrade head",
    "Ambiguous walk": "After a merge -1 can be either parent: name the revision to go to: alembic downgrade <revision>",
    "needed in a foreign key constraint": "MySQL and MariaDB need this index for a foreign key: drop that first, or with"
    " the whole table leave the index out",
    r"\(1064,.* near 'NOT NULL": "MariaDB takes no NOT NULL here: say nullable=True of a computed column, in the model, too;"
    " elsewhere MODIFY with the whole column",
    "require the existing type": "MySQL and MariaDB describe the whole column anew: say existing_type= and existing_nullable=",
}


def words(error: BaseException) -> str:
    """What Alembic or the server says, without SQLAlchemy's words around it and with a remedy."""
    cause = error.__cause__
    if isinstance(cause, revision.MultipleHeads):
        from .exceptions import several

        heads = sorted(set(cause.heads))
        if len(heads) == 1:
            return f"Revision {heads[0]} is in several files: give each an identifier of its own, or remove the copies"
        return " ".join(several(heads))
    if isinstance(cause, revision.ResolutionError) and "start with" not in str(cause):
        return lost(cause.argument)
    text = str(getattr(error, "orig", None) or error)
    return next((said for pattern, said in REMEDIES.items() if re.search(pattern, text)), text)


def lost(name: str) -> str:
    return (
        f"Can't locate revision {name}: it is in no migration here; if the database has it, this code is older or lost"
        " it: update the code, deploy the release before a squash first, or bring the file back"
    )


def full_message(error: BaseException) -> str:
    """All of its lines as one, for who runs a command: a server's hints are of use there."""
    return printable(" ".join(words(error).split()))


def printable(text: str) -> str:
    """Return the text with its control characters escaped: a terminal or a CI would obey them."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


# The name of a scratch database.
SCRATCH = r"migration_guard_(?P<machine>[0-9a-f]{8})_(?P<pid>\d+)_(?P<start>\d+)_[0-9a-f]{8}"


def one_line(error: BaseException) -> str:
    """The first of its lines, for a report."""
    # MySQL's messages name the database, which is another each time.
    text = re.sub(f"`?{SCRATCH}`?\\.", "", words(error).strip()) or type(error).__name__
    first, *rest = text.splitlines()
    depending = [
        line.removeprefix("DETAIL:").strip()
        for line in rest
        if first.endswith("depend on it") and "DETAIL" in line
    ]
    return ": ".join([first.rstrip("."), *depending])


def fault(error: Exception) -> str:
    """Where in the project it was raised, and what it says; Alembic's own errors say it all."""
    if isinstance(error, CommandError):
        return one_line(error)
    if (
        isinstance(error, KeyError)
        and traceback.extract_tb(error.__traceback__)[-1].filename == revision.__file__
    ):
        return f"Can't locate revision {error}, which another one follows: bring its file back, or name the right parent"
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
