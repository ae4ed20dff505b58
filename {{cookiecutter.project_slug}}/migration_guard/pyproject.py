"""The table ``[tool.migration-guard]`` of ``pyproject.toml``: all that a deployment reads."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from .exceptions import CannotCheck, nearest


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds. The environment overrides them (``lock-timeout``: ``MIGRATION_LOCK_TIMEOUT``)."""

    wait: float = 600  # for another migrator
    lock_timeout: float = 0.2  # for a lock on a table; everyone behind it waits as long
    retry: float = 300  # to try again after that
    statement_timeout: float = 0  # for one statement; 0: none
    connect_wait: float = 30  # for a server that is still starting
    stop_grace_period: float = 20  # for the running revision, after SIGTERM or Ctrl-C
    lease: float = 15  # where a row is the lock: it is free this long after its holder died
    lease_only: float = 0  # 1: use a row as the lock even if the database looks like one server


KEYS: dict[str, tuple[type, str]] = {
    "databases": (list, "a list of names"),
    "ignore": (list, "a list of rules or categories"),
    "rules": (list, "a list of modules beside pyproject.toml"),
    "first-revision": (str, "a revision"),
    "versions": (list, "a list of folders"),
    "config": (str, "a file"),
    "baseline": (str, "a file"),
    "offline": (bool, "true or false"),
    "severity": (dict, "a table of rules, each error, warning or note"),
    "safe-autogenerate": (bool, "true or false"),
    "lock": (dict, "a table"),
}
REMOVED = ("cache", "cache-size")


def read_pyproject(root: Path) -> dict[str, Any]:
    """Return the tables of tools. ``migration-guard`` is checked, and its ``lock`` is Limits.

    Raises CannotCheck.
    """
    place = "pyproject.toml: [tool.migration-guard]"
    given: dict[str, Any] = {"config": "alembic.ini"}
    tools: dict[str, Any] = {}
    try:
        with (root / "pyproject.toml").open("rb") as file:
            tools = tomllib.load(file).get("tool", {})
            given |= tools.get("migration-guard", {})
    except FileNotFoundError:
        pass
    except (OSError, ValueError, TypeError) as error:
        raise CannotCheck(f"{place}: {error}") from None
    for key, value in given.items():
        if key in REMOVED:
            raise CannotCheck(f"{place} {key}: delete this line: no run keeps results any more.")
        if key not in KEYS:
            raise CannotCheck(f"{place} {key}: there is no such key{others(key, KEYS)}.")
        kind, name = KEYS[key]
        strings = not isinstance(value, list) or all(isinstance(item, str) for item in value)
        # Without any database, no rule would be checked.
        empty = value == [] and key not in ("ignore", "rules")
        if not isinstance(value, kind) or not strings or empty:
            raise CannotCheck(f"{place} {key}: must be {name}, is {value!r}.")
    limits = [limit.name.replace("_", "-") for limit in fields(Limits)]
    for key, value in given.get("lock", {}).items():
        if key not in limits:
            raise CannotCheck(f"{place} lock: no key {key}{others(key, limits)}.")
        if not isinstance(value, int | float):
            raise CannotCheck(f"{place} lock {key}: must be a number of seconds, is {value!r}.")
    given["lock"] = Limits(**underscored(given.get("lock", {})))
    return {**tools, "migration-guard": given}


def others(name: str, known: Collection[str]) -> str:
    """Return what may be written instead of an unknown name."""
    return f"{nearest(name, known)}; known: {', '.join(known)}"


def underscored(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table with the names of keyword arguments as its keys."""
    return {key.replace("-", "_"): value for key, value in table.items()}
