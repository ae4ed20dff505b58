"""The order in which tables and constraints are created and dropped."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import product
from typing import TypeVar

import sqlalchemy as sa
from alembic.operations import ops

from .models import table_of

T = TypeVar("T")
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
    rest = [each for each in operations if not isinstance(each, ops.DropTableOp)]
    creates = [each for each in rest if isinstance(each, ops.CreateTableOp)]
    later = {table_of(each) for each in creates}
    keys: list[ops.CreateForeignKeyOp] = []
    for create in creates:
        later.discard(table_of(create))
        columns = []
        for part in create.columns:
            if isinstance(part, sa.ForeignKeyConstraint):
                if alters and (part.use_alter or target(part) in later):
                    keys.append(ops.CreateForeignKeyOp.from_constraint(part))
                    continue
                part = part._copy()  # the models' own stays as it is, to be created elsewhere
                part.use_alter = False
            columns.append(part)
        create.columns = columns
    for key in keys:
        key.kw.pop("use_alter", None)
    return [*rest, *keys, *(drops[key] for key in reversed(sorted_by(graph)))]


def constraints_last(operations: Operations) -> Operations:
    """Move new constraints behind the rest, each with the new columns that it is on.

    So no row meets a column before its constraint, and each can be the last of a revision.
    """
    moved: Operations = []
    constraints = leading_last(operations)
    waiting = set().union(*map(columns_in, constraints))
    for constraint in constraints:
        mine = columns_in(constraint)
        waiting -= mine
        for each in operations:  # new columns come before their indexes
            if isinstance(each, (ops.AddColumnOp, ops.CreateIndexOp)) and each not in moved:
                columns = columns_in(each)
                if columns & mine and not columns & waiting:
                    moved.append(each)
        moved.append(constraint)
    return [*(each for each in operations if each not in moved), *moved]


def leading_last(operations: Operations) -> list[ops.AddConstraintOp]:
    """Return the new constraints; one on the first column of an index follows those on the rest.

    MySQL and MariaDB drop the index of a foreign key when a longer one comes, which then can't go.
    """
    constraints = [each for each in operations if isinstance(each, ops.AddConstraintOp)]
    graph: dict[ops.AddConstraintOp, list[ops.AddConstraintOp]] = {it: [] for it in constraints}
    indexes = [each for each in operations if isinstance(each, ops.CreateIndexOp)]
    for first, index in product(constraints, indexes):
        mine, rest = columns_in(first), columns_in(index)
        if mine & columns_in(index, 1):
            graph[first] += [each for each in constraints if columns_in(each) & (rest - mine)]
    return sorted_by(graph)


def sorted_by(graph: Mapping[T, Iterable[T]]) -> list[T]:
    """Return the keys, each after what it depends on; as they are if they form a circle."""
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError:
        return list(graph)


def columns_in(
    operation: ops.MigrateOperation, first: int | None = None
) -> set[tuple[object, str]]:
    """Return the columns that an operation adds, indexes or constrains, or the first of them."""
    columns = getattr(operation, "local_cols", getattr(operation, "columns", ()))
    if isinstance(operation, ops.AddColumnOp):
        columns = [operation.column]
    return {
        (table_of(operation), str(getattr(each, "name", each))) for each in list(columns)[:first]
    }


def foreign_keys(create: ops.CreateTableOp) -> list[sa.ForeignKeyConstraint]:
    return [each for each in create.columns if isinstance(each, sa.ForeignKeyConstraint)]


def target(key: sa.ForeignKeyConstraint) -> tuple[str | None, str]:
    schema, _, name = key.elements[0].target_fullname.rpartition(".")[0].rpartition(".")
    return schema or None, name
