"""What env.py gives to Alembic to autogenerate."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import ops

from ..databases import dialects_of
from ..exceptions import CannotCheck
from ..running.alembic_comparison import CHECKS
from ..running.drift_fixes import renaming
from ..settings import Settings, read_settings
from .compare import Comparison, flat
from .decisions import add_decisions
from .dialects import families
from .differences import difference_steps
from .if_exists import write_if_exists
from .model_lines import with_defaults
from .models import plain_dialect
from .plain import plain_steps
from .postgresql import PostgreSQL
from .rendering import TypeWriter
from .steps import Step, write_scripts
from .tables import constraints_last, in_order
from .undeployed import new_tables, undeployed

Scripts = list[ops.MigrationScript]
log = logging.getLogger(__name__)


def options(root: Path) -> dict[str, Any]:
    """Return what autogenerate needs of ``context.configure()``; ``root``: the project."""
    settings = read_settings(root)
    return {
        "autogenerate_plugins": ["alembic.autogenerate.*", CHECKS],
        "compare_type": True,
        "compare_server_default": False,  # `Comparison` does it, for all of them
        "render_item": TypeWriter(settings.dialects),
        "process_revision_directives": RevisionWriter(root, settings),
    }


class RevisionWriter:
    """The ``process_revision_directives`` of env.py."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.root, self.settings = root, settings

    def __call__(self, context: MigrationContext, revision: Any, directives: Scripts) -> None:
        """Replace ``directives`` by revisions that the check accepts."""
        script, *others = directives
        upgrade, *engines = script.upgrade_ops_list
        # Alembic adds the operations of each further engine to the last script.
        several = others or engines or upgrade.upgrade_token != "upgrades"
        if not several and context.connection is not None:
            try:
                comparison = Comparison(context, context.connection, self.root)
                if self.settings.safe_autogenerate:
                    self.write(context, comparison, directives)
                else:
                    comparison.add_defaults(upgrade.ops)
            except CannotCheck as error:
                log.warning("%s Autogenerate writes only what Alembic itself compares.", error)
        write_if_exists(context, revision, directives)
        asked = getattr(context.config and context.config.cmd_opts, "autogenerate", False)
        if asked and not several:
            summarize(context, directives)

    def write(self, context: MigrationContext, comparison: Comparison, directives: Scripts) -> None:
        (script,) = directives
        upgrade, models = script.upgrade_ops_list[0], comparison.models
        here = families([context.dialect.name])[0]
        # Without a setting, nobody has named a second one.
        every = families([context.dialect.name, *dialects_of(self.settings.lowest)])
        context.impl.dialect = plain_dialect(context.dialect)  # what it writes, no driver reads
        context.opts["render_as_batch"] = "sqlite" in every
        comparison.add_defaults(upgrade.ops)
        operations = in_order(comparison.real(upgrade.ops), alters=here != "sqlite")
        parts = constraints_last(flat(operations))
        seen: Iterable[Step] = difference_steps(comparison, parts)
        if every[1:]:
            seen = (replace(each, only=(here,)) for each in seen)
        new = undeployed(self.settings)
        if "postgresql" in every:
            writer = PostgreSQL(comparison, parts, every, new_tables(new))
            steps = chain(writer.all_steps(seen))
        else:
            steps = chain(plain_steps(parts, models, every), seen)
        lines = with_defaults(parts, models, comparison.schema)
        directives[:] = write_scripts(script, steps)
        found = comparison.differences
        calls = (renaming(each, found, context.dialect.name) for each in found)
        hints = dict.fromkeys(filter(None, calls))
        for each in directives:
            add_decisions(each, context, self.settings, hints, new, lines)


def summarize(context: MigrationContext, directives: Scripts) -> None:
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
    back = f"nox -s migrate -- downgrade {before}, or alembic downgrade {before}"
    config.print_stdout("To take it back: if your database has run it, %s.", back)
    config.print_stdout("Then delete the files.")
