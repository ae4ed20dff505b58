"""Rules about what the running version of the application still uses."""

from __future__ import annotations

import re

from ..databases import MYSQL
from ..reading.migration import Type
from .rule import Found, rule
from .upgrade import CONSTRAINTS, Upgrade, is_whole, label, renamed


@rule(
    summary="A NOT NULL column without a server default is added to an existing table.",
    why="""
    It fails as soon as the table has a row (MySQL and MariaDB invent a value). A `default`
    in Python is for new rows.
    """,
    fix="""
    Add server_default; or add it nullable, see that new rows have it, fill the old ones,
    and set NOT NULL later.
    """,
    bad='op.add_column("videos", sa.Column("views", sa.Integer(), nullable=False))',
    good="""
    op.add_column("videos", sa.Column("views", sa.Integer(), nullable=False, server_default="0"))
    """,
)
def not_null_without_default(upgrade: Upgrade) -> Found:
    for op, column in upgrade.added_columns():
        required = column.nullable is False or (column.primary_key and column.nullable is None)
        filled = column.server_default is not None or column.computed or column.identity
        emptied = any(is_whole(other) for other in upgrade.earlier(op, "delete", "truncate"))
        if required and not filled and not emptied:
            where = f"{op.qualified_table}.{column.name}"
            yield op, f"{where} is NOT NULL without a server default for the rows that exist."


@rule(
    summary="A column is altered without a word on NULL, and can be NULL afterwards.",
    why="""
    MODIFY and CHANGE describe the whole column anew: Alembic writes NULL where neither
    nullable nor existing_nullable says otherwise, and a default or comment that is not said
    again goes as well.
    """,
    fix="""
    Say existing_type= and existing_nullable=, and existing_server_default= and
    existing_comment= where it has them, as autogenerate does; in SQL say NOT NULL, DEFAULT
    and COMMENT again.
    """,
    bad='op.alter_column("videos", "url", existing_type=sa.String(20), type_=sa.String(30))',
    good="""
    op.alter_column("videos", "url", existing_type=sa.String(20), type_=sa.String(30), existing_nullable=False)
    """,
    databases=MYSQL | {"tidb"},
)
def not_null_lost(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("alter_column"):
        if upgrade.adds_columns(op):
            continue
        if op.via == "execute":
            said_of_it = (
                r"(?i)\bNULL\b|\bAS\s*\("  # of a computed column NOT NULL is no word to MariaDB
            )
            silent = op.kwargs.get("nullable") is True and not re.search(said_of_it, op.sql or "")
        else:
            said = {name for name, value in op.kwargs.items() if value is not None}
            old = op.kwargs.get("existing_type")
            dated = isinstance(old, Type) and old.name in (
                "timestamp",
                "datetime",
            )  # whose defaults may be functions
            anew = {
                "new_column_name",
                "type_",
                "autoincrement",
                "comment",
                *(["server_default"] if dated else []),
            }
            silent = bool(said & anew) and said.isdisjoint({"nullable", "existing_nullable"})
        if silent:
            yield (
                op,
                f"{label(op)} can be NULL afterwards: the whole column is described anew, without NOT NULL.",
            )


@rule(
    summary="A table is dropped.",
    why="Its rows are gone, and code that still runs during the deployment fails.",
    fix="""
    Deploy code that no longer uses it first; drop it in a later revision, with a
    suppression that says since when.
    """,
    bad='op.drop_table("videos")',
    good='op.create_table("channels", sa.Column("id", sa.Integer(), primary_key=True))',
)
def drop_table(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("drop_table"):
        if not any(
            renamed(other) == op.table for other in upgrade.operations("rename_table")
        ):  # by one that took its rows
            yield op, f"{label(op)} is dropped with its rows."


@rule(
    summary="A column is dropped.",
    why="""
    Its values are gone, and code that still runs during the deployment names it in every
    SELECT and INSERT.
    """,
    fix="""
    Deploy code that no longer maps it first (suppress models-out-of-sync at its model's
    class until then; if it is NOT NULL, make it nullable before, or give it a server
    default); drop it in a later revision, with a suppression here that says since when.
    """,
    bad='op.drop_column("videos", "url")',
    good='op.alter_column("videos", "url", nullable=True, existing_type=sa.String(200))',
)
def drop_column(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("drop_column"):
        if not upgrade.adds_columns(op):
            yield op, f"{label(op)} is dropped with its values."


@rule(
    summary="A constraint is dropped and nothing takes its place.",
    why="""
    Code that still runs relies on it (ON CONFLICT, ON DELETE), and data that breaks it
    comes in at once.
    """,
    fix="""
    Deploy code that does without it first; suppress this with since when nothing relies on
    it.
    """,
    bad='op.drop_constraint("uq_videos_url", "videos", type_="unique")',
    good="""
    op.drop_constraint(op.f("ck_videos_length"), "videos", type_="check")
    op.create_check_constraint(op.f("ck_videos_length"), "videos", "length >= 0", postgresql_not_valid=True)
    """,
)
def drop_constraint(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("drop_constraint"):
        kind = CONSTRAINTS.get(str(op.kwargs.get("type_")), "")
        replaced = any(op.name == other.name for other in upgrade.later(op, *CONSTRAINTS.values()))
        replaced = replaced or bool(upgrade.later(op, kind) or upgrade.earlier(op, kind))
        dropped = [column for other in upgrade.later(op, "drop_column") for column in other.columns]
        # What goes with its table or column, for which there are rules.
        foreign = kind == "create_foreign_key"
        gone = upgrade.later(op, "drop_table") or any(
            foreign or column in (op.name or column) for column in dropped
        )
        # NOT NULL has taken the place of CHECK (... IS NOT NULL)
        is_check = kind in ("", "create_check_constraint")
        required = is_check and any(
            other.kwargs.get("nullable") is False for other in upgrade.earlier(op, "alter_column")
        )
        if not (replaced or gone or required or upgrade.creates(op)):
            yield op, f"{label(op) if op.name else f'A constraint of {label(op)}'} is dropped."


@rule(
    summary="A table is renamed.",
    why="Code that still runs during the deployment uses the old name and fails.",
    fix="""
    Rename the class alone (__tablename__ stays), or leave a view of the old name until
    nothing uses it, and suppress this with its name.
    """,
    bad='op.rename_table("videos", "clips")',
    good='op.create_table("clips", sa.Column("id", sa.Integer(), primary_key=True))',
)
def rename_table(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("rename_table"):
        yield op, f"{op.qualified_table} is renamed to {renamed(op)}."
    for op in upgrade.on_existing_tables("alter_table"):
        if moved := re.search(r"(?i)\bSET SCHEMA\s+\S+", op.sql or ""):
            yield op, f"{op.qualified_table}: {moved[0]}."


@rule(
    summary="A column is renamed.",
    why="Code that still runs during the deployment uses the old name and fails.",
    fix="""
    Rename it in the model alone, mapped_column("old_name", ...), or add a column, write to
    both, drop the old one.
    """,
    bad='op.alter_column("videos", "url", new_column_name="address")',
    good='op.add_column("videos", sa.Column("address", sa.String(200)))',
)
def rename_column(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("alter_column"):
        if renamed(op) and renamed(op) not in op.columns and not upgrade.adds_columns(op):
            yield op, f"{label(op)} is renamed to {renamed(op)}."
