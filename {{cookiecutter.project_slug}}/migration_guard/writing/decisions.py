"""Comments on what only a person can decide: what the rules find in what is written."""

import re
from collections.abc import Iterable, Mapping
from textwrap import indent, wrap

from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import _render_cmd_body as rendered
from alembic.migration import MigrationContext
from alembic.operations import ops

from ..reading.migration import Migration
from ..reading.reader import read_migration
from ..rules import RULES
from ..rules.judge import judge
from ..rules.past import Past
from ..settings import Settings
from .blocks import Lines


def add_decisions(
    script: ops.MigrationScript,
    context: MigrationContext,
    settings: Settings,
    renames: Iterable[str],
    undeployed: list[Migration],
    lines: Mapping[str, tuple[str, str]],
) -> None:
    """Begin upgrade() with comments: what the check will find in it, and calls that rename.

    ``lines``: a default of a new column and the model's line with it, by ``table.column``.
    """
    upgrade = script.upgrade_ops_list[0]
    if upgrade.is_empty():
        return
    rendering = AutogenContext(context, autogenerate=False)
    body = indent(rendered(upgrade, rendering), "    ")
    imports = ["import sqlalchemy as sa", "from alembic import op", *sorted(rendering.imports)]
    literals = ["revision = 'a'", "down_revision = None"]
    source = "\n".join([*imports, *literals, "def upgrade():", body, "def downgrade(): pass"])
    migration = read_migration("", dialects=settings.dialects, source=source)
    comments: list[str] = []
    past = Past(undeployed=undeployed)
    for found in judge(migration, settings.declared, lambda module: False, RULES, past):
        if found.severity == "error" and found.rule not in OF_FILES:
            text = f"Decide ({found.rule}): {found.message} {found.fix}"
            value, line = lines.get(found.message.split()[0], ("", ""))
            if found.rule == "not-null-without-default" and line:
                text = re.sub('server_default="[^"]*"', f'server_default="{value}"', text)
                line = f"In the model: {line}"
            # In a comment it would suppress a finding.
            text = " ".join(text.replace("# migration-guard:", "migration-guard:").split())
            comments += wrap(text, 90, break_on_hyphens=False)  # names of rules stay whole
            comments += [line] if line else []
    for call in renames:
        comments += ["If this renames a column, write it instead of the drop and the add, and the"]
        comments += ["reverse in downgrade():", call]
    if comments:
        upgrade.ops.insert(0, Lines(*(f"# {line}" for line in comments)))


# There is no downgrade() to judge here, and no migration before this one.
OF_FILES = {"empty-downgrade", "no-operations-read", "enum-missing"}
