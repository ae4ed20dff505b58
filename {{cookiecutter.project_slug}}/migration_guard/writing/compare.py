"""What the server describes differently in the database and in one made from the models."""

from __future__ import annotations

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import ops

from ..deploying import TABLES
from ..exceptions import CannotCheck
from ..running.comparison import simple
from ..running.drift import Drift
from ..running.schema.snapshot import Difference, differences
from ..running.schema.snapshots import snapshot_of
from ..running.scratch import scratch_database
from .models import Models, table_of


def compare(context: MigrationContext, models: Models, root: Path) -> list[Difference] | None:
    """Return the differences, or None where no scratch database can be created."""
    drift = Drift(root, "alembic/env.py")
    drift.metadata = models.metadata
    hidden = [context.version_table, *TABLES]
    snapshot = snapshot_of(models.connection, hidden)
    snapshot.look(everything=True)
    drift.made = {thing.name: thing for thing in snapshot.things.values()}
    try:
        with scratch_database(models.connection.engine.url) as engine:
            if not drift.modelled(engine):
                with scratch_database(models.connection.engine.url) as second:
                    drift.modelled_in_parts(second)
    except CannotCheck:
        return None
    wanted, made = drift.comparable()
    filtered = bool(context.opts.get("include_object"))
    return [each for each in differences(made, wanted) if drift.compared(each, filtered)]


def real(
    operations: list[ops.MigrateOperation], found: list[Difference], models: Models
) -> list[ops.MigrateOperation]:
    """Leave out operations on what the server describes alike in both, as where it cut a name."""
    different = {simple(each.object) for each in found}
    tables = {each.thing.partition(" ")[2].lower() for each in found if not each.fact}
    kept = []
    for operation in operations:
        schema, name = table_of(operation)
        key = models.key(operation)
        table = f"{schema}.{name}" if schema and schema != models.default_schema else name
        if key is None or key in different or table.lower() in tables:
            kept.append(operation)
    return kept


def unseen(
    operations: list[ops.MigrateOperation], found: list[Difference], models: Models
) -> list[Difference]:
    """The differences that no operation removes; an altered column may still differ."""
    keys = {models.key(each) for each in operations if not isinstance(each, ops.AlterColumnOp)}
    left = [each for each in found if each.fact and simple(each.object) not in keys]
    return left + [each for each in found if each.thing.startswith("sequence ")]
