"""What env.py gives to Alembic to autogenerate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import ops

from ..running.server_defaults import PLUGIN
from ..settings import Settings, read_settings
from .compare import compare, real, unseen
from .if_exists import write_if_exists
from .models import Models, plain_dialect
from .postgresql import PostgreSQL
from .steps import write_scripts
from .types import TypeWriter


def options(root: Path) -> dict[str, Any]:
    """Return what autogenerate needs of ``context.configure()``; ``root``: the project."""
    settings = read_settings(root)
    return {
        "autogenerate_plugins": [
            "alembic.autogenerate.*",
            "alembic.ext.checkconstraint_byname",
            PLUGIN,
        ],
        "compare_type": True,
        "compare_server_default": True,
        "render_item": TypeWriter(settings.dialects),
        "process_revision_directives": RevisionWriter(root, settings),
    }


class RevisionWriter:
    """The ``process_revision_directives`` of env.py."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.root, self.settings = root, settings

    def __call__(
        self, context: MigrationContext, revision: Any, directives: list[ops.MigrationScript]
    ) -> None:
        """Replace ``directives`` by revisions that the check accepts."""
        script, *others = directives
        upgrade, *engines = script.upgrade_ops_list
        several = others or engines or is_one_of_many(upgrade)
        if several or not self.settings.safe_autogenerate or context.connection is None:
            write_if_exists(context, revision, directives)
            return
        models = Models(context)
        found = compare(context, models, self.root)
        context.impl.dialect = plain_dialect(context.dialect)  # what it writes, no driver reads
        if context.dialect.name != "postgresql":
            write_if_exists(context, revision, directives)
            return
        operations = list(flat(upgrade.ops))
        if found is not None:
            operations = real(operations, found, models)
        writer = PostgreSQL(models, operations)
        steps = [*writer.all_steps(), *writer.differences(unseen(operations, found or [], models))]
        directives[:] = write_scripts(script, steps)


def is_one_of_many(upgrade: ops.UpgradeOps) -> bool:
    """Whether env.py migrates several engines, whose operations Alembic adds to the last script."""
    return upgrade.upgrade_token != "upgrades"


def flat(operations: list[ops.MigrateOperation]) -> Iterator[ops.MigrateOperation]:
    for operation in operations:
        if isinstance(operation, ops.ModifyTableOps):
            yield from operation.ops
        else:
            yield operation
