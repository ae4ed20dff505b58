"""Rules about the design of tables."""

from ..databases import DISTRIBUTED, MYSQL, POSTGRESQL
from ..reading.migration import Operation, Type
from .column_types import for_database
from .known_schema import CREATES, is_indexed, keys_in
from .rule import Found, rule
from .upgrade import CONSTRAINTS, Upgrade, label


@rule(
    summary="A column is json and should be jsonb.",
    why="""
    json has no equality: SELECT DISTINCT, GROUP BY and UNION fail on the whole row, and no index
    helps.
    """,
    fix="""
    Write `sa.JSON().with_variant(postgresql.JSONB(), "postgresql")` as its type, here and in the
    model, with `from sqlalchemy.dialects import postgresql`.
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
                yield op, f"{op.qualified_table or '?'}.{name} is json, which has no equality."


@rule(
    summary="A constraint has no name.",
    why="""
    It can't be dropped later: SQLite has no other way to name it, and MySQL and MariaDB number
    their names. The names that PostgreSQL gives are predictable, but drop_constraint(None) can't
    use them.
    """,
    fix="""
    Give it a name, such as `op.f("<prefix>_<table>_<what>")`. Alembic writes one for each when the
    metadata has a naming_convention.
    """,
    bad='op.create_unique_constraint(None, "videos", ["url"])',
    good="""
    op.create_check_constraint(
        op.f("ck_videos_length"), "videos", "length > 0", postgresql_not_valid=True
    )
    """,
)
def unnamed_constraint(upgrade: Upgrade) -> Found:
    for op in upgrade.operations("create_table", "add_column", *CONSTRAINTS.values()):
        unnamed = [constraint.kind for constraint in op.constraints if constraint.name is None]
        if op.operation in ("create_table", "add_column"):
            unnamed = [kind for kind in unnamed if kind != "primary_key"]
            unnamed += ["foreign_key" for column in op.definitions if column.unnamed]
            unnamed += ["unique" for column in op.definitions if column.unique and not column.index]
            if upgrade.databases_of(op) <= POSTGRESQL:
                unnamed = []
        elif (op.operation == "create_primary_key" and upgrade.databases_of(op) <= MYSQL) or (
            op.via and upgrade.databases_of(op) <= POSTGRESQL
        ):
            continue  # the one is called PRIMARY, the other as PostgreSQL calls it
        if unnamed:
            kinds = ", ".join(
                f"{unnamed.count(kind)} {kind.replace('_', ' ')}" for kind in dict.fromkeys(unnamed)
            )
            names = {"prefix": PREFIXES.get(unnamed[0], "ex"), "what": "_".join(op.columns)}
            yield op, f"{label(op)}: without a name: {kinds}.", names


PREFIXES = {"unique": "uq", "foreign_key": "fk", "check": "ck", "primary_key": "pk"}


@rule(
    summary="A new foreign key has no index that begins with its columns.",
    why="""
    Each DELETE and each change of a key in the other table looks for its rows here, and reads the
    whole table. MySQL and MariaDB create the index themselves.
    """,
    fix="""
    Give the column `index=True` in the model (several columns: an Index that begins with them),
    and write the migration: `alembic revision --autogenerate -m "Index <table>"`
    """,
    bad="""
    op.add_column("videos", sa.Column("channel_id", sa.Integer()))
    op.create_foreign_key(
        "fk", "videos", "channels", ["channel_id"], ["id"], postgresql_not_valid=True
    )
    """,
    good="""
    op.create_table("clips", sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("video_id", sa.ForeignKey("videos.id", name="fk_clips_video_id"), index=True))
    """,
    databases=POSTGRESQL,
    severity="warning",
)
def foreign_key_without_index(upgrade: Upgrade) -> Found:
    for op in upgrade.operations("create_table", "add_column", "create_foreign_key"):
        keys = [key.columns for key in keys_in(op, "foreign_key")]
        known = op.operation != "create_foreign_key" or upgrade.history(op, *CREATES)
        for columns in dict.fromkeys(keys):
            if not columns or not known or is_replaced_key(upgrade, op, columns):
                continue
            if not is_indexed(upgrade, op, columns):
                where = f"{op.qualified_table or '?'} ({', '.join(columns)})"
                yield op, f"The foreign key of {where} has no index that begins with it."


def is_replaced_key(upgrade: Upgrade, op: Operation, columns: tuple[str, ...]) -> bool:
    """Return whether the columns had a foreign key before: a replaced one is not new."""
    return any(
        columns == key.columns
        for each in upgrade.history(op, "create_table", "add_column", "create_foreign_key")
        for key in keys_in(each, "foreign_key")
    )


@rule(
    summary="A new table has no primary key.",
    why="""
    A cluster places and replicates rows by it: Galera can't replicate deletes, and others add a
    column that nobody can use.
    """,
    fix="""
    Give <table> a primary key, here and in the model. If no column is one: `sa.Column("id",
    sa.BigInteger(), primary_key=True)`
    """,
    bad='op.create_table("tags", sa.Column("name", sa.String(50)))',
    good='op.create_table("tags", sa.Column("name", sa.String(50), primary_key=True))',
    databases=DISTRIBUTED,
)
def no_primary_key(upgrade: Upgrade) -> Found:
    for op in upgrade.operations("create_table"):
        if op.certain and op.definitions and not keys_in(op, "primary_key"):
            yield op, f"{label(op)} has no primary key."
