"""Rules about enum types."""

from __future__ import annotations

from ..databases import POSTGRESQL
from ..reading.migration import Operation, Type
from .rule import Found, rule
from .upgrade import Upgrade


@rule(
    summary="An enum type is made in upgrade and not dropped in downgrade.",
    why="""
    Dropping the table does not drop its enum type, and the next upgrade fails: the type
    already exists.
    """,
    fix='Drop it at the end of downgrade: sa.Enum(name="...").drop(op.get_bind(), checkfirst=True)',
    bad="""
    def upgrade(): op.create_table("tags", sa.Column("kind", sa.Enum("a", "b", name="kind"), primary_key=True))
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
    made: dict[str, Operation] = {}
    there: set[str] = set()  # types that were there before
    for op in [
        *upgrade.operations(),
        *(op for op in upgrade.migration.operations if op.function.startswith("downgrade")),
    ]:
        back = op.function.startswith("downgrade")
        if op.operation == "create_table" and not back:
            made |= {name: op for column in op.definitions if (name := enum_name(column.type))}
        elif op.operation == "create_type" and op.name and not back:
            made[op.name] = op
        elif op.operation in ("drop_type", "alter_type") and op.name:
            new_name = op.kwargs.get("new_name")
            if op.operation == "alter_type" and not new_name:
                continue
            old = made.pop(op.name, None)
            if old is None and not back:
                there.add(op.name)
            elif old is not None and new_name:
                made[new_name] = old
    for name, op in made.items():
        if name not in there:
            yield op, f"The enum type {name} stays after downgrade."


def enum_name(type_: Type | None) -> str:
    """The name of an enum type that CREATE TABLE makes."""
    if type_ and type_.name == "array" and type_.args:
        return enum_name(type_.args[0])
    said = type_.kwargs if type_ and type_.name == "enum" else {}
    made = said.get("native_enum") is not False and said.get("create_type") is not False
    return str(said.get("name") or "") if made else ""


@rule(
    summary="A value is added to an enum type and used in the same transaction.",
    why="PostgreSQL refuses to use it before the transaction that adds it is committed.",
    fix="""
    Add the value in a revision of its own, inside `with
    op.get_context().autocommit_block():`.
    """,
    bad="""
    op.execute("ALTER TYPE status ADD VALUE 'archived'")
    op.execute("UPDATE videos SET status = 'archived' WHERE id = 7")
    """,
    good="""op.execute("ALTER TYPE status ADD VALUE 'archived'")""",
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
