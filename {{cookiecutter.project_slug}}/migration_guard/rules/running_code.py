"""Rules about what the running version of the application still uses."""

from __future__ import annotations

import re

from ..databases import MYSQL
from ..reading.migration import Type
from .rule import Found, rule
from .upgrade import CONSTRAINTS, View, is_whole, label, renamed


@rule()
def not_null_without_default(view: View) -> Found:
    """A NOT NULL column without a server default is added to an existing table.
    Why: It fails as soon as the table has a row (MySQL and MariaDB invent a value). A `default` in Python is for new rows.
    Fix: Add server_default; or add it nullable, see that new rows have it, fill the old ones, and set NOT NULL later.
    Bad: op.add_column("videos", sa.Column("views", sa.Integer(), nullable=False))
    Good: op.add_column("videos", sa.Column("views", sa.Integer(), nullable=False, server_default="0"))
    """
    for op, column in view.columns():
        required = column.nullable is False or (column.primary_key and column.nullable is None)
        filled = column.server_default is not None or column.computed or column.identity
        emptied = any(is_whole(other) for other in view.before(op, "delete", "truncate"))
        if required and not filled and not emptied:
            where = f"{op.qualified_table}.{column.name}"
            yield op, f"{where} is NOT NULL without a server default for the rows that exist."


@rule(MYSQL | {"tidb"})
def not_null_lost(view: View) -> Found:
    """A column is altered without a word on NULL, and can be NULL afterwards.
    Why: MODIFY and CHANGE describe the whole column anew: Alembic writes NULL where neither nullable nor existing_nullable
        says otherwise, and a default or comment that is not said again goes as well.
    Fix: Say existing_type= and existing_nullable=, and existing_server_default= and existing_comment= where it has them, as
        autogenerate does; in SQL say NOT NULL, DEFAULT and COMMENT again.
    Bad: op.alter_column("videos", "url", existing_type=sa.String(20), type_=sa.String(30))
    Good: op.alter_column("videos", "url", existing_type=sa.String(20), type_=sa.String(30), existing_nullable=False)
    """
    for op in view.existing("alter_column"):
        if "columns" in view.new[id(op)]:
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


@rule()
def drop_table(view: View) -> Found:
    """A table is dropped.
    Why: Its rows are gone, and code that still runs during the deployment fails.
    Fix: Deploy code that no longer uses it first; drop it in a later revision, with a suppression that says since when.
    Bad: op.drop_table("videos")
    Good: op.create_table("channels", sa.Column("id", sa.Integer(), primary_key=True))
    """
    for op in view.existing("drop_table"):
        if not any(
            renamed(other) == op.table for other in view.upgrade("rename_table")
        ):  # by one that took its rows
            yield op, f"{label(op)} is dropped with its rows."


@rule()
def drop_column(view: View) -> Found:
    """A column is dropped.
    Why: Its values are gone, and code that still runs during the deployment names it in every SELECT and INSERT.
    Fix: Deploy code that no longer maps it first (suppress models-out-of-sync at its model's class until then; if it is NOT
        NULL, make it nullable before, or give it a server default); drop it in a later revision, with a suppression here
        that says since when.
    Bad: op.drop_column("videos", "url")
    Good: op.alter_column("videos", "url", nullable=True, existing_type=sa.String(200))
    """
    for op in view.existing("drop_column"):
        if "columns" not in view.new[id(op)]:
            yield op, f"{label(op)} is dropped with its values."


@rule()
def drop_constraint(view: View) -> Found:
    """A constraint is dropped and nothing takes its place.
    Why: Code that still runs relies on it (ON CONFLICT, ON DELETE), and data that breaks it comes in at once.
    Fix: Deploy code that does without it first; suppress this with since when nothing relies on it.
    Bad: op.drop_constraint("uq_videos_url", "videos", type_="unique")
    Good:
        op.drop_constraint(op.f("ck_videos_length"), "videos", type_="check")
        op.create_check_constraint(op.f("ck_videos_length"), "videos", "length >= 0", postgresql_not_valid=True)
    """
    for op in view.existing("drop_constraint"):
        kind = CONSTRAINTS.get(str(op.kwargs.get("type_")), "")
        replaced = any(op.name == other.name for other in view.after(op, *CONSTRAINTS.values()))
        replaced = replaced or bool(view.after(op, kind) or view.before(op, kind))
        dropped = [column for other in view.after(op, "drop_column") for column in other.columns]
        # What goes with its table or column, for which there are rules.
        foreign = kind == "create_foreign_key"
        gone = view.after(op, "drop_table") or any(
            foreign or column in (op.name or column) for column in dropped
        )
        # NOT NULL has taken the place of CHECK (... IS NOT NULL)
        is_check = kind in ("", "create_check_constraint")
        required = is_check and any(
            other.kwargs.get("nullable") is False for other in view.before(op, "alter_column")
        )
        if not (replaced or gone or required or "name" in view.new[id(op)]):
            yield op, f"{label(op) if op.name else f'A constraint of {label(op)}'} is dropped."


@rule()
def rename_table(view: View) -> Found:
    """A table is renamed.
    Why: Code that still runs during the deployment uses the old name and fails.
    Fix: Rename the class alone (__tablename__ stays), or leave a view of the old name until nothing uses it, and suppress
        this with its name.
    Bad: op.rename_table("videos", "clips")
    Good: op.create_table("clips", sa.Column("id", sa.Integer(), primary_key=True))
    """
    for op in view.existing("rename_table"):
        yield op, f"{op.qualified_table} is renamed to {renamed(op)}."
    for op in view.existing("alter_table"):
        if moved := re.search(r"(?i)\bSET SCHEMA\s+\S+", op.sql or ""):
            yield op, f"{op.qualified_table}: {moved[0]}."


@rule()
def rename_column(view: View) -> Found:
    """A column is renamed.
    Why: Code that still runs during the deployment uses the old name and fails.
    Fix: Rename it in the model alone, mapped_column("old_name", ...), or add a column, write to both, drop the old one.
    Bad: op.alter_column("videos", "url", new_column_name="address")
    Good: op.add_column("videos", sa.Column("address", sa.String(200)))
    """
    for op in view.existing("alter_column"):
        if renamed(op) and renamed(op) not in op.columns and "columns" not in view.new[id(op)]:
            yield op, f"{label(op)} is renamed to {renamed(op)}."
