"""Rules about the design of tables."""

from __future__ import annotations

from ..databases import DISTRIBUTED, MYSQL, POSTGRESQL
from ..reading.migration import Type
from .column_types import for_database
from .rule import Found, rule
from .upgrade import CONSTRAINTS, Upgrade, label


@rule(
    summary="A column is json where jsonb is meant.",
    why="""
    json has no equality: SELECT DISTINCT, GROUP BY and UNION fail on the whole row, and no
    index helps it.
    """,
    fix="""
    Use JSONB (from sqlalchemy.dialects import postgresql), or
    sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), here and in the model.
    """,
    bad='op.add_column("videos", sa.Column("data", sa.JSON()))',
    good='op.add_column("videos", sa.Column("data", postgresql.JSONB()))',
    databases=POSTGRESQL,
)
def json_equality(upgrade: Upgrade) -> Found:
    for op in upgrade.operations("create_table", "add_column", "alter_column"):
        types = {str(column.name): column.type for column in op.definitions}
        for name, type_ in (types or {", ".join(op.columns): op.kwargs.get("type_")}).items():
            if isinstance(type_, Type) and for_database(type_, "postgresql").name == "json":
                yield op, f"{op.qualified_table}.{name} is json, which has no equality."


@rule(
    summary="A constraint has no name.",
    why="""
    It can't be dropped later: SQLite knows it by nothing else, MySQL and MariaDB count
    names up. PostgreSQL's own names can be relied on, but drop_constraint(None) can't.
    """,
    fix="""
    Give it a name; Alembic writes op.f("...") for each when the metadata has a
    naming_convention.
    """,
    bad='op.create_unique_constraint(None, "videos", ["url"])',
    good="""
    op.create_check_constraint(op.f("ck_videos_length"), "videos", "length > 0", postgresql_not_valid=True)
    """,
)
def unnamed_constraint(upgrade: Upgrade) -> Found:
    for op in upgrade.operations("create_table", "add_column", *CONSTRAINTS.values()):
        unnamed = [constraint.kind for constraint in op.constraints if constraint.name is None]
        if op.operation in ("create_table", "add_column"):
            unnamed = [kind for kind in unnamed if kind != "primary_key"]
            unnamed += ["foreign_key" for column in op.definitions if column.unnamed]
            unnamed += ["unique" for column in op.definitions if column.unique and not column.index]
            unnamed *= not upgrade.databases_of(op) <= POSTGRESQL
        elif (op.operation == "create_primary_key" and upgrade.databases_of(op) <= MYSQL) or (
            op.via and upgrade.databases_of(op) <= POSTGRESQL
        ):
            continue  # the one is called PRIMARY, the other as PostgreSQL calls it
        if unnamed:
            kinds = ", ".join(
                f"{unnamed.count(kind)} {kind.replace('_', ' ')}" for kind in dict.fromkeys(unnamed)
            )
            yield op, f"{label(op)}: without a name: {kinds}."


@rule(
    summary="A new table has no primary key.",
    why="""
    A cluster places and replicates rows by it: Galera can't replicate deletes, others add a
    column nobody can use.
    """,
    fix="Give the table a primary key.",
    bad='op.create_table("tags", sa.Column("name", sa.String(50)))',
    good='op.create_table("tags", sa.Column("name", sa.String(50), primary_key=True))',
    databases=DISTRIBUTED,
)
def no_primary_key(upgrade: Upgrade) -> Found:
    for op in upgrade.operations("create_table"):
        keyed = any(constraint.kind == "primary_key" for constraint in op.constraints)
        if (
            op.certain
            and op.definitions
            and not keyed
            and not any(column.primary_key for column in op.definitions)
        ):
            yield op, f"{label(op)} has no primary key."
