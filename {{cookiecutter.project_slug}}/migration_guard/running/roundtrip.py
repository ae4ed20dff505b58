"""Every revision up, down and up again, on a scratch database with rows."""

from __future__ import annotations

from collections.abc import Callable
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
from .selection import pending, select
from .stepping import RolledBack, Stepper, plan_of, read_scripts, run_env


def check_roundtrip(
    config: Config,
    settings: Settings,
    url: str | None,
    since: str | None = None,
    only: str | None = None,
    keep: bool = False,
    against: str | None = None,
    progress: bool = True,
    rows: bool = True,
) -> list[Finding]:
    """Run the history up and down, and return the findings. Raises CannotCheck.

    ``since`` a git ref, or ``only`` one revision: what comes before is applied at once. ``keep``
    stops at the first finding and leaves its database there. ``against`` is the ref that is
    deployed. ``progress`` draws a bar. Without ``rows`` the tables are empty.
    """
    server = find_url(settings.root, url)
    scripts = read_scripts(config)
    findings: list[Finding] = []
    selected = select(scripts, settings, since, only)
    new = pending(scripts, settings, against)
    bar = Progress(progress, selected is None)
    start: int | None = 0
    exact = False

    def work(context: MigrationContext) -> None:
        nonlocal start, exact
        run = Roundtrip(context, Stepper(context, scripts), settings, new, rows, exact)
        run.report.found = findings
        start = run.run(selected, start or 0, keep, bar)
        if not exact and run.missed():  # once more, and slowly
            start, exact = 0, True
            findings.clear()

    while start is not None:  # again, in a new database, where the old one is not what it should be
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
        pending: set[str] | None,
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
        self.complete = False  # has it come to the end of the history?
        self.ran = False  # did the last step run any statement?
        sa.event.listen(self.connection.engine, "before_cursor_execute", self.note)

    def note(self, _c: Any, _u: Any, statement: str, _p: Any, _x: Any, _m: bool) -> None:
        self.statements.append(statement)
        if len(self.statements) > ENDLESS:
            raise EndlessError(statement)

    def run(self, selected: set[str] | None, start: int, keep: bool, bar: Progress) -> int | None:
        """Go through the history; return the index from which to go on in a new database."""
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
        """Did something change that no step was seen to touch?"""
        return self.complete and bool(self.snapshot.refresh(everything=True))

    def revision(self, script: Script) -> bool:
        """Up, down and up; False: the database is not what it should be after it."""
        if not self.step(script, "upgrade"):
            return False
        number = len(self.report.found)
        if not reason(script, "irreversible"):
            done = self.step(script, "downgrade", lambda: self.compare(script))
            found = len(self.report.found) > number
            if found and not self.stepper.atomic:  # something is left of it, unless it did nothing
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
        """Before a downgrade is committed: is everything as it was before the upgrade?"""
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
        """Run one function; False: it failed, and that is a finding."""

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
                self.report.failed(script, function, error, again)
            return False
        return True

    def fill(self, script: Script, refresh: bool = True) -> None:
        """Read what the steps changed, and put rows into it for the next revisions.

        Where a revision changed rows alone, they stay as they are: the next one may constrain what
        it filled.
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
            filled |= self.snapshot.triggered  # whose triggers may use what is gone
        self.rows.fill(filled)
        self.connection.commit()
        self.report_rows(script, self.rows, known)

    def report_rows(self, script: Script, rows: Rows, known: set[str]) -> None:
        """Report the tables that take no rows; those that are ``known`` to take none, once."""
        for table, why in rows.broken.items():
            message = (
                f"Table {table} takes no more rows after upgrade(), since what a trigger of it uses"
                f" is gone: {shorten(why, 300, placeholder=' ...')}"
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
    """The tables and columns that were added to tables that existed before."""
    return {
        (item.table, prop.partition(" ")[2].lower())
        for gone, item in changes.values()
        if gone and item and item.table
        for prop in item.properties.keys() - gone.properties.keys()
        if prop.startswith("column ")
    }


def reason(script: Script, name: str) -> str:
    return getattr(script.module, name, None) or ""
