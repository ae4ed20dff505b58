"""Steps, and the revisions that they are put into."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from operator import itemgetter

from alembic.operations import ops
from alembic.util import rev_id

from .blocks import Block, Lines, autocommit
from .dialects import condition
from .models import table_of


class Phase(Enum):
    """What one revision holds, in the order in which the revisions follow each other."""

    VALUES = "add enum values", True
    OLD_INDEXES = "drop indexes", True
    SCHEMA = "", False
    UNIQUE_INDEXES = "build unique indexes", True
    USING_INDEX = "add unique constraints", False
    BACKFILL = "fill rows", False
    VALIDATE = "validate constraints", False
    NOT_NULL = "set NOT NULL", False
    INDEXES = "build indexes", True

    def __init__(self, words: str, autocommit: bool) -> None:
        self.words, self.autocommit = words, autocommit


@dataclass
class Step:
    """Operations of one revision and the way back.

    ``lossy``: why rows are not brought back. ``last``: what they do, where nothing may
    follow in their revision. ``only``: the databases that run them, where not all do.
    """

    phase: Phase
    up: Sequence[ops.MigrateOperation]
    down: Sequence[ops.MigrateOperation] = ()
    lossy: str = ""
    last: str = ""
    only: tuple[str, ...] = ()


def write_scripts(first: ops.MigrationScript, steps: Iterable[Step]) -> list[ops.MigrationScript]:
    """Return one script for each phase that has steps; ``first`` is the one that Alembic began."""
    groups = list(grouped(steps))
    if not groups:
        first.upgrade_ops_list[0].ops = first.downgrade_ops_list[0].ops = []
        return [first]
    scripts: list[ops.MigrationScript] = []
    message = first.message
    for mine in groups:
        phase = mine[0].phase
        words = phase.words or (mine[-1].last or "continue" if scripts else "")
        script = follow(first, scripts[-1]) if scripts else first
        scripts.append(script)
        script.message = message
        if message and words and len(groups) > 1:
            script.message = f"{message}: {words}"
        if reasons := dict.fromkeys(step.lossy for step in mine if step.lossy):
            # Where Alembic's templates have the imports; it sorts them, and this comes after them.
            script.imports = {*script.imports, f"lossy = {'; '.join(reasons)!r}"}
        up = [*body(phase, [(step.only, step.up) for step in mine])]
        if all(isinstance(operation, Lines) for operation in up):
            up.append(Lines("pass"))  # under nothing but comments
        script.upgrade_ops_list[0].ops = up
        down = body(phase, [(step.only, step.down) for step in reversed(mine)])
        script.downgrade_ops_list[0].ops = [*down]
    return scripts


def body(
    phase: Phase, parts: Iterable[tuple[tuple[str, ...], Sequence[ops.MigrateOperation]]]
) -> Iterator[ops.MigrateOperation]:
    """Yield the operations of a function, those with one condition in one block."""
    for only, group in groupby((part for part in parts if part[1]), key=itemgetter(0)):
        operations = [each for _, mine in group for each in mine]
        if not only or "sqlite" in only:
            operations = [*in_batches(operations)]
        if phase.autocommit:
            operations = [autocommit(operations)]
        yield from [Block(condition(only), operations)] if only else operations


def in_batches(operations: Iterable[ops.MigrateOperation]) -> Iterator[ops.MigrateOperation]:
    """Put together what alters one table: SQLite copies it for each batch."""
    for alters, group in groupby(
        operations, key=lambda each: isinstance(each, ALTERS) and table_of(each)
    ):
        if alters:
            schema, table = alters
            yield ops.ModifyTableOps(table, [*group], schema=schema)
        else:
            yield from group


# What SQLite can do only by a copy of the table.
ALTERS = (ops.AlterTableOp, ops.AddConstraintOp, ops.DropConstraintOp)


def grouped(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Yield the steps of each revision, in the order of the phases."""
    group: list[Step] = []
    for step in sorted(steps, key=lambda step: [*Phase].index(step.phase)):
        if group and (group[-1].last or group[-1].phase is not step.phase):
            yield group
            group = []
        group.append(step)
    if group:
        yield group


def follow(first: ops.MigrationScript, parent: ops.MigrationScript) -> ops.MigrationScript:
    """Return a script whose revision comes after that of ``parent``."""
    script = ops.MigrationScript(
        rev_id(),
        ops.UpgradeOps([], upgrade_token=first.upgrade_ops_list[0].upgrade_token),
        ops.DowngradeOps([], downgrade_token=first.downgrade_ops_list[0].downgrade_token),
        head=parent.rev_id,
        version_path=first.version_path,
    )
    script._needs_render = True
    return script
