"""What an operation locks and whom that blocks, according to the manuals.

PostgreSQL: "Explicit Locking", CREATE INDEX, ALTER TABLE. MariaDB and MySQL: "Online DDL", with the
slower way where it depends on the table, and without the short lock at its beginning and end.
SQLite: "File Locking".
If a lock depends on more than what the migration states, it is unknown and never guessed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..reading.migration import Column, Operation, Type
from ..rules.column_types import is_free
from ..rules.past import table_of
from ..rules.upgrade import CONSTRAINTS, DATA_CHANGES, concurrently, is_schema


@dataclass(slots=True)
class TableLock:
    """A lock on an existing table. ``rows`` and ``megabytes`` are estimates; None: unknown."""

    table: str
    mode: str
    blocks: str
    rows: int | None = None
    megabytes: float | None = None


# The manuals of clusters describe other locks.
ONE_SERVER = frozenset({"sqlite", "postgresql", "citus", "mysql", "mariadb"})


def by_operation(modes: Mapping[str, str]) -> dict[str, str]:
    """Return the lock of each operation, from the operations of each lock."""
    return {name: mode for mode, names in modes.items() for name in names.split()}


# The lock of each operation; "" stands for no lock on an existing table.
POSTGRESQL = by_operation(
    {
        "ACCESS EXCLUSIVE": "add_column cluster create_check_constraint create_exclude_constraint "
        "create_primary_key create_unique_constraint drop_column drop_constraint drop_index "
        "drop_table rename_table truncate",
        "SHARE ROW EXCLUSIVE": "create_foreign_key create_trigger",
        "SHARE": "create_index",
        "SHARE UPDATE EXCLUSIVE": "create_table_comment drop_table_comment validate_constraint",
        "ROW EXCLUSIVE": "bulk_insert delete merge update",
        "": "create_extension create_function create_schema create_sequence create_table "
        "create_type create_view",
    }
)


MARIADB = by_operation(
    {
        "EXCLUSIVE": "drop_table rename_table truncate",
        "COPY": "create_check_constraint create_foreign_key",
        "INPLACE": "create_index create_table_comment create_unique_constraint drop_column "
        "drop_index drop_table_comment",
        "INSTANT": "add_column",
        "row locks": "bulk_insert delete update",
        "": "create_function create_schema create_table create_view",
    }
)


# All others block writes.
BLOCKS = {
    "ACCESS EXCLUSIVE": "reads and writes",
    "EXCLUSIVE": "reads and writes",
    "ROW EXCLUSIVE": "writes of the same rows",
    "row locks": "writes of the same rows",
    "SHARE UPDATE EXCLUSIVE": "nobody",
    "INPLACE": "nobody",
    "INSTANT": "nobody",
    "COPY": "writes (nobody from MariaDB 11.2 on)",
}


# The lock on MariaDB and MySQL for DROP CONSTRAINT, by the type of the constraint.
DROPPED = {"primary": "COPY", "foreignkey": "INPLACE", "unique": "INPLACE", "check": "INPLACE"}


def mode_of(op: Operation, dialect: str) -> str | None:
    """Return the lock on the operation's own table; "" for none, None if it is unknown."""
    kind = op.operation
    if dialect == "sqlite":
        copied = op.batch and (
            kind == "alter_column" or kind.startswith("drop_co") or kind in CONSTRAINTS.values()
        )
        known = is_schema(op) or kind in DATA_CHANGES
        return ("write lock, table copied" if copied else "write lock") if known else None
    if kind == "alter_column":
        return altered(op, dialect)
    if dialect == "postgresql":
        if kind in ("create_index", "drop_index") and concurrently(op) is not False:
            return "SHARE UPDATE EXCLUSIVE" if concurrently(op) is True else None
    elif kind == "add_column" and not all(map(is_plain, op.definitions)):
        return None
    elif kind == "drop_constraint":
        return DROPPED.get(str(op.kwargs.get("type_")))
    elif kind == "create_index" and (
        "mysql_prefix" in op.kwargs or re.search("(?i)FULLTEXT|SPATIAL", op.sql or "")
    ):
        return None
    return (POSTGRESQL if dialect == "postgresql" else MARIADB).get(kind)


def altered(op: Operation, dialect: str) -> str | None:
    """Return the lock of ALTER COLUMN, which depends on what is altered."""
    given = {name for name in op.kwargs if not name.startswith("existing_")}
    if dialect == "postgresql":
        if given & {"type_", "nullable", "server_default", "new_column_name"}:
            return "ACCESS EXCLUSIVE"
        return "SHARE UPDATE EXCLUSIVE" if "comment" in given else None
    new, old = op.kwargs.get("type_"), op.kwargs.get("existing_type")
    if isinstance(new, Type) and isinstance(old, Type):
        return "INPLACE" if is_free(dialect, old, new) else "COPY"
    return "INPLACE" if given and "type_" not in given else None


def is_plain(column: Column) -> bool:
    """Return whether adding the column touches no row on MariaDB and MySQL."""
    default = column.server_default
    constant = default is None or (isinstance(default, str) and "(" not in default)
    more = (
        column.references or column.unique or column.primary_key or column.index or column.computed
    )
    return constant and not more and not column.identity


def locks_of(op: Operation, dialect: str, new: set[str]) -> list[TableLock] | None:
    """Return the locks on existing tables, not on those in ``new``; None if they are unknown."""
    mode, own = mode_of(op, dialect), table_of(op)
    if mode is None or (mode and not own and not op.name):
        return None
    if dialect == "sqlite":
        return [TableLock("the database", mode, "writes")]
    locks = {}
    if mode and own not in new:
        locks[op.qualified_table or f"the table of {op.name}"] = mode
    referring = ("create_table", "add_column", "create_foreign_key")
    if dialect == "postgresql" and op.operation in referring:
        others = [str(each.references) for each in op.constraints if each.references is not None]
        others += [
            target.rpartition(".")[0] for column in op.definitions for target in column.references
        ]
        for table in others:
            if table.casefold().removeprefix("public.") not in {*new, own}:
                locks[table] = "SHARE ROW EXCLUSIVE"
    return [TableLock(table, mode, BLOCKS.get(mode, "writes")) for table, mode in locks.items()]
