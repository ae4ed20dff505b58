"""Every revision up, down and up again, on a scratch database with rows."""

from collections.abc import Callable, Set
from textwrap import shorten
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script

from ..finding import Finding
from ..settings import Settings
from .progress import Progress
from .roundtrip_findings import ENDLESS, EndlessError, RoundtripFindings
from .rows import Rows
from .schema.objects import Changes
from .schema.snapshots import snapshot_of
from .scratch import find_url, scratch_database
from .stepping import RolledBack, Stepper, plan_of, read_scripts, run_env

Revisions = Set[str | None] | None


def check_roundtrip(
    config: Config,
    settings: Settings,
    url: str | None,
    selected: Revisions = None,
    keep: bool = False,
    new: Revisions = None,
    progress: bool = True,
    rows: bool = True,
) -> list[Finding]:
    """Run the history up and down, and return the findings. Raises CannotCheck.

    Those before the ``selected`` revisions (None: all) are applied at once. ``keep`` stops at the
    first finding and keeps its database. ``new`` are the revisions that are not deployed (None: any
    may be). ``progress`` shows a bar. Without ``rows`` the tables are empty.
    """
    server = find_url(settings.root, url)
    scripts = read_scripts(config)
    findings: list[Finding] = []
    bar = Progress(progress, selected is None)
    start: int | None = 0
    exact = False

    def work(context: MigrationContext) -> None:
        nonlocal start, exact
        run = Roundtrip(context, Stepper(context, scripts), settings, new, rows, exact)
        run.report.found = findings
        start = run.run(selected, start or 0, keep, bar)
        if not exact and run.missed():  # run again, and read everything at each step
            start, exact = 0, True
            findings.clear()

    while start is not None:  # after a failure it continues in a new database
        with scratch_database(server, lambda: keep and bool(findings)) as engine:
            run_env(config, scripts, engine, work)
    bar.finish()
    return findings


class Roundtrip:
    """One pass over the history in one scratch database."""

    def __init__(
        self,
        context: MigrationContext,
        stepper: Stepper,
        settings: Settings,
        pending: Revisions,
        rows: bool,
        exact: bool = False,
    ) -> None:
        assert context.connection is not None
        self.connection = context.connection
        self.stepper, self.pending = stepper, pending
        self.snapshot = snapshot_of(context.connection, [context.version_table], exact)
        self.version_table = context.version_table
        self.rows = Rows(self.snapshot) if rows else None
        self.report = RoundtripFindings(settings.root, self.rows, context.dialect.name)
        self.statements: list[str] = []
        self.complete = False  # whether it came to the end of the history
        self.ran = False  # whether the last step ran any statement
        sa.event.listen(self.connection.engine, "before_cursor_execute", self.note)

    def note(self, _c: Any, _u: Any, statement: str, _p: Any, _x: Any, _m: bool) -> None:
        self.statements.append(statement)
        if len(self.statements) > ENDLESS:
            raise EndlessError(statement)

    def run(self, selected: Revisions, start: int, keep: bool, bar: Progress) -> int | None:
        """Go through the history; return the index at which to continue in a new database."""
        plan = plan_of(self.stepper.scripts)
        chosen = [
            index
            for index, script in enumerate(plan)
            if index >= start and (selected is None or script.revision in selected)
        ]
        if not chosen:
            return None
        for script in plan[: chosen[0]]:
            if not self.step(script, "upgrade", first=True):
                return None
        self.snapshot.refresh(everything=True)
        self.snapshot.written = set(self.snapshot.tables)
        self.fill(plan[max(chosen[0] - 1, 0)], refresh=False)
        total = chosen[-1] + 1 - chosen[0]
        for index in range(chosen[0], chosen[-1] + 1):
            script = plan[index]
            bar.show(index - chosen[0], total, script.revision)
            if index in chosen:
                clean = self.revision(script)
            else:
                clean = self.step(script, "upgrade")
                self.fill(script)
            if keep and self.report.found:
                return None
            if not clean:
                return index + 1
        bar.show(1, 1, "")
        self.complete = True
        return None

    def missed(self) -> bool:
        """Return whether something changed that no step seemed to touch."""
        return self.complete and bool(self.snapshot.refresh(everything=True))

    def revision(self, script: Script) -> bool:
        """Run a revision up, down and up; return False if the database can't be used further."""
        if not self.step(script, "upgrade"):
            return False
        number = len(self.report.found)
        if not reason(script, "irreversible"):
            done = self.step(script, "downgrade", lambda: self.compare(script))
            found = len(self.report.found) > number
            if found and not self.stepper.atomic:  # a part of it stays, unless it did nothing
                if not done or self.ran:
                    return False
                self.stepper.stamp(script)
            if found:
                self.snapshot.step_undone()
            elif not self.step(script, "upgrade", again=True):
                return False
        self.fill(script)
        return True

    def compare(self, script: Script) -> None:
        """Report what differs from before the upgrade, before the downgrade is committed."""
        number = len(self.report.found)
        changes = self.snapshot.refresh()
        self.report.compare_schema(script, changes, empty=not self.ran)
        if self.rows and not reason(script, "lossy"):
            self.report.compare_rows(script, self.snapshot.written, self.rows.maker.added)
        if len(self.report.found) > number and self.stepper.atomic:
            raise RolledBack

    def step(
        self,
        script: Script,
        function: str,
        compare: Callable[[], None] | None = None,
        again: bool = False,
        first: bool = False,
    ) -> bool:
        """Run one function; return False if it failed, with a finding."""

        def before_commit() -> None:
            self.ran = any(
                self.version_table not in text and text != "BEGIN" for text in self.statements
            )
            self.snapshot.note(self.statements, self.stepper.atomic)
            if compare:
                compare()

        self.statements.clear()
        try:
            self.stepper.step(script, function, None if first else before_commit)
        except RolledBack:
            pass
        except Exception as error:
            known = any(found.revision == script.revision for found in self.report.found)
            if not first or not known:
                changes = self.to_undo() if function == "downgrade" else {}
                self.report.failed(script, function, error, again, changes)
            return False
        return True

    def to_undo(self) -> Changes:
        """Return what the upgrade changed, if the downgrade that failed was rolled back."""
        if not self.stepper.atomic:
            return {}
        changes = self.snapshot.refresh()
        self.snapshot.apply({key: pair[::-1] for key, pair in changes.items()})  # for fill()
        return changes

    def fill(self, script: Script, refresh: bool = True) -> None:
        """Read what the steps changed, and insert rows there for the next revisions.

        If a revision changed only rows, they stay as they are, because the next revision may
        constrain what it filled.
        """
        changes = self.snapshot.refresh() if refresh else {}
        if self.rows is None:
            self.connection.commit()
            return
        if self.pending is None or script.revision in self.pending:
            self.rows.maker.added |= added_columns(changes)
        tables = self.snapshot.written
        self.rows.revision = script.revision
        known = set(self.rows.refused)
        self.rows.remember(tables)
        changed = {item.table for _, item in changes.values() if item} if refresh else tables
        filled = {table for table in tables if table in changed or not self.rows.known.get(table)}
        if any(
            gone and gone.properties.keys() - (item.properties if item else {})
            for gone, item in changes.values()
        ):
            filled |= self.snapshot.triggered  # their triggers may use what was dropped
        self.rows.fill(filled)
        self.connection.commit()
        self.report_rows(script, self.rows, known)

    def report_rows(self, script: Script, rows: Rows, known: set[str]) -> None:
        """Report the tables that accept no rows, except those that were ``known`` before."""
        for table, why in rows.broken.items():
            message = (
                f"Table {table} accepts no more rows after upgrade(), because one of its triggers"
                f" uses what was dropped: {shorten(why, 300, placeholder=' ...')}"
            )
            fix = "Drop or replace the trigger in the same revision."
            self.report.add(script, "upgrade-fails", "upgrade", message, fix)
        rows.broken.clear()
        for table in sorted(rows.refused.keys() - known):
            message = (
                f"No row can be inserted into table {table}, so what migrations do to its rows is"
                f" not checked: {rows.refused[table]}."
            )
            self.report.add(script, "table-without-rows", "upgrade", message)


def added_columns(changes: Changes) -> set[tuple[str, str]]:
    """Return the columns that were added to existing tables, each with its table."""
    return {
        (item.table, prop.partition(" ")[2].lower())
        for gone, item in changes.values()
        if gone and item and item.table
        for prop in item.properties.keys() - gone.properties.keys()
        if prop.startswith("column ")
    }


def reason(script: Script, name: str) -> str:
    return getattr(script.module, name, None) or ""
