"""Migrations that no death in the middle leaves taken for done, or for not begun, and that nobody edits unseen.

The table ``alembic_journal`` has each revision's source as it was applied and, while a part of one may be committed
and the rest is not, the last statement that can't simply be run again.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext, MigrationInfo, RevisionStep
from alembic.util import CommandError
from sqlalchemy import event

from ..error_messages import full_message
from ..places import place
from ..settings import Limits
from .applied import TABLE, forget, look_back, row_of, stuck
from .confirm import ask
from .if_exists import MEANT
from .limits import attempts, in_the_way, is_transient, read_limits, set_limits, undo
from .lock import Lock, me, one_migrator

ANSWERS = ("yes", "resume", "edited")  # what a user says after -x; what else is there is env.py's


WORD = re.compile(r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(\w+)", re.DOTALL)


READS = {"SELECT", "SHOW", "SET", "DESCRIBE", "EXPLAIN", "PRAGMA", "SAVEPOINT", "RELEASE", "BEGIN"}


ROWS = {
    "INSERT",
    "UPDATE",
    "DELETE",
    "REPLACE",
    "WITH",
}  # where DDL has no transaction, all others commit


REPEATABLE = re.compile(
    r"\s*(?:CREATE\s+OR\s+REPLACE\b|(?:(?:CREATE|DROP)\s+(?!.*CONCURRENTLY\s+IF\s+NOT)(?:\w+\s+){1,3}?"  # keeps an invalid index
    r"|ALTER\s+TABLE\s+\S+\s+(?:ADD|DROP)\s+(?:\w+\s+){0,2}?(?!.*,\s*(?:ADD|DROP|MODIFY|CHANGE|RENAME)\b)"
    r")IF\s+(?:NOT\s+)?EXISTS\b)",
    re.IGNORECASE | re.DOTALL,
)


INDEX = re.compile(
    r"\s*(CREATE|DROP)\s+(?:UNIQUE\s+)?INDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+EXISTS\s+)?(\S+)",
    re.IGNORECASE,
)


def migrate(
    migration: MigrationContext, run: Callable[[], None], root: Path, flags: Mapping[str, str]
) -> None:
    """Do ``run`` while no other migrator does; ``flags`` are what the user typed after ``-x``, with the value of each."""
    connection, limits = migration.connection, read_limits(root)
    assert connection is not None
    for flag, value in flags.items():
        close = difflib.get_close_matches(flag, ANSWERS, 1, 0.8)
        if close and flag not in ANSWERS and not value:
            raise CommandError(f"-x {flag}: did you mean {close[0]}?")
    set_limits(connection, limits, me())
    with one_migrator(connection, limits) as lock:
        connection.execution_options(
            begin="BEGIN IMMEDIATE"
        )  # SQLite: wait for other writers now, not in the middle
        Journal(migration, connection, lock, limits, flags).run(run)


class Journal:
    def __init__(
        self,
        migration: MigrationContext,
        connection: sa.Connection,
        lock: Lock,
        limits: Limits,
        flags: Collection[str],
    ) -> None:
        self.migration, self.connection, self.lock, self.limits, self.flags = (
            migration,
            connection,
            lock,
            limits,
            flags,
        )
        self.step: RevisionStep | None = None  # the revision under way
        self.changes: list[str] = []  # its statements that can't be run again
        self.dropped: set[str] = set()  # indexes that it drops before it makes them
        self.half: dict[
            str, str
        ] = {}  # revisions to resume, and what is noted of them until they have gone through
        self.watching = self.counted = self.refused = (
            False  # of the last statement: is it one of the changes?
        )
        self.noted = 0  # how many of the changes may be committed
        self.committed = False  # is any statement of it, be it one of the changes or not?
        self.plan = migration._migrations_fn
        migration._migrations_fn = (
            self._steps
        )  # Alembic has a hook after each revision and none before
        migration.on_version_apply_callbacks = (
            *migration.on_version_apply_callbacks,
            self._applied,
        )
        event.listen(connection.engine, "do_execute", self._execute)
        event.listen(connection.engine, "do_executemany", self._execute_many)
        event.listen(connection, "commit", self._commit)

    def run(self, run: Callable[[], None]) -> None:
        """Run; begin again with the revision that met a lock or another transaction, if nothing of it is committed."""
        for last in attempts(self.limits.retry, lambda: self.name):
            try:
                return run()
            except sa.exc.DBAPIError as error:
                undo(self.connection)
                self.watching = False
                if self.refused and self.counted and not error.connection_invalidated:
                    # The last change was refused: what is to be repaired is what came before it.
                    self.noted -= 1
                    if done := self._last_done():
                        self._write(done)
                    else:
                        forget(self.connection, self.name)
                    self.connection.commit()
                if self.noted or last or not is_transient(error.orig):
                    where = (
                        f"{place(error, self.step.revision.path)}: "
                        if isinstance(self.step, RevisionStep)
                        else ""
                    )
                    cause = f"{where}{self.name} failed: {full_message(error)}"
                    if is_transient(error.orig):
                        sessions = (
                            in_the_way(self.connection, error.statement or "")
                            or "the server lists its sessions"
                        )
                        cause += f"; tried for {self.limits.retry:g} s: end what holds the lock ({sessions}),"
                        cause += " or raise retry or lock-timeout"
                    if statement := self._last_done():
                        cause = stuck(cause, statement)
                    elif self.committed:
                        cause += "; what it did before is done, and left out when it runs again: undo that before you edit it"
                    raise CommandError(cause) from error

    @property
    def name(self) -> str:
        return (
            self.step.revision.revision if isinstance(self.step, RevisionStep) else "the migration"
        )

    def _last_done(self) -> str | None:
        """The last of the revision's changes that may be committed, by this run or by the one that died."""
        half = self.half.get(self.name)
        if self.noted and half not in [change[:2000] for change in self.changes[self.noted :]]:
            return self.changes[self.noted - 1][:2000]
        return half

    # --- before and after each revision

    def _steps(self, heads: Any, migration: MigrationContext) -> Iterator[Any]:
        assert self.plan is not None
        steps: list[Any] = list(self.plan(heads, migration))
        down = [
            step.revision for step in steps if step.is_downgrade and isinstance(step, RevisionStep)
        ]
        if all(isinstance(step, RevisionStep) for step in steps):
            assert self.migration.script is not None
            self.half = look_back(
                self.connection, self.migration.script, self.flags, edits=not down
            )
            for revision in self.half.keys() - {step.revision.revision for step in steps}:
                forget(self.connection, revision)
        if down and "yes" not in self.flags:
            ask(down, self.connection.dialect.name)
            self.flags = {*self.flags, "yes"}  # another attempt does not ask again
        if steps:
            TABLE.create(self.connection, checkfirst=True)
        self.connection.commit()
        for step in steps:
            self.step, self.changes, self.dropped = step, [], set()
            self.watching, self.noted, self.refused = isinstance(step, RevisionStep), 0, False
            self.committed = False
            yield step

    def _applied(self, ctx: MigrationContext, step: MigrationInfo, **_: Any) -> None:
        """In the transaction that sets the version."""
        self.watching = False
        self.lock.confirm()
        if (
            step.is_stamp
        ):  # whoever stamps says where the database stands, and that it is as the files say
            self.connection.execute(TABLE.delete())
            assert self.migration.script is not None
            heads = ctx.get_current_heads()
            scripts = (
                self.migration.script.iterate_revisions(heads, None, implicit_base=True)
                if heads
                else ()
            )
            if rows := [row_of(script) for script in scripts]:
                self.connection.execute(TABLE.insert(), rows)
        elif step.is_upgrade:
            self._write()
        else:
            forget(self.connection, self.name)

    def _write(self, statement: str | None = None) -> None:
        assert isinstance(self.step, RevisionStep)
        forget(self.connection, self.name)
        self.connection.execute(
            TABLE.insert().values(**row_of(self.step.revision), statement=statement)
        )

    # --- statement by statement

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """For statements of our own."""
        self.watching, before = False, self.watching
        yield
        self.watching = before

    def _watch(self, sql: str, context: Any) -> str:
        """Note what could not be undone before it runs; say whether it "commits", changes "rows", or else ""."""
        sql = context.execution_options.get(MEANT, sql)
        word = match[1].upper() if (match := WORD.match(sql)) else ""
        ours = self.migration.version_table in sql
        if (
            not self.watching
            or context.root_connection is not self.connection
            or word in READS
            or ours
        ):
            return ""
        index = INDEX.match(sql)
        if index and index[1].upper() == "DROP":
            self.dropped.add(index[2])
        self.counted = not (REPEATABLE.match(sql) or (index and index[2] in self.dropped))
        self.changes += [sql] * self.counted
        autocommit = self.connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
        if autocommit or not (self.migration.impl.transactional_ddl or word in ROWS):
            with self._aside():
                self.lock.confirm()
            self._note()
            return "commits"
        return "rows" if word in ROWS else ""

    def _execute(self, cursor: Any, sql: str, parameters: Any, context: Any) -> bool:
        kind, dialect = self._watch(sql, context), context.dialect
        # Elsewhere a transaction is lost with its first failure.
        if not (kind == "commits" or (kind == "rows" and dialect.name in ("mysql", "mariadb"))):
            return False
        patient = dialect.name == "postgresql" and "CONCURRENTLY" in sql.upper()
        if patient:  # it holds nobody up while it waits, and would leave an invalid index
            cursor.execute("SET lock_timeout = 0")
        try:
            for last in attempts(self.limits.retry, lambda: self.name):
                try:
                    dialect.do_execute(cursor, sql, parameters, context)
                    self.committed |= kind == "commits"
                    return True
                except dialect.loaded_dbapi.Error as error:
                    deadlock = (
                        kind == "rows" and error.args[0] == 1213
                    )  # it undid the statements before this one, too
                    if last or deadlock or not is_transient(error):
                        self.refused = kind == "commits" and not patient
                        raise
        finally:
            if patient:
                with suppress(dialect.loaded_dbapi.Error):
                    cursor.execute(
                        f"SET lock_timeout = {math.ceil(self.limits.lock_timeout * 1000)}"
                    )
        return True

    def _execute_many(self, cursor: Any, sql: str, parameters: Any, context: Any) -> None:
        self._watch(sql, context)

    def _commit(self, _: sa.Connection) -> None:
        if self.watching:
            self._note()

    def _note(self) -> None:
        """From here on a part of the revision is committed, and can't be run again."""
        if not self.changes:
            return
        with self._aside():
            statement = self.changes[-1][:2000]
            if (
                self.noted or self.name in self.half
            ):  # in one statement: an autocommit block has no transaction
                where = TABLE.c.revision == self.name
                self.connection.execute(TABLE.update().where(where).values(statement=statement))
            else:
                self._write(statement)
        self.noted = len(self.changes)
