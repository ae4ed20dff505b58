"""Rules about the design of tables."""

from __future__ import annotations

from ..databases import DISTRIBUTED, MYSQL, POSTGRESQL
from ..reading.migration import Type
from .column_types import for_database
from .rule import Found, rule
from .upgrade import CONSTRAINTS, View, label


@rule(POSTGRESQL)
def json_equality(view: View) -> Found:
    """A column is json where jsonb is meant.
    Why: json has no equality: SELECT DISTINCT, GROUP BY and UNION fail on the whole row, and no index helps it.
    Fix: Use JSONB (from sqlalchemy.dialects import postgresql), or sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
        here and in the model.
    Bad: op.add_column("videos", sa.Column("data", sa.JSON()))
    Good: op.add_column("videos", sa.Column("data", postgresql.JSONB()))
    """
    for op in view.upgrade("create_table", "add_column", "alter_column"):
        types = {str(column.name): column.type for column in op.definitions}
        for name, type_ in (types or {", ".join(op.columns): op.kwargs.get("type_")}).items():
            if isinstance(type_, Type) and for_database(type_, "postgresql").name == "json":
                yield op, f"{op.qualified_table}.{name} is json, which has no equality."


@rule()
def unnamed_constraint(view: View) -> Found:
    """A constraint has no name.
    Why: It can't be dropped later: SQLite knows it by nothing else, MySQL and MariaDB count names up. PostgreSQL's own
        names can be relied on, but drop_constraint(None) can't.
    Fix: Give it a name; Alembic writes op.f("...") for each when the metadata has a naming_convention.
    Bad: op.create_unique_constraint(None, "videos", ["url"])
    Good: op.create_check_constraint(op.f("ck_videos_length"), "videos", "length > 0", postgresql_not_valid=True)
    """
    for op in view.upgrade("create_table", "add_column", *CONSTRAINTS.values()):
        unnamed = [constraint.kind for constraint in op.constraints if constraint.name is None]
        if op.operation in ("create_table", "add_column"):
            unnamed = [kind for kind in unnamed if kind != "primary_key"]
            unnamed += ["foreign_key" for column in op.definitions if column.unnamed]
            unnamed += ["unique" for column in op.definitions if column.unique and not column.index]
            unnamed *= not view.on(op) <= POSTGRESQL
        elif (op.operation == "create_primary_key" and view.on(op) <= MYSQL) or (
            op.via and view.on(op) <= POSTGRESQL
        ):
            continue  # the one is called PRIMARY, the other as PostgreSQL calls it
        if unnamed:
            kinds = ", ".join(
                f"{unnamed.count(kind)} {kind.replace('_', ' ')}" for kind in dict.fromkeys(unnamed)
            )
            yield op, f"{label(op)}: without a name: {kinds}."


@rule(DISTRIBUTED)
def no_primary_key(view: View) -> Found:
    """A new table has no primary key.
    Why: A cluster places and replicates rows by it: Galera can't replicate deletes, others add a column nobody can use.
    Fix: Give the table a primary key.
    Bad: op.create_table("tags", sa.Column("name", sa.String(50)))
    Good: op.create_table("tags", sa.Column("name", sa.String(50), primary_key=True))
    """
    for op in view.upgrade("create_table"):
        keyed = any(constraint.kind == "primary_key" for constraint in op.constraints)
        if (
            op.certain
            and op.definitions
            and not keyed
            and not any(column.primary_key for column in op.definitions)
        ):
            yield op, f"{label(op)} has no primary key."
