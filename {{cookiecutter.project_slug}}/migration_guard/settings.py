"""The settings of the check, from ``pyproject.toml`` and Alembic's own configuration."""

import configparser
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .databases import DATABASES, dialects_of
from .exceptions import CannotCheck
from .pyproject import others, read_pyproject, underscored


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
    url: str = ""  # sqlalchemy.url of alembic.ini
    safe_autogenerate: bool = True  # autogenerate writes safe forms, in several revisions
    offline: bool = False  # --sql must be able to print the whole history

    @property
    def declared(self) -> dict[str, str]:
        """Return the databases, each with the lowest version that is declared, or ""."""
        return {name: self.lowest.get(name, "") for name in self.databases}

    @property
    def dialects(self) -> tuple[str, ...]:
        return dialects_of(self.databases)


SEVERITIES = ("error", "warning", "note")


def read_settings(root: Path) -> Settings:
    """Return the settings of the project at ``root``, with defaults. Raises CannotCheck."""
    tools = read_pyproject(root)
    given = {key: value for key, value in tools["migration-guard"].items() if key != "lock"}
    for name, value in given.get("severity", {}).items():
        if value not in SEVERITIES:
            known = ", ".join(SEVERITIES)
            place = "pyproject.toml: [tool.migration-guard] severity"
            raise CannotCheck(f"{place} {name}: must be {known}, is {value!r}.")
    if "databases" in given:
        given["lowest"] = dict(map(read_database, given["databases"]))
        given["databases"] = list(given["lowest"])
    given = from_alembic(root, root / given["config"], tools.get("alembic", {})) | given
    given["versions"] = [root / folder for folder in given["versions"]]
    given |= {key: root / given[key] for key in ("baseline", "config") if key in given}
    given |= {key: tuple(value) for key, value in given.items() if isinstance(value, list)}
    return Settings(root=root, **underscored(given))


def from_alembic(root: Path, config: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the folders of migrations and the URL that Alembic's own configuration names.

    ``options`` are those of ``[tool.alembic]``. Raises CannotCheck.
    """
    parser, here = configparser.RawConfigParser(), str(config.parent)
    try:
        parser.read_dict({"alembic": {}})
        parser.read(config, encoding="utf-8")
    except (configparser.Error, ValueError) as error:
        raise CannotCheck(f"{config.name}: {str(error).splitlines()[0]}") from None
    found = {**options, **parser["alembic"]}
    own = str(found.get("script_location") or ("alembic" if config.parent == root else here))
    own = re.sub(r"^[\w.]{2,}:", lambda package: package[0][:-1].replace(".", "/") + "/", own)
    names = found.get("version_locations") or [f"{own}/versions"]
    if isinstance(names, str):
        names = re.split(rf"[,;\s{os.pathsep}]+", names)
    url = parser["alembic"].get("sqlalchemy.url", "").replace("%(here)s", here).replace("%%", "%")
    unset = "%(" in url or url.startswith("driver://")  # as `alembic init` writes it
    folders = [name.strip().replace("%(here)s", here) for name in names if name.strip()]
    return {"versions": folders, "url": "" if unset else url}


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
