"""Safe forms for PostgreSQL, which block nobody while they run, in several revisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic.operations import ops
from sqlalchemy.sql.compiler import IdentifierPreparer

from ..running.comparison import simple
from ..running.schema.objects import Column, Difference
from .blocks import Block, Lines, autocommit, execute
from .models import Models, table_of
from .steps import Phase, Step

BATCH = 1000  # rows that one statement of a backfill changes


class PostgreSQL:
    """Turns Alembic's operations into steps."""

    def __init__(self, models: Models, operations: list[ops.MigrateOperation]) -> None:
        self.models, self.operations = models, operations
        self.quote = models.dialect.identifier_preparer
        # Nobody waits for a table that is not there yet.
        self.new = {table_of(each) for each in operations if isinstance(each, ops.CreateTableOp)}
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
        for operation in self.operations:
            if table_of(operation) in self.new:
                yield Step(Phase.SCHEMA, [operation], [operation.reverse()])
            else:
                yield from self.steps(operation)

    def differences(self, differences: Iterable[Difference]) -> Iterator[Step]:
        """Steps for what the server describes differently and Alembic does not see."""
        altered = {
            self.models.key(each): each
            for each in self.operations
            if isinstance(each, ops.AlterColumnOp)
        }
        for difference in differences:
            done = altered.get(simple(difference.name))
            yield from difference_steps(difference, self.quote, done)

    def enums(self) -> Iterator[Step]:
        """CREATE TYPE before what uses it; new values outside of the transaction that uses them."""
        inspector: Any = sa.inspect(self.models.connection)
        default = self.models.default_schema
        there = {
            (each["schema"] if each["schema"] != default else None, each["name"]): each["labels"]
            for each in inspector.get_enums("*")
        }
        for (schema, name), values in self.models.enums().items():
            type_ = ".".join(self.quote.quote(part) for part in (schema, name) if part)
            schema = None if schema == self.models.default_schema else schema
            old = there.get((schema, name))
            if old is None:
                listed = ", ".join(map(literal, values))
                create = execute(f"CREATE TYPE {type_} AS ENUM ({listed})")
                yield Step(Phase.SCHEMA, [create], [execute(f"DROP TYPE {type_}")])
            elif old != values:
                yield from self.values(type_, old, values)

    def values(self, type_: str, old: list[str], values: list[str]) -> Iterator[Step]:
        """Each new value in its place."""
        known = list(old)
        for index, value in enumerate(values):
            if value in known:
                continue
            place = ""
            if index and values[index - 1] in known:
                place = f" AFTER {literal(values[index - 1])}"
            elif after := next((each for each in values[index:] if each in known), None):
                place = f" BEFORE {literal(after)}"
            add = f"ALTER TYPE {type_} ADD VALUE IF NOT EXISTS {literal(value)}{place}"
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
        table = self.table(operation)
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
        return execute(f"ALTER TABLE {self.table(operation)} VALIDATE CONSTRAINT {name}")

    def not_null(self, operation: ops.AlterColumnOp) -> Iterator[Step]:
        """SET NOT NULL reads no row where a validated CHECK says that there is no NULL."""
        alter, column = copy(operation), self.quote.quote(operation.column_name)
        if any(
            change not in (None, False)
            for change in (operation.modify_type, operation.modify_comment)
        ) or (operation.modify_server_default is not False):
            rest = copy(operation)
            rest.modify_nullable = None
            yield Step(Phase.SCHEMA, [rest], [rest.reverse()])
            alter = ops.AlterColumnOp(
                operation.table_name,
                operation.column_name,
                schema=operation.schema,
                existing_type=operation.modify_type or operation.existing_type,
                existing_nullable=operation.existing_nullable,
                modify_nullable=False,
            )
        name = self.models.shortened(f"ck_{operation.table_name}_{operation.column_name}_not_null")
        check = ops.CreateCheckConstraintOp(
            sa.sql.elements.conv(name),
            operation.table_name,
            f"{column} IS NOT NULL",
            schema=operation.schema,
            postgresql_not_valid=True,
        )
        drop = ops.DropConstraintOp.from_constraint(check.to_constraint())
        yield Step(Phase.SCHEMA, [check], [drop])
        value = self.models.filling(operation)
        if value is None:
            what = f"# Decide which value the rows get whose {operation.column_name} is NULL,"
            yield Step(Phase.SCHEMA, [Lines(what, "# and fill them before the next revision.")])
        else:
            place = f"{operation.table_name}.{operation.column_name}"
            reason = f"{place} is filled in where it was NULL"
            yield Step(Phase.BACKFILL, self.backfill(operation, column, value), lossy=reason)
        validate = self.validate(check)
        yield Step(Phase.NOT_NULL, [validate, alter, drop], [alter.reverse(), check])

    def backfill(
        self, operation: ops.AlterColumnOp, column: str, value: str
    ) -> list[ops.MigrateOperation]:
        table = self.table(operation)
        rows = f"SELECT ctid FROM {table} WHERE {column} IS NULL LIMIT {BATCH}"
        return batches(f"UPDATE {table} SET {column} = {value} WHERE ctid IN ({rows})")

    def table(self, operation: ops.MigrateOperation) -> str:
        schema, name = table_of(operation)
        quoted = self.quote.quote(name)
        return f"{self.quote.quote(schema)}.{quoted}" if schema else quoted


def difference_steps(
    difference: Difference, quote: IdentifierPreparer, done: ops.AlterColumnOp | None
) -> Iterator[Step]:
    """Steps for a difference that Alembic does not see, in the server's own words."""
    kind, _, name = difference.prop.partition(" ")
    owner = difference.owner.partition(" ")[2]
    table = ".".join(quote.quote(part) for part in owner.split("."))
    before, after = difference.before, difference.after
    if difference.owner.startswith("sequence "):
        yield from sequence_steps(table, before, after)
    elif isinstance(before, Column) and isinstance(after, Column):
        alter = f"ALTER TABLE {table} ALTER COLUMN {quote.quote(name)}"
        yield from column_steps(alter, before, after, done)
    elif kind == "constraint" and name:
        yield from constraint_steps(table, quote.quote(name), str(before or ""), str(after or ""))
    elif kind == "index":
        schema = f"{quote.quote(owner.split('.')[0])}." if "." in owner else ""
        drop = execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema}{quote.quote(name)}")
        up, down = (
            [execute(str(text).replace(" INDEX ", f" INDEX CONCURRENTLY {quote.quote(name)} ", 1))]
            if text
            else []
            for text in (after, before)
        )
        yield Step(Phase.INDEXES, [drop, *up], [drop, *down])
    else:
        yield Step(Phase.SCHEMA, [Lines(f"# {difference.name}: no statement changes this.")])


def sequence_steps(name: str, before: Any, after: Any) -> Iterator[Step]:
    def statement(verb: str, text: str) -> ops.MigrateOperation:
        return execute(f"{verb} SEQUENCE {name} AS {text.partition(' comment ')[0]}")

    drop = execute(f"DROP SEQUENCE {name}")
    if before and after:
        yield Step(Phase.SCHEMA, [statement("ALTER", after)], [statement("ALTER", before)])
    elif after:
        yield Step(Phase.SCHEMA, [statement("CREATE", after)], [drop])
    else:
        yield Step(Phase.SCHEMA, [drop], [statement("CREATE", before)])


def column_steps(
    alter: str, before: Column, after: Column, done: ops.AlterColumnOp | None
) -> Iterator[Step]:
    """``done`` is what Alembic itself writes for the column."""

    def type_of(column: Column) -> str:
        return f"{alter} TYPE {column.type} {column.rest.partition('comment ')[0]}".rstrip()

    def default_of(column: Column) -> str:
        if not column.default:
            return f"{alter} DROP DEFAULT"
        return f"{alter} SET DEFAULT {column.default}"

    def null_of(column: Column) -> str:
        return f"{alter} {'SET' if column.not_null else 'DROP'} NOT NULL"

    if type_of(before) != type_of(after) and not (done and done.modify_type is not None):
        yield Step(Phase.SCHEMA, [execute(type_of(after))], [execute(type_of(before))])
    if before.default != after.default and not (done and done.modify_server_default is not False):
        yield Step(Phase.SCHEMA, [execute(default_of(after))], [execute(default_of(before))])
    if before.not_null != after.not_null and not (done and done.modify_nullable is not None):
        yield Step(Phase.SCHEMA, [execute(null_of(after))], [execute(null_of(before))])
    if before.generated != after.generated and not done:
        lines = (
            f"# In the models, {alter.partition('COLUMN ')[2]} is {after.generated or 'plain'}.",
            "# No statement changes this: drop the column and add it.",
        )
        yield Step(Phase.SCHEMA, [Lines(*lines)])


def constraint_steps(table: str, name: str, before: str, after: str) -> Iterator[Step]:
    drop = execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    add, restore = (f"ALTER TABLE {table} ADD CONSTRAINT {name} {text}" for text in (after, before))
    up, down = [drop] if before else [], [execute(restore)] if before else []
    if not after:
        yield Step(Phase.SCHEMA, up, down)
    elif after.startswith(("CHECK", "FOREIGN KEY")):
        yield Step(Phase.SCHEMA, [*up, execute(f"{add} NOT VALID")], [drop, *down])
        yield Step(Phase.VALIDATE, [execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")])
    else:
        yield Step(Phase.SCHEMA, [*up, execute(add)], [drop, *down])


def batches(statement: str) -> list[ops.MigrateOperation]:
    """Run a statement until it changes no row, each time in a transaction of its own."""
    batch = Lines(
        f"batch = sa.text({execute(statement).sqltext!r})",
        "# With --sql there are no rows to count.",
    )
    loop = Block("while op.get_bind().execute(batch).rowcount:", [Lines("pass")])
    return [batch, Block("if not op.get_context().as_sql:", [autocommit([loop])])]


def literal(value: str) -> str:
    quoted = value.replace("'", "''")
    return f"'{quoted}'"


Index = TypeVar("Index", ops.CreateIndexOp, ops.DropIndexOp)


def concurrently(operation: Index) -> Index:
    changed = copy(operation)
    changed.kw = {**operation.kw, "postgresql_concurrently": True}
    if isinstance(changed, ops.DropIndexOp):
        changed.if_exists = True
    return changed
