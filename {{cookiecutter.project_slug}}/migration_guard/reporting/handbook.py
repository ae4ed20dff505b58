"""The description of a rule, for --explain, --list-rules and RULES.md."""

from collections.abc import Iterable
from textwrap import indent

from ..databases import EVERY
from ..rules.rule import Rule

HEAD = """\
# Rules

What `python scripts/check_migrations.py` can find. `--explain RULE` prints one of these rules.

To suppress a finding, put a comment with the rule and a reason on the statement or the line above:

```python
op.drop_column("videos", "url")  # migration-guard: ignore[drop-column] unused since 2.3
```

Three settings in `[tool.migration-guard]` of `pyproject.toml` choose the rules: `ignore` turns
rules or whole categories off, `databases` names the databases that you deploy to (rules for other
databases are skipped), and `rules` adds your own (see [README.md](README.md#rules-of-your-own)).

| category | rule | what it finds | databases | severity |
|---|---|---|---|---|
"""


def concerns(rule: Rule) -> str:
    """Return the databases that a rule is for, with their versions."""
    if rule.databases.keys() >= EVERY and not any(rule.databases.values()):
        return "all"
    return ", ".join(f"{name}{versions}" for name, versions in sorted(rule.databases.items()))


def fixes(rule: Rule, mark: str = "") -> str:
    """Return the fix and that of each single case, with ``mark`` around the word before it."""
    cases = (f"{mark}Fix ({case}):{mark} {fix}" for case, fix in rule.fixes.items())
    return "\n\n".join([f"{mark}Fix:{mark} {rule.fix}", *cases])


def explain(rule: Rule) -> str:
    """Return the full description of a rule, for the terminal."""
    return (
        f"{rule.name} ({rule.severity}; category: {rule.category}; databases: {concerns(rule)})\n\n"
        f"{rule.summary}\n\nWhy: {rule.why}\n\n{fixes(rule)}\n\n"
        f"Bad:\n{indent(rule.bad, '    ')}\n\nGood:\n{indent(rule.good, '    ')}\n\n"
        f"Suppress: # migration-guard: ignore[{rule.name}] the reason"
    )


def list_of_rules(rules: Iterable[Rule]) -> str:
    """Return one line for each rule."""
    return "\n".join(
        f"{rule.name:27} {rule.category:13} {rule.severity:8} {rule.summary}" for rule in rules
    )


def handbook(rules: Iterable[Rule]) -> str:
    """Return the text of RULES.md."""
    table, parts = "", ""
    for rule in rules:
        table += (
            f"| {rule.category} | [`{rule.name}`](#{rule.name}) | {rule.summary} |"
            f" {concerns(rule)} | {rule.severity} |\n"
        )
        # Only rules without a function have graphs or SQL as examples.
        language = "python" if rule.check or "op." in rule.bad + rule.good else "text"
        parts += (
            f"\n## {rule.name}\n\n{rule.summary}\n\n{rule.why}\n\n{fixes(rule, '**')}\n"
            f"\nBad:\n\n```{language}\n{rule.bad}\n```\n"
            f"\nGood:\n\n```{language}\n{rule.good}\n```\n"
        )
    return HEAD + table + parts
