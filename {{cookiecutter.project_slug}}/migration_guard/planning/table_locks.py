"""What an operation locks, and whom that blocks, as far as the manuals promise it.

PostgreSQL: "Explicit Locking", CREATE INDEX, ALTER TABLE. MariaDB and MySQL: their "Online DDL",
the slower way where it depends on the table; the short lock at each end of it is not named. SQLite:
"File Locking".
Where it depends on more than the migration says, the lock is unknown: it is never guessed.
"""

from __future__ import annotations

import re
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


# A cluster's locks are its own.
ONE_SERVER = frozenset({"sqlite", "postgresql", "citus", "mysql", "mariadb"})


LOCKS = {
    "postgresql": {
        "ACCESS EXCLUSIVE": "add_column drop_column rename_table drop_table truncate cluster"
        " drop_index drop_constraint create_unique_constraint create_primary_key"
        " create_exclude_constraint create_check_constraint",
        "SHARE ROW EXCLUSIVE": "create_foreign_key create_trigger",
        "SHARE": "create_index",
        "SHARE UPDATE EXCLUSIVE": "validate_constraint create_table_comment drop_table_comment",
        "ROW EXCLUSIVE": "bulk_insert update delete merge",
        "": "create_table create_type create_sequence create_schema create_function"
        " create_extension create_view",
    },
    "mariadb": {
        "EXCLUSIVE": "drop_table rename_table truncate",
        "COPY": "create_foreign_key create_check_constraint",
        "INPLACE": "drop_column create_index drop_index create_unique_constraint"
        " create_table_comment drop_table_comment",
        "INSTANT": "add_column",
        "row locks": "bulk_insert update delete",
        "": "create_table create_schema create_function create_view",
    },
}


BLOCKS = dict.fromkeys(("ACCESS EXCLUSIVE", "EXCLUSIVE"), "reads and writes")


BLOCKS |= dict.fromkeys(("ROW EXCLUSIVE", "row locks"), "writes of the same rows")


BLOCKS |= dict.fromkeys(("SHARE UPDATE EXCLUSIVE", "INPLACE", "INSTANT"), "nobody")


BLOCKS |= {"COPY": "writes (nobody from MariaDB 11.2 on)"}  # all others: writes


def mode_of(op: Operation, dialect: str) -> str | None:
    """The mode of the lock on the operation's own table; "" for none, None where it is unknown."""
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
        return {
            "primary": "COPY",
            "foreignkey": "INPLACE",
            "unique": "INPLACE",
            "check": "INPLACE",
        }.get(str(op.kwargs.get("type_")))
    elif kind == "create_index" and (
        "mysql_prefix" in op.kwargs or re.search("(?i)FULLTEXT|SPATIAL", op.sql or "")
    ):
        return None
    modes = LOCKS["postgresql" if dialect == "postgresql" else "mariadb"]
    return next((mode for mode, kinds in modes.items() if kind in kinds.split()), None)


def altered(op: Operation, dialect: str) -> str | None:
    """ALTER COLUMN: what it locks depends on what is altered."""
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
    """Whether adding it touches no row on MariaDB and MySQL."""
    default = column.server_default
    constant = default is None or (isinstance(default, str) and "(" not in default)
    more = (
        column.references or column.unique or column.primary_key or column.index or column.computed
    )
    return constant and not more and not column.identity


def locks_of(op: Operation, dialect: str, new: set[str]) -> list[TableLock] | None:
    """The locks on tables that exist already, not those in ``new``; None if they are unknown."""
    mode, own = mode_of(op, dialect), table_of(op)
    if mode is None or (mode and not own and not op.name):
        return None
    if dialect == "sqlite":
        return [TableLock("the database", mode, "writes")]
    locks = (
        {op.qualified_table or f"the table of {op.name}": mode} if mode and own not in new else {}
    )
    if dialect == "postgresql" and op.operation in (
        "create_table",
        "add_column",
        "create_foreign_key",
    ):
        others = [str(each.references) for each in op.constraints if each.references is not None]
        others += [
            target.rpartition(".")[0] for column in op.definitions for target in column.references
        ]
        for table in others:
            if table.casefold().removeprefix("public.") not in {*new, own}:
                locks[table] = "SHARE ROW EXCLUSIVE"
    return [TableLock(table, mode, BLOCKS.get(mode, "writes")) for table, mode in locks.items()]
