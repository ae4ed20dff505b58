"""What the project's own code, Alembic or the server raises, in one line: where, what it says, and the remedy."""

from __future__ import annotations

import inspect
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from alembic.script import revision
from alembic.util import CommandError
from sqlalchemy import Column, ForeignKey, MetaData
from sqlalchemy.exc import NoReferenceError

from .findings import CannotCheck, nearest


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
        from .history import several

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
        " it: update the code, or bring the file back"
    )


def full_message(error: BaseException) -> str:
    """All of its lines as one, for who runs a command: a server's hints are of use there."""
    return " ".join(words(error).split())


# The name of a scratch database.
SCRATCH = r"migration_guard_(?P<machine>[0-9a-f]{8})_(?P<pid>\d+)_(?P<start>\d+)_[0-9a-f]{8}"


def one_line(error: BaseException) -> str:
    """The first of its lines, for a report."""
    # MySQL's messages name the database, which is another each time.
    text = re.sub(f"`?{SCRATCH}`?\\.", "", words(error).strip()) or type(error).__name__
    first, *rest = text.splitlines()
    depending = [
        line.removeprefix("DETAIL:").strip() for line in rest if first.endswith("depend on it") and "DETAIL" in line
    ]
    return ": ".join([first.rstrip("."), *depending])


def fault(error: Exception) -> str:
    """Where in the project it was raised, and what it says; Alembic's own errors say it all."""
    if isinstance(error, CommandError):
        return one_line(error)
    if isinstance(error, KeyError) and traceback.extract_tb(error.__traceback__)[-1].filename == revision.__file__:
        return (
            f"Can't locate revision {error}, which another one follows: bring its file back, or name the right parent"
        )
    what = error.msg if isinstance(error, SyntaxError) else one_line(error)
    if isinstance(error, NoReferenceError) and (key := foreign_key(error)):
        tables, table, column = key.parent.table.metadata.tables, error.table_name, getattr(error, "column_name", "")
        what += nearest(column, tables[table].columns.keys()) if table in tables else nearest(table, tables)
    return f"{place(error)}: {type(error).__name__}: {what}"


def place(error: BaseException, path: str | None = None) -> str:
    """Where in the project it was raised: the last line of ``path``, or else that is not a library's."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{relative(error.filename)}:{error.lineno}"
    if isinstance(error, NoReferenceError) and (key := foreign_key(error)) and (found := place_of(key.parent)):
        return found
    raised = traceback.extract_tb(error.__traceback__)
    frames = [frame for frame in raised if Path(frame.filename).parent != Path(__file__).parent]
    own = [frame for frame in frames if frame.filename == path] or [
        frame for frame in frames if "site-packages" not in frame.filename and not frame.filename.startswith("<")
    ]
    return f"{relative(own[-1].filename)}:{own[-1].lineno}" if own else "alembic"


def relative(path: str | Path, root: Path | None = None) -> str:
    """The path as a report shows it: from the project's folder, where it lies in it."""
    found, root = Path(path).resolve(), (root or Path.cwd()).resolve()
    return found.relative_to(root).as_posix() if found.is_relative_to(root) else str(found)


def foreign_key(error: NoReferenceError) -> ForeignKey | None:
    """The one of the models that leads nowhere."""
    frames = traceback.walk_tb(error.__traceback__)
    return next((key for frame, _ in frames if isinstance(key := frame.f_locals.get("self"), ForeignKey)), None)


def place_of(column: Column[Any]) -> str | None:
    """Where the column is in the class of its table."""
    with suppress(KeyError, OSError):  # a table without a class, a class without a file
        model = dict(mapped([column.table.metadata]))[column.table.key]
        return f"{relative(inspect.getfile(model))}:{line_of(model, column.key)}"
    return None


def line_of(model: type, attribute: str) -> int:
    """Where the class sets the attribute; its own line, where it does not."""
    lines, first = inspect.getsourcelines(model)
    sets = re.compile(rf"\s*{re.escape(attribute)}\s*[:=]", re.IGNORECASE)
    return next((first + i for i, line in enumerate(lines) if attribute and sets.match(line)), first)


def mapped(many: Iterable[MetaData]) -> Iterator[tuple[str, type]]:
    """The class of each table that has one."""
    keys = {id(table): key for metadata in many for key, table in metadata.tables.items()}
    for module in list(sys.modules.values()):
        for value in list(getattr(module, "__dict__", {}).values()):
            if isinstance(value, type) and (table := value.__dict__.get("__table__")) is not None and id(table) in keys:
                yield keys[id(table)], value
