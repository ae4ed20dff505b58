"""How the schema that the models describe differs from the one that the migrations create.

The same server describes both, so that two notations of the same thing don't differ.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext

from .models import Models
from .schema.objects import (
    EXISTS,
    TEXT,
    Column,
    Difference,
    Properties,
    SchemaObject,
    uncast,
    without_comment,
)

MODELLED = ("table ", "type ", "sequence ", "domain ", "extension ", "schema ")


# Properties of a table that models can't state, or rarely do.
UNMODELLED = ("trigger", "policy", "rule", "parent", "partitions", "security")


OWN_SEQUENCE = re.compile(r"nextval\('([^']+)'::regclass\)")


CONSTRAINTS = {"foreign": "foreign_key_constraint"}
CONSTRAINTS |= {kind: f"{kind}_constraint" for kind in ("unique", "check")}


def compare(
    context: MigrationContext, models: Models, migrated: Mapping[str, SchemaObject]
) -> list[Difference]:
    """Return what differs: ``before`` is what is migrated, ``after`` what the models have.

    ``context`` is connected to the migrated database, ``migrated`` is its description, and
    ``models.objects`` is filled. Objects that env.py excludes are left out. A value is the server's
    own definition of the property (see `Properties`), or EXISTS for a whole object.
    """
    filters = Filters(context, models)
    names = models.names(context.dialect.identifier_preparer)
    sequences = models.sequences()
    found = []
    for name in sorted(migrated.keys() | models.objects.keys()):
        kind, _, rest = name.partition(" ")
        if not name.startswith(MODELLED) or rest.lower() in models.failed:
            continue
        old, new = migrated.get(name), models.objects.get(name)
        if (kind == "sequence" and name not in sequences) or (new is None and kind != "table"):
            continue
        if old is None or new is None:
            is_partition = old and any(prop.startswith("parent ") for prop in old.properties)
            if not is_partition:  # a partition belongs to a table of the models
                found.append(Difference(name, "", old and EXISTS, new and EXISTS))
        else:
            table = models.tables.get(rest.lower())
            found += table_differences(name, old.properties, new.properties, names, table)
    found = [difference for difference in found if filters.include(difference)]
    assert context.connection is not None
    return [each for each in found if not same_constant(each, context.connection)]


# A text or a number, perhaps with the type that the column once had.
CONSTANT = re.compile(rf"\(?(?:{TEXT}|-?[\d.]+)\)?(?:::[\w .\"(,)]+)?")


def same_constant(difference: Difference, connection: sa.Connection) -> bool:
    """Return whether only the defaults differ, and PostgreSQL would store the same value."""
    both = (difference.before, difference.after)
    sides = [each for each in both if isinstance(each, Column) and CONSTANT.fullmatch(each.default)]
    rest = {each._replace(default="") for each in sides}
    if connection.dialect.name != "postgresql" or len(sides) != 2 or len(rest) != 1:
        return False
    values = " = ".join(f"CAST(CAST({each.default} AS {each.type}) AS text)" for each in sides)
    query = f"SELECT {values}".replace("%", "%%")
    return bool(connection.exec_driver_sql(query).scalar())


def simple(name: str) -> str:
    """Return the name of a Difference in lower case without its kind.

    An index on one side may be a constraint on the other.
    """
    kind, _, rest = name.partition(" ")
    return f"table {rest.lower()}" if kind == "table" else rest.lower()


def table_differences(
    owner: str, old: Properties, new: Properties, names: set[str], table: sa.Table | None
) -> Iterator[Difference]:
    """Yield the properties that differ.

    A constraint with a generated name is compared by its definition.
    """
    after = {key_of(prop, value, names): prop for prop, value in new.items()}
    before = {}
    for prop, value in old.items():
        key = key_of(prop, value, names)
        before[key if key in after else prop] = prop
    for key in sorted(before.keys() | after.keys()):
        sides = old.get(before.get(key, "?")), new.get(after.get(key, "?"))
        if not key and table is not None and not (table.kwargs or table._prefixes):
            continue  # the models state no options of the table
        if key.partition(" ")[0] not in UNMODELLED and plain(sides[0]) != plain(sides[1]):
            yield Difference(owner, before.get(key) or after[key], *sides)


def key_of(prop: str, value: Column | str, names: set[str]) -> str:
    kind, _, name = prop.partition(" ")
    if kind == "constraint" and name.lower() not in names:
        return f"constraint: {without_comment(value)}"
    return prop


def plain(value: Column | str | None) -> Column | str | None:
    """Return the value without generated names of sequences and casts that PostgreSQL adds."""
    if isinstance(value, Column):
        default = OWN_SEQUENCE.sub("nextval(its own sequence)", value.default)
        return value._replace(default=default)
    return uncast(value)


class Filters:
    """The filters of env.py: include_name, include_object and include_schemas."""

    def __init__(self, context: MigrationContext, models: Models) -> None:
        self.context, self.models = context, models
        self.autogenerate = AutogenContext(context, models.metadata[0])

    def include(self, difference: Difference) -> bool:
        owner, _, full = difference.owner.partition(" ")
        if owner != "table":
            return True
        kind, _, name = difference.prop.partition(" ")
        if kind == "constraint":
            text = str(difference.before or difference.after).partition(" ")[0].lower()
            kind = CONSTRAINTS.get(text, "")
        table = self.models.tables.get(full.lower())
        if table is None:
            schema, _, bare = full.rpartition(".")
            return self.include_reflected("table", bare, schema or None, bare)
        if not self.autogenerate.run_object_filters(table, table.name, "table", False, None):
            return False
        if kind not in ("column", "index", *CONSTRAINTS.values()):
            return True
        if difference.after is None:
            return self.include_reflected(kind, name, table.schema, table.name)
        item = part_of(table, kind, name)
        return item is None or self.run_object_filters(item, name, kind, False)

    def include_reflected(self, kind: str, name: str, schema: str | None, table: str) -> bool:
        """Return whether to include what only the database has, as it is reflected."""
        context, run_name_filters = self.context, self.autogenerate.run_name_filters
        if schema and not (
            context.opts.get("include_schemas") and run_name_filters(schema, "schema", {})
        ):
            return False
        parents: Any = {"schema_name": schema}
        if kind != "table":
            parents["table_name"] = table
        named: Any = kind
        if not run_name_filters(name, named, parents):
            return False
        if context.opts.get("include_object") is None:
            return True
        reflected = sa.Table(
            table, sa.MetaData(), schema=schema, autoload_with=context.connection, resolve_fks=False
        )
        item = part_of(reflected, kind, name)
        return item is None or self.run_object_filters(item, name, kind, True)

    def run_object_filters(self, item: Any, name: str, kind: Any, reflected: bool) -> bool:
        return self.autogenerate.run_object_filters(item, name, kind, reflected, None)


def part_of(table: sa.Table, kind: str, name: str) -> Any:
    """Return the table, or its column, index or constraint of that name, or None."""
    if kind == "table":
        return table
    parts: Any = {"column": table.columns, "index": table.indexes}.get(kind, table.constraints)
    return next((part for part in parts if str(part.name).lower() == name.lower()), None)
