"""The file and line of something in the project."""

import inspect
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Column, ForeignKey, MetaData, Table
from sqlalchemy.exc import NoReferenceError


def place(error: BaseException, path: str | None = None) -> str:
    """Return the file and line where the error was raised.

    It is the last one in ``path``, or else the last one that is in no library.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{relative(error.filename)}:{error.lineno}"
    key = foreign_key(error) if isinstance(error, NoReferenceError) else None
    if key is not None and (found := place_of(key.parent)):
        return found
    guard = str(Path(__file__).parent)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == path] or [
        frame
        for frame in frames
        if "site-packages" not in frame.filename and not frame.filename.startswith(("<", guard))
    ]
    return f"{relative(own[-1].filename)}:{own[-1].lineno}" if own else "alembic"


def relative(path: str | Path, root: Path | None = None) -> str:
    """Return the path as reports show it: relative to the project's folder if it is in there."""
    found, root = Path(path).resolve(), (root or Path.cwd()).resolve()
    return found.relative_to(root).as_posix() if found.is_relative_to(root) else str(found)


def foreign_key(error: NoReferenceError) -> ForeignKey | None:
    """Return the models' foreign key whose target does not exist."""
    owners = [frame.f_locals.get("self") for frame, _ in traceback.walk_tb(error.__traceback__)]
    return next((owner for owner in owners if isinstance(owner, ForeignKey)), None)


def place_of(column: Column[Any]) -> str | None:
    """Return the file and line of the column in the class of its table."""
    with suppress(KeyError, OSError):  # a table without a class, a class without a file
        model = dict(mapped([column.table.metadata]))[column.table]
        return f"{relative(inspect.getfile(model))}:{line_of(model, column.key)}"
    return None


def line_of(model: type, attribute: str) -> int:
    """Return the line where the class sets the attribute, or else the line of the class."""
    lines, first = inspect.getsourcelines(model)
    sets = re.compile(rf"\s*{re.escape(attribute)}\s*[:=]", re.IGNORECASE)
    found = (number for number, line in enumerate(lines, first) if sets.match(line))
    return next(found, first) if attribute else first


def mapped(many: Iterable[MetaData]) -> Iterator[tuple[Table, type]]:
    """Yield each table that has a class, and the class."""
    tables = {id(table) for metadata in many for table in metadata.tables.values()}
    for module in list(sys.modules.values()):
        for value in list(getattr(module, "__dict__", {}).values()):
            table = value.__dict__.get("__table__") if isinstance(value, type) else None
            if table is not None and id(table) in tables:
                yield table, value
