"""What Alembic's own comparison and its plugins find if the server can't describe both sides."""

import re
import warnings
from importlib.util import find_spec
from typing import Any

from alembic.autogenerate import api
from alembic.runtime.migration import MigrationContext

CHECKS = "alembic.ext.checkconstraint_byname"  # not in Alembic before 1.19


# What Alembic itself compares; a plugin's differences have other kinds.
OWN = re.compile("modify_|(add|remove)_(table|column|constraint|index|fk|table_comment)$")


def as_alembic_sees(context: MigrationContext, tables: set[str]) -> list[tuple[str, str, str]]:
    """Compare these tables as Alembic does, and run the plugins that the project has.

    Returns the object, its table and a message for each difference.
    """
    opts = context.opts
    plugins = opts.get("autogenerate_plugins") or ["alembic.autogenerate.*"]
    checks = [CHECKS] if find_spec(CHECKS.rpartition(".")[0]) else []
    if not tables:  # then Alembic itself need not read them
        plugins = [name for name in plugins if not name.startswith("alembic.")]
        checks = []
    opts["autogenerate_plugins"] = list(dict.fromkeys([*plugins, *checks]))
    context._user_compare_type = context._user_compare_type or True
    context._user_compare_server_default = False  # the server refuses to compare some
    include_name, include_object = opts.get("include_name"), opts.get("include_object")

    def is_left_out(kind: str, name: str | None, schema: str | None) -> bool:
        return kind == "table" and full_name(name, schema) not in tables

    def name_filter(name: str | None, kind: Any, parents: Any) -> bool:
        if is_left_out(kind, name, parents.get("schema_name")):
            return False
        return include_name is None or include_name(name, kind, parents)

    def object_filter(item: Any, name: str | None, kind: Any, *rest: Any) -> bool:
        if is_left_out(kind, name, getattr(item, "schema", None)):
            return False
        return include_object is None or include_object(item, name, kind, *rest)

    opts["include_name"], opts["include_object"] = name_filter, object_filter
    try:
        # Alembic warns that a computed column can't be altered, which only matters to autogenerate.
        with warnings.catch_warnings(action="ignore"):
            found: Any = api.compare_metadata(context, opts["target_metadata"])
    finally:
        opts["include_name"], opts["include_object"] = include_name, include_object
    parts = (part for item in found for part in (item if isinstance(item, list) else [item]))
    seen = [(OWN.match(str(part[0])), described(part)) for part in parts]
    return [each for own, each in seen if not own or each[1] in tables]


def full_name(name: str | None, schema: str | None) -> str:
    """Return the name as a snapshot has it, without PostgreSQL's default schema."""
    return f"{schema}.{name}".removeprefix("None.").removeprefix("public.").lower()


def described(difference: Any) -> tuple[str, str, str]:
    """Describe a difference of Alembic's: the object, its table, and a sentence."""
    kind, *rest = difference
    if kind in ("add_table", "remove_table", "add_table_comment", "remove_table_comment"):
        table = full_name(rest[0].name, rest[0].schema)
        target = f"table {table}"
    elif kind in ("add_column", "remove_column") or kind.startswith("modify_"):
        table = full_name(rest[1], rest[0])
        target = f"column {table}.{getattr(rest[2], 'name', rest[2])}"
    else:  # a plugin's own operations, too
        owner = getattr(rest[0], "table", None)
        table = "" if owner is None else full_name(owner.name, owner.schema)
        name = getattr(rest[0], "name", None) or str(rest[0])
        target = f"{kind.partition('_')[2] or kind} {table}.{name}".replace(" .", " ")
    if kind.startswith("modify_"):
        before, after = ("nothing" if each is None else each for each in rest[-2:])
        text = f"{target}: {kind[7:]} is {after} in the models and {before} in the migrations."
    elif kind.startswith("add"):
        text = f"Model {target} has no migration."
    elif kind.startswith("remove"):
        text = f"The migrations create {target}, but no model defines it."
    else:
        text = f"{target}: the models and the migrations differ ({kind})."
    return target, table, text
