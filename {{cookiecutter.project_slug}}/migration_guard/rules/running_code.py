"""Rules about what the running version of the application still uses.

While a release is deployed, the old code runs against the new schema.
"""

import re

from ..databases import MYSQL
from ..reading.migration import Operation, Type, words
from .known_schema import may_be_null, may_have_default
from .past import renamed, renamed_table, table_of
from .rule import Found, rule
from .upgrade import (
    CONSTRAINTS,
    Upgrade,
    is_null,
    label,
    names_column,
    on_table,
    statement,
    those_named,
)


@rule(
    summary="A NOT NULL column without a server default is added to an existing table.",
    why="""
    It fails as soon as the table has a row (MySQL and MariaDB invent a value). A `default` in
    Python applies only to rows that new code inserts.
    """,
    fix="""
    Decide what existing rows get, and add `server_default="<value>"` to <column>, here and in the
    model. Or add the column nullable, deploy code that fills it for new rows, fill the old ones,
    and set NOT NULL in a later revision.
    """,
    bad='op.add_column("videos", sa.Column("views", sa.Integer(), nullable=False))',
    good="""
    op.add_column("videos", sa.Column("views", sa.Integer(), nullable=False, server_default="0"))
    """,
)
def not_null_without_default(upgrade: Upgrade) -> Found:
    for op, column in upgrade.added_columns():
        required = column.nullable is False or (column.primary_key and column.nullable is None)
        filled = not is_null(column.server_default) or column.computed or column.identity
        if required and not filled and not upgrade.is_emptied(op):
            message = "is NOT NULL, and existing rows get no value: it has no server default"
            value = "0" if column.type and column.type.name in NUMBERS else ""
            yield op, f"{op.qualified_table or '?'}.{column.name} {message}.", {"value": value}


NUMBERS = words("integer bigint smallint numeric float double boolean")


@rule(
    summary="A column is altered without stating whether it can be NULL, and can be afterwards.",
    why="""
    MODIFY and CHANGE describe the whole column again. Alembic writes NULL unless nullable or
    existing_nullable is given, and a default or comment that is not repeated goes as well.
    """,
    fix="""
    State what <column> is now: add `existing_nullable=False`, or True if it may be NULL, and
    existing_type=, existing_server_default= and existing_comment= where the column has them, as
    autogenerate does. In SQL repeat NOT NULL, DEFAULT and COMMENT.
    """,
    bad='op.alter_column("videos", "url", existing_type=sa.String(20), type_=sa.String(30))',
    good="""
    op.alter_column("videos", "url", existing_nullable=False,
        existing_type=sa.String(20), type_=sa.String(30))
    """,
    databases=MYSQL | {"tidb"},
)
def not_null_lost(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("alter_column"):
        if upgrade.adds_columns(op):
            continue
        if op.via == "execute":
            # of a computed column, NOT NULL can't be stated to MariaDB
            states = re.search(r"(?i)\bNULL\b|\bAS\s*\(", op.sql or "")
            silent = op.kwargs.get("nullable") is True and not states
        else:
            given = {name for name, value in op.kwargs.items() if value is not None}
            old = op.kwargs.get("existing_type")
            # the default of a date can be a function, for which Alembic writes MODIFY
            dated = isinstance(old, Type) and old.name in ("timestamp", "datetime")
            modified = {"new_column_name", "type_", "autoincrement", "comment"}
            modified |= {"server_default"} if dated else set()
            silent = bool(given & modified) and given.isdisjoint({"nullable", "existing_nullable"})
        known = all(
            may_be_null(upgrade, op, column, sure=False)
            and not may_have_default(upgrade, op, column)
            for column in op.columns
        )
        if silent and not (known and op.columns):
            message = "the whole column is described again, without NOT NULL"
            yield op, f"{label(op)} can be NULL afterwards: {message}."


@rule(
    summary="A column loses its server default.",
    why="""
    Code that still runs during the deployment leaves the column out of its INSERT. It then fails on
    NOT NULL, or stores NULL.
    """,
    fix="""
    Keep the default until no running code leaves <column> out: deploy code that sets it first.
    Drop the default in a later release, with `# migration-guard: ignore[drop-default] set by the
    code since <release>`
    """,
    bad="""
    op.alter_column("videos", "views", server_default=None,
        existing_type=sa.Integer(), existing_nullable=False)
    """,
    good='op.add_column("videos", sa.Column("views", sa.Integer(), server_default="0"))',
)
def drop_default(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("alter_column"):
        dropped = "server_default" in op.kwargs and is_null(op.kwargs["server_default"])
        if not dropped or op.kwargs.get("nullable") is True:
            continue
        if any(may_be_null(upgrade, op, column) is not True for column in op.columns):
            yield op, f"{label(op)} loses its default, on which code that still runs may rely."


@rule(
    summary="A table is dropped.",
    why="Its rows are gone, and code that still runs during the deployment fails.",
    fix="""
    1. Deploy code that no longer uses <table>. 2. Drop it in a later release, with `#
    migration-guard: ignore[drop-table] not used since <release>`. The comment counts for the
    roundtrip, too.
    """,
    bad='op.drop_table("videos")',
    good='op.create_table("channels", sa.Column("id", sa.Integer(), primary_key=True))',
)
def drop_table(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("drop_table"):
        # a table that has taken the rows gets the name: a new one, if the migration created it
        before = upgrade.everything[: upgrade.at[id(op)]]
        created = {table_of(each) for each in before if each.operation == "create_table"}
        replaced = [
            other
            for other in upgrade.operations("rename_table")
            if renamed_table(other) == table_of(op)
            and (
                upgrade.creates_table(other) or table_of(other) in created
                if upgrade.at[id(other)] > upgrade.at[id(op)]
                else is_created_again(upgrade, other)
            )
        ]
        again = op.kwargs.get("if_exists") and is_created_again(upgrade, op)
        scratch = again and upgrade.is_of_this_upgrade(op)
        if not (scratch or upgrade.any_runs_whenever(op, replaced)):
            yield op, f"{label(op)} is dropped with its rows."


NEW_TABLE = ("create_table", "create_table_as")


def is_created_again(upgrade: Upgrade, op: Operation) -> bool:
    """Return whether a table that is renamed or dropped leaves its name to a new one."""
    later = upgrade.everything[upgrade.at[id(op)] :]
    return bool(upgrade.surely(op, on_table(table_of(op), later, NEW_TABLE)))


@rule(
    summary="A column is dropped.",
    why="""
    Its values are gone, and code that still runs during the deployment names it in every SELECT
    and INSERT.
    """,
    fix="""
    1. Make the column nullable, or give it a server default. 2. Remove it from the model, write `#
    migration-guard: ignore[models-out-of-sync] <column> goes in <release>` above the class, remove
    this statement and what undoes it in downgrade(), and deploy. 3. Drop it in a later release,
    with `# migration-guard: ignore[drop-column] not used since <release>`, and remove the other
    comment. The comment counts for the roundtrip, too.
    """,
    bad='op.drop_column("videos", "url")',
    good='op.alter_column("videos", "url", nullable=True, existing_type=sa.String(200))',
)
def drop_column(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("drop_column"):
        if not upgrade.adds_columns(op):
            yield op, f"{label(op)} is dropped with its values."


@rule(
    summary="A constraint is dropped and nothing replaces it.",
    why="""
    Code that still runs relies on it (ON CONFLICT, ON DELETE), and rows that break it come in at
    once.
    """,
    fix="""
    Deploy code that works without it first. Then drop it with `# migration-guard:
    ignore[drop-constraint] nothing relies on it since <release>`
    """,
    bad='op.drop_constraint("uq_videos_url", "videos", type_="unique")',
    good="""
    op.drop_constraint(op.f("ck_videos_length"), "videos", type_="check")
    op.create_check_constraint(
        op.f("ck_videos_length"), "videos", "length >= 0", postgresql_not_valid=True
    )
    """,
)
def drop_constraint(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("drop_constraint"):
        kind = CONSTRAINTS.get(str(op.kwargs.get("type_"))) or kind_by_name(upgrade, op)
        replaced = is_replaced_by_kind(upgrade, op, kind)
        dropped = [column for other in upgrade.later(op, "drop_column") for column in other.columns]
        # what goes with its table or column, for which there are rules
        foreign = kind == "create_foreign_key"
        gone = upgrade.later(op, "drop_table") or any(
            foreign or column in (op.name or column) for column in dropped
        )
        # NOT NULL replaces CHECK (... IS NOT NULL)
        is_check = kind in ("", "create_check_constraint")
        required = is_check and any(
            other.kwargs.get("nullable") is False for other in upgrade.earlier(op, "alter_column")
        )
        if not (replaced or gone or required or upgrade.creates(op)):
            yield op, f"{label(op) if op.name else f'A constraint of {label(op)}'} is dropped."


def is_replaced_by_kind(upgrade: Upgrade, op: Operation, kind: str) -> bool:
    """Return whether the migration adds a constraint of the same name or kind to the table."""
    kinds = (*CONSTRAINTS.values(), "create_index")
    around = [*upgrade.earlier(op, *kinds), *upgrade.later(op, *kinds)]
    if op.name is None:  # as an inspector has named it, in a loop: so may be those that replace it
        around += upgrade.perhaps_later(op, *kinds)
    for other in around:
        unique = (
            other.kwargs.get("unique") is True
            if other.operation == "create_index"
            else other.operation == "create_primary_key" and kind == "create_unique_constraint"
        )
        if unique and not share_column(upgrade, op, other):
            continue
        other_kind = "create_unique_constraint" if unique else other.operation
        same = op.name == other.name if op.name else not kind
        if other_kind == kind or (same and other_kind in CONSTRAINTS.values()):
            return True
    return False


def share_column(upgrade: Upgrade, op: Operation, index: Operation) -> bool:
    """Return whether an index has a column of the constraint, or the constraint has no name.

    An index that has nothing to do with the constraint does not replace it.
    """
    history = upgrade.history(op, "create_table", "create_unique_constraint")
    columns = {
        name
        for each in history
        for key in each.constraints
        if key.name == op.name
        for name in key.columns
    }
    return not op.name or any(
        column in columns or names_column(op.name, column) for column in index.columns
    )


KIND_BY_NAME = {
    "create_foreign_key": r"(?i)(?:^|_)fk\d*(?:_|$)|_fkey\d*$",
    "create_primary_key": r"(?i)(?:^|_)pk(?:_|$)|_pkey\d*$",
    "create_unique_constraint": r"(?i)(?:^|_)(?:uq|uc|uniq\w*?)(?:_|$)|_key\d*$",
    "create_check_constraint": r"(?i)(?:^|_)(?:ck|chk|check)(?:_|$)",
}


def kind_by_name(upgrade: Upgrade, op: Operation) -> str:
    """Return the operation that creates the constraint, by the history or its name, or ""."""
    for each in reversed(upgrade.history(op, *CONSTRAINTS.values())):
        if op.name and each.name == op.name:
            return each.operation
    return next((kind for kind, name in KIND_BY_NAME.items() if re.search(name, op.name or "")), "")


# What has a name that code can use, beside tables and columns.
OBJECTS = words("view materialized_view function procedure type domain sequence schema extension")


@rule(
    summary="A view, function, type, sequence, schema or extension is dropped.",
    why="Code that still runs during the deployment uses it and fails.",
    fix="""
    Deploy code that no longer uses <name> first. Drop it in a later release, with `#
    migration-guard: ignore[drop-object] not used since <release>`. To replace it, create it again
    in the same migration.
    """,
    bad='op.execute("DROP VIEW totals")',
    good="""
    op.execute("DROP VIEW totals")
    op.execute("CREATE VIEW totals AS SELECT count(*) AS videos FROM videos")
    """,
)
def drop_object(upgrade: Upgrade) -> Found:
    for op in upgrade.operations(*(f"drop_{kind}" for kind in OBJECTS)):
        kind = op.operation.removeprefix("drop_")
        # a type goes with its last column, for which there are rules
        carriers = ("drop_table", "drop_column", "alter_column")
        gone = those_named(carriers, upgrade.everything[: upgrade.at[id(op)]])
        unused = kind in ("type", "domain", "sequence") and upgrade.any_runs_whenever(op, gone)
        if not unused and not is_replaced(upgrade, op, kind):
            yield op, f"{kind.replace('_', ' ').capitalize()} {op.name} is dropped."


@rule(
    summary="A view, function, type, sequence, schema or enum value gets another name.",
    why="Code that still runs during the deployment uses the old name and fails.",
    fix="""
    Create the new name beside the old one, deploy code that uses it, and drop the old one in a
    later revision. An enum value: add the new one, write it, change the rows, and leave the old
    value. If no running code uses the old name: `# migration-guard: ignore[rename-object] <since
    when>`
    """,
    bad="op.execute(\"ALTER TYPE status RENAME VALUE 'new' TO 'open'\")",
    good="op.execute(\"ALTER TYPE status ADD VALUE 'open'\")",
)
def rename_object(upgrade: Upgrade) -> Found:
    for op in upgrade.operations(*(f"alter_{kind}" for kind in OBJECTS)):
        kind = op.operation.removeprefix("alter_")
        change = re.search(
            r"(?i)\b(RENAME\s+VALUE|RENAME\s+ATTRIBUTE|RENAME\s+TO|SET\s+SCHEMA)\b", statement(op)
        )
        new_name = op.kwargs.get("new_name")
        # what is named after a table gets another name with it
        renames = upgrade.operations("rename_table")
        tables = [each for each in renames if str(op.name).startswith(f"{each.table}_")]
        renamed_too = kind == "sequence" and upgrade.any_runs_whenever(op, tables)
        if (change or new_name) and not (renamed_too or is_replaced(upgrade, op, kind)):
            what = " ".join(change[1].upper().split()) if change else "RENAME"
            to = f" {new_name}" if new_name else ""
            yield op, f"{kind.replace('_', ' ').capitalize()} {op.name}: {what}{to}."


def is_replaced(upgrade: Upgrade, op: Operation, kind: str) -> bool:
    """Return whether the object is new, or another one has or gets its name."""
    known = [*upgrade.past.undeployed, *upgrade.everything]
    same = [one for one in those_named((f"create_{kind}",), known) if one.name == op.name]
    back = [one for one in those_named((f"alter_{kind}",), known) if one is not op]
    same += [one for one in back if op.name == one.kwargs.get("new_name")]
    return upgrade.any_runs_whenever(op, same)


@rule(
    summary="A table is renamed.",
    why="Code that still runs during the deployment uses the old name and fails.",
    fix="""
    Rename only the class of the model, leave __tablename__ as it is, and remove this statement. Or
    leave a view with the old name until nothing uses it (on MySQL and MariaDB in a revision of its
    own): `op.execute("CREATE VIEW <table> AS SELECT * FROM <new name>")`, with `# migration-guard:
    ignore[rename-table] there is a view <table>`. Its downgrade drops the view first:
    `op.execute("DROP VIEW <table>")`
    """,
    bad='op.rename_table("videos", "clips")',
    good='op.create_table("clips", sa.Column("id", sa.Integer(), primary_key=True))',
)
def rename_table(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("rename_table"):
        if not (is_created_again(upgrade, op) and upgrade.later(op, "drop_table")):
            message = f"{op.qualified_table or '?'} is renamed to {renamed(op)}."
            yield op, message, {"new name": str(renamed(op))}
    for op in upgrade.on_existing_tables("alter_table"):
        if moved := re.search(r"(?i)\bSET SCHEMA\s+\S+", op.sql or ""):
            yield op, f"{op.qualified_table or '?'}: {moved[0]}."


@rule(
    summary="A column is renamed.",
    why="Code that still runs during the deployment uses the old name and fails.",
    fix="""
    Rename only the attribute of the model, `mapped_column("<column>", ...)`, and remove this
    statement. Or add a column, write to both, and drop the old one in a later release. If no
    running code uses <column>: `# migration-guard: ignore[rename-column] <since when>`
    """,
    bad='op.alter_column("videos", "url", new_column_name="address")',
    good='op.add_column("videos", sa.Column("address", sa.String(200)))',
)
def rename_column(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("alter_column"):
        if renamed(op) and renamed(op) not in op.columns and not upgrade.adds_columns(op):
            yield op, f"{label(op)} is renamed to {renamed(op)}."
