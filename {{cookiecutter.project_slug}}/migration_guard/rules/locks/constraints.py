"""Rules about constraints that are checked for every row."""

import re

from ...databases import MYSQL, POSTGRESQL
from ...reading.migration import Operation
from ..known_schema import (
    INDEXES,
    is_checked_not_null,
    is_unique_already,
    known_checks,
    may_be_null,
    partition_key,
)
from ..past import table_of
from ..rule import Found, rule
from ..upgrade import Upgrade, label, on_table, statement

CHECKED_SET_NOT_NULL = {"postgresql": "12", "citus": "12"}  # older ones read the table anyway


@rule(
    summary="NOT NULL is set on a column of an existing table.",
    why="""
    PostgreSQL reads the whole table under a lock. MySQL, MariaDB and SQLite rebuild it (SQLite
    under a lock). One NULL makes it fail. PostgreSQL reads nothing if a valid CHECK proves it
    already (since version 12: manual, ALTER TABLE, SET NOT NULL).
    """,
    fix="""
    PostgreSQL, in three revisions: 1. `op.create_check_constraint(op.f("<column>_not_null"),
    "<table>", "<column> IS NOT NULL", postgresql_not_valid=True)`. 2. Fill the rows that are NULL,
    in batches. 3. `op.execute("ALTER TABLE <table> VALIDATE CONSTRAINT <column>_not_null")`, then
    this statement, then `op.drop_constraint(op.f("<column>_not_null"), "<table>", type_="check")`.
    Deploy the three together, or else the models need the CHECK until it is dropped. On other
    databases fill the rows that are NULL first, and suppress this.

    MySQL, MariaDB, SQLite: Deploy code that always writes <column>, and fill the rows that are
    NULL in a revision before this one, in batches. Then: `# migration-guard: ignore[set-not-null]
    <since when no row is NULL>`. MySQL and MariaDB rebuild the table while its writers go on, and
    a replica falls behind by as long; SQLite locks the whole database while it copies the table.
    """,
    bad='op.alter_column("videos", "url", nullable=False, existing_type=sa.String(200))',
    good="""
    op.execute("ALTER TABLE videos VALIDATE CONSTRAINT url_not_null")
    op.alter_column("videos", "url", nullable=False, existing_type=sa.String(200))
    """,
)
def set_not_null(upgrade: Upgrade) -> Found:
    for op in upgrade.on_filled_tables("alter_column"):
        if op.kwargs.get("nullable") is not False or op.kwargs.get("existing_nullable") is False:
            continue
        if op.via and "type_" in op.kwargs:  # MODIFY and CHANGE repeat a NOT NULL that is there
            continue
        if op.kwargs.get("postgresql_not_valid"):  # PostgreSQL 18
            continue
        if not all(is_excused(upgrade, op, column) for column in op.columns or ("",)):
            databases = upgrade.databases_of(op)
            if databases & POSTGRESQL:
                yield op, f"{label(op)}: SET NOT NULL reads the whole table under a lock."
            else:
                message = "NOT NULL rebuilds the table, and one NULL makes it fail"
                yield op, f"{label(op)}: {message}.", {"fix": "MySQL, MariaDB, SQLite"}
    for op in upgrade.on_filled_tables("create_primary_key"):
        for column in columns_of_index(upgrade, op):
            if may_be_null(upgrade, op, column) and not is_excused(upgrade, op, column):
                yield op, f"{label(op)}: {column} may be NULL, so the whole table is read."


def is_excused(upgrade: Upgrade, op: Operation, column: str) -> bool:
    """Return whether the column is NOT NULL already, or a valid CHECK makes the scan needless."""
    if column and may_be_null(upgrade, op, column) is False:
        return True
    if upgrade.may_be_older(op, CHECKED_SET_NOT_NULL):
        return False
    if column and is_checked_not_null(upgrade, op, column):
        return True
    # a constraint that no file creates, and whose name is not that of a foreign key
    known = {str(check.name).casefold() for check, _ in known_checks(upgrade, op)}
    created = {(each.name or "").casefold() for each in upgrade.history(op, "create_foreign_key")}
    names = [each.name or "" for each in upgrade.earlier(op, "validate_constraint")]
    return any(
        name.casefold() not in known | created and not re.search("(?i)fk", name) for name in names
    )


def columns_of_index(upgrade: Upgrade, op: Operation) -> tuple[str, ...]:
    """Return the columns of the index that becomes the primary key, where the files create it."""
    name = str(op.kwargs.get("using_index")).casefold()
    found = [each for each in upgrade.history(op, *INDEXES) if str(each.name).casefold() == name]
    return found[0].columns if found and name != "none" else ()


@rule(
    summary="A constraint is added to existing rows, and all of them are checked under a lock.",
    why="""
    Writers wait while every row is checked; for a foreign key, on both tables. MySQL and MariaDB
    copy the table. VALIDATE in the transaction that adds the constraint keeps its lock, so that
    even readers wait. ATTACH PARTITION reads the partition unless a CHECK proves its bounds, and
    ALTER DOMAIN reads every table that uses the domain.
    """,
    fix="""
    Add `postgresql_not_valid=True` to the call (in SQL: NOT VALID), and in the next revision:
    `op.execute("ALTER TABLE <table> VALIDATE CONSTRAINT <name>")`.

    MySQL and MariaDB: Do it at a quiet time, with `# migration-guard: ignore[constraint-scan]
    <when>`. A foreign key, but no CHECK, can be added without that: in SQL with LOCK=NONE after SET
    foreign_key_checks=0, which checks no row.

    ForeignKey: Add the column without its ForeignKey, and on the next line:
    `op.create_foreign_key(op.f("fk_<table>_<column>"), "<table>", "<other>", ["<column>"],
    ["<key>"], postgresql_not_valid=True)`. In the next revision: `op.execute("ALTER TABLE <table>
    VALIDATE CONSTRAINT fk_<table>_<column>")`. On MySQL and MariaDB do it at a quiet time and
    suppress this.

    CheckConstraint: Add the column without its CheckConstraint, and on the next line:
    `op.create_check_constraint(op.f("ck_<table>_<column>"), "<table>", "...",
    postgresql_not_valid=True)`, with its text. In the next revision: `op.execute("ALTER TABLE
    <table> VALIDATE CONSTRAINT ck_<table>_<column>")`

    VALIDATE: Move this VALIDATE CONSTRAINT into the next revision, which has its own transaction.

    REFERENCES: Write ALTER TABLE ... ADD CONSTRAINT ... FOREIGN KEY (...), which every version
    obeys.

    ATTACH PARTITION: Before it, in two revisions: 1. `op.execute("ALTER TABLE <partition> ADD
    CONSTRAINT <partition>_bounds CHECK (...) NOT VALID")`, with the bounds and IS NOT NULL for the
    key. 2. `op.execute("ALTER TABLE <partition> VALIDATE CONSTRAINT <partition>_bounds")`. Drop
    the CHECK after ATTACH PARTITION.

    domain: Give the CHECK a name and add `NOT VALID` behind it, and in the next revision:
    `op.execute("ALTER DOMAIN <name> VALIDATE CONSTRAINT ...")`, with that name. NOT NULL belongs
    to the columns that use the domain.
    """,
    bad='op.create_check_constraint(op.f("ck_videos_length"), "videos", "length > 0")',
    good="""
    op.create_check_constraint(
        op.f("ck_videos_length"), "videos", "length > 0", postgresql_not_valid=True
    )
    """,
    databases=POSTGRESQL | MYSQL,
)
def constraint_scan(upgrade: Upgrade) -> Found:
    for op in upgrade.on_filled_tables("create_foreign_key", "create_check_constraint"):
        text = statement(op)
        # the server refuses LOCK=NONE where it can't be kept
        unlocked = upgrade.databases_of(op) <= MYSQL and re.search(r"(?i)\bLOCK *= *NONE\b", text)
        if unlocked or re.search(r"(?i)\bNOT\s+ENFORCED\b", text):
            continue
        if not any(constraint.not_valid for constraint in op.constraints):
            case = "MySQL and MariaDB" if upgrade.databases_of(op) <= MYSQL else ""
            yield op, f"{label(op)}: every row is checked under a lock.", {"fix": case}
            continue
        for other in upgrade.everything:
            if other.operation == "validate_constraint" and is_validated_by(upgrade, op, other):
                message = f"{label(op)}: VALIDATE keeps the lock of ADD CONSTRAINT while it reads"
                yield other, f"{message} every row.", {"fix": "VALIDATE"}
    for op, column in upgrade.added_columns():
        inline = op.via == "execute" or op.kwargs.get("inline_references") is True
        free = column.not_valid or (inline and column.server_default is None)
        if column.references and upgrade.databases_of(op) == {"mysql"} and inline:
            message = "MySQL before 9 ignores this REFERENCES; MySQL 9 checks every row"
            yield op, f"{label(op)}: {message}.", {"fix": "REFERENCES"}
        elif column.references and not (upgrade.databases_of(op) <= POSTGRESQL and free):
            table, _, key = column.references[0].rpartition(".")
            names = {"fix": "ForeignKey", "other": table, "key": key}
            yield op, f"{label(op)}: the foreign key checks every row under a lock.", names
    for op in upgrade.on_existing_tables("add_column"):
        checks = [check for check in op.constraints if check.kind == "check"]
        on_postgresql = upgrade.databases_of(op) & POSTGRESQL
        if on_postgresql and not all(check.not_valid for check in checks):
            message = f"{label(op)}: the CHECK reads every row under a lock."
            yield op, message, {"fix": "CheckConstraint"}
    for op in upgrade.on_existing_tables("alter_table"):
        if partition := unproven_partition(upgrade, op):
            message = f"{label(op)}: ATTACH PARTITION reads all of {partition} under a lock"
            yield op, f"{message}.", {"fix": "ATTACH PARTITION", "partition": partition}
    for op in upgrade.operations("alter_domain"):
        text = statement(op)
        adds = re.search(r"(?i)\bADD\b.*\bCHECK\b|\bSET\s+NOT\s+NULL\b", text)
        new = any(each.name == op.name for each in upgrade.operations("create_domain"))
        if adds and not new and not re.search(r"(?i)\bNOT\s+VALID\b", text):
            message = f"{op.name}: every table that uses the domain is read under a lock"
            yield op, f"{message}.", {"fix": "domain"}


def is_validated_by(upgrade: Upgrade, op: Operation, other: Operation) -> bool:
    """Return whether ``other`` validates the constraint in the transaction that adds it."""
    return (
        (op.name or "").casefold() == (other.name or "").casefold()
        and table_of(op) in (table_of(other), "")
        and upgrade.at[id(op)] < upgrade.at[id(other)]
        and bool(upgrade.databases_of(other) & POSTGRESQL)
        and not (op.autocommit or other.autocommit or op.excludes(other))
    )


def unproven_partition(upgrade: Upgrade, op: Operation) -> str | None:
    """Return the existing table that becomes a partition without a CHECK that proves its bounds."""
    found = re.search(r"(?i)\bATTACH\s+PARTITION\s+(\S+)", op.sql or "")
    if not found:
        return None
    name = found[1].replace('"', "")
    table = name.casefold().removeprefix("public.")
    before = on_table(table, upgrade.everything[: upgrade.at[id(op)]], ("create_table",))
    if upgrade.any_runs_whenever(op, before):
        return None
    key = re.search(r"\((.*)\)", partition_key(upgrade, op) or "")
    columns = re.findall(r"\w+", key[1]) if key else []
    for check, valid in known_checks(upgrade, op, table):
        if valid and all(column in str(check.expression) for column in columns):
            return None
    return name


@rule(
    summary="A unique, primary key or exclude constraint is built on an existing table.",
    why="""
    PostgreSQL builds its index under a lock that makes readers and writers wait. On every database
    it fails if two rows have the same values.
    """,
    fix="""
    Find and merge the rows with equal values first. Then, in two revisions: 1. `with
    op.get_context().autocommit_block(): op.execute("CREATE UNIQUE INDEX CONCURRENTLY <name>_new ON
    <table> (<columns>)")`. 2. `op.execute("ALTER TABLE <table> ADD CONSTRAINT <name> <kind> USING
    INDEX <name>_new")`; its downgrade drops the index with the constraint, so it builds it again:
    `op.execute("ALTER TABLE <table> DROP CONSTRAINT <name>")` and `op.execute("CREATE UNIQUE INDEX
    <name>_new ON <table> (<columns>)")`.

    exclude: PostgreSQL can't build an exclude constraint CONCURRENTLY. Find and change the rows
    that exclude each other, and add it at a quiet time: `# migration-guard:
    ignore[blocking-unique] <when>`

    MySQL and MariaDB: Find and merge the rows with equal values first. Then: `# migration-guard:
    ignore[blocking-unique] <how you know that no rows are equal>`

    unique=True: Remove `unique=True` here, and keep it in the model. Then `alembic revision
    --autogenerate -m "Index <table>"` writes the revisions that build the index CONCURRENTLY.
    """,
    bad='op.create_unique_constraint("uq_videos_url", "videos", ["url"])',
    good="""
    op.execute("ALTER TABLE videos ADD CONSTRAINT uq_videos_url UNIQUE USING INDEX ix_videos_url")
    """,
    databases=POSTGRESQL | MYSQL,
)
def blocking_unique(upgrade: Upgrade) -> Found:
    kinds = ("create_unique_constraint", "create_primary_key", "create_exclude_constraint")
    for op in upgrade.on_filled_tables(*kinds):
        if op.kwargs.get("using_index"):
            continue
        if upgrade.databases_of(op) & POSTGRESQL:
            message = "the index is built under a lock, and duplicates make it fail"
            kind = op.operation.split("_")[1]
            names = {"fix": kind, "kind": "PRIMARY KEY" if kind == "primary" else "UNIQUE"}
            yield op, f"{label(op)}: {message}.", names
    for op in upgrade.on_filled_tables("create_unique_constraint", "create_index"):
        unique = op.operation != "create_index" or op.kwargs.get("unique") is True
        fits = upgrade.adds_columns(op) or is_unique_already(upgrade, op)
        if unique and upgrade.databases_of(op) <= MYSQL and not fits:
            message = f"{label(op)}: it fails if two rows have the same values."
            yield op, message, {"fix": "MySQL and MariaDB"}
    for op, column in upgrade.added_columns():
        if (column.unique or column.primary_key) and upgrade.databases_of(op) & POSTGRESQL:
            message = f"{label(op)}: the unique index is built under the lock of ADD COLUMN."
            yield op, message, {"fix": "unique=True"}
