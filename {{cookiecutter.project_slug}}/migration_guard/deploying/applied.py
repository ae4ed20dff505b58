"""The table alembic_journal: what is applied, and from which source."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from ..error_messages import lost
from ..places import relative

TABLES = {"alembic_journal", "alembic_lease"}  # autogenerate must not see them


TABLE = sa.Table(
    "alembic_journal",
    sa.MetaData(),
    sa.Column("revision", sa.String(255), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("source", sa.LargeBinary, nullable=False),
    sa.Column("statement", sa.Text),
)


def look_back(
    connection: sa.Connection,
    scripts: ScriptDirectory,
    flags: Collection[str] = (),
    edits: bool = True,
) -> dict[str, str]:
    """Raise if a revision is half applied, or if one that is applied was edited or is gone; ``flags`` let it be.

    Return the statements noted of the revisions that are half applied.
    """
    if not sa.inspect(connection).has_table(TABLE.name):
        return {}
    files = {script.revision: Path(script.path) for script in scripts.walk_revisions()}
    journal = connection.execute(
        sa.select(TABLE.c.revision, TABLE.c.digest, TABLE.c.statement)
    ).all()
    edited = []
    for revision, applied, statement in journal:
        if statement is not None:
            if "resume" not in flags:
                raise CommandError(stuck(f"{revision} died in the middle", statement))
        elif edits and revision not in files:
            if "edited" not in flags:
                raise CommandError(
                    f"{lost(revision)} (or, if it is undone: alembic -x edited upgrade head)"
                )
            forget(connection, revision)
        elif edits and digest(source := files[revision].read_bytes()) != applied:
            from ..source import meaning

            was = connection.scalars(
                sa.select(TABLE.c.source).where(TABLE.c.revision == revision)
            ).one()
            if "edited" in flags:
                as_now = {"digest": digest(source), "source": zlib.compress(source)}
                connection.execute(
                    TABLE.update().where(TABLE.c.revision == revision).values(as_now)
                )
            elif meaning(zlib.decompress(was).decode()) != meaning(source.decode()):
                edited.append(relative(files[revision]))
    if edited:
        one = len(edited) == 1
        raise CommandError(
            f"{', '.join(sorted(edited))} {'was edited after it was' if one else 'were edited after they were'} applied:"
            f" restore {'it' if one else 'them'} and write a new migration"
            f" (or, if the database is as {'it says' if one else 'they say'} now: alembic -x edited upgrade head)"
        )
    return {revision: statement for revision, _, statement in journal if statement is not None}


def row_of(script: Any) -> dict[str, Any]:
    """A revision as its file says it now."""
    source = Path(script.path).read_bytes()
    return {"revision": script.revision, "digest": digest(source), "source": zlib.compress(source)}


def forget(connection: sa.Connection, revision: str) -> None:
    connection.execute(TABLE.delete().where(TABLE.c.revision == revision))


def digest(source: bytes) -> str:
    return hashlib.sha256(source).hexdigest()


def stuck(what: str, statement: str) -> str:
    statement = " ".join(statement.split())
    return (
        f"{what}; its last statement that can't be repeated: {statement[:160]}; undo what of the revision is"
        " done, by hand, then go on: alembic -x resume upgrade head (or: nox -s migrate -- --resume)"
    )
