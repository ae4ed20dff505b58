"""Writes migration_guard/RULES.md of the projects from the guard's rules: ``python tests/write_rules.py``."""

from __future__ import annotations

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2] / "{{cookiecutter.project_slug}}"
RULES_MD = PROJECT / "migration_guard" / "RULES.md"
HEAD = """\
# Rules

What `python scripts/check_migrations.py` can find; `--explain RULE` says it in the terminal.

A finding is let be by a comment in its statement or right above it, which names the rule and gives the reason:

```python
op.drop_column("videos", "url")  # migration-guard: ignore[drop-column] not read since 2.3
```

In `[tool.migration-guard]` of `pyproject.toml`, `ignore` turns rules off and `databases` says where the project deploys
to: a rule that concerns none of them is silent.

| rule | what it finds | databases | severity |
|---|---|---|---|
"""


def handbook() -> str:
    from migration_guard.reporting.handbook import concerns
    from migration_guard.rules.rule import RULES

    table, parts = "", ""
    for name, rule in RULES.items():
        table += f"| [`{name}`](#{name}) | {rule['what']} | {concerns(rule)} | {rule.severity} |\n"
        parts += f"\n## {name}\n\n{rule['what']}\n\n{rule['why']}\n\n**Fix:** {rule['fix']}\n"
        language = "text" if "<-" in rule["bad"] else "python"
        for which in ("Bad", "Good"):
            parts += f"\n{which}:\n\n```{language}\n{rule[which.lower()]}\n```\n"
    return HEAD + table + parts


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(PROJECT))
    RULES_MD.write_text(handbook(), encoding="utf-8")
