"""Revisions whose file was edited, removed or inserted after later ones were applied."""

import zlib
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from alembic.util import CommandError, to_tuple

from ..error_messages import lost
from ..places import relative
from ..source import decode, parents_in, upgrade_meaning
from .confirm import is_deployed


class Changed:
    def __init__(self, applied: Any) -> None:
        self.applied, self.files = applied, applied.files

    def settle(self, changed: list[str], flags: Collection[str]) -> None:
        """Raise CommandError for the first change that is not allowed; remember the others.

        A change is allowed if upgrade() stays the same, and for a squash: one file with the
        identifier of the last squashed revision and no parent, in place of all before it.
        """
        here = [name for name in changed if name in self.files]
        squashes = [name for name in here if self.is_squash(name)]
        replaced = self.before(squashes)
        for name in changed:
            if name not in self.files and name not in replaced and "edited" not in flags:
                raise CommandError(
                    f"{lost(name)} (or, if it is undone: alembic -x edited upgrade head)"
                )
        edited = [
            name
            for name in here
            if name not in squashes
            and "edited" not in flags
            and self.work(self.stored(name)) != self.work(self.applied.source(name))
        ]
        if edited:
            raise CommandError(edited_message([self.files[name] for name in edited]))
        self.applied.obsolete = [name for name in changed if name not in self.files]
        self.applied.outdated = squashes if "edited" not in flags else here

    def stored(self, revision: str) -> bytes:
        """Return the source of a revision as it was applied."""
        table = self.applied.table
        select = sa.select(table.c.source).where(table.c.revision == revision)
        content: bytes = self.applied.connection.scalars(select).one()
        return zlib.decompress(content)

    @staticmethod
    def work(source: bytes) -> str:
        return upgrade_meaning(decode(source))

    def is_squash(self, revision: str) -> bool:
        """Return whether the file now replaces its revision and all before it."""
        if self.files[revision].down_revision is not None:
            return False
        parents = parents_in(self.stored(revision))
        return bool(parents) and not any(each in self.files for each in parents)

    def before(self, revisions: list[str]) -> set[str]:
        """Return the applied revisions before these that have no file now."""
        gone = self.applied.rows.keys() - self.files.keys()
        found: set[str] = set()
        while revisions:
            parents = {parent for each in revisions for parent in parents_in(self.stored(each))}
            revisions = list(parents & gone - found)
            found.update(revisions)
        return found


def edited_message(scripts: list[Any]) -> str:
    """Return what to do about files that were edited after they were applied."""
    names = ", ".join(sorted(relative(script.path) for script in scripts))
    were = "was edited after it was" if len(scripts) == 1 else "were edited after they were"
    message = f"{names} {were} applied"
    if is_deployed(scripts) is False:
        parents = {parent for script in scripts for parent in to_tuple(script.down_revision, ())}
        oldest = parents - {script.revision for script in scripts}
        message += (
            f"; it is not deployed: alembic downgrade {min(oldest, default='base')}, then"
            " alembic upgrade head (if downgrade() no longer undoes what was applied, create the"
            " database again)"
        )
    else:
        message += "; restore what was applied and write a new migration"
    return (
        f"{message}; or, if the database is as the files describe: alembic -x edited upgrade head"
    )


def never_ran_message(scripts: list[Any]) -> str:
    """Return what to do about revisions below the current one that never ran here."""
    names = ", ".join(script.revision for script in reversed(scripts))
    parent = next(iter(to_tuple(scripts[-1].down_revision, ())), "base")
    return (
        f"{names} never ran on this database, and a later revision did (a rebase?): run alembic -x"
        f" yes downgrade {parent}, then alembic upgrade head; or, if the database is as the files"
        " describe: alembic stamp <its revision>"
    )
