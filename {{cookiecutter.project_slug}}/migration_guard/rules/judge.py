"""Checks one migration with every rule."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ..databases import concerns
from ..exceptions import CannotCheck, nearest
from ..finding import Finding
from ..reading.migration import Migration
from . import RULES
from .past import Past
from .rule import Rule, finding
from .upgrade import Upgrade


def judge(
    migration: Migration,
    databases: Mapping[str, str],
    application: Callable[[str], bool],
    rules: Mapping[str, Rule],
    past: Past,
) -> list[Finding]:
    """Return what the rules find in one migration.

    ``databases`` are those that the project deploys to, each with its lowest version or "".
    ``application`` returns whether a module belongs to the application.
    """
    upgrade, found = Upgrade(migration, application, databases, past), []
    for rule in rules.values():
        upgrade.databases = frozenset(
            name
            for name, lowest in databases.items()
            if name in rule.databases and concerns(rule.databases[name], name, lowest)
        )
        if rule.check and upgrade.databases:
            try:
                for where, message, *fix in rule.check(upgrade):
                    found.append(finding(rule, migration, where, message, *fix))
            except Exception as error:
                if rule.name in RULES:
                    raise
                raise CannotCheck(
                    f"{migration.path}: the project's rule {rule.name} raises"
                    f" {type(error).__name__}: {error}; correct the function of the rule."
                ) from error
    return one_for_each_line(found)


def one_for_each_line(found: Iterable[Finding]) -> list[Finding]:
    """Return one finding for each rule and line, with the number of others, as from a loop."""
    groups: dict[tuple[str, int], list[Finding]] = {}
    for each in sorted(dict.fromkeys(found), key=lambda one: (one.line, one.column)):
        groups.setdefault((each.rule, each.line), []).append(each)
    result = []
    for first, *others in groups.values():
        more = f" ({len(others)} more on this line)" if others else ""
        result.append(replace(first, message=f"{first.message}{more}"))
    return result


def selected(text: str | None, option: str, rules: Mapping[str, Rule]) -> list[str]:
    """Return the rules that an option names, by their names or categories.

    Raises CannotCheck if there is no such rule or category.
    """
    names: list[str] = []
    categories = {rule.category for rule in rules.values()}
    for name in filter(None, map(str.strip, (text or "").split(","))):
        if name in categories:
            names += [each.name for each in rules.values() if each.category == name]
        elif name in rules:
            names.append(name)
        else:
            known = nearest(name, {*rules, *categories})
            raise CannotCheck(
                f"{option}: there is no rule or category {name!r}{known}; see --list-rules."
            )
    return list(dict.fromkeys(names))
