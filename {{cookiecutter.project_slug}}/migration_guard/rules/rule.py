"""A rule is data and, for most rules, one function from an upgrade to findings."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from inspect import cleandoc
from typing import Any, NotRequired, TypedDict, Unpack

from ..databases import EVERY
from ..finding import Finding
from ..reading.migration import Migration, Operation
from .upgrade import Upgrade, label, written

# where (an operation or a line), the message, and, if the rule's fix is not enough, another one or
# the names for its <placeholders>; the name "fix" chooses the fix of a single case
Fix = str | Mapping[str, str]
Found = Iterator[tuple[Operation | int, str] | tuple[Operation | int, str, Fix]]
Check = Callable[[Upgrade], Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule. Texts may be indented and wrapped; examples keep their lines."""

    name: str  # what users type
    category: str = ""  # the module that holds it
    summary: str
    why: str
    fix: str
    fixes: Mapping[str, str] = field(default_factory=dict)  # of single cases: "name: text"
    bad: str
    good: str
    databases: Mapping[str, str]  # the databases that it is for, with their versions: "<12"
    severity: str
    check: Check | None = None  # None: another package reports it


class Texts(TypedDict):
    """The arguments of a rule. The type checker refuses a rule without a fix."""

    summary: str
    why: str
    fix: str  # a later paragraph "case: text" is the fix of a single case
    bad: str
    good: str
    databases: NotRequired[Iterable[str]]  # or a mapping to versions; default: all
    severity: NotRequired[str]  # error (the default), warning or note


def declare(name: str, check: Check | None = None, **texts: Unpack[Texts]) -> Rule:
    """Return the rule. Without ``check``, another package reports it."""
    if missing := {"summary", "why", "fix", "bad", "good"} - texts.keys():
        raise TypeError(f"the rule {name} has no {' and no '.join(sorted(missing))}")
    databases = texts.get("databases", EVERY)
    parts = [" ".join(part.split()) for part in texts["fix"].strip().split("\n\n")]
    cases = [part for part in parts[1:] if ": " in part]
    return Rule(
        name=name,
        summary=" ".join(texts["summary"].split()),
        why=" ".join(texts["why"].split()),
        fix=" ".join(part for part in parts if part not in cases),
        fixes=dict(case.split(": ", 1) for case in cases),
        bad=cleandoc(texts["bad"]),
        good=cleandoc(texts["good"]),
        databases=databases if isinstance(databases, Mapping) else dict.fromkeys(databases, ""),
        severity=texts.get("severity", "error"),
        check=check,
    )


def rule(**texts: Unpack[Texts]) -> Callable[[Check], Rule]:
    """Turn the function below into a rule of the same name: ``drop_column`` is ``drop-column``."""
    return lambda check: declare(check.__name__.replace("_", "-"), check, **texts)


def finding(
    rule: Rule, migration: Migration, where: Operation | int, message: str, fix: Fix | None = None
) -> Finding:
    """Return the finding of this rule at an operation or a line of the migration."""
    place: dict[str, Any] = {"line": where}
    if isinstance(where, Operation):
        place = {"line": where.line, "column": where.column, "end_column": where.end_column}
        what = label(where) if where.name or where.table else written(where, migration)
        place |= {"function": where.function, "operation": f"{where.operation} {what}"}
    place |= {"revision": migration.revision}
    return report(rule, message, filled_in(fix or {}, rule, where), migration.path, **place)


def report(rule: Rule, message: str, fix: str, path: str, **about: Any) -> Finding:
    """Return a finding of this rule about a file; without a fix it has the rule's."""
    about = {"severity": rule.severity, "path": path, **about}
    return Finding(rule=rule.name, message=message, fix=fix or rule.fix, **about)


def filled_in(given: Fix, rule: Rule, where: Operation | int) -> str:
    """Return the fix with the operation's ``<table>``, ``<column>``, ``<columns>``, ``<name>``."""
    names = {} if isinstance(given, str) else dict(given)
    fix = rule.fixes.get(names.get("fix", ""), rule.fix)
    if isinstance(given, str):
        fix = " ".join(given.split())
    if isinstance(where, Operation):
        names |= {"table": where.qualified_table or "", "name": where.name or ""}
        column = where.columns[0] if len(where.columns) == 1 else ""
        names |= {"columns": ", ".join(where.columns), "column": column}
    for word, name in names.items():
        fix = fix.replace(f"<{word}>", name or f"<{word}>")
    return fix
