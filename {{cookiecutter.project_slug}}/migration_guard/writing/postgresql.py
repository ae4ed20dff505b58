"""Safe forms for PostgreSQL, which block nobody while they run, in several revisions."""

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import replace
from itertools import product
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic.operations import ops

from ..running.drift_fixes import adding_labels
from ..running.models import creation
from ..running.schema.objects import SchemaObject, labels_of, without_comment
from .backfill import backfill
from .blocks import Lines, execute
from .compare import Comparison
from .models import table_of
from .partitions import builds
from .plain import plain_steps
from .rendering import loaded
from .steps import Phase, Step
from .tables import Operations


class PostgreSQL:
    """Turns Alembic's operations into steps."""

    def __init__(
        self, comparison: Comparison, operations: Operations, databases: list[str], new: set[str]
    ) -> None:
        """``databases``: the families for which it is written; ``new``: tables not yet deployed."""
        self.comparison, self.operations, self.databases = comparison, operations, databases
        self.others = [each for each in databases if each != "postgresql"]
        self.only = ("postgresql",) if self.others else ()
        self.models = comparison.models.on("postgresql")
        self.quote = self.models.dialect.identifier_preparer
        # Nobody waits for a table that is not there before or after.
        tables = (ops.CreateTableOp, ops.DropTableOp)
        self.free = {self.table(each) for each in operations if isinstance(each, tables)} | new
        drops = [each for each in operations if isinstance(each, ops.DropColumnOp)]
        self.dropped_columns = {(*table_of(each), each.column_name) for each in drops}
        created = [each for each in operations if isinstance(each, ops.CreateIndexOp)]
        self.replaced = {(*table_of(each), str(each.index_name)) for each in created}

    def all_steps(self, seen: Iterable[Step]) -> Iterator[Step]:
        """Yield the steps, ordered for each phase; ``seen`` are those for what Alembic misses."""
        yield from (replace(each, only=self.only) for each in self.types())
        yield from seen
        for operation in self.operations:
            safe = [] if self.table(operation) in self.free else [*self.steps(operation)]
            yield from (replace(each, only=self.only) for each in safe)
            if not safe:
                yield from plain_steps([operation], self.models, self.databases)
            elif self.others:
                for step in plain_steps([operation], self.models, self.others):
                    yield replace(step, only=step.only or tuple(self.others))

    def table(self, operation: ops.MigrateOperation) -> str:
        return self.models.full_name(operation).casefold()

    def types(self) -> Iterator[Step]:
        """Create what tables need; add values outside of the transaction that uses them."""
        kinds, migrated = ("schema", "extension", "type", "domain"), self.comparison.migrated
        wanted = [*self.comparison.modelled.values(), *self.enums()]
        for kind, item in product(kinds, wanted):
            mine, _, name = item.name.partition(" ")
            if mine != kind:
                continue
            name = ".".join(map(self.quote.quote, name.split(".")))
            create = creation(item, self.quote.quote)
            if kind == "type" and item.name in migrated:
                yield from self.values(name, labels(migrated[item.name]), labels(item))
            elif create and item.name not in migrated:
                there = "IF EXISTS " if "IF NOT EXISTS" in create else ""
                drop = execute(f"DROP {kind.upper()} {there}{name}")
                yield Step(Phase.SCHEMA, [execute(create)], [drop])

    def enums(self) -> Iterator[SchemaObject]:
        """Yield the enum types of new columns alone, if the server at hand has no types."""
        if self.comparison.models.dialect.name == "postgresql":
            return
        creates = (ops.CreateTableOp, ops.AddColumnOp)
        new = {self.models.key(each) for each in self.operations if isinstance(each, creates)}
        found: dict[bool, dict[str, str]] = {True: {}, False: {}}
        for table, columns in self.models.tables.items():
            for column in columns.c:
                type_ = loaded(column.type, self.models.dialect)
                if isinstance(type_, sa.Enum) and type_.native_enum and type_.name:
                    name = ".".join(filter(None, (type_.schema, type_.name)))
                    values = ", ".join("'" + each.replace("'", "''") + "'" for each in type_.enums)
                    is_new = new & {f"table {table}", f"{table}.{column.name}".lower()}
                    found[bool(is_new)][name] = f"enum ({values})"
        for name in found[True].keys() - found[False].keys():
            yield SchemaObject(f"type {name}", {"": found[True][name]})

    def values(self, type_: str, old: list[str], values: list[str]) -> Iterator[Step]:
        """Yield a step for each new value, which puts it in its place."""
        for statement in adding_labels(type_, old, values):
            yield Step(Phase.VALUES, [execute(statement)])
        gone = ", ".join(each for each in old if each not in values)
        if gone:
            lines = (
                f"# Decide what to do with values of {type_} that the models don't have: {gone}.",
                "# PostgreSQL drops no value: keep them in the models, or create another type and",
                "# ALTER COLUMN ... TYPE ... USING.",
            )
            yield Step(Phase.SCHEMA, [Lines(*lines)])

    def steps(self, operation: ops.MigrateOperation) -> Iterator[Step]:
        """Yield what replaces an operation on a table that has rows; nothing where it is safe."""
        item = self.comparison.migrated.get(f"table {self.models.full_name(operation)}")
        partitioned = item is not None and "PARTITION BY" in str(item.properties[""])
        match operation:
            case ops.CreateIndexOp() if partitioned:
                yield from self.partitioned_index(operation)
            case _ if partitioned and isinstance(operation, DECISIONS):
                pass
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

    def index(self, operation: ops.CreateIndexOp) -> Step:
        """Build it CONCURRENTLY; drop it first, because a failed build leaves an invalid index."""
        create = concurrently(operation)
        drop = concurrently(create.reverse())
        return Step(Phase.INDEXES, [drop, create], [drop])

    def partitioned_index(self, operation: ops.CreateIndexOp) -> Iterator[Step]:
        """Yield the index of the parent alone, then that of each partition by itself."""
        table, label = self.models.quoted(operation), self.models.short(operation.index_name) or ""
        modelled = self.comparison.modelled[f"table {self.models.full_name(operation)}"]
        text = without_comment(modelled.properties[f"index {label}"])
        name = self.quote.quote(label)
        schema = f"{self.quote.quote(operation.schema)}." if operation.schema else ""
        only = execute(text.replace(" INDEX ", f" INDEX {name} ", 1))
        drop = execute(f"DROP INDEX IF EXISTS {schema}{name}")
        yield Step(Phase.SCHEMA, [only], [drop])
        build = builds(text, table, f"{schema}{name}", label)
        yield Step(Phase.INDEXES, build, [drop, only])

    def drop_index(self, operation: ops.DropIndexOp) -> Step:
        drop, create = concurrently(operation), concurrently(operation.reverse())
        columns = [getattr(column, "name", "") for column in operation.to_index().expressions]
        if any((*table_of(operation), name) in self.dropped_columns for name in columns):
            return Step(Phase.OLD_INDEXES, [drop], [drop, create])
        if (*table_of(operation), str(operation.index_name)) in self.replaced:
            return Step(Phase.INDEXES, [], [create])  # the step that creates it drops it
        return Step(Phase.INDEXES, [drop], [drop, create])

    def unique(self, operation: ops.CreateUniqueConstraintOp) -> Iterator[Step]:
        """Yield a unique index CONCURRENTLY, and a constraint that takes it over."""
        constraint = operation.to_constraint()
        given = {"schema": operation.schema, "unique": True, **constraint.dialect_kwargs}
        options = {key: value for key, value in given.items() if value is not None}
        label, columns = str(operation.constraint_name), list(operation.columns)
        create = ops.CreateIndexOp(label, operation.table_name, columns, **options)
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
        # Dropping the constraint drops its index.
        yield Step(Phase.USING_INDEX, [execute(statement)], [operation.reverse(), create])

    def not_valid(
        self, operation: ops.CreateForeignKeyOp | ops.CreateCheckConstraintOp
    ) -> Iterator[Step]:
        """Add it NOT VALID, and read the rows later under a lock that lets others write."""
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
        """Set NOT NULL after a validated CHECK, so that no row is read under the lock."""
        column, rest = self.quote.quote(operation.column_name), copy(operation)
        rest.modify_nullable = None
        if rest.has_changes():
            yield Step(Phase.SCHEMA, [rest], [rest.reverse()])
        alter = copy(operation)
        model = self.models.column(operation)
        if model is not None and model.server_default is None:
            what = f"# Decide: from here on, running code that omits {operation.column_name} fails."
            yield Step(Phase.NOT_NULL, [Lines(what, "# Deploy code that writes it first.")])
        alter.existing_type = operation.modify_type or operation.existing_type
        alter.modify_type, alter.modify_comment, alter.modify_server_default = None, False, False
        name = f"ck_{operation.table_name}_{operation.column_name}_not_null"[:63]
        options: Any = {"schema": operation.schema, "postgresql_not_valid": True}
        label, condition = sa.sql.elements.conv(name), f"{column} IS NOT NULL"
        check = ops.CreateCheckConstraintOp(label, operation.table_name, condition, **options)
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
    """Return the values of an enum type, quoted."""
    return labels_of(without_comment(item.properties.get("", "")))


# On a partitioned table PostgreSQL has no other form of them.
DECISIONS = (ops.DropIndexOp, ops.CreateUniqueConstraintOp, ops.CreateForeignKeyOp)


Index = TypeVar("Index", ops.CreateIndexOp, ops.DropIndexOp)


def concurrently(operation: Index) -> Index:
    changed = copy(operation)
    changed.kw = {**operation.kw, "postgresql_concurrently": True}
    drops = isinstance(operation, ops.DropIndexOp)
    setattr(changed, "if_exists" if drops else "if_not_exists", True)
    return changed
