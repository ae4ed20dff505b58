"""What the rules see of a migration."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..databases import DATABASES, NOT_TRANSACTIONAL, concerns
from ..reading.migration import Column, Migration, Operation
from .past import Past, table_of

CONSTRAINTS = {"foreignkey": "create_foreign_key", "primary": "create_primary_key"} | {
    kind: f"create_{kind}_constraint" for kind in ("unique", "check", "exclude")
}


DATA_CHANGES = frozenset({"update", "delete", "bulk_insert", "merge", "truncate"})


def is_schema(op: Operation) -> bool:
    return op.operation.startswith(("create_", "drop_", "alter_", "add_", "rename_", "validate_"))


def statement(op: Operation) -> str:
    """Return the operation's SQL with its string literals emptied; "" if it has no SQL."""
    return re.sub(r"'(?:[^']|'')*'", "''", op.sql or "")


def label(op: Operation) -> str:
    """Return what the operation is about, for people."""
    table = op.qualified_table or ""
    if op.operation.endswith("_column") and table and op.columns:
        return ", ".join(f"{table}.{column}" for column in op.columns)
    if op.name and table and op.operation != "rename_table":
        return f"{op.name} on {table}"
    return op.name or table or "a table whose name is only known when the migration runs"


def written(op: Operation, migration: Migration) -> str:
    """Return the operation as the first line of its source."""
    return migration.source.split("\n")[op.line - 1][op.column - 1 : op.end_column - 1]


def renamed(op: Operation) -> str | None:
    """Return the new name of a rename, or "?" if it is unknown."""
    name = op.kwargs.get("new_column_name")
    if op.operation == "rename_table":
        name = op.kwargs.get("new_table_name", op.args[1] if len(op.args) > 1 else "?")
    return name if name is None or isinstance(name, str) else "?"


def renamed_table(op: Operation) -> str:
    """Return the new name of a renamed table, in the spelling of ``table_of``."""
    return table_of(replace(op, table=renamed(op)))


def names_column(name: str | None, column: str) -> bool:
    """Return whether the name of an index or a constraint has the name of this column."""
    return re.search(rf"(?i)(?:^|_){re.escape(column)}(?:_|$)", name or "") is not None


def concurrently(op: Operation) -> Any:
    return op.kwargs.get("postgresql_concurrently") or False


def is_whole(op: Operation) -> bool:
    """Return whether an UPDATE or DELETE has no WHERE, or one that is always true."""
    where = op.kwargs.get("where")
    if isinstance(where, str):
        return re.fullmatch(r"(?i)[( ]*((\w+\.)?true(\(\))?|1 ?= ?1)[) ]*", where) is not None
    return where is None


class Upgrade:
    """The upgrade of a migration as the rules see it: its operations, in the order of their runs.

    Only operations that run on a database of the rule are returned. What another branch of the
    migration does is never an excuse: it counts only if it runs whenever the operation runs.
    """

    def __init__(
        self,
        migration: Migration,
        application: Callable[[str], bool],
        declared: Mapping[str, str],
        past: Past,
    ) -> None:
        self.migration, self.application, self.declared = migration, application, declared
        self.past = past
        self.databases = frozenset(declared)  # those of the rule that is asking
        self.everything = [op for op in migration.operations if op.function.startswith("upgrade")]
        self.at = {id(op): number for number, op in enumerate(self.everything)}
        self.kinds = {op.operation for op in self.everything}
        # for each operation: those that create its table, its columns, its index or constraint
        self.table_creators: dict[int, list[Operation]] = {}
        self.column_creators: dict[int, list[list[Operation]]] = {}
        self.name_creators: dict[int, list[Operation]] = {}
        self._follow([*past.undeployed, *self.everything])

    def _follow(self, operations: list[Operation]) -> None:
        """Find the operations that create the table, columns and names of each operation."""
        # IF NOT EXISTS may meet a table with rows; but not in the first revision, nor where it is
        # there to let a migration run again after a failure
        resumable = not self.migration.down_revision or not NOT_TRANSACTIONAL.isdisjoint(
            self.declared
        )
        tables: dict[str, list[Operation]] = {}
        views: dict[str, list[Operation]] = {}  # without their schemas
        columns: dict[tuple[str, str], list[Operation]] = {}
        names: dict[str, list[Operation]] = {}
        for number, op in enumerate(operations):
            table = table_of(op)
            if table.startswith("_alembic_tmp_"):
                tables.setdefault(table, [op])
            plain = table.rpartition(".")[2]
            self.table_creators[id(op)] = [*tables.get(table, ()), *views.get(plain, ())]
            self.column_creators[id(op)] = [
                [*columns.get((table, column.casefold()), ())] for column in op.columns
            ]
            self.name_creators[id(op)] = [*names.get(op.name or "", ())]
            if op.operation in ("create_table", "create_table_as"):
                dropped = any(
                    each.operation == "drop_table" and each.runs_whenever(op)
                    for each in on_table(table, operations[:number])
                )
                if op.kwargs.get("if_not_exists") is not True or dropped or resumable:
                    tables.setdefault(table, []).append(op)
            elif op.operation == "create_materialized_view":
                views.setdefault((op.name or "").casefold(), []).append(op)
            elif op.operation == "rename_table" and self.table_creators[id(op)]:
                tables[renamed_table(op)] = self.table_creators[id(op)]
            elif op.operation == "drop_table":
                left = [each for each in tables.get(table, ()) if not op.runs_whenever(each)]
                tables[table] = left
            elif op.operation == "add_column":
                for column in op.columns:
                    columns.setdefault((table, column.casefold()), []).append(op)
            elif op.operation == "alter_column" and (new_name := renamed(op)):
                for creators in self.column_creators[id(op)]:
                    columns[table, new_name.casefold()] = creators
            elif op.operation == "create_index" or op.operation in CONSTRAINTS.values():
                names.setdefault(op.name or "", []).append(op)

    def databases_of(self, op: Operation) -> frozenset[str]:
        """Return the databases of the rule on which this operation runs."""
        if op.dialects is None:
            return self.databases
        return frozenset(
            name for name in self.databases if not op.dialects.isdisjoint(DATABASES[name])
        )

    def may_be_older(self, op: Operation, versions: Mapping[str, str]) -> bool:
        """Return whether the operation may run on a database older than these versions."""
        return any(
            name in self.databases_of(op) and concerns(f"<{number}", name, self.declared[name])
            for name, number in versions.items()
        )

    def operations(self, *names: str) -> Iterator[Operation]:
        """Yield the operations of these names (Alembic's own), or all."""
        if names and self.kinds.isdisjoint(names):
            return
        for op in self.everything:
            if (not names or op.operation in names) and self.databases_of(op):
                yield op

    def on_existing_tables(self, *names: str) -> Iterator[Operation]:
        """Yield the operations of these names on tables that were there before this upgrade."""
        return (op for op in self.operations(*names) if not self.creates_table(op))

    def added_columns(self) -> Iterator[tuple[Operation, Column]]:
        """Yield every column that is added to a table that was there before."""
        for op in self.on_existing_tables("add_column"):
            for column in op.definitions:
                yield op, column

    def creates_table(self, op: Operation) -> bool:
        """Return whether the operation's table is new: from here or an undeployed revision."""
        return self.any_runs_whenever(op, self.table_creators[id(op)])

    def adds_columns(self, op: Operation) -> bool:
        """Return whether all columns of the operation are new, as in ``creates_table``."""
        creators = self.column_creators[id(op)]
        return bool(creators) and all(self.any_runs_whenever(op, each) for each in creators)

    def creates(self, op: Operation) -> bool:
        """Return whether the operation's index or constraint is new, as in ``creates_table``."""
        return self.any_runs_whenever(op, self.name_creators[id(op)])

    def any_runs_whenever(self, op: Operation, others: Iterable[Operation]) -> bool:
        """Return whether one of these runs in every execution that runs ``op``."""
        databases = [each for name in self.databases_of(op) for each in DATABASES[name]]
        return any(each.runs_whenever(op, databases) for each in others)

    def any_need(self, op: Operation, others: Iterable[Operation]) -> bool:
        """Return whether ``op`` runs in every execution that runs one of these."""
        return any(self.any_runs_whenever(other, [op]) for other in others)

    def earlier(self, op: Operation, *names: str) -> list[Operation]:
        """Return the operations on the same table that run before this one whenever it runs."""
        return self.surely(op, on_table(table_of(op), self.everything[: self.at[id(op)]], names))

    def later(self, op: Operation, *names: str) -> list[Operation]:
        """Return the operations on the same table that run after this one whenever it runs."""
        return self.surely(op, self.perhaps_later(op, *names))

    def perhaps_later(self, op: Operation, *names: str) -> list[Operation]:
        """Return the operations on the same table that may run after this one."""
        tables, found = [table_of(op)], []
        for each in self.everything[self.at[id(op)] + 1 :]:
            if each.operation == "rename_table" and table_of(each) in tables:
                tables.append(renamed_table(each))
            found += on_tables(tables, [each], names)
        return [each for each in found if not each.excludes(op)]

    def history(self, op: Operation, *names: str, table: str | None = None) -> list[Operation]:
        """Return the operations on a table (by default its own) that surely ran before this one."""
        tables = [table_of(op) if table is None else table]
        here = self.everything[: self.at[id(op)]]
        for each in reversed([*self.past.of("rename_table"), *here]):
            if each.operation == "rename_table" and renamed_table(each) == tables[0] != "":
                tables.insert(0, table_of(each))  # its name before
        before = [*self.past.on(*dict.fromkeys(tables)), *here]
        return self.surely(op, on_tables(tables, before, names))

    def in_later_revisions(self, op: Operation, *names: str) -> list[Operation]:
        """Return the operations on the table that surely run, in this revision or a later one."""
        table = table_of(op)
        return self.surely(op, on_table(table, self.past.not_before(table), names))

    def perhaps_earlier(self, op: Operation, *names: str) -> list[Operation]:
        """Return the operations on the table that may run before this one, here or undeployed."""
        before = [*self.past.undeployed, *self.everything[: self.at[id(op)]]]
        return [each for each in on_table(table_of(op), before, names) if not each.excludes(op)]

    def surely(self, op: Operation, others: Iterable[Operation]) -> list[Operation]:
        return [each for each in others if self.any_runs_whenever(op, [each])]


def on_table(
    table: str, operations: Iterable[Operation], names: Collection[str] = ()
) -> list[Operation]:
    """Return the operations of these names, or all, on this table or on one that is not known."""
    return on_tables([table], operations, names)


def on_tables(
    tables: Collection[str], operations: Iterable[Operation], names: Collection[str] = ()
) -> list[Operation]:
    """Return the same for several names of a table."""
    return [
        each
        for each in operations
        if (not names or each.operation in names) and table_of(each) in (*tables, "")
    ]
