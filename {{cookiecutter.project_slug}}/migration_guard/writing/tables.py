"""The order in which tables are created and dropped."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import sqlalchemy as sa
from alembic.operations import ops

from .models import table_of

Operations = list[ops.MigrateOperation]


def in_order(operations: Operations, alters: bool) -> Operations:
    """Drop each table before those that it refers to; add foreign keys after the tables.

    ``alters``: the database can add a foreign key to a table that is there. Only those move that
    refer to a table that is created later, or that the models mark with use_alter.
    """
    drops = {table_of(each): each for each in operations if isinstance(each, ops.DropTableOp)}
    graph = {
        name: {target(key) for key in foreign_keys(drop.reverse())} & drops.keys() - {name}
        for name, drop in drops.items()
    }
    try:
        ordered = reversed(list(TopologicalSorter(graph).static_order()))
    except CycleError:  # a person must drop a foreign key first
        ordered = iter(drops)
    rest = [each for each in operations if not isinstance(each, ops.DropTableOp)]
    creates = [each for each in rest if isinstance(each, ops.CreateTableOp)]
    later = {table_of(each) for each in creates}
    keys: Operations = []
    for create in creates:
        later.discard(table_of(create))
        for key in foreign_keys(create):
            if alters and (key.use_alter or target(key) in later):
                create.columns = [each for each in create.columns if each is not key]
                key.use_alter = False
                keys.append(ops.CreateForeignKeyOp.from_constraint(key))
            key.use_alter = False
    return [*rest, *keys, *(drops[key] for key in ordered)]


def foreign_keys(create: ops.CreateTableOp) -> list[sa.ForeignKeyConstraint]:
    return [each for each in create.columns if isinstance(each, sa.ForeignKeyConstraint)]


def target(key: sa.ForeignKeyConstraint) -> tuple[str | None, str]:
    schema, _, name = key.elements[0].target_fullname.rpartition(".")[0].rpartition(".")
    return schema or None, name
