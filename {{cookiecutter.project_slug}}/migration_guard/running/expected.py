"""The schema that a history creates on a scratch database, also that of a squash."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import URL

from ..deploying.applied import own_tables
from ..finding import Finding
from ..history.graph import fault
from ..reading.migration import Migration
from ..settings import Settings
from .alembic_config import alembic_config
from .schema.objects import SchemaObject, differences
from .schema.snapshots import describe
from .scratch import find_url, scratch_database
from .stepping import Stepper, read_scripts, run_env


def expected_schema(
    config: Config, scripts: ScriptDirectory, heads: tuple[str, ...], server: URL
) -> tuple[list[SchemaObject], Any]:
    """Migrate a scratch database on ``server`` to these revisions and describe it.

    Returns the description, and env.py's filter of names. Raises CannotCheck.
    """
    applied = list(scripts.iterate_revisions(heads, None, implicit_base=True))[::-1]
    found: list[tuple[list[SchemaObject], Any]] = []

    def work(context: MigrationContext) -> None:
        Stepper(context, scripts).upgrade(applied)
        assert context.connection is not None
        hidden = own_tables(context.version_table, context.version_table_schema)
        objects = list(describe(context.connection, hidden).values())
        found.append((objects, context.opts.get("include_name")))
        context.connection.commit()

    with scratch_database(server) as engine:
        run_env(config, scripts, engine, work)
    return found[0]


def check_squashes(
    settings: Settings, url: str | None, squashes: Iterable[tuple[Migration, list[Migration]]]
) -> Iterator[Finding]:
    """Yield a finding for each squash that creates another schema than what it replaces.

    ``squashes`` are pairs: the migration, and the deployed ones that it replaces.
    """
    server = find_url(settings.root, url)
    for squash, replaced in squashes:
        schemas = []
        with TemporaryDirectory() as folder:
            for old in replaced:
                (Path(folder) / Path(old.path).name).write_text(old.source, encoding="utf-8")
            for versions in ((Path(folder),), settings.versions):
                config = alembic_config(replace(settings, versions=versions))
                heads = (str(squash.revision),)
                schemas.append(expected_schema(config, read_scripts(config), heads, server)[0])
        if changed := ", ".join(each.name for each in differences(*schemas)):
            message = f"{squash.revision} is a squash of {len(replaced)} deployed migrations, and"
            message += f" creates another schema than they do: {changed} differs."
            yield fault("edited-migration", squash, "revision", message, {"fix": "squash"})
