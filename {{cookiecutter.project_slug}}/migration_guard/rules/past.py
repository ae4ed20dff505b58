"""What the revisions before a migration did, as far as their files tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

from ..reading.migration import Migration, Operation


def table_of(op: Operation) -> str:
    """One spelling of a table, by which it is recognised: unquoted names fold to lower case."""
    return (op.qualified_table or "").casefold().removeprefix("public.")


class Past:
    """The upgrades of all revisions before one, oldest first. They are read when a rule asks."""

    def __init__(
        self,
        read: Callable[[], Iterable[Migration]] = tuple,
        undeployed: Iterable[Migration] = (),
    ) -> None:
        self.read = read
        self.undeployed = [op for each in undeployed for op in upgrade_of(each)]

    @cached_property
    def operations(self) -> list[Operation]:
        return [op for each in self.read() for op in upgrade_of(each)]

    @cached_property
    def by_table(self) -> dict[str, list[Operation]]:
        tables: dict[str, list[Operation]] = {}
        for op in self.operations:
            tables.setdefault(table_of(op), []).append(op)
        return tables

    def on(self, table: str) -> list[Operation]:
        """The operations on one table."""
        return self.by_table.get(table, [])


def upgrade_of(migration: Migration) -> list[Operation]:
    return [op for op in migration.operations if op.function.startswith("upgrade")]
