"""Writes migration_guard/RULES.md from the guard's rules: ``python tests/lib/write_rules.py``."""

from __future__ import annotations

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2] / "{{cookiecutter.project_slug}}"
RULES_MD = PROJECT / "migration_guard" / "RULES.md"


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(PROJECT))
    from migration_guard.reporting.handbook import handbook
    from migration_guard.rules import RULES

    RULES_MD.write_text(handbook(RULES.values()), encoding="utf-8")
