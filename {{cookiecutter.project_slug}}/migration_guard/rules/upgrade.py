"""What the rules see of a migration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..databases import DATABASES
from ..reading.migration import Column, Migration, Operation

CONSTRAINTS = {"foreignkey": "create_foreign_key", "primary": "create_primary_key"} | {
    kind: f"create_{kind}_constraint" for kind in ("unique", "check", "exclude")
}


DATA_CHANGES = frozenset({"update", "delete", "bulk_insert", "merge", "truncate"})


def is_schema(op: Operation) -> bool:
    return op.operation.startswith(("create_", "drop_", "alter_", "add_", "rename_", "validate_"))


def table_of(op: Operation) -> str:
    """One spelling of a table, to know it again."""
    return (op.qualified_table or "").casefold().removeprefix("public.")


def label(op: Operation) -> str:
    """What the operation is about, in a reader's words."""
    table = op.qualified_table or ""
    if op.operation.endswith("_column") and table and op.columns:
        return ", ".join(f"{table}.{column}" for column in op.columns)
    if op.name and table and op.operation != "rename_table":
        return f"{op.name} on {table}"
    return op.name or table or "what can't be told"


def written(op: Operation, migration: Migration) -> str:
    """The operation as its first line in the source has it."""
    return migration.source.split("\n")[op.line - 1][op.column - 1 : op.end_column - 1]


def renamed(op: Operation) -> str | None:
    """The new name that a rename gives; "?" where it can't be told."""
    name = op.kwargs.get("new_column_name")
    if op.operation == "rename_table":
        name = op.kwargs.get("new_table_name", op.args[1] if len(op.args) > 1 else "?")
    return name if name is None or isinstance(name, str) else "?"


def concurrently(op: Operation) -> Any:
    return op.kwargs.get("postgresql_concurrently") or False


def is_whole(op: Operation) -> bool:
    """An UPDATE or DELETE without WHERE, or with one that is always true."""
    where = op.kwargs.get("where")
    if isinstance(where, str):
        return re.fullmatch(r"(?i)[( ]*((\w+\.)?true(\(\))?|1 ?= ?1)[) ]*", where) is not None
    return where is None


class Upgrade:
    """The upgrade of a migration as the rules see it: its operations in the order in which they run.

    Only operations that run on a database of the rule are returned.
    """

    def __init__(
        self,
        migration: Migration,
        application: Callable[[str], bool],
        declared: Mapping[str, str],
    ) -> None:
        self.migration, self.application, self.declared = migration, application, declared
        self.databases = frozenset(declared)  # those of the rule that is asking
        self.everything = [op for op in migration.operations if op.function.startswith("upgrade")]
        self.at = {id(op): number for number, op in enumerate(self.everything)}
        self.kinds = {op.operation for op in self.everything}
        self.new_tables: set[int] = set()  # operations on a table that was created before them
        self.new_columns: set[int] = set()  # operations on columns that were added before them
        self.new_names: set[int] = set()  # operations on an index or constraint created before
        tables: set[str] = set()
        columns: set[tuple[str, str]] = set()
        names: set[str | None] = set()
        for op in self.everything:
            table = table_of(op)
            own = {(table, column) for column in op.columns}
            if table in tables or table.startswith("_alembic_tmp_"):
                self.new_tables.add(id(op))
            if own and own <= columns:
                self.new_columns.add(id(op))
            if op.name in names:
                self.new_names.add(id(op))
            if op.operation in ("create_table", "create_table_as"):
                tables.add(table)
            elif op.operation == "create_materialized_view":
                tables.add((op.name or "").casefold())
            elif op.operation == "rename_table" and id(op) in self.new_tables:
                tables.add(str(renamed(op)).casefold())
            elif op.operation == "drop_table":
                tables.discard(table)
            elif op.operation == "add_column":
                columns |= own
            elif op.operation == "alter_column" and id(op) in self.new_columns:
                if name := renamed(op):
                    columns.add((table, name))
            elif op.operation == "create_index" or op.operation in CONSTRAINTS.values():
                names.add(op.name or "")

    def databases_of(self, op: Operation) -> frozenset[str]:
        """The databases of the rule on which this operation runs."""
        if op.dialects is None:
            return self.databases
        return frozenset(
            name for name in self.databases if not op.dialects.isdisjoint(DATABASES[name])
        )

    def operations(self, *names: str) -> Iterator[Operation]:
        """The operations of these names (Alembic's own), or all."""
        if names and self.kinds.isdisjoint(names):
            return
        for op in self.everything:
            if (not names or op.operation in names) and self.databases_of(op):
                yield op

    def on_existing_tables(self, *names: str) -> Iterator[Operation]:
        """The operations of these names on tables that were there before this upgrade."""
        return (op for op in self.operations(*names) if not self.creates_table(op))

    def added_columns(self) -> Iterator[tuple[Operation, Column]]:
        """Every column that is added to a table that was there before."""
        for op in self.on_existing_tables("add_column"):
            for column in op.definitions:
                yield op, column

    def creates_table(self, op: Operation) -> bool:
        """Whether this upgrade has created the operation's table when the operation runs."""
        return id(op) in self.new_tables

    def adds_columns(self, op: Operation) -> bool:
        """Whether this upgrade has added all columns of the operation when it runs."""
        return id(op) in self.new_columns

    def creates(self, op: Operation) -> bool:
        """Whether this upgrade has created the operation's index or constraint when it runs."""
        return id(op) in self.new_names

    def earlier(self, op: Operation, *names: str) -> list[Operation]:
        """The operations of these names on the same table that run before this one."""
        return self.same_table(op, self.everything[: self.at[id(op)]], names)

    def later(self, op: Operation, *names: str) -> list[Operation]:
        """The operations of these names on the same table that run after this one."""
        return self.same_table(op, self.everything[self.at[id(op)] + 1 :], names)

    def same_table(
        self, op: Operation, others: list[Operation], names: tuple[str, ...]
    ) -> list[Operation]:
        return [
            each
            for each in others
            if each.operation in names and table_of(each) in (table_of(op), "")
        ]
