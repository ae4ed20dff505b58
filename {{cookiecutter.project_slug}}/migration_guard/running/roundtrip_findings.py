"""The findings of the roundtrip: failures, and what a downgrade leaves behind or loses."""

import inspect
import re
from collections.abc import Iterable
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from textwrap import shorten
from typing import Any

import sqlalchemy as sa
from alembic.script import Script

from ..error_messages import one_line
from ..finding import Finding
from ..places import place, relative
from ..reporting.suppression import ignores
from ..rules import RULES
from ..rules.rule import report
from .reproduce import reproduce
from .rows import Rows
from .schema.objects import Changes, Difference, differences, referred, words
from .undo import undo_fix

ROW_ERRORS = (sa.exc.IntegrityError, sa.exc.DataError)


# Some errors of MySQL and MariaDB are also about rows: a wrong date, a UNIQUE on equal rows that
# other tables refer to, a CHECK on each of the two.
OF_ROWS = re.compile(r"^(?!.*\bsyntax\b).*(NULL|\((1292|1834|3819|4025),)")


ALL = "This undoes the upgrade; write it in place of the body of downgrade():"


ENDLESS = 10_000  # statements of one function


class EndlessError(RuntimeError):
    """A function ran more statements than a few rows can need; ``statement`` is the last."""

    def __init__(self, statement: str) -> None:
        super().__init__(f"stopped after {ENDLESS:,} statements, probably in an infinite loop")
        self.statement = statement


class RoundtripFindings:
    """Collects the findings of one pass over the history."""

    def __init__(self, root: Path, rows: Rows | None, dialect: str) -> None:
        self.root, self.rows, self.dialect = root, rows, dialect
        self.found: list[Finding] = []

    def failed(
        self, script: Script, function: str, error: Exception, again: bool, changes: Changes
    ) -> None:
        """Report that ``function`` raised ``error``, and how to undo ``changes``.

        ``again``: in the second upgrade.
        """
        rule = "upgrade-not-repeatable" if again else f"{function}-fails"
        when = " after the downgrade" if again else ""
        where = place(error, script.path)
        message = f"{function}() fails{when} at {where}: {type(error).__name__}: {one_line(error)}"
        statement = getattr(error, "statement", None) or ""
        if statement:
            message += f" in: {shorten(statement, 300, placeholder=' ...')}"
        case = "schema" if rule == "upgrade-fails" and not is_of_rows(error) else ""
        if isinstance(error, EndlessError):
            case = "endless"
        elif "op.batch_alter_table()" in message:
            case = "batch"
        fix = RULES["upgrade-fails"].fixes.get(case, "")
        if not fix and (undo := undo_fix(changed(changes), self.dialect, ALL)):
            fix = f"{undo}\n{RULES[rule].fix}"
        self.add(script, rule, function, message, fix, [message, statement])

    def compare_schema(self, script: Script, changes: Changes, empty: bool) -> None:
        """Report what differs from before the upgrade. ``empty``: the downgrade ran nothing."""
        found = [each for each in changed(changes) if not may_stay(each)]
        for group in [found] if empty and found else [[each] for each in found]:
            message, fix = left_behind(group[0]), undo_fix(group, self.dialect)
            if empty:
                listed = ", ".join(dict.fromkeys(each.name for each in group))
                message = f"downgrade() undoes nothing of what upgrade() does: {listed}."
                fix = f"{fix or 'Undo it.'}\n{RULES['downgrade-differs'].fixes['no way back']}"
            self.add(script, "downgrade-differs", "downgrade", message, fix)

    def compare_rows(
        self, script: Script, tables: set[str], fillable: Iterable[tuple[str, str]]
    ) -> None:
        """Report rows that differ from those before the upgrade.

        Columns and tables whose drop is suppressed in upgrade() are left out. In columns that are
        ``fillable``, NULLs may be filled.
        """
        assert self.rows is not None
        columns_dropped = suppressed_names(script, "drop-column")
        tables_dropped = suppressed_names(script, "drop-table")
        for table, columns, before, after in self.rows.changed(tables, fillable):
            if table.lower() in tables_dropped or (columns and words(columns) <= columns_dropped):
                continue
            what = f"has {after} rows, not {before}"
            if before == after:
                what = f"has different values in {', '.join(columns)}"
            message = f"After upgrade() and downgrade(), {table} {what}."
            self.add(script, "data-not-restored", "downgrade", message)

    def add(
        self,
        script: Script,
        rule: str,
        function: str,
        message: str,
        fix: str = "",
        texts: Iterable[str] = (),
    ) -> None:
        """Add a finding, with the rule's own fix if there is no better one."""
        written = getattr(script.module, function, None)
        code = inspect.unwrap(written).__code__ if written else None
        fix = fix or RULES[rule].fix
        if rule != "downgrade-differs":
            steps = reproduce(script, function, [*texts] or [message], self.rows)
            fix += f" To reproduce, in an empty database:\n{steps}"
        about: dict[str, Any] = {"function": function, "operation": message.partition(":")[0]}
        about |= {"line": code.co_firstlineno if code else 1, "revision": script.revision}
        path = relative(script.path, self.root)
        self.found.append(report(RULES[rule], message, fix, path, **about))


def changed(changes: Changes) -> list[Difference]:
    """Return the differences; a later one is undone before an earlier one, which it may need."""
    before, after = zip(*changes.values(), strict=True) if changes else ((), ())
    needs = {each.table: {*referred(each.properties)} - {each.table} for each in after if each}
    places: dict[str | None, int] = {}
    with suppress(CycleError):
        places = {
            table: place for place, table in enumerate(TopologicalSorter(needs).static_order())
        }

    def rank(each: Difference) -> tuple[bool, bool, int]:
        kind, _, name = each.owner.partition(" ")
        return kind == "view", kind == "table", places.get(name, 0)

    return sorted(differences(before, after), key=rank)


def left_behind(difference: Difference) -> str:
    """Return the message about what a downgrade leaves behind or doesn't restore."""
    name, before, after = difference.label, difference.before, difference.after
    if before is not None and after is not None:
        sides = [side or "nothing" for side in (before, after)]
        return f"{name} differs after downgrade(): it was {sides[0]}, and is {sides[1]}."
    fate = "left behind" if before is None else "not brought back"
    value = after if before is None else before
    return f"{name} is {fate}{f': {value}' if difference.prop and value else ''}."


def may_stay(difference: Difference) -> bool:
    """Return whether PostgreSQL can't undo the difference: VALIDATE, or a new enum value."""
    return difference.validated or bool(
        difference.owner.startswith("type ") and difference.added_labels
    )


def is_of_rows(error: Exception) -> bool:
    """Return whether the error is about rows that do not fit."""
    text = str(getattr(error, "orig", error))
    return isinstance(error, ROW_ERRORS) or OF_ROWS.search(text) is not None


def suppressed_names(script: Script, rule: str) -> set[str]:
    """Return the words of the statements in which a rule is suppressed, with a reason."""
    source = Path(script.path).read_text(encoding="utf-8", errors="replace")
    lines = source.splitlines()
    return words(
        lines[number - 1].partition("#")[0]
        for mark in ignores(source)
        if mark.reason and rule in mark.rules
        for number in mark.covers
        if number <= len(lines)
    )
