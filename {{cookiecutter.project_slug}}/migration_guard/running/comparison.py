"""Alembic's own comparison of the models with a migrated database."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import api
from alembic.runtime.migration import MigrationContext

from .server_defaults import PLUGIN

CHECKS = "alembic.ext.checkconstraint_byname"  # not in Alembic before 1.19


def as_alembic_sees(
    context: MigrationContext, metadata: Any, but: set[str]
) -> list[tuple[str, str, str]]:
    """Alembic's own comparison, of all but these tables: of each difference what `described` gives."""
    opts = context.opts
    plugins = opts.get("autogenerate_plugins") or ["alembic.autogenerate.*"]
    checks = [CHECKS] if find_spec(CHECKS.rpartition(".")[0]) else []
    opts["autogenerate_plugins"] = list(dict.fromkeys([*plugins, *checks, PLUGIN]))
    context._user_compare_type = context._user_compare_type or True
    context._user_compare_server_default = context._user_compare_server_default or True
    include_name, include_object = opts.get("include_name"), opts.get("include_object")

    def left_out(kind: str, name: str | None, schema: str | None) -> bool:
        return (
            kind == "table"
            and simple(f"table {schema}.{name}" if schema else f"table {name}") in but
        )

    def named(name: str | None, kind: Any, parents: Any) -> bool:
        out = left_out(kind, name, parents.get("schema_name"))
        return not out and (include_name is None or include_name(name, kind, parents))

    def chosen(item: Any, name: str | None, kind: Any, *rest: Any) -> bool:
        out = left_out(kind, name, getattr(item, "schema", None))
        return not out and (include_object is None or include_object(item, name, kind, *rest))

    opts["include_name"], opts["include_object"] = named, chosen
    with warnings.catch_warnings(
        action="ignore"
    ):  # that a computed column can't be altered is for who writes it
        found: Any = api.compare_metadata(context, metadata)
    parts = [part for item in found for part in (item if isinstance(item, list) else [item])]
    return [described(part, context.dialect) for part in parts]


def described(difference: Any, dialect: sa.Dialect) -> tuple[str, str, str]:
    """Alembic's difference: the object, its table, and a sentence."""
    kind, *rest = difference
    if kind in ("add_table", "remove_table", "add_table_comment", "remove_table_comment"):
        table = rest[0].key
        target = f"table {table}"
    elif kind in ("add_column", "remove_column") or kind.startswith("modify_"):
        table = f"{rest[0]}.{rest[1]}" if rest[0] else rest[1]
        target = f"column {table}.{getattr(rest[2], 'name', rest[2])}"
    else:  # a plugin's own operations, too
        table = getattr(getattr(rest[0], "table", rest[0]), "key", "")
        target = (
            f"{'index' if 'index' in kind else 'constraint'} {table}.{getattr(rest[0], 'name', '')}"
        )
    models, made = ("it is there", "nothing") if kind.startswith("add") else ("nothing", "it")
    if kind.startswith("modify_"):
        models, made = f"{kind[7:]} {said(rest[-1], dialect)}", said(rest[-2], dialect)
    return target, table, f"{target}: models say {models}, migrations made {made}."


def said(value: Any, dialect: sa.Dialect | None = None) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, sa.DefaultClause):
        value = value.arg
    return str(value.compile(dialect=dialect) if isinstance(value, sa.ClauseElement) else value)


def simple(target: str) -> str:
    """Without its kind: a unique constraint is an index to some servers. In lower case, as SQLite has it here."""
    kind, _, name = target.partition(" ")
    return f"table {name.lower()}" if kind == "table" else name.lower()
