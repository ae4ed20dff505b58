"""Runs migrations so that nothing is applied twice, and a half applied revision is reported.

The journal has the source of each revision as it was applied. While a part of a revision may be
committed and the rest is not, it also has the last statement that can't simply be run again: the
note. Where DDL is transactional, the note is the first statement of the revision's own transaction,
so that it is exactly as durable as the work. Elsewhere it is committed before the first statement
that a rollback would not undo. It is looked up again after a transaction that the migration ended.
"""

import difflib
import logging
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.util import CommandError

from ..output import printable
from . import driver
from .applied import Applied, create_journal, row_of
from .connecting import refuse_pooler
from .limits import attempts, read_limits
from .lock import me, one_migrator
from .locks import lock_for
from .stopping import log, stoppable
from .watch import Watch, is_revision

ANSWERS = ("yes", "resume", "edited")  # what a user may answer after -x; the rest is env.py's


def escape(record: logging.LogRecord) -> bool:
    """Escape the control characters in a line of Alembic's log, which has a migration's message."""
    record.msg, record.args = printable(record.getMessage()), ()
    return True


logging.getLogger("alembic.runtime.migration").addFilter(escape)


def migrate(
    migration: MigrationContext, run: Callable[[], None], root: Path, flags: Mapping[str, str]
) -> None:
    """Call ``run`` while no other migrator runs, inside ``connect()``. Raises CommandError.

    ``flags`` are what the user typed after ``-x``, with the value of each.
    """
    connection, limits = migration.connection, read_limits(root)
    assert connection is not None
    for flag, value in flags.items():
        close = difflib.get_close_matches(flag, ANSWERS, 1, 0.8)
        if close and flag not in ANSWERS and not value:
            raise CommandError(f"-x {flag}: did you mean {close[0]}?")
    history = migration.version_table, migration.version_table_schema
    with stoppable(limits.stop_grace_period) as stop:
        try:
            if connection.dialect.name != "sqlite":
                from .session import set_limits

                if not limits.lease_only:
                    refuse_pooler(connection)
                set_limits(connection, limits, me())
            lock = lock_for(connection, limits, *history)
            with one_migrator(connection, limits, lock, stop):
                # SQLite: wait for other writers now, not in the middle.
                connection.execution_options(begin="BEGIN IMMEDIATE")
                journal = Journal(migration, connection, lock, limits, flags, stop)
                journal.hook()
                journal.run(run)
        except KeyboardInterrupt:
            raise CommandError(f"{stop.signal}: stopped at once") from None


class Journal(Watch):
    """Runs the revisions and notes each one before and after."""

    def hook(self) -> None:
        """Replace Alembic's source of revisions, and add a callback for applied ones."""
        migration = self.migration
        self.plan = migration._migrations_fn
        # Alembic has a hook after each revision and none before.
        migration._migrations_fn = self._steps
        migration.on_version_apply_callbacks = (
            *migration.on_version_apply_callbacks,
            self._applied,
        )

    def run(self, run: Callable[[], None]) -> None:
        """Call ``run``; repeat a revision that met a lock, if nothing of it is committed."""
        for last in attempts(self.limits.retry, lambda: self.name, lambda: bool(self.stop)):
            try:
                return run()
            except CommandError:
                raise
            except (Exception, KeyboardInterrupt) as error:
                from .failure import settle

                settle(self, error, last)

    # --- before and after each revision

    def _steps(self, heads: Any, migration: MigrationContext) -> Iterator[Any]:
        assert self.plan is not None
        steps: list[Any] = list(self.plan(heads, migration))
        down = [each.revision for each in steps if each.is_downgrade and is_revision(each)]
        if steps:
            with self._aside():
                create_journal(self.connection, self.table, self.scripts)
        applied = Applied(self.connection, self.scripts, self.table)
        missing = applied.never_ran(heads)
        never_ran = ""
        if missing:
            from .changed import never_ran_message

            never_ran = never_ran_message(missing)
        if all(map(is_revision, steps)):
            applied.check(self.flags, edits=not down)
            applied.update()
            self.half = applied.half
            left = [script for script in missing if script not in down]
            if left:
                raise CommandError(never_ran)
            for revision in self.half.keys() - {step.revision.revision for step in steps}:
                self._settle_left_over(applied, revision, heads)
        elif missing:
            log.warning("%s", never_ran)
        if down and "yes" not in self.flags:
            from .confirm import ask

            ask([each for each in down if each not in missing], self.connection.dialect.name)
            self.flags = {*self.flags, "yes"}  # another attempt does not ask again
        self.connection.commit()
        for step in steps:
            if self.stop:
                at = " and ".join(migration.get_current_heads()) or "base"
                self.connection.rollback()
                number = len(steps) - steps.index(step)
                raise CommandError(
                    f"{self.stop.signal}: stopped. The database is at {at}, and {number}"
                    f" revision{'s are' if number > 1 else ' is'} left to run"
                )
            self._begin(step)
            if is_revision(step):
                skip = step.is_downgrade and step.revision in missing
                step.migration_fn = self._guarded(step.migration_fn, skip)
            yield step

    def _settle_left_over(self, applied: Applied, revision: str, heads: Any) -> None:
        """Remove a note that the user answered with -x resume, of a revision that does not run."""
        applied_now = {each.revision for each in self.scripts.iterate_revisions(heads, "base")}
        if revision in applied_now:
            same = self.table.c.revision == revision
            self.connection.execute(self.table.update().where(same).values(statement=None))
        else:
            applied.forget(revision)

    def _guarded(self, function: Callable[..., None], skip: bool) -> Callable[..., None]:
        """Return what runs in place of upgrade() or downgrade(): the same, with the note."""

        @wraps(function)
        def run(**options: Any) -> None:
            if skip:
                log.info("%s never ran here: its downgrade() is left out", self.name)
                return
            driver.watch(self.dbapi, self._around)
            if hasattr(self.dbapi, "set_progress_handler"):  # SQLite: let signals be handled
                self.dbapi.set_progress_handler(lambda: 0, 100_000)
            self.note = "kept" if self.name in self.half else ""
            if self.migration.impl.transactional_ddl:
                self._make_sure()
            self.inside = True
            try:
                function(**options)
            finally:
                self.inside = False

        return run

    def _applied(self, ctx: MigrationContext, step: MigrationInfo, **_: Any) -> None:
        """Note that the revision is applied, in the transaction that sets the version."""
        self.inside = False
        self.lock.confirm()
        if step.is_stamp:  # the user states that the database is at this revision of the files
            self.connection.execute(self.table.delete())
            heads = ctx.get_current_heads()
            scripts = self.scripts.iterate_revisions(heads, "base") if heads else ()
            if rows := [row_of(script) for script in scripts]:
                self.connection.execute(self.table.insert(), rows)
        elif step.is_upgrade:
            self._write(None)
        else:
            self._forget()
