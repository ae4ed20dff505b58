"""Every revision up, down and up again, on a scratch database with rows: what it leaves behind, and what it loses."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import shorten
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from ..error_messages import one_line
from ..exceptions import CannotCheck
from ..finding import Finding
from ..git import new_since
from ..places import place, relative
from ..rules import RULES
from ..settings import Settings
from .rows import Rows
from .schema.objects import Changes, differences, words
from .schema.snapshots import snapshot_of
from .scratch import find_url, scratch_database
from .stepping import RolledBack, Stepper, plan_of, read_scripts, run_env

ENDLESS = 10_000  # statements of one function


ROW_ERRORS = (sa.exc.IntegrityError, sa.exc.DataError)


# And some of MySQL's and MariaDB's: 1834 is what a UNIQUE says of alike rows that others refer to.
OF_ROWS = re.compile(r"^(?!.*\bsyntax\b).*(NULL|\(1834,)")


def check_roundtrip(
    config: Config,
    settings: Settings,
    url: str | None,
    since: str | None = None,
    only: str | None = None,
    keep: bool = False,
    progress: bool = True,
    rows: bool = True,
) -> list[Finding]:
    """Run the history forth and back; ``since`` a git ref, or ``only`` one revision. What comes before is applied at once.

    ``keep`` stops at the first finding and leaves its database there; ``progress`` draws a bar.
    """
    server = find_url(settings.root, url)
    scripts = read_scripts(config)
    findings: list[Finding] = []
    selected = select(scripts, settings, since, only)
    start: int | None = 0
    exact = False

    def work(context: MigrationContext) -> None:
        nonlocal start, exact
        stepper = Stepper(context, scripts)
        run = Roundtrip(context, stepper, settings.root, findings, rows, exact)
        start = run.run(selected, start or 0, keep, progress)
        if not exact and run.missed():  # once more, and slowly
            start, exact = 0, True
            findings.clear()

    while start is not None:  # again, in a new database, where the old one is not what it should be
        with scratch_database(server, lambda: keep and bool(findings)) as engine:
            run_env(config, scripts, engine, work)
    return findings


def select(
    scripts: ScriptDirectory, settings: Settings, since: str | None, only: str | None
) -> set[str] | None:
    """The revisions to look at; None: all of them."""
    if only:
        try:
            script = scripts.get_revision(only)
        except CommandError as error:
            none = "Can't locate" in str(error)
            why = (
                "no revision is called or begins so: alembic history lists them"
                if none
                else one_line(error)
            )
            raise CannotCheck(f"-k {only}: {why}") from None
        return {script.revision}
    if since is None:
        return None
    paths = new_since(settings.root, since, settings.versions)
    return {
        script.revision
        for script in scripts.walk_revisions()
        if Path(script.path).resolve() in paths
    }


class EndlessError(RuntimeError):
    """A function ran more statements than a few rows can need."""


class Roundtrip:
    """One pass over the history in one scratch database."""

    def __init__(
        self,
        context: MigrationContext,
        stepper: Stepper,
        root: Path,
        findings: list[Finding],
        rows: bool,
        exact: bool = False,
    ) -> None:
        assert context.connection is not None
        self.connection = context.connection
        self.stepper, self.root, self.findings = stepper, root, findings
        self.snapshot = snapshot_of(context.connection, [context.version_table], exact)
        self.version_table = context.version_table
        self.rows = Rows(self.snapshot) if rows else None
        self.statements: list[str] = []
        self.complete = False  # has it come to the end of the history?
        self.ran = False  # did the last step run any statement?
        sa.event.listen(self.connection.engine, "before_cursor_execute", self.note)

    def note(self, _c: Any, _u: Any, statement: str, _p: Any, _x: Any, _m: bool) -> None:
        self.statements.append(statement)
        if len(self.statements) > ENDLESS:
            raise EndlessError(
                f"no end after {ENDLESS} statements, with a few rows in each table: a loop for ever?"
            )

    def run(self, selected: set[str] | None, start: int, keep: bool, progress: bool) -> int | None:
        """Go through the history; an index: go on from there, in a new database."""
        plan = plan_of(self.stepper.scripts)
        wanted = [
            index
            for index, script in enumerate(plan)
            if selected is None or script.revision in selected
        ]
        wanted = [index for index in wanted if index >= start]
        if not wanted:
            return None
        for script in plan[: wanted[0]]:
            if not self.step(script, "upgrade", first=True):
                return None
        self.snapshot.refresh(everything=True)
        self.snapshot.written = set(self.snapshot.tables)
        self.fill(plan[max(wanted[0] - 1, 0)], look=False)
        for index in range(wanted[0], wanted[-1] + 1):
            script = plan[index]
            if progress:
                show(index - wanted[0], len(range(wanted[0], wanted[-1] + 1)), script.revision)
            if index in wanted:
                clean = self.revision(script)
            else:
                clean = self.step(script, "upgrade")
                self.fill(script)
            if keep and self.findings:
                return None
            if not clean:
                return index + 1
        if progress:
            show(1, 1, "")
        self.complete = True
        return None

    def missed(self) -> bool:
        """Did something change that no step was seen to touch?"""
        return self.complete and bool(self.snapshot.refresh(everything=True))

    def revision(self, script: Script) -> bool:
        """Up, down and up; False: the database is not what it should be after it."""
        if not self.step(script, "upgrade"):
            return False
        number = len(self.findings)
        if not reason(script, "irreversible"):
            done = self.step(script, "downgrade", lambda: self.compare(script))
            found = len(self.findings) > number
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
        number = len(self.findings)
        changes = self.snapshot.refresh()
        self.compare_schema(script, changes, empty=not self.ran)
        if self.rows and not reason(script, "lossy"):
            self.compare_rows(script, self.snapshot.written)
        if len(self.findings) > number and self.stepper.atomic:
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

        def look() -> None:
            self.ran = any(
                self.version_table not in text and text != "BEGIN" for text in self.statements
            )
            self.snapshot.note(self.statements, self.stepper.atomic)
            if compare:
                compare()

        self.statements.clear()
        try:
            self.stepper.step(script, function, None if first else look)
        except RolledBack:
            pass
        except Exception as error:
            if not first or not any(found.revision == script.revision for found in self.findings):
                self.fails(script, function, error, again)
            return False
        return True

    def fill(self, script: Script, look: bool = True) -> None:
        """Look at what the steps made, and put rows into it for the next revisions.

        Where a revision changed rows alone, they stay as they are: what it filled is for the next one to constrain.
        """
        changes = self.snapshot.refresh() if look else {}
        if self.rows is None:
            self.connection.commit()
            return
        tables = self.snapshot.written
        self.rows.revision = script.revision
        known = set(self.rows.refused)
        self.rows.remember(tables)
        made = {item.table for _, item in changes.values() if item} if look else tables
        filled = {table for table in tables if table in made or not self.rows.known.get(table)}
        if any(
            gone and gone.properties.keys() - (item.properties if item else {})
            for gone, item in changes.values()
        ):
            filled |= self.snapshot.triggered  # whose triggers may use what is gone
        self.rows.fill(filled)
        self.connection.commit()
        for table, why in self.rows.broken.items():
            message = f"Table {table} takes no more rows after upgrade(), since what a trigger of it uses is gone: "
            message += shorten(why, 300, placeholder=" ...")
            self.find(
                script,
                "upgrade-fails",
                "upgrade",
                message,
                "Drop or replace the trigger in the same revision.",
            )
        self.rows.broken.clear()
        for table in sorted(self.rows.refused.keys() - known):
            message = f"No row can be made for table {table}, so nothing is known of migrations over its rows: {self.rows.refused[table]}."
            self.find(script, "table-without-rows", "upgrade", message)

    # findings

    def fails(self, script: Script, function: str, error: Exception, again: bool) -> None:
        rule = "upgrade-not-repeatable" if again else f"{function}-fails"
        when = " after the downgrade" if again else ""
        message = f"{function}() fails{when} at {place(error, script.path)}: {type(error).__name__}: {one_line(error)}"
        if statement := getattr(error, "statement", None):
            message += f" in: {shorten(statement, 300, placeholder=' ...')}"
        fix = ""
        if "op.batch_alter_table()" in message:
            fix = "Write it in a block: with op.batch_alter_table(...) as batch."
        elif isinstance(error, EndlessError):
            fix = "If it does end: go from the smallest key to the largest, not from 0; these rows have high ones."
        elif rule == "upgrade-fails" and not is_of_rows(error):
            fix = "Mend it, or what it expects: it runs on the schema that the revisions before it make."
        self.find(script, rule, function, message, fix, error)

    def compare_schema(self, script: Script, changes: Changes, empty: bool) -> None:
        found = list(differences(*zip(*changes.values(), strict=True))) if changes else []
        found = [difference for difference in found if not difference.validated]
        if empty and found:
            listed = ", ".join(dict.fromkeys(difference.name for difference in found))
            message = f"downgrade() undoes nothing of what upgrade() does: {listed}."
            fix = 'Undo it in downgrade(); if there is no way back: irreversible = "reason".'
            self.find(script, "downgrade-differs", "downgrade", message, fix)
            return
        for difference in found:
            was, is_ = (
                side if side is None else side or "nothing"
                for side in (difference.before, difference.after)
            )
            message = f"{difference.name} differs after downgrade(): it was {was}, and is {is_}."
            if was is None or is_ is None:
                fate, what = ("left behind", is_) if was is None else ("not brought back", was)
                told = difference.prop and what != "nothing"
                message = f"{difference.name} is {fate}{f': {what}' if told else ''}."
            self.find(script, "downgrade-differs", "downgrade", message)

    def compare_rows(self, script: Script, tables: set[str]) -> None:
        assert self.rows is not None
        for table, columns, before, after in self.rows.changed(tables):
            what = (
                f"{before} rows before upgrade(), {after} after downgrade()"
                if before != after
                else f"values differ in {', '.join(columns)}"
            )
            message = f"table {table} has not the rows that it had: {what}."
            self.find(script, "data-not-restored", "downgrade", message)

    def find(
        self,
        script: Script,
        rule: str,
        function: str,
        message: str,
        fix: str = "",
        error: Exception | None = None,
    ) -> None:
        """Note it, with the rule's own fix where there is no better one."""
        written = getattr(script.module, function, None)
        code = inspect.unwrap(written).__code__ if written else None
        fix = fix or RULES[rule].fix
        if rule != "downgrade-differs":
            fix += f" To reproduce, in an empty database:\n{self.reproduce(script, function, message, error)}"
        self.findings.append(
            Finding(
                rule=rule,
                message=message,
                fix=fix,
                path=relative(script.path, self.root),
                line=code.co_firstlineno if code else 1,
                revision=script.revision,
                function=function,
                severity=RULES[rule].severity,
                operation=message.partition(":")[0],
            )
        )

    def reproduce(
        self, script: Script, function: str, message: str, error: Exception | None
    ) -> str:
        """The commands and statements that lead there, in an empty database, one a line."""
        parents = script._normalized_down_revisions
        inserts = self.rows.inserts if self.rows else {}
        told = words([message, getattr(error, "statement", None) or ""])
        tables = {table for table in inserts if table.lower() in told}
        needed = set(
            tables
        )  # and those that they refer to: one row of each will do, unless a trigger made us name it
        some = None if self.snapshot.triggered else 1
        while (
            more := {parent for table in needed for parent in self.snapshot.parents.get(table, ())}
            - needed
        ):
            needed |= more
        rows = [
            row
            for table in needed
            for row in inserts.get(table, [])[: None if table in tables else some]
        ]
        steps: list[str] = []
        for _, revision, insert in sorted(rows, key=lambda row: row[0]):
            if f"alembic upgrade {revision}" not in steps:
                steps.append(f"alembic upgrade {revision}")
            text = re.sub(r" LIMIT 1 OFFSET \d+\)", " LIMIT 1)", insert)
            steps.append(short(text, self.stepper.context.dialect.name) + ";")
        steps += [step for parent in parents if (step := f"alembic upgrade {parent}") not in steps]
        steps.append(f"alembic upgrade {script.revision}")
        if function == "downgrade":
            steps.append(f"alembic downgrade {parents[0] if len(parents) == 1 else '-1'}")
        return "\n".join(steps)


REPEATED = {
    "sqlite": "'{0}' || replace(printf('%*s', {1}, ''), ' ', 'x')",
    "postgresql": "'{0}' || repeat('x', {1})",
    "mysql": "concat('{0}', repeat('x', {1}))",
}


def short(statement: str, dialect: str) -> str:
    """The same statement with its values of full length said by a function."""
    form = REPEATED.get(dialect, REPEATED["mysql"])
    return re.sub(r"'(\d*)(x{30,})'", lambda match: form.format(match[1], len(match[2])), statement)


def is_of_rows(error: Exception) -> bool:
    """Whether it is the rows that do not fit."""
    return (
        isinstance(error, ROW_ERRORS)
        or OF_ROWS.search(str(getattr(error, "orig", error))) is not None
    )


def reason(script: Script, name: str) -> str:
    return getattr(script.module, name, None) or ""


def show(done: int, total: int, revision: str) -> None:
    """A bar on a terminal, a line for each tenth elsewhere."""
    if sys.stderr.isatty():
        bar = "█" * (30 * done // total)
        print(
            f"\r{bar:30} {done}/{total} {revision}\033[K",
            end="\n" if done == total else "",
            file=sys.stderr,
            flush=True,
        )
    elif revision and done * 10 // total != (done - 1) * 10 // total:
        print(f"roundtrip: {done + 1} of {total} {revision}", file=sys.stderr, flush=True)
