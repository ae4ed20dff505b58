"""The databases that one migration is for, and the conditions of what only some of them run."""

from collections.abc import Iterable

MYSQL = ("mysql", "mariadb", "tidb")


def families(names: Iterable[str]) -> list[str]:
    """Return the dialects, of which MySQL and its relatives run the same."""
    return sorted({"mysql" if name in MYSQL else name for name in names})


def condition(only: Iterable[str]) -> str:
    """Return the line before what only these families run."""
    names = [name for each in only for name in (MYSQL if each == "mysql" else (each,))]
    compared = f"== {names[0]!r}" if len(names) == 1 else f"in {tuple(names)!r}"
    return f"if op.get_context().dialect.name {compared}:"
