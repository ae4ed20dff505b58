"""What the rules see of a migration."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from ..databases import DATABASES, NOT_TRANSACTIONAL, concerns
from ..reading.migration import Call, Column, Migration, Operation
from .past import Past, renamed, renamed_table, table_of

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


def is_null(default: object) -> bool:
    """Return whether a server default is none, or NULL."""
    if isinstance(default, str):
        return default.strip("() ").upper() == "NULL"
    return default is None or (isinstance(default, Call) and default.name == "null")


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
        # for each operation: those that create its table, and each of its columns
        self.table_creators: dict[int, list[Operation]] = {}
        self.column_creators: dict[int, list[list[Operation]]] = {}
        self._follow([*past.undeployed, *self.everything])

    def _follow(self, operations: list[Operation]) -> None:
        """Find the operations that create the table and columns of each operation."""
        # IF NOT EXISTS may meet a table with rows; but not in the first revision, nor where it is
        # there to let a migration run again after a failure
        again = not (self.migration.down_revision and NOT_TRANSACTIONAL.isdisjoint(self.declared))
        tables: dict[str, list[Operation]] = {}
        views: dict[str, list[Operation]] = {}  # without their schemas
        columns: dict[tuple[str, str], list[Operation]] = {}
        for number, op in enumerate(operations):
            table = table_of(op)
            if table.startswith("_alembic_tmp_"):
                tables.setdefault(table, [op])
            plain = table.rpartition(".")[2]
            self.table_creators[id(op)] = [*tables.get(table, ()), *views.get(plain, ())]
            self.column_creators[id(op)] = [
                [*columns.get((table, column.casefold()), ())] for column in op.columns
            ]
            if op.operation in ("create_table", "create_table_as"):
                dropped = any(
                    each.operation == "drop_table" and each.runs_whenever(op)
                    for each in on_table(table, operations[:number])
                )
                if op.kwargs.get("if_not_exists") is not True or dropped or again:
                    tables.setdefault(table, []).append(op)
            elif op.operation == "create_materialized_view":
                views.setdefault((op.name or "").casefold(), []).append(op)
            elif op.operation in ("rename_table", "drop_table"):
                if op.operation == "rename_table":
                    tables[renamed_table(op)] = self.table_creators[id(op)]
                    for (owner, column), creators in list(columns.items()):
                        if owner == table:
                            columns[renamed_table(op), column] = creators
                tables[table] = [new for new in tables.get(table, ()) if not op.runs_whenever(new)]
            elif op.operation == "add_column":
                for column in op.columns:
                    columns.setdefault((table, column.casefold()), []).append(op)
            elif op.operation == "alter_column" and (new_name := renamed(op)):
                for creators in self.column_creators[id(op)]:
                    columns[table, new_name.casefold()] = creators

    def databases_of(self, op: Operation) -> frozenset[str]:
        """Return the databases of the rule on which this operation runs."""
        if op.dialects is None:
            return self.databases
        return frozenset(
            name for name in self.databases if not op.dialects.isdisjoint(DATABASES[name])
        )

    def dialects_of(self, op: Operation) -> list[str]:
        """Return the dialects of the rule on which this operation runs."""
        return [each for name in self.databases_of(op) for each in DATABASES[name]]

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

    def on_filled_tables(self, *names: str) -> Iterator[Operation]:
        """Yield the operations of these names on tables that were there and may have rows."""
        return (op for op in self.on_existing_tables(*names) if not self.is_emptied(op))

    def is_emptied(self, op: Operation) -> bool:
        """Return whether the upgrade deletes all rows of the operation's table before."""
        rows = those_named(("delete", "truncate", "bulk_insert", "merge"), self.before(op)[1])
        gone = [each for each in rows[-1:] if each.operation in ("delete", "truncate")]
        return self.any_runs_whenever(op, filter(is_whole, gone))

    def added_columns(self) -> Iterator[tuple[Operation, Column]]:
        """Yield every column that is added to a table that was there before."""
        for op in self.on_existing_tables("add_column"):
            for column in op.definitions:
                yield op, column

    def creates_table(self, op: Operation) -> bool:
        """Return whether the operation's table is new: from here or an undeployed revision."""
        return self.any_runs_whenever(op, self.table_creators[id(op)])

    def is_of_this_upgrade(self, op: Operation) -> bool:
        """Return whether the revisions before create tables, and do nothing with this one."""
        return bool(self.past.of("create_table")) and not self.past.on(table_of(op))

    def adds_columns(self, op: Operation) -> bool:
        """Return whether all columns of the operation are new, as in ``creates_table``."""
        creators = self.column_creators[id(op)]
        return bool(creators) and all(self.any_runs_whenever(op, each) for each in creators)

    def creates(self, op: Operation) -> bool:
        """Return whether the operation's index or constraint is new, as in ``creates_table``."""
        before = [*self.past.undeployed, *self.everything[: self.at[id(op)]]]
        new = those_named(("create_index", *CONSTRAINTS.values()), before)
        return self.any_runs_whenever(op, [each for each in new if each.name == op.name])

    def any_runs_whenever(self, op: Operation, others: Iterable[Operation]) -> bool:
        """Return whether one of these runs in every execution that runs ``op``."""
        dialects = self.dialects_of(op)
        return any(each.runs_whenever(op, dialects) for each in others)

    def any_need(self, op: Operation, others: Iterable[Operation]) -> bool:
        """Return whether ``op`` runs in every execution that runs one of these."""
        return any(self.any_runs_whenever(other, [op]) for other in others)

    def before(self, op: Operation, table: str | None = None) -> tuple[str, list[Operation]]:
        """Return the table's name before this upgrade, and what runs on it before ``op``."""
        name = table_of(op) if table is None else table
        found: list[Operation] = []
        for each in reversed(self.everything[: self.at[id(op)]]):
            if each.operation == "rename_table" and self.any_runs_whenever(op, [each]):
                if table_of(each) == name != "":
                    return "?", found  # what came before was done to another table
                name = table_of(each) if renamed_table(each) == name else name
            if table_of(each) in (name, ""):
                found.insert(0, each)
        return name, found

    def earlier(self, op: Operation, *names: str) -> list[Operation]:
        """Return the operations on the same table that run before this one whenever it runs."""
        return self.surely(op, self.before(op)[1], names)

    def later(self, op: Operation, *names: str) -> list[Operation]:
        """Return the operations on the same table that run after this one whenever it runs."""
        return self.surely(op, self.perhaps_later(op, *names))

    def perhaps_later(self, op: Operation, *names: str) -> list[Operation]:
        """Return the operations on the same table that may run after this one."""
        found: list[Operation] = []
        tables = [renamed_table(op) if op.operation == "rename_table" else table_of(op), ""]
        for each in self.everything[self.at[id(op)] + 1 :]:
            if each.operation == "rename_table" and table_of(each) in tables:
                tables.append(renamed_table(each))
            if table_of(each) in tables and not each.excludes(op):
                found.append(each)
        return those_named(names, found)

    def history(
        self, op: Operation, *names: str, table: str | None = None, sure: bool = True
    ) -> list[Operation]:
        """Return the operations on a table (by default its own) that ran before.

        If not ``sure``, also those that may have run before.
        """
        name, here = self.before(op, table)
        before = those_named(names, [*self.past.on(name), *here])
        if sure:
            return self.surely(op, before)
        return [each for each in before if not each.excludes(op, self.dialects_of(op))]

    def in_later_revisions(self, op: Operation, *names: str) -> list[Operation]:
        """Return the operations on the table that surely run, in this revision or a later one."""
        return self.surely(op, self.past.not_before(table_of(op)), names)

    def perhaps_earlier(self, op: Operation, *names: str) -> list[Operation]:
        """Return the operations on the table that may run before this one, here or undeployed."""
        name, here = self.before(op)
        new = set(map(id, self.past.undeployed))
        before = [each for each in self.past.on(name) if id(each) in new]
        return [each for each in those_named(names, [*before, *here]) if not each.excludes(op)]

    def surely(
        self, op: Operation, others: Iterable[Operation], names: Collection[str] = ()
    ) -> list[Operation]:
        """Return those of these names, or all, that run whenever this operation runs."""
        return [each for each in those_named(names, others) if self.any_runs_whenever(op, [each])]


def those_named(names: Collection[str], operations: Iterable[Operation]) -> list[Operation]:
    """Return the operations of these names, or all."""
    return [each for each in operations if not names or each.operation in names]


def on_table(
    table: str, operations: Iterable[Operation], names: Collection[str] = ()
) -> list[Operation]:
    """Return the operations of these names, or all, on this table or on one that is not known."""
    return [each for each in those_named(names, operations) if table_of(each) in (table, "")]
