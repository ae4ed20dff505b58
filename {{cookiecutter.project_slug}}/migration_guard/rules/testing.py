"""Runs the examples of rules. A project's tests call ``check_examples()``."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ..databases import dialects_of
from ..finding import Finding
from ..reading.reader import read_migration
from ..settings import read_settings
from . import RULES
from .judge import judge
from .own_rules import with_own_rules
from .past import Past
from .rule import Rule

IMPORTS = """\
import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import mysql, postgresql
"""
REVISION = 'revision = "b1"\ndown_revision = "a1"\n'
DOWNGRADE = "def downgrade():\n    raise NotImplementedError('there is no way back')\n"


def check_examples(root: Path | str = ".") -> None:
    """Run the examples of the project's own rules, which ``pyproject.toml`` in ``root`` names.

    The rule must find its bad example. In its good example, no rule may find an error on the
    databases of the project. Raises AssertionError with every example that is wrong.
    """
    settings = read_settings(Path(root).resolve())
    rules = with_own_rules(RULES, settings.rules, settings.root)
    own = [rules[name] for name in rules if name not in RULES]
    wrong = [fault for each in own for fault in wrong_examples(each, rules, settings.databases)]
    if not own:
        wrong.append(f"{settings.root / 'pyproject.toml'} names no rules: set rules = [...].")
    if wrong:
        raise AssertionError("\n".join(wrong))


def wrong_examples(
    rule: Rule, rules: Mapping[str, Rule], databases: Iterable[str]
) -> Iterator[str]:
    """Yield what is wrong with the examples of a rule, one line for each fault."""
    if rule.name not in {found.rule for found in find(rule.bad, rules, rule.databases)}:
        yield f"{rule.name}: the rule does not find its bad example."
    for found in find(rule.good, rules, rule.databases):
        if found.rule == rule.name:
            yield f"{rule.name}: the rule finds its good example: {found.message}"
    for found in find(rule.good, rules, databases):
        if found.rule != rule.name and found.severity == "error":
            yield f"{rule.name}: its good example has a finding {found.rule}: {found.message}"


def find(example: str, rules: Mapping[str, Rule], databases: Iterable[str]) -> list[Finding]:
    """Return the findings in an example: a whole migration, or the body of its upgrade()."""
    names = dict.fromkeys(databases, "")
    migration = read_migration(
        "migration.py", dialects=dialects_of(names), source=migration_of(example)
    )
    return judge(migration, names, lambda module: module.split(".")[0] == "shop", rules, Past())


def migration_of(example: str) -> str:
    """Return a whole migration, with the parts that an example leaves out."""
    text = textwrap.dedent(example).strip("\n") + "\n"
    if text.startswith("revision"):
        text += 'down_revision = "a1"\n\ndef upgrade(): pass\n'
    elif "def upgrade" not in text:
        text = "def upgrade():\n" + textwrap.indent(text, "    ")
    revision = "" if "down_revision" in text else REVISION
    return f"{IMPORTS}{revision}{text}" + ("" if "def downgrade" in text else DOWNGRADE)
