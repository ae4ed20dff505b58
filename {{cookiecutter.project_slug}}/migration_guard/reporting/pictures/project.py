"""The migrations and the models of a project, as its env.py configures them."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from ...error_messages import in_one_line
from ...exceptions import CannotCheck
from ...running.alembic_config import alembic_config
from ...running.scratch import load_dialect
from ...running.stepping import quiet, read_scripts
from ...settings import read_settings


@dataclass(frozen=True, slots=True)
class Project:
    """``tables`` come in the order of their references, ``dialect`` of the configured database."""

    name: str
    config: Config
    scripts: ScriptDirectory
    tables: list[sa.Table]
    dialect: sa.Dialect


def name_of(root: Path) -> str:
    """Return the project's name from pyproject.toml, or that of its folder."""
    try:
        pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
        return str(pyproject["project"]["name"])
    except (OSError, ValueError, KeyError):
        return root.resolve().name


def read_project(root: Path) -> Project:
    """Run env.py offline, which needs no database. Raises CannotCheck."""
    config = alembic_config(read_settings(root))
    scripts = read_scripts(config)
    configured: dict[str, Any] = {}

    def configure(**options: Any) -> None:
        configured.update(options)
        EnvironmentContext.configure(environment, **options)

    config.attributes["configure_logging"] = False
    environment = EnvironmentContext(
        config, scripts, fn=lambda *_: [], as_sql=True, destination_rev="heads"
    )
    environment.configure = configure  # type: ignore[assignment]
    with quiet(), in_one_line(), environment:
        scripts.run_env()
        metadata = configured.get("target_metadata")
        if metadata is None:
            raise CannotCheck(
                "alembic/env.py passes no target_metadata to context.configure(): pass the"
                " metadata of the models."
            )
        many = metadata if isinstance(metadata, list | tuple) else [metadata]
        # Accessing sorted_tables resolves every foreign key.
        tables = [table for each in many for table in each.sorted_tables]
    url = sa.make_url(configured["url"]) if configured.get("url") else sa.make_url("sqlite://")
    return Project(name_of(root), config, scripts, tables, load_dialect(url)())
