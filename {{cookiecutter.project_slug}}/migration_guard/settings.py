"""The settings in ``[tool.migration-guard]`` of ``pyproject.toml``."""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from .databases import DATABASES, dialects_of
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    root: Path
    databases: tuple[str, ...] = ("sqlite", "postgresql", "mariadb")
    lowest: Mapping[str, str] = field(default_factory=dict)  # the lowest version of a database
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, str] = field(default_factory=dict)  # of a rule or category
    rules: tuple[str, ...] = ()  # modules with the project's own rules
    first_revision: str | None = None
    versions: tuple[Path, ...]  # the folders of migration files
    config: Path  # alembic.ini
    baseline: Path | None = None
    safe_autogenerate: bool = True  # autogenerate writes safe forms, in several revisions
    offline: bool = False  # --sql must be able to print the whole history
    lock: Limits = Limits()

    @property
    def declared(self) -> dict[str, str]:
        """Return the databases, each with the lowest version that is declared, or ""."""
        return {name: self.lowest.get(name, "") for name in self.databases}

    @property
    def dialects(self) -> tuple[str, ...]:
        return dialects_of(self.databases)


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


SEVERITIES = ("error", "warning", "note")
REMOVED = ("cache", "cache-size")


def read_settings(root: Path) -> Settings:
    """Return the settings of the project at ``root``, with defaults. Raises CannotCheck."""
    place = "pyproject.toml: [tool.migration-guard]"
    given: dict[str, Any] = {"versions": ["alembic/versions"], "config": "alembic.ini"}
    try:
        with (root / "pyproject.toml").open("rb") as file:
            given |= tomllib.load(file).get("tool", {}).get("migration-guard", {})
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
    for name, value in given.get("severity", {}).items():
        if value not in SEVERITIES:
            known = ", ".join(SEVERITIES)
            raise CannotCheck(f"{place} severity {name}: must be {known}, is {value!r}.")
    if "databases" in given:
        given["lowest"] = dict(map(read_database, given["databases"]))
        given["databases"] = list(given["lowest"])
    given["lock"] = Limits(**underscored(given.get("lock", {})))
    given["versions"] = [root / folder for folder in given["versions"]]
    given |= {key: root / given[key] for key in ("baseline", "config") if key in given}
    given |= {key: tuple(value) for key, value in given.items() if isinstance(value, list)}
    return Settings(root=root, **underscored(given))


def others(name: str, known: Collection[str]) -> str:
    """Return what may be written instead of an unknown name."""
    return f"{nearest(name, known)}; known: {', '.join(known)}"


def underscored(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table with the names of keyword arguments as its keys."""
    return {key.replace("-", "_"): value for key, value in table.items()}


def read_database(text: str) -> tuple[str, str]:
    """Return the name and the lowest version (or "") of a database. Raises CannotCheck."""
    place = "pyproject.toml: [tool.migration-guard] databases"
    name = re.split("[<=>~! ]", text)[0]
    versions = text.removeprefix(name).strip()
    if name not in DATABASES:
        raise CannotCheck(f"{place}: {text!r} is not known{others(name, DATABASES)}.")
    lowest = re.fullmatch(r">=\s*(\d+(?:\.\d+)*)", versions)
    if versions and not lowest:
        raise CannotCheck(
            f'{place}: {text!r} must be a name, or a name and its lowest version: "{name}>=14".'
        )
    return name, lowest[1] if lowest else ""
