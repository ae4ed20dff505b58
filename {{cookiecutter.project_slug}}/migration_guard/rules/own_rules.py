"""The rules in a module, and those that a project writes itself."""

import importlib.util
import sys
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from ..exceptions import CannotCheck
from .rule import Rule

SETTING = "pyproject.toml: [tool.migration-guard] rules"


def rules_of(module: ModuleType) -> dict[str, Rule]:
    """Return the rules that a module holds, by name. It, or its package here, is their category."""
    place = module.__name__.rpartition("migration_guard.rules.")[2]
    category = place.partition(".")[0].replace("_", "-")
    return {
        each.name: replace(each, category=category)
        for each in vars(module).values()
        if isinstance(each, Rule)
    }


def with_own_rules(
    known: Mapping[str, Rule], modules: Iterable[str], root: Path
) -> dict[str, Rule]:
    """Return the known rules and those of the project's modules in ``root``.

    Raises CannotCheck if a module can't be imported or a name exists already.
    """
    rules = dict(known)
    for name in modules:
        own = rules_of(load(name, root))
        if not own:
            raise CannotCheck(f"{SETTING}: {name} has no rule; write one with @rule(...).")
        for each in own.values():
            if each.name in rules:
                raise CannotCheck(
                    f"{SETTING}: {name} has a rule {each.name}, and that name exists already"
                    f" ({rules[each.name].category}); rename its function."
                )
        rules |= own
    return rules


def load(name: str, root: Path) -> ModuleType:
    """Import one module from its file in ``root``: nothing else of the project is imported."""
    file = root / f"{name}.py"
    if not file.is_file():
        raise CannotCheck(f"{SETTING}: there is no {name}.py beside pyproject.toml.")
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise CannotCheck(f"{SETTING}: Python can't import {name}.py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # a dataclass in it looks itself up
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == str(file)
        ]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else 1
        reason = " ".join(str(error).split())
        raise CannotCheck(
            f"{SETTING}: {name}.py:{line}: {type(error).__name__}: {reason}; a module of rules"
            " imports only the standard library and migration_guard."
        ) from None
    return module
