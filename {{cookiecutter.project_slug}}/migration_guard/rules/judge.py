"""One migration, judged by every rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..exceptions import CannotCheck, nearest
from ..finding import Finding
from ..reading.migration import Migration
from .rule import RULES, finding
from .upgrade import View


def judge(
    migration: Migration, databases: Iterable[str], application: Callable[[str], bool]
) -> list[Finding]:
    """What the rules find in one migration of a project that deploys to ``databases``.

    ``application`` says of a module's name whether it is the application's own.
    """
    view, found, deployed_to = View(migration, application), [], frozenset(databases)
    for each in RULES.values():
        if each.check and (concerned := each.databases & deployed_to):
            view.databases = concerned
            found += [
                finding(each.name, migration, where, message) for where, message in each.check(view)
            ]
    return sorted(
        dict.fromkeys(found), key=lambda one: (one.line, one.column)
    )  # a loop says it once


def known_rules(text: str | None, option: str) -> list[str]:
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    for name in names:
        if name not in RULES:
            raise CannotCheck(
                f"{option}: there is no rule {name!r}{nearest(name, RULES)}; see --list-rules."
            )
    return names
