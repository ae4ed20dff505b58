"""The path of an operation: the conditions under which it runs.

If the reader can't tell which way a migration goes, it follows each way. Such a place is a choice,
and each visit is a new choice: a helper that is called twice chooses twice. A path has one
condition for each choice that matters: the branches on which the operation runs if the migration
comes to that choice. Executions are never enumerated.
"""

from itertools import count
from typing import NamedTuple

MAX_CONDITIONS = 50  # of one path


class Condition(NamedTuple):
    """Something runs only if this choice is never made, or takes one of these branches."""

    choice: int
    branches: frozenset[int]


Path = frozenset[Condition]

ALWAYS: Path = frozenset()

_choices = count()


def new_choice() -> int:
    """Return a new number for a choice."""
    return next(_choices)


def on_branches(choice: int, *branches: int) -> Path:
    """Return the path that takes one of these branches of a choice."""
    return frozenset({Condition(choice, frozenset(branches))})


def combined(path: Path, other: Path) -> Path | None:
    """Return the conditions of both paths; None if no execution takes both."""
    if other <= path:
        return path
    if not path:
        return other
    conditions = {condition.choice: condition for condition in path}
    for condition in other:
        known = conditions.setdefault(condition.choice, condition)
        if known is not condition:
            common = known.branches & condition.branches
            if not common:
                return None
            conditions[condition.choice] = Condition(condition.choice, common)
    if len(conditions) > MAX_CONDITIONS:  # forget them, but keep the path uncertain
        return on_branches(new_choice(), 0)
    return frozenset(conditions.values())


def narrowed(path: Path, other: Path) -> Path:
    """Return the path with the conditions of another that doesn't contradict it."""
    return combined(path, other) or path


def exclude_each_other(path: Path, other: Path) -> bool:
    """Return whether no execution takes both paths."""
    if not path or not other:
        return False
    branches = dict(other)
    return any(branches.get(choice, own).isdisjoint(own) for choice, own in path)


def is_implied(path: Path, by: Path) -> bool:
    """Return whether every execution that takes the path ``by`` takes this one, too."""
    if path <= by:
        return True
    branches = dict(by)
    return all(choice in branches and branches[choice] <= own for choice, own in path)
