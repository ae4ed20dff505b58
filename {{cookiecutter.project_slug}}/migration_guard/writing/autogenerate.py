"""What env.py gives to Alembic to autogenerate."""

import logging
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import ops

from ..exceptions import CannotCheck
from ..running.alembic_comparison import CHECKS
from ..running.server_defaults import PLUGIN
from ..settings import Settings, read_settings
from .backfill import backfill
from .compare import Comparison, altered_columns, flat
from .decisions import add_decisions
from .differences import difference_steps
from .if_exists import write_if_exists
from .models import Models, plain_dialect
from .postgresql import PostgreSQL
from .rendering import TypeWriter
from .steps import Phase, Step, write_scripts
from .tables import Operations, constraints_last, in_order

log = logging.getLogger(__name__)


def options(root: Path) -> dict[str, Any]:
    """Return what autogenerate needs of ``context.configure()``; ``root``: the project."""
    settings = read_settings(root)
    alone = not settings.safe_autogenerate  # else `Comparison` compares the server defaults
    return {
        "autogenerate_plugins": ["alembic.autogenerate.*", CHECKS, *([PLUGIN] if alone else [])],
        "compare_type": True,
        "compare_server_default": alone,
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
        # Alembic adds the operations of each further engine to the last script.
        several = others or engines or upgrade.upgrade_token != "upgrades"
        if not several and self.settings.safe_autogenerate and context.connection is not None:
            try:
                comparison = Comparison(context, context.connection, self.root)
                self.write(context, comparison, directives)
            except CannotCheck as error:
                log.warning("%s Autogenerate writes only what Alembic itself compares.", error)
        write_if_exists(context, revision, directives)
        if (
            getattr(context.config and context.config.cmd_opts, "autogenerate", False)
            and not several
        ):
            summarize(context, directives)

    def write(
        self,
        context: MigrationContext,
        comparison: Comparison,
        directives: list[ops.MigrationScript],
    ) -> None:
        (script,) = directives
        upgrade, models = script.upgrade_ops_list[0], comparison.models
        context.impl.dialect = plain_dialect(context.dialect)  # what it writes, no driver reads
        comparison.add_defaults(upgrade.ops)
        alters = context.dialect.name != "sqlite"
        operations = in_order(comparison.real(upgrade.ops), alters)
        parts = flat(operations)
        # SQLite's are batches.
        order = operations if context.dialect.name == "sqlite" else constraints_last(parts)
        steps = chain(plain_steps(order, models), difference_steps(comparison, parts))
        if context.dialect.name == "postgresql":
            steps = chain(PostgreSQL(comparison, parts).all_steps())
        directives[:] = write_scripts(script, steps)
        hints = models.renames(parts)
        for each in directives:
            add_decisions(each, context, self.settings, hints)


def summarize(context: MigrationContext, directives: list[ops.MigrationScript]) -> None:
    """Print which revisions are written and what comes next; write none where nothing differs."""
    config = context.config
    assert config is not None
    before = " ".join(context.get_current_heads()) or "base"
    if directives[-1].upgrade_ops_list[-1].is_empty():
        config.print_stdout("Nothing to write: the migrations and the models agree.")
        directives.clear()
        return
    for number, script in enumerate(directives, 1):
        config.print_stdout("%d. %s %s", number, script.rev_id, script.message or "")
    config.print_stdout("Next: check them (nox -s check, or python -m migration_guard),")
    config.print_stdout("then migrate (nox -s migrate, or alembic upgrade head).")
    config.print_stdout(
        "To take it back: alembic downgrade %s if your database has run it; delete the files.",
        before,
    )


def plain_steps(operations: Operations, models: Models) -> Iterator[Step]:
    """One revision, or three where a column becomes NOT NULL and its rows get a value first.

    On MySQL and MariaDB nothing follows a constraint in its revision, so that one that fails can
    run again: each statement commits by itself there, and this one can't be repeated.
    """
    for operation in operations:
        alters = altered_columns(flat([operation]), models).values()
        required = (each for each in alters if each.modify_nullable is False)
        fills = [step for each in required for step in backfill(each, models)]
        yield from fills
        last = ""
        if isinstance(operation, (ops.AddConstraintOp, ops.DropConstraintOp)):
            last = f"constraint {getattr(operation, 'constraint_name', None) or ''}".strip()
        phase = Phase.NOT_NULL if fills else Phase.SCHEMA
        yield Step(phase, [operation], [operation.reverse()], last=last)
