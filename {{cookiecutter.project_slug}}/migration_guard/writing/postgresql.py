"""Safe forms for PostgreSQL, which block nobody while they run, in several revisions."""

from collections.abc import Iterator
from copy import copy
from typing import TypeVar

import sqlalchemy as sa
from alembic.operations import ops

from ..running.comparison import COMMENT
from ..running.schema.objects import SchemaObject, labels_of
from .backfill import backfill
from .blocks import Lines, execute
from .compare import Comparison
from .differences import difference_steps
from .models import table_of
from .steps import Phase, Step
from .tables import Operations


class PostgreSQL:
    """Turns Alembic's operations into steps."""

    def __init__(self, comparison: Comparison, operations: Operations) -> None:
        self.comparison, self.operations = comparison, operations
        self.models = comparison.models
        self.quote = comparison.models.dialect.identifier_preparer
        # Nobody waits for a table that is not there before or after.
        tables = (ops.CreateTableOp, ops.DropTableOp)
        self.free = {table_of(each) for each in operations if isinstance(each, tables)}
        self.dropped_columns = {
            (*table_of(each), each.column_name)
            for each in operations
            if isinstance(each, ops.DropColumnOp)
        }
        created = [each for each in operations if isinstance(each, ops.CreateIndexOp)]
        self.replaced = {(*table_of(each), str(each.index_name)) for each in created}

    def all_steps(self) -> Iterator[Step]:
        """The steps in the order in which each phase runs them."""
        yield from self.enums()
        yield from difference_steps(self.comparison, self.operations)
        for operation in self.operations:
            if table_of(operation) in self.free:
                yield Step(Phase.SCHEMA, [operation], [operation.reverse()])
            else:
                yield from self.steps(operation)

    def enums(self) -> Iterator[Step]:
        """CREATE TYPE before what uses it; new values outside of the transaction that uses them."""
        for item in self.comparison.wanted.values():
            kind, _, name = item.name.partition(" ")
            values, old = labels(item), self.comparison.made.get(item.name)
            if kind != "type" or not values:
                continue
            type_ = ".".join(map(self.quote.quote, name.split(".")))
            if old is None:
                create = execute(f"CREATE TYPE {type_} AS ENUM ({', '.join(values)})")
                yield Step(Phase.SCHEMA, [create], [execute(f"DROP TYPE {type_}")])
            else:
                yield from self.values(type_, labels(old), values)

    def values(self, type_: str, old: list[str], values: list[str]) -> Iterator[Step]:
        """Each new value in its place."""
        known = list(old)
        for index, value in enumerate(values):
            if value in known:
                continue
            place = ""
            if index and values[index - 1] in known:
                place = f" AFTER {values[index - 1]}"
            elif after := next((each for each in values[index:] if each in known), None):
                place = f" BEFORE {after}"
            add = f"ALTER TYPE {type_} ADD VALUE IF NOT EXISTS {value}{place}"
            yield Step(Phase.VALUES, [execute(add)])
            known.append(value)
        gone = ", ".join(each for each in old if each not in values)
        if gone:
            lines = (
                f"# Decide what becomes of values of {type_} that the models don't have: {gone}.",
                "# PostgreSQL drops no value: keep them in the models, or create another type and",
                "# ALTER COLUMN ... TYPE ... USING.",
            )
            yield Step(Phase.SCHEMA, [Lines(*lines)])

    def steps(self, operation: ops.MigrateOperation) -> Iterator[Step]:
        """What takes the place of an operation on a table that has rows."""
        match operation:
            case ops.CreateIndexOp():
                yield self.index(operation)
            case ops.DropIndexOp():
                yield self.drop_index(operation)
            case ops.CreateUniqueConstraintOp():
                yield from self.unique(operation)
            case ops.CreateForeignKeyOp() | ops.CreateCheckConstraintOp():
                yield from self.not_valid(operation)
            case ops.AlterColumnOp(modify_nullable=False):
                yield from self.not_null(operation)
            case _:
                yield Step(Phase.SCHEMA, [operation], [operation.reverse()])

    def index(self, operation: ops.CreateIndexOp) -> Step:
        """Built CONCURRENTLY; dropped first, since a build that failed leaves an invalid index."""
        create = concurrently(operation)
        drop = concurrently(create.reverse())
        return Step(Phase.INDEXES, [drop, create], [drop])

    def drop_index(self, operation: ops.DropIndexOp) -> Step:
        drop, create = concurrently(operation), concurrently(operation.reverse())
        key = (*table_of(operation), str(operation.index_name))
        columns = [getattr(column, "name", "") for column in operation.to_index().expressions]
        if any((*table_of(operation), name) in self.dropped_columns for name in columns):
            return Step(Phase.OLD_INDEXES, [drop], [drop, create])
        if key in self.replaced:  # by the step that creates it
            return Step(Phase.INDEXES, [], [create])
        return Step(Phase.INDEXES, [drop], [drop, create])

    def unique(self, operation: ops.CreateUniqueConstraintOp) -> Iterator[Step]:
        """A unique index CONCURRENTLY, and a constraint that takes it over."""
        constraint = operation.to_constraint()
        options = {
            key: value for key, value in constraint.dialect_kwargs.items() if value is not None
        }
        create = ops.CreateIndexOp(
            str(operation.constraint_name),
            operation.table_name,
            list(operation.columns),
            schema=operation.schema,
            unique=True,
            **options,
        )
        built = concurrently(create)
        drop = concurrently(create.reverse())
        yield Step(Phase.UNIQUE_INDEXES, [drop, built], [drop])
        name = self.quote.format_constraint(constraint)
        table = self.models.quoted(operation)
        statement = f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}"
        if constraint.deferrable:
            statement += " DEFERRABLE"
        if constraint.initially:
            statement += f" INITIALLY {constraint.initially}"
        # With its constraint the index goes, too.
        yield Step(Phase.USING_INDEX, [execute(statement)], [operation.reverse(), create])

    def not_valid(
        self, operation: ops.CreateForeignKeyOp | ops.CreateCheckConstraintOp
    ) -> Iterator[Step]:
        """The rows that exist are read later, under a lock that lets others write."""
        drop = operation.reverse()
        added = copy(operation)
        added.kw = {**operation.kw, "postgresql_not_valid": True}
        yield Step(Phase.SCHEMA, [added], [drop])
        yield Step(Phase.VALIDATE, [self.validate(operation)])

    def validate(
        self, operation: ops.CreateForeignKeyOp | ops.CreateCheckConstraintOp
    ) -> ops.ExecuteSQLOp:
        name = self.quote.format_constraint(operation.to_constraint())
        return execute(f"ALTER TABLE {self.models.quoted(operation)} VALIDATE CONSTRAINT {name}")

    def not_null(self, operation: ops.AlterColumnOp) -> Iterator[Step]:
        """SET NOT NULL reads no row where a validated CHECK says that there is no NULL."""
        column, rest = self.quote.quote(operation.column_name), copy(operation)
        rest.modify_nullable = None
        if rest.has_changes():
            yield Step(Phase.SCHEMA, [rest], [rest.reverse()])
        alter = copy(operation)
        alter.existing_type = operation.modify_type or operation.existing_type
        alter.modify_type, alter.modify_comment, alter.modify_server_default = None, False, False
        name = f"ck_{operation.table_name}_{operation.column_name}_not_null"[:63]
        check = ops.CreateCheckConstraintOp(
            sa.sql.elements.conv(name),
            operation.table_name,
            f"{column} IS NOT NULL",
            schema=operation.schema,
            postgresql_not_valid=True,
        )
        drop = ops.DropConstraintOp.from_constraint(check.to_constraint())
        yield Step(Phase.SCHEMA, [check], [drop])
        fill = list(backfill(operation, self.models))
        if not fill:
            what = f"# Decide which value the rows get whose {operation.column_name} is NULL,"
            yield Step(Phase.SCHEMA, [Lines(what, "# and fill them before the next revision.")])
        yield from fill
        validate = self.validate(check)
        yield Step(Phase.NOT_NULL, [validate, alter, drop], [alter.reverse(), check])


def labels(item: SchemaObject) -> list[str]:
    """The values of an enum type, quoted."""
    return labels_of(COMMENT.sub("", str(item.properties.get("", ""))))


Index = TypeVar("Index", ops.CreateIndexOp, ops.DropIndexOp)


def concurrently(operation: Index) -> Index:
    changed = copy(operation)
    changed.kw = {**operation.kw, "postgresql_concurrently": True}
    if isinstance(changed, ops.DropIndexOp):
        changed.if_exists = True
    else:
        changed.if_not_exists = True
    return changed
