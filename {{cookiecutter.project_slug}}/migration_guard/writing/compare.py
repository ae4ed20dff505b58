"""What the server describes differently in the database and in one made from the models."""

from __future__ import annotations

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import ops

from ..deploying import TABLES
from ..exceptions import CannotCheck
from ..running.comparison import compare as compare_schemas
from ..running.comparison import simple
from ..running.models import Models as Modelled
from ..running.schema.objects import Difference
from ..running.schema.snapshots import describe
from .models import Models, table_of


def compare(context: MigrationContext, models: Models, root: Path) -> list[Difference] | None:
    """Return the differences, or None where no scratch database can be created."""
    modelled = Modelled(models.metadata, root, "alembic/env.py")
    migrated = describe(models.connection, [context.version_table, *TABLES])
    try:
        modelled.create_beside(models.connection.engine.url, migrated)
    except CannotCheck:
        return None
    return compare_schemas(context, modelled, migrated)


def real(
    operations: list[ops.MigrateOperation], found: list[Difference], models: Models
) -> list[ops.MigrateOperation]:
    """Leave out operations on what the server describes alike in both, as where it cut a name."""
    different = {simple(each.name) for each in found}
    tables = {each.owner.partition(" ")[2].lower() for each in found if not each.prop}
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
    left = [each for each in found if each.prop and simple(each.name) not in keys]
    return left + [each for each in found if each.owner.startswith("sequence ")]
