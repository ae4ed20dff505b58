"""Watches each statement of a migration, and notes in the journal what can't be undone."""

import math
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext, RevisionStep
from sqlalchemy import event

from ..pyproject import Limits
from . import driver, statements
from .applied import journal_of, row_of
from .if_exists import IF_EXISTS_CLAUSE
from .limits import attempts, is_transient
from .lock import Lock
from .stopping import Stop

UNKNOWN = "(statements that only the driver saw)"


class Watch:
    """The statements of the running revision, and their note in the journal."""

    def __init__(
        self,
        migration: MigrationContext,
        connection: sa.Connection,
        lock: Lock,
        limits: Limits,
        flags: Collection[str],
        stop: Stop,
    ) -> None:
        assert migration.script is not None
        self.migration, self.connection, self.lock = migration, connection, lock
        self.limits, self.flags, self.stop = limits, flags, stop
        self.scripts = migration.script
        self.table = journal_of(migration)
        self.effects: Any = None
        self.half: dict[str, str] = {}  # revisions to resume, with what is noted of them
        self._begin(None)
        for name in ("do_execute", "do_executemany", "do_execute_no_params"):
            event.listen(connection.engine, name, self._listener(name))
        event.listen(connection, "commit", self._commit)
        stop.interrupt = self._interrupt

    def _begin(self, step: Any) -> None:
        """Forget the last revision; ``step`` is the new one."""
        self.step = step
        self.inside = False  # whether upgrade() or downgrade() runs, and not the guard's own code
        self.busy = False  # whether one of its statements runs
        self.changes: list[str] = []  # its statements that can't be run again
        self.dropped: set[str] = set()  # indexes that it drops before it creates them
        self.counted = False  # whether the last statement is one of the changes
        self.refused = False  # whether the server refused it as a whole
        self.noted = 0  # how many of the changes may be committed
        self.note = ""  # "": not written; "open": in the transaction; "kept": committed
        self.unsure = False  # whether the migration may have ended a transaction since
        self.committed = False  # whether any statement is committed
        self.effects = None  # what the database answers about names in statements

    @property
    def name(self) -> str:
        revision = isinstance(self.step, RevisionStep)
        return self.step.revision.revision if revision else "the migration"

    # --- the note

    def _write(self, statement: str | None) -> None:
        assert is_revision(self.step)
        self._forget()
        row = row_of(self.step.revision)
        self.connection.execute(self.table.insert().values(**row, statement=statement))

    def _forget(self) -> None:
        self.connection.execute(self.table.delete().where(self.table.c.revision == self.name))

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Run statements of our own."""
        before, self.inside = self.inside, False
        try:
            yield
        finally:
            self.inside = before

    def _make_sure(self) -> None:
        """Ensure that the note is in the transaction or committed."""
        with self._aside():
            ended = not driver.in_transaction(self.dbapi)
            if self.note == "open" and (self.unsure or ended):
                same = self.table.c.revision == self.name
                found = self.connection.scalar(sa.select(self.table.c.statement).where(same))
                if found is None:
                    self.note = ""
                elif ended:
                    self.note = "kept"
            self.unsure = False
            if not self.note:
                self._write(self.changes[-1][:2000] if self.changes else UNKNOWN)
                self.note = "kept" if driver.commits_each(self.dbapi) else "open"

    def _make_last(self, sql: str) -> None:
        """Ensure that the note is committed when the statement runs, and names the statement."""
        with self._aside():
            self.lock.confirm()
            self._describe()
            if statements.first_word(sql) not in statements.COMMITS_FIRST:
                self.dbapi.commit()
                self.note = "kept"

    def _describe(self) -> None:
        """Name the last of the changes in the note."""
        if self.changes and len(self.changes) != self.noted:
            with self._aside():
                same = self.table.c.revision == self.name
                values = {"statement": self.changes[-1][:2000]}
                self.connection.execute(self.table.update().where(same).values(values))
            self.noted = len(self.changes)

    @property
    def dbapi(self) -> Any:
        return self.connection.connection.dbapi_connection

    def _in_one(self) -> bool:
        """Return whether a rollback undoes all that the revision does."""
        return bool(self.migration.impl.transactional_ddl)

    # --- statement by statement

    def _before(self, sql: str) -> str:
        """Note what could not be undone. Return "commits", "rows" (undone by a rollback) or ""."""
        if self.stop.at_once:
            raise KeyboardInterrupt
        dbapi = self.dbapi
        self.counted = self.refused = False
        if statements.CONTROL.match(sql):
            if self.note and driver.status(dbapi) != driver.IN_ERROR:
                self._describe()
            self.unsure = True
            return ""
        with self._aside():
            index = statements.INDEX.match(sql)
            if index and index[1].upper() == "DROP":
                self.dropped.add(index[2])
            repeatable = statements.REPEATABLE.match(sql) or (index and index[2] in self.dropped)
            alone = driver.commits_each(dbapi)
            in_one = self._in_one() and not alone
            asks = not in_one and self.connection.dialect.name != "sqlite"
            harmless = statements.reads_only(sql) and not (asks and self._effects().writes(sql))
            rows = not (in_one or alone) and statements.first_word(sql) in statements.ROWS
            rows = rows and not (asks and self._effects().lasts(sql))
        if harmless:
            return ""
        # A text with several statements that rolls back would also undo the note.
        undone = (in_one or rows) and not (
            statements.is_several(sql) and statements.UNDOES.search(sql)
        )
        if not repeatable:
            self.counted = True
            self.changes.append(sql)
            self._make_sure()
            if not undone:
                self._make_last(sql)
        if statements.MAY_END.search(sql) and driver.status(dbapi) != driver.IN_ERROR:
            if self.note:
                self._describe()
            self.unsure = True
        return "" if in_one else "rows" if rows else "commits"

    def _effects(self) -> Any:
        from .effects import Effects

        self.effects = self.effects or Effects(self.connection)
        return self.effects

    @contextmanager
    def _around(self, sql: str) -> Iterator[None]:
        """Watch a statement that the migration runs on the driver's own cursor."""
        if not self.inside or self.busy:
            yield
            return
        self.unsure = True  # the driver may have ended a transaction itself
        kind = self._before(sql)
        self.busy = True
        try:
            yield
            self.committed |= kind == "commits"
        finally:
            self.busy = False

    def _execute(self, sql: str, context: Any, execute: Callable[[], None], cursor: Any) -> bool:
        """Run a statement of SQLAlchemy's; return whether it was run here."""
        if not self.inside or self.busy or context.root_connection is not self.connection:
            return False
        sql = context.execution_options.get(IF_EXISTS_CLAUSE, sql)
        kind = self._before(sql)
        whole = statements.is_all_or_nothing(sql)
        dbapi_error = context.dialect.loaded_dbapi.Error
        named = "CONCURRENTLY" in sql.upper() and not statements.reads_only(sql)
        patient = named and context.dialect.name == "postgresql"
        # It blocks nobody while it waits, and a timeout would leave an invalid index.
        if patient and not self.limits.lease_only:
            cursor.execute("SET lock_timeout = 0")
        # Elsewhere a transaction is lost with its first failure.
        retry = whole and (kind == "commits" or (kind == "rows" and not self._in_one()))
        seconds = self.limits.retry if retry else 0
        self.busy = True
        try:
            for last in attempts(seconds, lambda: self.name, lambda: bool(self.stop)):
                try:
                    execute()
                    self.committed |= kind == "commits"
                    return True
                except dbapi_error as error:
                    # A deadlock undid the statements before this one, too.
                    deadlock = kind == "rows" and error.args[:1] == (1213,)
                    if last or deadlock or not is_transient(error):
                        undone = whole or statements.was_not_parsed(sql, error)
                        self.refused = kind == "commits" and undone and not patient
                        raise
        finally:
            self.busy = False
            if patient and not self.limits.lease_only:
                with suppress(dbapi_error):
                    cursor.execute(
                        f"SET lock_timeout = {math.ceil(self.limits.lock_timeout * 1000)}"
                    )
        return True

    def _listener(self, name: str) -> Callable[..., bool]:
        """Return what SQLAlchemy calls in place of this method of the dialect."""

        def listen(cursor: Any, sql: str, *rest: Any) -> bool:
            context = rest[-1]
            method = getattr(context.dialect, name)
            return self._execute(sql, context, lambda: method(cursor, sql, *rest), cursor)

        return listen

    def _commit(self, _: sa.Connection) -> None:
        """Update the note before SQLAlchemy commits a part of the revision."""
        if not self.inside:
            return
        if self.note == "open" and not self.changes:
            with self._aside():  # only what can be run again
                self._forget()
            self.note = ""
        elif self.note:
            self._describe()

    def _interrupt(self) -> bool:
        """Interrupt the running statement; return False if an exception has to stop it."""
        dbapi = self.dbapi
        if not self.busy:
            return False
        if hasattr(dbapi, "interrupt"):  # SQLite
            dbapi.interrupt()
            return True
        if hasattr(dbapi, "thread_id"):  # PyMySQL
            with self.connection.engine.connect() as other:
                other.exec_driver_sql(f"KILL QUERY {dbapi.thread_id()}")
            return True
        return False  # psycopg cancels its statement


def is_revision(step: Any) -> bool:
    return isinstance(step, RevisionStep)
