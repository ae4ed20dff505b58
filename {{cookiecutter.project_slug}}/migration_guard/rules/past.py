"""The operations of the revisions before a migration, from their files."""

from collections.abc import Callable, Collection, Iterable
from functools import cached_property

from ..reading.migration import Migration, Operation


def table_of(op: Operation) -> str:
    """Return the table in lower case and without ``public``, to compare it with others."""
    return (op.qualified_table or "").casefold().removeprefix("public.")


def upgrade_of(migration: Migration) -> list[Operation]:
    return [op for op in migration.operations if op.function.startswith("upgrade")]


class AllRevisions:
    """The upgrades of all revisions, oldest first. Their files are read when a rule needs them."""

    def __init__(self, read: Callable[[], Iterable[Migration]] = tuple) -> None:
        self.read = read

    @cached_property
    def index(self) -> dict[str, list[tuple[str, Operation]]]:
        """Return the operations with their revisions, by "table NAME" and by their own name."""
        found: dict[str, list[tuple[str, Operation]]] = {}
        for migration in self.read():
            for op in upgrade_of(migration):
                for key in (f"table {table_of(op)}", op.operation):
                    found.setdefault(key, []).append((migration.revision or "", op))
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

    def on(self, *tables: str) -> list[Operation]:
        """Return the operations on these tables, for each oldest first."""
        return self.of(*(f"table {table}" for table in tables))

    def not_before(self, table: str) -> list[Operation]:
        """Return the operations on one table of the revisions that do not come before."""
        on_table = self.revisions.index.get(f"table {table}", ())
        return [op for revision, op in on_table if revision not in self.before]

    def of(self, *keys: str) -> list[Operation]:
        """Return the operations of these names."""
        if not self.before:
            return []
        index = self.revisions.index
        return [
            op for key in keys for revision, op in index.get(key, ()) if revision in self.before
        ]
