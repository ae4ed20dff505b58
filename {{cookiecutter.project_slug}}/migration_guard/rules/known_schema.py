"""What is known of a table when an operation runs, from this revision and those before."""

import re

from ..reading.migration import Constraint, Operation
from .past import table_of
from .upgrade import Upgrade, on_table, statement

CREATES = ("create_table", "add_column")
INDEXES = ("create_index", "create_unique_constraint", "create_primary_key")


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


def may_be_null(upgrade: Upgrade, op: Operation, column: str) -> bool | None:
    """Return whether the column can hold NULL; None if the files do not show it."""
    known = op.kwargs.get("existing_nullable")
    if isinstance(known, bool):
        return known
    for each in reversed(upgrade.history(op, *CREATES, "alter_column", "create_primary_key")):
        keyed = [key for key in each.constraints if key.kind == "primary_key"]
        if any(column in key.columns for key in keyed):
            return False
        for definition in each.definitions:
            if str(definition.name).casefold() == column.casefold():
                if definition.primary_key or definition.identity:
                    return False
                return definition.nullable is not False
        if each.operation == "alter_column" and column in each.columns:
            for word in ("nullable", "existing_nullable"):
                if isinstance(known := each.kwargs.get(word), bool):
                    return known
    return None


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
    for each in upgrade.history(op, *CREATES, "alter_column"):
        defaults = [
            definition.server_default
            for definition in each.definitions
            if str(definition.name).casefold() == column.casefold()
        ]
        if each.operation == "alter_column" and column in each.columns:
            defaults.append(each.kwargs.get("server_default"))
        if any(default is not None for default in defaults):
            return True
    return False


def is_created(upgrade: Upgrade, op: Operation) -> bool:
    """Return whether the files create the operation's table."""
    return bool(upgrade.history(op, "create_table", "create_table_as"))


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
    now = [*upgrade.history(op, *about), op, *upgrade.later(op, *about)]
    return any(begins_with(each, wanted) for each in now) or any(
        begins_with(each, wanted) for each in upgrade.in_later_revisions(op, *about)
    )


def begins_with(each: Operation, wanted: set[str]) -> bool:
    """Return whether the operation creates an index or a key that begins with these columns."""
    keys = [key.columns for key in each.constraints if key.kind in ("unique", "primary_key")]
    if each.operation in INDEXES and not each.kwargs.get("postgresql_where"):
        keys.append(each.columns)
    for argument in each.args:
        if getattr(argument, "name", None) == "Index":
            keys.append(tuple(str(item) for item in argument.args[1:]))
    for column in each.definitions:
        if column.index or column.unique or column.primary_key:
            keys.append((str(column.name),))
    return any({name.casefold() for name in key[: len(wanted)]} == wanted for key in keys)


def is_unique_already(upgrade: Upgrade, op: Operation) -> bool:
    """Return whether a key that this revision drops has no column besides the operation's.

    That it can be dropped shows that it is there, so no two rows have the same values, unless the
    revision has changed them.
    """
    wanted = {column.casefold() for column in op.columns}
    before = upgrade.everything[: upgrade.at[id(op)]]
    changes = on_table(table_of(op), before, ("insert", "bulk_insert", "update"))
    types = on_table(table_of(op), before, ("alter_column",))
    if changes or any("type_" in each.kwargs for each in types):
        return False
    drops = on_table(table_of(op), upgrade.everything, ("drop_constraint", "drop_index"))
    dropped = {str(each.name).casefold() for each in upgrade.surely(op, drops) if each.name}
    keys: dict[str, list[bool]] = {}
    for each in upgrade.past.on(table_of(op)):
        named = [(key.name, key.columns) for key in each.constraints if key.kind == "unique"]
        if each.operation == "create_unique_constraint":
            named.append((each.name, each.columns))
        for name, columns in named:
            narrower = {column.casefold() for column in columns} <= wanted
            keys.setdefault(str(name).casefold(), []).append(bool(columns) and narrower)
    return any(all(keys[name]) for name in dropped & keys.keys())
