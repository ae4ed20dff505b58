"""Rules: operations in, findings out. Each module holds the rules of one category.

A project's own rules import what they need from here:

>>> from migration_guard.rules import Found, Upgrade, rule
"""

from __future__ import annotations

from . import (
    data,
    design,
    drift,
    enums,
    history,
    live,
    locks,
    reading,
    report,
    revision,
    roundtrip,
    running_code,
)
from .own_rules import rules_of
from .rule import Found, Rule, rule
from .upgrade import Upgrade

__all__ = ["RULES", "Found", "Rule", "Upgrade", "rule"]

RULES: dict[str, Rule] = {
    **rules_of(history),
    **rules_of(reading),
    **rules_of(locks),
    **rules_of(running_code),
    **rules_of(data),
    **rules_of(enums),
    **rules_of(design),
    **rules_of(revision),
    **rules_of(drift),
    **rules_of(roundtrip),
    **rules_of(live),
    **rules_of(report),
}
