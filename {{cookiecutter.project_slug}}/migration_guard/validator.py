"""What one migration file does: it is read and never run. For your own tests and checks.

>>> validator = MigrationValidator("alembic/versions/b9532a7d8c7a_add_indexes.py")
>>> validator.validates_index_creation("idx_fingerprints_video_time", "audio_fingerprints")
True
"""

from __future__ import annotations

from pathlib import Path

from .reading.migration import Call, Operation, UnreadableMigration
from .reading.reader import read_migration

__all__ = ["MigrationValidator", "UnreadableMigration"]


# These operations change neither a table's definition nor its rows.
UPKEEP = frozenset({"lock_table", "vacuum", "reindex", "optimize", "cluster"})


class MigrationValidator:
    """Answers questions about one migration file.

    ``function`` is ``"upgrade"``, ``"downgrade"`` or None for both. A table may be named with its
    schema or without. Names that SQL doesn't quote are in lower case, as PostgreSQL folds them. An
    operation reads as a mapping: ``operation["args"]``, ``operation["table"]``.
    """

    def __init__(self, migration_file: str | Path) -> None:
        """Read the file; raise ``UnreadableMigration`` (a ``ValueError``) if it can't be read."""
        self.migration_file = Path(migration_file)
        self.parse()

    def parse(self) -> MigrationValidator:
        """Read the file again, and return this validator."""
        self.migration = read_migration(self.migration_file)
        return self

    @property
    def operations(self) -> list[Operation]:
        """Return the operations of upgrade() and downgrade(), in the order in which they run."""
        return self.migration.operations

    def get_operations(
        self, operation: str | None = None, function: str | None = None
    ) -> list[Operation]:
        """Return the operations of this name, or all, in the order in which they run."""
        return [
            each
            for each in self.migration.operations
            if operation in (None, each.operation) and function in (None, each.function)
        ]

    def has_operation(self, operation: str, function: str | None = None) -> bool:
        """Return whether there is an operation of this name."""
        return bool(self.get_operations(operation, function))

    def get_modified_tables(self, function: str | None = None) -> set[str]:
        """Return the tables that are changed, with their schema; both names of a renamed table."""
        tables = set()
        for each in self.get_operations(function=function):
            if each.qualified_table and each.operation not in UPKEEP:
                tables.add(each.qualified_table)
                new_name = each.kwargs.get("new_table_name")
                if isinstance(new_name, str):
                    tables.add(f"{each.schema}.{new_name}" if each.schema else new_name)
        return tables

    def has_table_modification(self, table_name: str, function: str | None = None) -> bool:
        """Return whether the table is changed."""
        tables = self.get_modified_tables(function)
        known = tables | {table.rpartition(".")[2] for table in tables}
        return not known.isdisjoint((table_name, table_name.lower()))

    def validates_index_creation(
        self, index_name: str | None = None, table_name: str | None = None
    ) -> bool:
        """Return whether upgrade creates an index of this name, on this table; None: any."""
        for each in self.get_operations(function="upgrade"):
            if table_name in (None, each.table, each.qualified_table) and (
                (each.operation == "create_index" and index_name in (None, each.name))
                or (
                    each.operation == "create_table"
                    and any(_is_index(item, index_name) for item in each.args)
                )
                or any(
                    index_name in (None, f"ix_{each.table}_{column.name}")
                    for column in each.definitions
                    if column.index
                )
            ):
                return True
        return False

    def validates_column_addition(self, table_name: str, column_name: str) -> bool:
        """Return whether upgrade adds this column to this table."""
        return any(
            table_name in (each.table, each.qualified_table) and column_name in each.columns
            for each in self.get_operations("add_column", "upgrade")
        )


def _is_index(item: object, name: str | None) -> bool:
    """Return whether an argument of create_table is ``sa.Index(name, ...)``."""
    return isinstance(item, Call) and item.name == "Index" and name in (None, *item.args[:1])
