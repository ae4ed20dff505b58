"""The journal: which revisions are applied, their source, and which are applied only in part."""

import hashlib
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from .statements import INDEX

TABLES = {"alembic_journal", "alembic_lease"}  # those of the usual version table


def own_name(version_table: str, kind: str) -> str:
    """Return the name of the journal or lease of a version table; each history has its own."""
    return f"alembic_{kind}" if version_table == "alembic_version" else f"{version_table}_{kind}"


def own_tables(version_table: str = "alembic_version", schema: str | None = None) -> set[str]:
    """Return the tables of Alembic and the guard, which no comparison looks at."""
    names = {version_table, *TABLES, *(own_name(version_table, k) for k in ("journal", "lease"))}
    return names | {f"{schema}.{name}" for name in names if schema}


def journal_table(version_table: str = "alembic_version", schema: str | None = None) -> sa.Table:
    """Return the journal that belongs to a version table."""
    return sa.Table(
        own_name(version_table, "journal"),
        sa.MetaData(),
        sa.Column("revision", sa.String(255), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("source", sa.LargeBinary, nullable=False),
        sa.Column("statement", sa.Text),
        schema=schema,
    )


TABLE = journal_table()


def create_journal(connection: sa.Connection, table: sa.Table, scripts: ScriptDirectory) -> None:
    """Create the journal, and move rows that older versions wrote into that of another history."""
    inspector = sa.inspect(connection)
    if inspector.has_table(table.name, schema=table.schema):
        return
    table.create(connection)
    if (table.name, table.schema) != (TABLE.name, None) and inspector.has_table(TABLE.name):
        own = [script.revision for script in scripts.walk_revisions()]
        rows = connection.execute(sa.select(TABLE).where(TABLE.c.revision.in_(own))).mappings()
        if found := [dict(row) for row in rows]:
            connection.execute(table.insert(), found)
            connection.execute(TABLE.delete().where(TABLE.c.revision.in_(own)))


class Applied:
    """The rows of the journal, compared with the files of the migrations."""

    def __init__(
        self, connection: sa.Connection, scripts: ScriptDirectory, table: sa.Table = TABLE
    ) -> None:
        self.connection, self.scripts, self.table = connection, scripts, table
        self.files = {script.revision: script for script in scripts.walk_revisions()}
        self.rows: dict[str, tuple[str, str | None]] = {}
        self.obsolete: list[str] = []  # rows to delete, and rows to write again
        self.outdated: list[str] = []
        if sa.inspect(connection).has_table(table.name, schema=table.schema):
            columns = table.c.revision, table.c.digest, table.c.statement
            for revision, applied, statement in connection.execute(sa.select(*columns)):
                self.rows[revision] = applied, statement

    @property
    def half(self) -> dict[str, str]:
        """Return the revisions that are half applied, and what is noted of each."""
        return {name: text for name, (_, text) in self.rows.items() if text is not None}

    def check(self, flags: Collection[str] = (), edits: bool = True) -> None:
        """Raise CommandError if a revision is half applied, edited after it was applied, or gone.

        ``flags``: the answers after -x. ``edits``: whether to check edited and missing files.
        """
        if self.half and "resume" not in flags:
            revision, statement = next(iter(self.half.items()))
            raise CommandError(stuck(f"{revision} stopped in the middle", statement))
        if not edits:
            return
        changed = [
            revision
            for revision, (applied, statement) in self.rows.items()
            if statement is None
            and (revision not in self.files or digest(self.source(revision)) != applied)
        ]
        if changed:
            from .changed import Changed

            Changed(self).settle(changed, flags)

    def update(self) -> None:
        """Write the changes that check() accepted."""
        for revision in self.obsolete:
            self.forget(revision)
        for revision in self.outdated:
            same, row = self.table.c.revision == revision, row_of(self.files[revision])
            self.connection.execute(self.table.update().where(same).values(row))

    def forget(self, revision: str) -> None:
        self.connection.execute(self.table.delete().where(self.table.c.revision == revision))
        self.rows.pop(revision, None)

    def source(self, revision: str) -> bytes:
        return Path(self.files[revision].path).read_bytes()

    def never_ran(self, heads: Collection[str]) -> list[Any]:
        """Return the scripts up to ``heads`` that never ran here, the newest first.

        The journal notes each revision, so one after a noted one that is not noted never ran.
        """
        known = tuple(name for name in heads if name in self.files)
        if not known or not self.rows:
            return []
        up_to = list(self.scripts.iterate_revisions(known, "base"))
        after_noted: set[str] = set()
        for script in reversed(up_to):
            if set(script._all_down_revisions) & (after_noted | self.rows.keys()):
                after_noted.add(script.revision)
        names = after_noted - self.rows.keys()
        return [script for script in up_to if script.revision in names]


def row_of(script: Any) -> dict[str, Any]:
    """Return a row of the journal for a revision, from its file."""
    source = Path(script.path).read_bytes()
    return {"revision": script.revision, "digest": digest(source), "source": zlib.compress(source)}


def digest(source: bytes) -> str:
    return hashlib.sha256(source).hexdigest()


def stuck(what: str, statement: str) -> str:
    """Return what to do about a revision that is half applied."""
    statement = " ".join(statement.split())
    index = INDEX.match(statement)
    undo = "undo what the revision did so far"
    if index and index[1].upper() == "CREATE" and "CONCURRENTLY" in statement.upper():
        undo += f" (DROP INDEX CONCURRENTLY IF EXISTS {index[2]})"
    return (
        f"{what}; its last statement that can't be repeated: {statement[:160]}; {undo}, then run:"
        " alembic -x resume upgrade head (or: nox -s migrate -- --resume)"
    )


def journal_of(migration: MigrationContext) -> sa.Table:
    """Return the journal that belongs to the version table of ``migration``."""
    return journal_table(migration.version_table, migration.version_table_schema)
