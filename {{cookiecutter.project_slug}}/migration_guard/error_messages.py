"""One line for what the project's code, Alembic or the server raises: where, what, and a fix."""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from alembic.script import revision
from alembic.util import CommandError
from sqlalchemy.exc import NoReferenceError

from .exceptions import CannotCheck, nearest, several_heads
from .output import printable


@contextmanager
def in_one_line() -> Iterator[None]:
    """Turn any exception of the project's own code into a CannotCheck of one line."""
    try:
        yield
    except CannotCheck:
        raise
    except (Exception, SystemExit) as error:  # an env.py may insist on a command of its own
        raise CannotCheck(fault(error)) from error


# Messages of Alembic or the server without a fix, and what is reported instead.
REMEDIES = {
    r'near "ALTER": syntax error|batch mode feature': (
        "SQLite has no ALTER TABLE for this: use op.batch_alter_table(), which copies the table"
    ),
    "Target database is not up to date": "Target database is not up to date: alembic upgrade head",
    "Ambiguous walk": (
        "After a merge, -1 can be either parent. Name the revision: alembic downgrade <revision>"
    ),
    "needed in a foreign key constraint": (
        "MySQL and MariaDB need this index for a foreign key. Drop the foreign key first; if you"
        " drop the whole table, don't drop the index"
    ),
    r"\(1064,.* near 'NOT NULL": (
        "MariaDB accepts no NOT NULL here. If the column is computed, set nullable=True here and in"
        " the model. For another column use MODIFY with its whole definition"
    ),
    "require the existing type": (
        "MySQL and MariaDB need the whole definition of a column: pass existing_type= and"
        " existing_nullable="
    ),
}


def text_of(error: BaseException) -> str:
    """Return the message of Alembic or the server with a fix, without what SQLAlchemy adds."""
    cause = error.__cause__
    if isinstance(cause, revision.MultipleHeads):
        heads = sorted(set(cause.heads))
        if len(heads) == 1:
            return (
                f"Revision {heads[0]} is in several files: give each file its own identifier, or"
                " remove the copies"
            )
        return " ".join(several_heads(heads))
    if isinstance(cause, revision.ResolutionError) and "start with" not in str(cause):
        return lost(cause.argument)
    text = str(getattr(error, "orig", None) or error)
    return next((fix for pattern, fix in REMEDIES.items() if re.search(pattern, text)), text)


def lost(name: str) -> str:
    return (
        f"Can't locate revision {name}: no migration in this checkout has it. Pull the latest code"
        " or restore the file; after a squash, deploy the release before the squash first"
    )


def full_message(error: BaseException) -> str:
    """Return the whole message on one line, with the server's hints, for a person."""
    return printable(" ".join(text_of(error).split()))


# The name of a scratch database.
SCRATCH = r"migration_guard_(?P<machine>[0-9a-f]{8})_(?P<pid>\d+)_(?P<start>\d+)_[0-9a-f]{8}"


def one_line(error: BaseException) -> str:
    """Return the first line of the message, for a report."""
    # MySQL's messages contain the name of the scratch database, which differs in each run.
    text = re.sub(f"`?{SCRATCH}`?\\.", "", text_of(error).strip()) or type(error).__name__
    first, *rest = text.splitlines()
    depending = [
        line.removeprefix("DETAIL:").strip()
        for line in rest
        if first.endswith("depend on it") and "DETAIL" in line
    ]
    if re.search(r"\d validation errors? for ", first):  # Pydantic's; its values may be secret
        depending = [line.strip().partition(" [")[0] for line in rest[:2]]
    return ": ".join([first.rstrip("."), *depending])


def fault(error: BaseException) -> str:
    """Return where in the project the error was raised, and its message.

    Alembic's own errors contain the place already.
    """
    if isinstance(error, CommandError):
        return one_line(error)
    from .places import foreign_key, place  # an upgrade that succeeds needs neither

    raised = traceback.extract_tb(error.__traceback__)
    if isinstance(error, KeyError) and raised[-1].filename == revision.__file__:
        return (
            f"Can't locate revision {error}, which another one follows: restore its file, or name"
            " the right parent"
        )
    what = error.msg if isinstance(error, SyntaxError) else one_line(error)
    if isinstance(error, NoReferenceError) and (key := foreign_key(error)):
        tables, table = key.parent.table.metadata.tables, error.table_name
        if table in tables:
            what += nearest(getattr(error, "column_name", ""), tables[table].columns.keys())
        else:
            what += nearest(table, tables)
    return f"{place(error)}: {type(error).__name__}: {what}"
