"""Statements for what Alembic does not see, in the server's own words."""

from collections.abc import Iterator

from ..running.comparison import simple
from ..running.schema.objects import Column, Difference, without_comment
from ..running.undo import create_index, quoted, undo
from .blocks import Lines, execute
from .compare import Comparison, altered_columns
from .steps import Phase, Step
from .tables import Operations


def difference_steps(comparison: Comparison, operations: Operations) -> Iterator[Step]:
    """Yield the steps for the differences that no operation removes."""
    altered = altered_columns(operations, comparison.models)
    dialect = comparison.models.dialect.name
    for each in comparison.unseen(operations):
        before, after = each.before, each.after
        kind = each.prop.partition(" ")[0]
        if each.owner.startswith("sequence "):
            yield sequence(comparison, each.owner)
        elif kind == "index" and dialect == "postgresql":
            yield index(each)
        elif isinstance(before, Column) and isinstance(after, Column):
            # Alembic writes the rest.
            types = [without_comment(f"{it.type} {it.rest}").strip() for it in (before, after)]
            done = altered.get(simple(each.name))
            if done and (done.modify_type is not None or types[0] == types[1]):
                continue
            if dialect == "postgresql":
                same = before._replace(default=after.default, not_null=after.not_null)
                each = each._replace(before=same)
            if types[0] != types[1] or before.generated != after.generated:
                yield from changed(each, dialect)
        elif kind != "constraint:":  # one without a name
            yield from changed(each, dialect)


def changed(difference: Difference, dialect: str) -> Iterator[Step]:
    """Yield the step that makes the change, and VALIDATE for a constraint of PostgreSQL."""
    later = dialect == "postgresql" and str(difference.after).startswith(("CHECK", "FOREIGN KEY"))
    after = f"{difference.after} NOT VALID" if later else difference.after
    up = [*undo(difference._replace(before=after, after=difference.before), dialect)]
    if not up or (dialect == "sqlite" and difference.prop[:11] == "constraint "):
        lines = f"# {difference.name}: the models differ, and no statement changes this."
        yield Step(Phase.SCHEMA, [Lines(lines, "# Create it again.")])
        return
    yield Step(Phase.SCHEMA, [Lines(*up)], [Lines(*undo(difference, dialect))])
    if later:
        names = [each.partition(" ")[2] for each in (difference.owner, difference.prop)]
        table, name = (quoted(each, dialect) for each in names)
        validate = f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"
        yield Step(Phase.VALIDATE, [execute(validate)])


def sequence(comparison: Comparison, item: str) -> Step:
    name = quoted(item.partition(" ")[2], "postgresql")
    there = [side.get(item) for side in (comparison.modelled, comparison.migrated)]
    verb = "ALTER" if all(there) else "CREATE"
    up, down = (
        execute(f"{verb} SEQUENCE {name} AS {without_comment(each.properties[''])}")
        if each
        else execute(f"DROP SEQUENCE {name}")
        for each in there
    )
    return Step(Phase.SCHEMA, [up], [down])


def index(difference: Difference) -> Step:
    """Return the step that builds an index CONCURRENTLY, and drops the one of its name."""
    name, dialect = difference.prop.partition(" ")[2], "postgresql"
    schema = difference.owner.partition(" ")[2].rpartition(".")[0]
    drop = f"DROP INDEX CONCURRENTLY IF EXISTS {quoted(f'{schema}.{name}'.lstrip('.'), dialect)}"
    named = f"CONCURRENTLY {quoted(name, dialect)}"
    texts = [
        [create_index(without_comment(text), named, "", dialect)] if text else []
        for text in (difference.after, difference.before)
    ]
    up, down = ([execute(each) for each in (drop, *text)] for text in texts)
    return Step(Phase.INDEXES, up, down)
