"""Statements for what Alembic does not see, in the server's own words."""

from collections.abc import Iterator

from alembic.operations import ops

from ..running.comparison import simple
from ..running.schema.objects import Column, Difference, without_comment
from ..running.undo import create_index
from .blocks import Lines, execute
from .compare import Comparison, altered_columns
from .steps import Phase, Step
from .tables import Operations


def difference_steps(comparison: Comparison, operations: Operations) -> Iterator[Step]:
    """Yield the steps for the differences that no operation removes."""
    writer, altered = DifferenceWriter(comparison), altered_columns(operations, comparison.models)
    for difference in comparison.unseen(operations):
        yield from writer.steps(difference, altered.get(simple(difference.name)))


class DifferenceWriter:
    """Turns differences into steps, on each of the databases."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        dialect = comparison.models.dialect
        self.quote = dialect.identifier_preparer.quote
        self.server = dialect.name.replace("mariadb", "mysql")

    def steps(self, difference: Difference, done: ops.AlterColumnOp | None) -> Iterator[Step]:
        """``done`` is what Alembic writes for the same column."""
        kind, _, name = difference.prop.partition(" ")
        *schema, table = map(self.quote, difference.owner.partition(" ")[2].split("."))
        before, after = difference.before, difference.after
        table, prefix = ".".join([*schema, table]), ".".join([*schema, ""])
        if difference.owner.startswith("sequence "):
            yield from self.sequence(difference.owner, table)
        elif isinstance(before, Column) and isinstance(after, Column):
            yield from self.column(table, self.quote(name), before, after, done)
        elif kind == "index":
            yield self.index(table, prefix, self.quote(name), str(before or ""), str(after or ""))
        elif kind == "constraint" and self.server != "sqlite":
            texts = str(before or ""), str(after or "")
            yield from self.constraint(table, self.quote(name), *texts)
        elif kind != "constraint:":  # without a name
            yield self.unchanged(difference.name)

    def unchanged(self, name: str) -> Step:
        lines = f"# {name}: the models differ, and no statement changes this.", "# Create it again."
        return Step(Phase.SCHEMA, [Lines(*lines)])

    def sequence(self, item: str, name: str) -> Iterator[Step]:
        there = [side.get(item) for side in (self.comparison.modelled, self.comparison.migrated)]
        verb = "ALTER" if all(there) else "CREATE"
        up, down = (
            execute(f"{verb} SEQUENCE {name} AS {without_comment(each.properties[''])}")
            if each
            else execute(f"DROP SEQUENCE {name}")
            for each in there
        )
        yield Step(Phase.SCHEMA, [up], [down])

    def column(
        self, table: str, name: str, before: Column, after: Column, done: ops.AlterColumnOp | None
    ) -> Iterator[Step]:
        types = [without_comment(f"{each.type} {each.rest}").strip() for each in (before, after)]
        if done and done.modify_type is not None:
            return
        if before.generated != after.generated or self.server == "sqlite":
            if not done:
                yield self.unchanged(f"{table}.{name} ({after})")
        elif types[0] != types[1]:
            alter, rest = f"ALTER TABLE {table} ALTER COLUMN {name} TYPE", ["", ""]
            if self.server == "mysql":
                alter = f"ALTER TABLE {table} MODIFY {name}"
                rest = [f" {each._replace(type='', rest='')}" for each in (before, after)]
            down, up = (execute(f"{alter} {types[n]}{rest[n]}".rstrip()) for n in (0, 1))
            yield Step(Phase.SCHEMA, [up], [down])

    def index(self, table: str, schema: str, name: str, before: str, after: str) -> Step:
        def create(text: str) -> list[ops.MigrateOperation]:
            named = f"CONCURRENTLY {name}" if self.server == "postgresql" else name
            return [execute(create_index(text, named, table, self.server))] if text else []

        drop = f"DROP INDEX IF EXISTS {name}"
        if self.server == "postgresql":
            drop = f"DROP INDEX CONCURRENTLY IF EXISTS {schema}{name}"
        elif self.server == "mysql":
            drop += f" ON {table}"
        phase = Phase.INDEXES if self.server == "postgresql" else Phase.SCHEMA
        return Step(phase, [execute(drop), *create(after)], [execute(drop), *create(before)])

    def constraint(self, table: str, name: str, before: str, after: str) -> Iterator[Step]:
        drop = execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        adds = [f"ALTER TABLE {table} ADD CONSTRAINT {name} {text}" for text in (before, after)]
        later = self.server == "postgresql" and after.startswith(("CHECK", "FOREIGN KEY"))
        up = [drop] if before else []
        up += [execute(f"{adds[1]} NOT VALID" if later else adds[1])] if after else []
        down = [drop] if after else []
        down += [execute(adds[0])] if before else []
        yield Step(Phase.SCHEMA, up, down)
        if later:
            validate = f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"
            yield Step(Phase.VALIDATE, [execute(validate)])
