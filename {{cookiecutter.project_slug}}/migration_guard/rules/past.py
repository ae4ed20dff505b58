"""The operations of the revisions before a migration, from their files."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import cached_property
from itertools import count
from math import inf

from ..reading.migration import Migration, Operation


def table_of(op: Operation) -> str:
    """Return the table in lower case and without ``public``, to compare it with others."""
    return (op.qualified_table or "").casefold().removeprefix("public.")


def renamed(op: Operation) -> str | None:
    """Return the new name of a rename, or "?" if it is unknown."""
    name = op.kwargs.get("new_column_name")
    if op.operation == "rename_table":
        name = op.kwargs.get("new_table_name", op.args[1] if len(op.args) > 1 else "?")
    return name if name is None or isinstance(name, str) else "?"


def renamed_table(op: Operation) -> str:
    """Return the new name of a renamed table, in the spelling of ``table_of``."""
    return table_of(replace(op, table=renamed(op)))


def upgrade_of(migration: Migration) -> list[Operation]:
    return [op for op in migration.operations if op.function.startswith("upgrade")]


class AllRevisions:
    """The upgrades of all revisions, oldest first. Their files are read when a rule needs them."""

    def __init__(self, read: Callable[[], Iterable[Migration]] = tuple) -> None:
        self.read = read

    @cached_property
    def index(self) -> dict[str, list[tuple[int, str, Operation]]]:
        """Return the numbered operations with their revisions, by "table NAME" and by name."""
        found: dict[str, list[tuple[int, str, Operation]]] = {}
        numbers = count()
        for migration in self.read():
            for op in upgrade_of(migration):
                each = (next(numbers), migration.revision or "", op)
                for key in (f"table {table_of(op)}", op.operation):
                    found.setdefault(key, []).append(each)
        return found


class Past:
    """The revisions before a migration, and which of them are not deployed yet."""

    def __init__(
        self,
        revisions: AllRevisions | None = None,
        before: Collection[str] = (),
        undeployed: Iterable[Migration] = (),
    ) -> None:
        self.revisions = revisions or AllRevisions()
        self.before = before
        self.undeployed = [op for each in undeployed for op in upgrade_of(each)]

    def on(self, table: str) -> list[Operation]:
        """Return the operations on a table, oldest first, also under its names before."""
        found: list[Operation] = []
        end: float = inf
        while self.before and table:
            renames = [
                (number, op)
                for number, op in self.numbered("rename_table")
                if number < end and table in (table_of(op), renamed_table(op))
                if not (op.path or op.dialects)
            ]
            start, rename = renames[-1] if renames else (-1, None)
            on_table = self.numbered(f"table {table}")
            found = [op for number, op in on_table if start < number < end] + found
            # an operation before it was on another table if the table's name was given away
            table = table_of(rename) if rename and renamed_table(rename) == table else ""
            end = start
        return found

    def not_before(self, table: str) -> list[Operation]:
        """Return the operations on one table of the revisions that do not come before."""
        return [op for _, op in self.numbered(f"table {table}", before=False)]

    def of(self, *keys: str) -> list[Operation]:
        """Return the operations of these names."""
        return [op for key in keys for _, op in self.numbered(key)] if self.before else []

    def numbered(self, key: str, before: bool = True) -> list[tuple[int, Operation]]:
        """Return the operations of this name in the revisions before, or in the others."""
        found = self.revisions.index.get(key, ())
        return [(number, op) for number, name, op in found if (name in self.before) is before]
