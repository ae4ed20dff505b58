"""What ``[tool.migration-guard]`` in ``pyproject.toml`` says."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .findings import CannotCheck, nearest

# What a project can deploy to -> its SQLAlchemy dialects, by which a migration branches.
DATABASES: dict[str, tuple[str, ...]] = {
    "sqlite": ("sqlite",),
    "postgresql": ("postgresql",),
    "mysql": ("mysql", "mariadb"),
    "mariadb": ("mariadb", "mysql"),
    "galera": ("mariadb", "mysql"),
    "citus": ("postgresql",),
    "cockroachdb": ("cockroachdb",),
    "yugabytedb": ("postgresql", "yugabytedb"),
    "tidb": ("mysql", "tidb"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    root: Path
    databases: tuple[str, ...] = ("sqlite", "postgresql", "mariadb")
    ignore: tuple[str, ...] = ()
    first_revision: str | None = None
    versions: tuple[Path, ...]  # the folders of migration files
    baseline: Path | None = None
    lock: Mapping[str, Any] = field(default_factory=dict)  # lock.py's own

    @property
    def dialects(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(dialect for database in self.databases for dialect in DATABASES[database]))


KEYS: dict[str, tuple[type, str]] = {
    "databases": (list, "a list of names"),
    "ignore": (list, "a list of rules"),
    "first-revision": (str, "a revision"),
    "versions": (list, "a list of folders"),
    "baseline": (str, "a file"),
    "lock": (dict, "a table"),
}


def read_settings(root: Path) -> Settings:
    """The settings of the project at ``root``; what is not said there has a default that is right for most."""
    try:
        with (root / "pyproject.toml").open("rb") as file:
            table = tomllib.load(file).get("tool", {}).get("migration-guard", {})
    except FileNotFoundError:
        table = {}
    except (OSError, ValueError) as error:
        raise CannotCheck(f"pyproject.toml: {error}") from None
    for key, value in table.items():
        where = f"pyproject.toml: [tool.migration-guard] {key}"
        if key not in KEYS:
            raise CannotCheck(f"{where}: there is no such key{nearest(key, KEYS)}; known: {', '.join(KEYS)}.")
        kind, name = KEYS[key]
        strings = not isinstance(value, list) or all(isinstance(item, str) for item in value)
        if not isinstance(value, kind) or not strings:
            raise CannotCheck(f"{where}: must be {name}, is {value!r}.")
    databases = tuple(table.get("databases", Settings.__dataclass_fields__["databases"].default))
    for name in databases:
        if name not in DATABASES:
            raise CannotCheck(
                f"pyproject.toml: [tool.migration-guard] databases: {name!r} is not known{nearest(name, DATABASES)}; "
                f"known: {', '.join(DATABASES)}."
            )
    return Settings(
        root=root,
        databases=databases,
        ignore=tuple(table.get("ignore", ())),
        first_revision=table.get("first-revision"),
        versions=tuple(root / folder for folder in table.get("versions", ["alembic/versions"])),
        baseline=root / table["baseline"] if "baseline" in table else None,
        lock=table.get("lock", {}),
    )
