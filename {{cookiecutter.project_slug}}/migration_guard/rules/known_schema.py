"""What is known of a table when an operation runs, from this revision and those before."""

import re
from collections.abc import Iterator
from typing import Any

from ..reading.migration import Column, Constraint, Operation, Type
from .column_types import SQL_TYPES, are_comparable
from .past import renamed, table_of
from .upgrade import Upgrade, on_table, statement, those_named

CREATES = ("create_table", "add_column")
INDEXES = ("create_index", "create_unique_constraint", "create_primary_key")


def keys_in(op: Operation, *kinds: str) -> list[Constraint]:
    """Return the keys of these kinds that an operation creates, also those on its columns."""
    keys = list(op.constraints)
    for column in op.definitions:
        if column.unique:
            keys.append(Constraint("unique", None, (str(column.name),)))
        if column.references:
            keys.append(Constraint("foreign_key", None, (str(column.name),)))
    if primary := [str(column.name) for column in op.definitions if column.primary_key]:
        keys.append(Constraint("primary_key", None, tuple(primary)))
    return [key for key in keys if key.kind in kinds]


def known_checks(
    upgrade: Upgrade, op: Operation, table: str | None = None
) -> list[tuple[Constraint, bool]]:
    """Return the CHECKs of a table (by default its own), and whether all rows pass each."""
    checks: dict[str, tuple[Constraint, bool]] = {}
    about = (*CREATES, "create_check_constraint", "validate_constraint", "drop_constraint")
    for each in upgrade.history(op, *about, table=table):
        name = (each.name or "").casefold()
        if each.operation == "drop_constraint":
            checks.pop(name, None)
        elif each.operation == "validate_constraint":
            if name in checks:
                checks[name] = (checks[name][0], True)
        else:
            on_columns = [check for column in each.definitions for check in column.checks]
            for check in [*each.constraints, *on_columns]:
                if check.kind == "check":
                    key = str(check.name or f"without a name {len(checks)}").casefold()
                    unchecked = check.not_valid or re.search(r"NOT ENFORCED", statement(each))
                    checks[key] = (check, not unchecked)
    return list(checks.values())


def is_checked_not_null(upgrade: Upgrade, op: Operation, column: str) -> bool:
    """Return whether a CHECK that every row passes proves that the column is not NULL."""
    proof = re.compile(rf"(?i)(?<![\w\"])\"?{re.escape(column)}\"?\W+is not null")
    return any(
        valid and proof.search(text := str(check.expression)) and not re.search(r"(?i)\bor\b", text)
        for check, valid in known_checks(upgrade, op)
    )


def about_column(
    upgrade: Upgrade, op: Operation, column: str, sure: bool = True
) -> Iterator[tuple[Operation, Column | None]]:
    """Yield the operations that define or change a column, newest first, with any definition.

    The column may have had other names before. If not ``sure``, also those that may have run.
    """
    name = column.casefold()
    about = (*CREATES, "alter_column", "create_primary_key")
    for each in reversed(upgrade.history(op, *about, sure=sure)):
        for definition in each.definitions:
            if str(definition.name).casefold() == name:
                yield each, definition
        if each.operation == "alter_column" and each.columns:
            if (renamed(each) or each.columns[0]).casefold() == name:
                name = each.columns[0].casefold()
                yield each, None
        elif each.operation == "create_primary_key" and column in each.columns:
            yield each, None


def may_be_null(upgrade: Upgrade, op: Operation, column: str, sure: bool = True) -> bool | None:
    """Return whether the column can hold NULL; None where the files do not tell."""
    known = op.kwargs.get("existing_nullable")
    if isinstance(known, bool):
        return known
    for each, definition in about_column(upgrade, op, column, sure):
        if any(column in key.columns for key in keys_in(each, "primary_key")):
            return False
        if definition:
            return not definition.identity and definition.nullable is not False
        for word in ("nullable", "existing_nullable"):
            if isinstance(known := each.kwargs.get(word), bool):
                return known
    return None


def type_before(upgrade: Upgrade, op: Operation) -> Any:
    """Return the old type of an altered column, as it is stated or as the files have it."""
    stated = op.kwargs.get("existing_type")
    if len(op.columns) != 1 or (
        isinstance(stated, Type) and are_comparable(stated, op.kwargs["type_"])
    ):
        return stated
    for each, definition in about_column(upgrade, op, op.columns[0], sure=False):
        known = definition.type if definition else each.kwargs.get("type_")
        if isinstance(known, Type):
            sure = definition or upgrade.surely(op, [each])
            plain = sure and known.name in SQL_TYPES  # else it may be a type of the application
            return known if plain else stated
    return stated


BYTES = {"utf8": 3, "utf8mb3": 3, "latin1": 1, "ascii": 1}  # of a character, of utf8mb4: 4


def bytes_of_a_character(upgrade: Upgrade, op: Operation) -> int:
    """Return the most bytes that MySQL and MariaDB need for a character of the table."""
    for each in reversed(upgrade.history(op, "create_table")):
        for name, value in each.kwargs.items():
            if name.casefold() in ("mysql_charset", "mysql_default_charset"):
                return BYTES.get(str(value).casefold(), 4)
    return 4


def may_have_default(upgrade: Upgrade, op: Operation, column: str) -> bool:
    """Return whether the files gave the column a server default."""
    return any(
        (definition.server_default if definition else each.kwargs.get("server_default")) is not None
        for each, definition in about_column(upgrade, op, column, sure=False)
    )


def partition_key(upgrade: Upgrade, op: Operation) -> str | None:
    """Return how the operation's table is partitioned ("RANGE (day)"), or None."""
    for each in upgrade.history(op, "create_table"):
        if isinstance(how := each.kwargs.get("postgresql_partition_by"), str):
            return how
        if found := re.search(r"(?is)\)\s*PARTITION\s+BY\s+(\w+\s*\(.*?\))", each.sql or ""):
            return found[1]
    return None


def is_indexed(upgrade: Upgrade, op: Operation, columns: tuple[str, ...]) -> bool:
    """Return whether an index of the operation's table begins with these columns, now or after it.

    A later revision may build it: PostgreSQL builds it CONCURRENTLY, apart from a new column.
    """
    wanted = {column.casefold() for column in columns}
    about = (*INDEXES, *CREATES)
    found = [*upgrade.history(op, *about), op, *upgrade.later(op, *about)]
    found += upgrade.in_later_revisions(op, *about)
    return any(begins_with(each, wanted) for each in found)


def begins_with(each: Operation, wanted: set[str]) -> bool:
    """Return whether the operation creates an index or a key that begins with these columns."""
    keys = [key.columns for key in keys_in(each, "unique", "primary_key")]
    keys += [(str(column.name),) for column in each.definitions if column.index]
    if each.operation in INDEXES and not each.kwargs.get("postgresql_where"):
        keys.append(each.columns)
    for argument in each.args:
        if getattr(argument, "name", None) == "Index":
            keys.append(tuple(str(item) for item in argument.args[1:]))
    return any({name.casefold() for name in key[: len(wanted)]} == wanted for key in keys)


def is_unique_already(upgrade: Upgrade, op: Operation) -> bool:
    """Return whether a key that was there before has no column besides the operation's.

    So no two rows have the same values, unless the revision has changed them. That a key can be
    dropped here shows that it was there, even if it was created on a condition.
    """
    wanted = {column.casefold() for column in op.columns}
    table, before = upgrade.before(op)
    changes = those_named(("bulk_insert", "update"), before)
    types = those_named(("alter_column",), before)
    if changes or any("type_" in each.kwargs for each in types):
        return False
    drops = on_table(table_of(op), upgrade.everything, ("drop_constraint", "drop_index"))
    dropped = {str(each.name).casefold() for each in upgrade.surely(op, drops) if each.name}
    keys: dict[str, list[Operation]] = {}  # by name, those that create a key of such columns
    for each in upgrade.past.on(table):
        if each.operation in ("drop_constraint", "drop_index"):
            type_ = each.kwargs.get("type_") or ("unique" if each.operation == "drop_index" else "")
            names = {str(each.name).casefold()}
            if names.isdisjoint(keys):  # one that got its name from the server
                names = {kind for kind in ("unique", "primary") if type_ in (kind, "")}
            keys = {name: found for name, found in keys.items() if name not in names}
        for key in keys_in(each, "unique", "primary_key"):
            name = str(key.name or key.kind.removesuffix("_key")).casefold()
            if {column.casefold() for column in key.columns} <= wanted and key.columns:
                keys.setdefault(name, []).append(each)
            elif key.name:
                keys.pop(name, None)
    return any(name in dropped or upgrade.surely(op, keys[name]) for name in keys)
