"""Rules about enum types."""

import re
from typing import Any

from ..databases import POSTGRESQL
from ..reading.migration import Operation, Type
from .column_types import for_database
from .rule import Found, rule
from .upgrade import Upgrade


@rule(
    summary="An enum type is created in upgrade and not dropped in downgrade.",
    why="""
    Dropping the table does not drop its enum type, and the next upgrade fails: the type exists
    already.
    """,
    fix="""
    Drop it at the end of downgrade(): `sa.Enum(name="<type>").drop(op.get_bind(),
    checkfirst=True)`
    """,
    bad="""
    def upgrade(): op.create_table("tags",
        sa.Column("kind", sa.Enum("a", "b", name="kind"), primary_key=True))
    def downgrade(): op.drop_table("tags")
    """,
    good="""
    def upgrade(): op.execute("CREATE TYPE kind AS ENUM ('a', 'b')")
    def downgrade(): op.execute("DROP TYPE kind")
    """,
    databases=POSTGRESQL,
)
def enum_left_behind(upgrade: Upgrade) -> Found:
    if upgrade.migration.bodies.get("downgrade") != "code" or upgrade.migration.irreversible:
        return
    created: dict[str, Operation] = {}
    there: set[str] = set()  # types that were there before
    for op in [
        *upgrade.operations(),
        *(op for op in upgrade.migration.operations if op.function.startswith("downgrade")),
    ]:
        back, new_name = op.function.startswith("downgrade"), op.kwargs.get("new_name")
        if op.operation == "create_table" and not back:
            created |= {name: op for column in op.definitions if (name := enum_name(column.type))}
        elif op.operation == "create_type" and op.name and not back:
            created[op.name] = op
        elif op.operation == "drop_type" or (op.operation == "alter_type" and new_name):
            old = created.pop(str(op.name), None)
            if old is None and not back:
                there.add(str(op.name))
            elif old is not None and new_name:
                created[new_name] = old
    for name, op in created.items():
        if name not in there and not is_there_before(upgrade, name):
            yield op, f"The enum type {name} stays after downgrade.", {"type": name}


def is_there_before(upgrade: Upgrade, name: str) -> bool:
    """Return whether a revision before creates the type, and none drops or renames it."""
    before = upgrade.past.of("create_type", "create_table", "drop_type", "alter_type")
    on_type = [op for op in before if name.casefold() in enums_of(op)]
    gone = any(op.operation == "drop_type" or op.kwargs.get("new_name") for op in on_type)
    return bool(on_type) and not gone


def name_of_enum(type_: Any) -> str:
    """Return the name of an enum type of the database, also in an array; "" for other types."""
    if isinstance(type_, Type) and type_.name == "array" and type_.args:
        return name_of_enum(type_.args[0])
    if isinstance(type_, Type) and type_.name == "enum":
        type_ = for_database(type_, "postgresql")
        if type_.kwargs.get("native_enum") is not False:
            return str(type_.kwargs.get("name") or "")
    return ""


def enum_name(type_: Any) -> str:
    """Return the name of the enum type that CREATE TABLE creates for a column; "" for none."""
    if isinstance(type_, Type) and type_.name == "array" and type_.args:
        return enum_name(type_.args[0])
    if isinstance(type_, Type) and type_.kwargs.get("create_type") is False:
        return ""
    return name_of_enum(type_)


@rule(
    summary="A value is added to an enum type and used in the same transaction.",
    why="PostgreSQL refuses to use it before the transaction that adds it is committed.",
    fix="""
    Move ALTER TYPE ... ADD VALUE into a revision of its own before this one, inside `with
    op.get_context().autocommit_block():`, and write it as `ADD VALUE IF NOT EXISTS`: the value
    stays after a downgrade.
    """,
    bad="""
    op.execute("ALTER TYPE status ADD VALUE 'archived'")
    op.execute("UPDATE videos SET status = 'archived' WHERE id = 7")
    """,
    good="""op.execute("ALTER TYPE status ADD VALUE IF NOT EXISTS 'archived'")""",
    databases=POSTGRESQL,
)
def enum_value_in_transaction(upgrade: Upgrade) -> Found:
    added: list[str] = []
    for op in upgrade.operations():
        if op.kwargs.get("add_value") and not op.autocommit:
            added.append(op.kwargs["add_value"])
        elif op.operation != "execute":
            text = f"{op.sql or ''} {op.kwargs} {op.definitions} {op.args}" if added else ""
            if used := next((value for value in added if f"'{value}'" in text), None):
                yield op, f"{used!r} can't be used in the transaction that adds it."


@rule(
    summary="A column uses an enum type that nothing creates.",
    why="""
    CREATE TABLE creates the enum types of its columns; ADD COLUMN and ALTER COLUMN do not
    (SQLAlchemy creates a type with its table). PostgreSQL refuses the type: it does not exist.
    """,
    fix="""
    Create it on the line before: `sa.Enum(<values>, name="<type>").create(op.get_bind(),
    checkfirst=True)`. At the end of downgrade(): `sa.Enum(name="<type>").drop(op.get_bind(),
    checkfirst=True)`
    """,
    bad='op.add_column("videos", sa.Column("status", sa.Enum("new", "done", name="status")))',
    good="""
    status = sa.Enum("new", "done", name="status")
    status.create(op.get_bind(), checkfirst=True)
    op.add_column("videos", sa.Column("status", status))
    """,
    databases=POSTGRESQL,
)
def enum_missing(upgrade: Upgrade) -> Found:
    for op in upgrade.operations("create_table", "add_column", "alter_column"):
        types: list[Any] = [column.type for column in op.definitions] or [op.kwargs.get("type_")]
        for type_ in types:
            name = name_of_enum(type_)
            if not name or (op.operation == "create_table" and enum_name(type_)):
                continue  # CREATE TABLE creates it
            # other tables may have been created in another way, with their types
            files = not upgrade.past.of("create_table") or upgrade.history(op, "create_table")
            if files and not is_enum_known(upgrade, op, name):
                values = for_database(type_, "postgresql").kwargs.get("values") or ()
                message = f"The enum type {name} is used here, and no migration creates it."
                yield op, message, {"type": name, "values": ", ".join(map(repr, values))}


def is_enum_known(upgrade: Upgrade, op: Operation, name: str) -> bool:
    """Return whether a migration creates the type, or uses it where it must have existed."""
    kinds = ("create_type", "drop_type", "alter_type", "create_table", "add_column", "execute")
    before = [*upgrade.past.of(*kinds), *upgrade.everything[: upgrade.at[id(op)]]]
    block = re.compile(rf"(?i)\bCREATE\s+TYPE\s+[\w.\"]*?\b{re.escape(name)}\b")  # DO $$ ... $$
    known = [
        each for each in before if name.casefold() in enums_of(each) or block.search(each.sql or "")
    ]
    return upgrade.any_runs_whenever(op, known)


def enums_of(op: Operation) -> list[str]:
    """Return the names of the enum types that an operation creates, changes or uses."""
    names: list[Any] = [name_of_enum(column.type) for column in op.definitions]
    if op.operation.endswith("_type"):
        names += [op.name, op.kwargs.get("new_name")]
    return [str(name).casefold() for name in names if name]
