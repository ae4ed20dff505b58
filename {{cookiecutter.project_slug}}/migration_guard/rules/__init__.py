"""Rules: operations in, findings out. Each module holds the rules of one category.

A project's own rules import what they need from here:

>>> from migration_guard.rules import Found, Upgrade, rule
"""

from types import ModuleType

from . import (
    data,
    design,
    drift,
    enums,
    history,
    live,
    reading,
    report,
    revision,
    roundtrip,
    running_code,
)
from .locks import constraints, indexes, tables, transactions
from .own_rules import rules_of
from .rule import Found, Rule, rule
from .upgrade import Upgrade

__all__ = ["RULES", "Found", "Rule", "Upgrade", "rule"]

# In the order of RULES.md.
MODULES: list[ModuleType] = [history, reading, indexes, constraints, tables, transactions]
MODULES += [running_code, data, enums, design, revision, drift, roundtrip, live, report]

RULES = {name: each for module in MODULES for name, each in rules_of(module).items()}
