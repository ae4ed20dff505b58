"""What a rule is: data, and for most rules one function from an upgrade to findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any

from ..databases import EVERY
from ..finding import Finding
from ..reading.migration import Migration, Operation
from .upgrade import Upgrade, label, written

# where (an operation or a line), the message, and a fix where it differs from the rule's
Found = Iterator[tuple[Operation | int, str] | tuple[Operation | int, str, str]]
Check = Callable[[Upgrade], Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule. Texts may be indented and wrapped; examples keep their lines."""

    name: str  # what users type
    category: str = ""  # the module that holds it
    summary: str
    why: str
    fix: str
    bad: str
    good: str
    databases: Mapping[str, str]  # the databases that it holds for, with their versions: "<12"
    severity: str
    check: Check | None = None  # None: another package finds it


def declare(
    name: str,
    *,
    summary: str,
    why: str,
    fix: str,
    bad: str,
    good: str,
    databases: Iterable[str] = EVERY,
    severity: str = "error",
    check: Check | None = None,
) -> Rule:
    """Return the rule. Without ``check``, another package finds what it describes."""
    return Rule(
        name=name,
        summary=" ".join(summary.split()),
        why=" ".join(why.split()),
        fix=" ".join(fix.split()),
        bad=cleandoc(bad),
        good=cleandoc(good),
        databases=databases if isinstance(databases, Mapping) else dict.fromkeys(databases, ""),
        severity=severity,
        check=check,
    )


def rule(
    *,
    summary: str,
    why: str,
    fix: str,
    bad: str,
    good: str,
    databases: Iterable[str] = EVERY,
    severity: str = "error",
) -> Callable[[Check], Rule]:
    """Turn the function below into a rule of the same name: ``drop_column`` is ``drop-column``."""

    def as_rule(check: Check) -> Rule:
        return declare(
            check.__name__.replace("_", "-"),
            summary=summary,
            why=why,
            fix=fix,
            bad=bad,
            good=good,
            databases=databases,
            severity=severity,
            check=check,
        )

    return as_rule


def finding(
    rule: Rule, migration: Migration, where: Operation | int, message: str, fix: str | None = None
) -> Finding:
    """Return the finding of this rule at an operation or a line of the migration."""
    place: dict[str, Any] = {"line": where}
    if isinstance(where, Operation):
        place = {"line": where.line, "column": where.column, "end_column": where.end_column}
        what = label(where) if where.name or where.table else written(where, migration)
        place |= {"function": where.function, "operation": f"{where.operation} {what}"}
    return Finding(
        rule=rule.name,
        severity=rule.severity,
        message=message,
        fix=filled_in(fix or rule.fix, where),
        path=migration.path,
        revision=migration.revision,
        **place,
    )


def filled_in(fix: str, where: Operation | int) -> str:
    """The fix with the names of the operation: ``<table>``, ``<column>`` and ``<name>``."""
    if isinstance(where, Operation):
        names = {"table": where.qualified_table, "name": where.name}
        names["column"] = where.columns[0] if len(where.columns) == 1 else None
        for word, name in names.items():
            fix = fix.replace(f"<{word}>", name or f"<{word}>")
    return " ".join(fix.split())
