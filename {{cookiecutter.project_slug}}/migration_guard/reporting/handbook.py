"""What a rule says about itself: for --explain, and for RULES.md."""

from __future__ import annotations

from textwrap import indent

from ..databases import DATABASES
from ..rules.rule import Rule


def concerns(rule: Rule) -> str:
    return "all" if rule.databases >= set(DATABASES) else ", ".join(sorted(rule.databases))


def explain(rule: Rule) -> str:
    example = "".join(
        f"{name}:\n{indent(rule[name.lower()], '    ')}\n\n" for name in ("Bad", "Good")
    )
    return (
        f"{rule.name} ({rule.severity}; databases: {concerns(rule)})\n\n{rule['what']}\n\nWhy: {rule['why']}\n\n"
        f"Fix: {rule['fix']}\n\n{example}Suppress: # migration-guard: ignore[{rule.name}] the reason"
    )
