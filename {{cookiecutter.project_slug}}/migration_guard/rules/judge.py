"""One migration, judged by every rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ..exceptions import CannotCheck, nearest
from ..finding import Finding
from ..reading.migration import Migration
from . import RULES
from .rule import Rule, finding
from .upgrade import Upgrade


def judge(
    migration: Migration,
    databases: Iterable[str],
    application: Callable[[str], bool],
    rules: Mapping[str, Rule],
) -> list[Finding]:
    """What the rules find in one migration of a project that deploys to ``databases``.

    ``application`` tells from a module's name whether it belongs to the application.
    """
    upgrade, found, deployed_to = Upgrade(migration, application), [], frozenset(databases)
    for rule in rules.values():
        if rule.check and (concerned := deployed_to & rule.databases.keys()):
            upgrade.databases = concerned
            try:
                for where, message in rule.check(upgrade):
                    found.append(finding(rule, migration, where, message))
            except Exception as error:
                if rule.name in RULES:
                    raise
                raise CannotCheck(
                    f"{migration.path}: the project's rule {rule.name} raises"
                    f" {type(error).__name__}: {error}; correct its function."
                ) from error
    # a statement in a loop gives each finding once
    return sorted(dict.fromkeys(found), key=lambda one: (one.line, one.column))


def selected(text: str | None, option: str, rules: Mapping[str, Rule]) -> list[str]:
    """The rules that an option names, by their names or their categories.

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
