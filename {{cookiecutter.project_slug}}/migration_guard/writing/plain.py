"""The steps of a database without a safe form of its own."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from alembic.operations import ops

from .backfill import backfill
from .blocks import Block
from .dialects import condition
from .models import Models
from .steps import Phase, Step


def plain_steps(
    operations: Iterable[ops.MigrateOperation], models: Models, families: Sequence[str]
) -> Iterator[Step]:
    """One revision, or three where a column becomes NOT NULL and its rows get a value first.

    On MySQL and MariaDB nothing follows a constraint in its revision, so that one that fails can
    run again: each statement commits by itself there, and this one can't be repeated.
    """
    for operation in operations:
        fills = []
        if isinstance(operation, ops.AlterColumnOp) and operation.modify_nullable is False:
            for each in families:
                steps = backfill(operation, models.on(each))
                fills += [replace(step, only=(each,) if families[1:] else ()) for step in steps]
        yield from fills
        last = ""
        constraints = (ops.AddConstraintOp, ops.DropConstraintOp)
        if "mysql" in families and isinstance(operation, constraints):
            last = f"constraint {getattr(operation, 'constraint_name', None) or ''}".strip()
        phase = Phase.NOT_NULL if fills else Phase.SCHEMA
        up, down = [operation], [operation.reverse()]
        if "mysql" in families:
            shorter: Sequence[ops.MigrateOperation] = [*models.shorter_indexes(operation)]
            if shorter and families[1:]:
                shorter = [Block(condition(["mysql"]), shorter)]
            dropping = up if isinstance(operation, ops.DropIndexOp) else down
            dropping[:0] = shorter
        yield Step(phase, up, down, last=last)
