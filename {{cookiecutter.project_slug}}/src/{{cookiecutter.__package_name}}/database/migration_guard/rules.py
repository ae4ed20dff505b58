"""Operations -> findings. A rule is a function; its docstring says what it finds, why, the fix, and an example of each.

Only ``upgrade`` is judged where nothing else is said. Rules without a body are found elsewhere (history, drift,
roundtrip, report) and stand here so that every report, suppression and explanation knows them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from inspect import cleandoc
from typing import Any

from .findings import Finding
from .operation import Column, Constraint, Migration, Operation, Type
from .settings import DATABASES

EVERY = frozenset(DATABASES)
POSTGRESQL = frozenset({"postgresql", "citus"})
MYSQL = frozenset({"mysql", "mariadb", "galera"})
NOT_TRANSACTIONAL = frozenset({*MYSQL, "cockroachdb", "tidb", "yugabytedb"})  # DDL commits by itself
DISTRIBUTED = frozenset({"citus", "cockroachdb", "galera", "tidb", "yugabytedb"})

Found = Iterator[tuple[Operation | int, str]]  # where (an operation or a line) and what


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    databases: frozenset[str]
    severity: str
    by: str  # which check finds it: rules, history, deployed, drift, roundtrip, report
    check: Callable[[View], Found | None]

    @property
    def what(self) -> str:
        return self.section("what")

    @property
    def why(self) -> str:
        return self.section("why")

    @property
    def fix(self) -> str:
        return self.section("fix")

    def section(self, name: str) -> str:
        return sections(self.check.__doc__ or "")[name]


@cache
def sections(text: str) -> dict[str, str]:
    what, *rest = re.split(r"^(Why|Fix|Bad|Good): ?", cleandoc(text), flags=re.MULTILINE)
    found = {name.lower(): cleandoc("\n" + part) for name, part in zip(rest[::2], rest[1::2], strict=True)}
    prose = {name: " ".join(found[name].split()) for name in ("why", "fix")}
    return {"what": what.strip(), **found, **prose}


RULES: dict[str, Rule] = {}


def rule(
    databases: frozenset[str] = EVERY, severity: str = "error", by: str = "rules"
) -> Callable[[Callable[[View], Found | None]], Callable[[View], Found | None]]:
    def register(check: Callable[[View], Found | None]) -> Callable[[View], Found | None]:
        name = check.__name__.replace("_", "-")
        RULES[name] = Rule(name, databases, severity, by, check)
        return check

    return register


def judge(
    migration: Migration, databases: Iterable[str], application: Callable[[str], bool] = lambda module: False
) -> list[Finding]:
    """What the rules find in one migration of a project that deploys to ``databases``.

    ``application`` says of a module's name whether it is the application's own.
    """
    project, found = frozenset(databases), []
    facts = Facts(migration, application, project)
    for each in RULES.values():
        if each.by == "rules" and (concerned := each.databases & project):
            for where, message in each.check(View(facts, concerned)) or ():
                found.append(finding(each.name, migration, where, message))
    return sorted(found, key=lambda one: (one.line, one.column))


def finding(name: str, migration: Migration, where: Operation | int, message: str, fix: str | None = None) -> Finding:
    rule = RULES[name]
    place: dict[str, Any] = {"line": where}
    if isinstance(where, Operation):
        place = {"line": where.line, "column": where.column, "end_column": where.end_column}
        place |= {"function": where.function, "operation": f"{where.operation} {label(where)}"}
    return Finding(
        rule=name,
        message=message,
        fix=fix or rule.fix,
        path=migration.path,
        severity=rule.severity,
        revision=migration.revision,
        **place,
    )


# --- what the rules see


SCHEMA_CHANGES = ("create_", "drop_", "alter_", "add_", "rename_", "validate_")
DATA_CHANGES = frozenset({"update", "delete", "insert", "bulk_insert", "merge", "truncate"})
CONSTRAINTS = frozenset(
    f"create_{kind}"
    for kind in ("check_constraint", "exclude_constraint", "foreign_key", "unique_constraint", "primary_key")
)


def is_schema(op: Operation) -> bool:
    return op.operation.startswith(SCHEMA_CHANGES)


def table_of(op: Operation) -> str:
    """One spelling of a table, to know it again."""
    return (op.qualified_table or "").casefold().removeprefix("public.")


def label(op: Operation) -> str:
    """What the operation is about, in a reader's words."""
    table = op.qualified_table or ""
    if op.operation.endswith("_column") and table and op.columns:
        return ", ".join(f"{table}.{column}" for column in op.columns)
    if op.name and table and op.operation != "rename_table":
        return f"{op.name} on {table}"
    return op.name or table or "something that can't be told"


class Facts:
    """What is known of a migration: the operations of its upgrade, and what is new when each of them runs."""

    def __init__(self, migration: Migration, application: Callable[[str], bool], databases: frozenset[str]) -> None:
        self.migration, self.application = migration, application
        self.upgrade = [op for op in migration.operations if op.function.startswith("upgrade")]
        self.new_tables: set[int] = set()  # by the id of the operation
        self.new_columns: set[int] = set()
        self.new_names: set[int] = set()
        tables: set[str] = set()
        columns: set[tuple[str, str]] = set()
        names: set[str] = set()
        for op in self.upgrade:
            table, of_op = table_of(op), {(table_of(op), column) for column in op.columns}
            if table in tables or table.startswith("_alembic_tmp_"):
                self.new_tables.add(id(op))
            if of_op and of_op <= columns:
                self.new_columns.add(id(op))
            if op.name in names:
                self.new_names.add(id(op))
            if op.operation in ("create_table", "create_table_as"):
                tables.add(table)
                names.update(str(constraint.name) for constraint in op.constraints)
            elif op.operation == "rename_table" and table in tables:
                tables.add(str(renamed(op)).casefold())
            elif op.operation == "add_column":
                columns |= of_op
            elif op.operation == "alter_column" and of_op and of_op <= columns and renamed(op):
                columns.add((table, str(renamed(op))))
            elif op.operation == "drop_table":
                tables.discard(table)
            elif op.operation == "create_index" or op.operation in CONSTRAINTS:
                names.add(op.name or "")


class View:
    """A migration as one rule looks at it: on the databases that concern both the rule and the project."""

    def __init__(self, facts: Facts, databases: frozenset[str]) -> None:
        self.facts, self.migration, self.databases = facts, facts.migration, databases
        self.upgrade = [op for op in facts.upgrade if self.on(op)]

    def on(self, op: Operation) -> frozenset[str]:
        """The databases of the rule on which this operation runs."""
        if op.dialects is None:
            return self.databases
        return frozenset(name for name in self.databases if not op.dialects.isdisjoint(DATABASES[name]))

    def existing(self, *operations: str) -> Iterator[Operation]:
        """The operations of these names on tables that were there before."""
        for op in self.upgrade:
            if op.operation in operations and id(op) not in self.facts.new_tables:
                yield op

    def new_name(self, op: Operation) -> bool:
        return id(op) in self.facts.new_names

    def new_columns(self, op: Operation) -> bool:
        return id(op) in self.facts.new_columns

    def before(self, op: Operation, *operations: str) -> Iterator[Operation]:
        """The operations of these names on the same table that run before this one."""
        for other in self.upgrade:
            if other is op:
                return
            if other.operation in operations and table_of(other) in (table_of(op), ""):
                yield other

    def after(self, op: Operation, *operations: str) -> list[Operation]:
        later = self.upgrade[next(number for number, other in enumerate(self.upgrade) if other is op) + 1 :]
        return [other for other in later if other.operation in operations and table_of(other) in (table_of(op), "")]

    def columns(self) -> Iterator[tuple[Operation, Column]]:
        """Every column added to a table that was there before."""
        for op in self.existing("add_column"):
            for column in op.definitions:
                yield op, column


def renamed(op: Operation) -> Any:
    """The new name that a rename gives."""
    if op.operation == "rename_table":
        return op.kwargs.get("new_table_name", op.args[1] if len(op.args) > 1 else None)
    return op.kwargs.get("new_column_name")


def concurrently(op: Operation) -> Any:
    return op.kwargs.get("postgresql_concurrently") or False


def is_whole(op: Operation) -> bool:
    """No WHERE, or one that is always true."""
    where = op.kwargs.get("where")
    return where is None or (
        isinstance(where, str) and bool(re.fullmatch(r"(?i)\(?(true|1\s*=\s*1)\)?", where.strip()))
    )


# --- history


@rule(by="history")
def multiple_heads(view: View) -> None:
    """Two revisions are the newest.
    Why: `alembic upgrade head` refuses to choose between them, and each was written without knowing of the other.
    Fix: Merge them: alembic merge -m "Merge migrations" <head> <head>
    Bad:
        revision, down_revision = "b1", "a1"  # in one file
        revision, down_revision = "c1", "a1"  # in another
    Good:
        revision, down_revision = "b1", "a1"  # in one file
        revision, down_revision = "c1", "b1"  # in another
    """


@rule(by="history")
def missing_parent(view: View) -> None:
    """A revision follows or depends on one that is in no file.
    Why: Alembic can't order the history without it, and no command works any more.
    Fix: Bring the missing file back (`git log --diff-filter=D -- alembic/versions`), or name the right parent.
    Bad:
        revision, down_revision = "b1", "lost"
    Good:
        revision, down_revision = "b1", "a1"
    """


@rule(by="history")
def duplicate_revision(view: View) -> None:
    """Two files have the same revision identifier.
    Why: Alembic runs one of them and ignores the other.
    Fix: Give the newer file an identifier of its own: python -c "import uuid; print(uuid.uuid4().hex[-12:])"
    Bad:
        revision, down_revision = "b1", "a1"  # in one file
        revision, down_revision = "b1", "a1"  # in another
    Good:
        revision, down_revision = "b1", "a1"  # in one file
        revision, down_revision = "c1", "b1"  # in another
    """


@rule(by="history")
def revision_cycle(view: View) -> None:
    """Revisions follow each other in a circle.
    Why: There is no order in which they could run.
    Fix: Point down_revision of one of them at the revision that was the newest before it.
    Bad:
        revision, down_revision = "b1", "c1"  # in one file
        revision, down_revision = "c1", "b1"  # in another
    Good:
        revision, down_revision = "b1", "a1"  # in one file
        revision, down_revision = "c1", "b1"  # in another
    """


@rule(by="deployed")
def edited_migration(view: View) -> None:
    """A deployed migration was changed, removed or moved in the history.
    Why: Databases that have run it will never run it again: they and new databases differ from then on. Comments,
        docstrings, layout and the file's name may change.
    Fix: Restore it (`git checkout <ref> -- <file>`) and make the change in a new migration.
    Bad:
        op.add_column("videos", sa.Column("tags", sa.String(500)))  # deployed with sa.String(100)
    Good:
        op.alter_column("videos", "tags", type_=sa.String(500), existing_type=sa.String(100))  # in a new revision
    """


@rule()
def unreadable_migration(view: View) -> Found:
    """The file is no migration that can be read: a syntax error, no upgrade(), a computed revision identifier.
    Why: What can't be read can't be checked, and Alembic may not load it either.
    Fix: Write revision and down_revision as plain strings and define upgrade() at the top level of the file.
    Bad:
        revision = uuid.uuid4().hex
        down_revision = "a1"

        def upgrade(): op.execute("SELECT 1")
    Good:
        revision = "b1"
        down_revision = "a1"

        def upgrade(): op.execute("SELECT 1")
    """
    yield from view.migration.problems


@rule(severity="note")
def unresolved_operation(view: View) -> Found:
    """The table of an operation can't be told without running the migration.
    Why: No rule can judge it: read it with the eyes of the other rules.
    Fix: Write the names as literals or constants of this file, or suppress this with what you have looked at.
    Bad:
        op.drop_column(os.environ["TABLE"], "url")
    Good:
        op.add_column("videos", sa.Column("url", sa.String(200)))
    """
    for op in view.upgrade:
        if not op.certain and op.table is None:
            yield op, f"What {op.operation} works on can't be told without running the migration."


# --- locks


@rule(POSTGRESQL)
def blocking_index(view: View) -> Found:
    """An index is made or dropped on an existing table without CONCURRENTLY.
    Why: CREATE INDEX keeps writers out until it is built; DROP INDEX stops readers too, and queues behind the slowest.
    Fix: Use postgresql_concurrently=True inside `with op.get_context().autocommit_block():`, in a revision of its own.
    Bad: op.create_index("ix_videos_url", "videos", ["url"])
    Good:
        with op.get_context().autocommit_block():
            op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)
    """
    for op in view.existing("create_index", "drop_index", "reindex"):
        gone = op.operation == "drop_index" and (view.new_name(op) or (op.table and view.after(op, "drop_table")))
        if concurrently(op) is False and not gone and not op.kwargs.get("only"):
            yield op, f"{label(op)}: {op.operation.replace('_', ' ')} without CONCURRENTLY stops writers."
    for op, column in view.columns():
        if column.index:
            yield op, f"{label(op)}: index=True builds an index under the lock of ADD COLUMN."


@rule(POSTGRESQL)
def concurrently_in_transaction(view: View) -> Found:
    """CONCURRENTLY outside autocommit_block().
    Why: PostgreSQL refuses it inside a transaction, and Alembic opens one for each migration.
    Fix: Put it into `with op.get_context().autocommit_block():`.
    Bad: op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)
    Good:
        with op.get_context().autocommit_block():
            op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)
    """
    committed = False  # COMMIT by hand, as it was done before there was autocommit_block()
    for op in view.upgrade:
        committed = committed or (op.sql or "").strip(" ;\n").upper() == "COMMIT"
        if concurrently(op) is True and not op.autocommit and not committed:
            yield op, f"{label(op)}: CONCURRENTLY fails inside the migration's transaction."


@rule(POSTGRESQL)
def concurrent_if_not_exists(view: View) -> Found:
    """CREATE INDEX CONCURRENTLY IF NOT EXISTS.
    Why: A build that fails leaves an INVALID index of that name; the next run finds it, is content, and nobody uses it.
    Fix: Drop first, then make: op.drop_index(..., if_exists=True, postgresql_concurrently=True), op.create_index(...).
    Bad:
        with op.get_context().autocommit_block():
            op.create_index("ix_videos_url", "videos", ["url"], if_not_exists=True, postgresql_concurrently=True)
    Good:
        with op.get_context().autocommit_block():
            op.drop_index("ix_videos_url", "videos", if_exists=True, postgresql_concurrently=True)
            op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)
    """
    for op in view.upgrade:
        dropped = any(other.name == op.name for other in view.before(op, "drop_index"))
        if concurrently(op) is True and op.kwargs.get("if_not_exists") is True and not dropped:
            yield op, f"{label(op)}: IF NOT EXISTS keeps the INVALID index of a run that failed."


@rule(POSTGRESQL)
def autocommit_mixed(view: View) -> Found:
    """Other operations stand beside an autocommit block.
    Why: The block commits what came before it: when something fails, half of the migration stays.
    Fix: Give the autocommit block a revision of its own.
    Bad:
        op.add_column("videos", sa.Column("url", sa.String(200)))
        with op.get_context().autocommit_block():
            op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)
    Good:
        with op.get_context().autocommit_block():
            op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)
    """
    changes = [op for op in view.upgrade if is_schema(op) or op.operation in DATA_CHANGES]
    outside = [op for op in changes if not op.autocommit]
    if outside and len(outside) < len(changes):
        yield (
            outside[0],
            f"{label(outside[0])}: {outside[0].operation} is not in the transaction of the autocommit block.",
        )


@rule()
def not_null_without_default(view: View) -> Found:
    """A NOT NULL column without a server default is added to an existing table.
    Why: It fails as soon as the table has a row (MySQL and MariaDB invent a value instead). A `default` on the Python
        side gives existing rows nothing.
    Fix: Add server_default, or add it nullable, fill it in batches, and set NOT NULL in a later revision.
    Bad: op.add_column("videos", sa.Column("views", sa.Integer(), nullable=False))
    Good: op.add_column("videos", sa.Column("views", sa.Integer(), nullable=False, server_default="0"))
    """
    for op, column in view.columns():
        required = column.nullable is False or (column.primary_key and column.nullable is None)
        filled = column.server_default is not None or column.computed or column.identity or is_serial(column)
        if required and not filled:
            yield (
                op,
                f"{op.qualified_table}.{column.name} is NOT NULL and has no server default for the rows that exist.",
            )


@rule()
def set_not_null(view: View) -> Found:
    """NOT NULL is set on a column of an existing table.
    Why: The whole table is read (PostgreSQL) or rebuilt (MySQL, MariaDB, SQLite) under a lock; one NULL and it fails.
    Fix: On PostgreSQL add CHECK (column IS NOT NULL) NOT VALID, VALIDATE it in the next revision, set NOT NULL after
        that; elsewhere fill the column first and suppress this with how long the table may be locked.
    Bad: op.alter_column("videos", "url", nullable=False, existing_type=sa.String(200))
    Good:
        op.execute("ALTER TABLE videos VALIDATE CONSTRAINT url_not_null")
        op.alter_column("videos", "url", nullable=False, existing_type=sa.String(200))
        op.drop_constraint("url_not_null", "videos", type_="check")
    """
    for op in view.existing("alter_column"):
        if op.kwargs.get("nullable") is not False or op.kwargs.get("existing_nullable") is False:
            continue
        checked = any(
            constraint.kind == "check" and not constraint.not_valid and is_not_null(constraint, op)
            for other in view.before(op, "create_check_constraint")
            for constraint in other.constraints
        )
        if not checked and not any(view.before(op, "validate_constraint")):
            yield op, f"{label(op)}: SET NOT NULL reads the whole table under a lock."


def is_not_null(constraint: Constraint, op: Operation) -> bool:
    text = str(constraint.expression).casefold()
    return "is not null" in text and any(column.casefold() in text for column in op.columns)


@rule()
def type_change(view: View) -> Found:
    """A column's type changes in a way that rewrites the table.
    Why: Every row is written anew under a lock that stops readers too, and a value that does not fit stops it all.
    Fix: Add a column of the new type, write to both, fill it in batches, read from it, drop the old one. A longer
        varchar, varchar to text, more digits of the same scale and what else is free on the database is let through.
    Bad: op.alter_column("videos", "id", type_=sa.BigInteger(), existing_type=sa.Integer())
    Good: op.alter_column("videos", "url", type_=sa.String(30), existing_type=sa.String(20))
    """
    for op in view.existing("alter_column"):
        new, old = op.kwargs.get("type_"), op.kwargs.get("existing_type")
        if not isinstance(new, Type) or view.new_columns(op):
            continue
        if costly := sorted(name for name in view.on(op) if not is_free(name, old, new)):
            change = f"{sql_name(old)} to {sql_name(new)}" if isinstance(old, Type) else f"to {sql_name(new)}"
            yield op, f"{label(op)}: {change} rewrites the table on {', '.join(costly)}."


def for_database(type_: Type, dialect: str) -> Type:
    """The type that ``with_variant`` gives there."""
    variant = (type_.kwargs.get("variants") or {}).get(dialect)
    return variant if isinstance(variant, Type) else type_


def sql_name(type_: Type) -> str:
    return type_.name + (f"({', '.join(map(str, type_.args))})" if type_.args and type_.name != "enum" else "")


def is_free(database: str, old: Any, new: Type) -> bool:
    """Whether the change touches no row, as measured on PostgreSQL 15 and MariaDB 10.11, and from MySQL's manual."""
    if not isinstance(old, Type):
        return False
    for dialect in DATABASES[database]:
        old, new = for_database(old, dialect), for_database(new, dialect)
    if (old.name, old.args, old.kwargs) == (new.name, new.args, new.kwargs):
        return True
    if database == "sqlite":
        return affinity(old) == affinity(new)  # values stay as they are; a batch copies the table in any case
    if database in MYSQL | {"tidb"}:
        before, after = old.kwargs.get("values") or (), new.kwargs.get("values") or ()
        if old.name == new.name == "enum":
            return bool(before) and tuple(after[: len(before)]) == tuple(before)
        if old.name != new.name or old.name not in ("varchar", "varbinary") or not (size(old, 0) <= size(new, 0)):
            return False
        byte = 255 // (4 if old.name == "varchar" else 1)  # up to here the length takes one byte, beyond it two
        small = byte // 2 if database in ("mariadb", "galera") else 0
        return size(old, 0) <= small or (size(old, 0) <= byte) == (size(new, 0) <= byte)
    limitless = float("inf")
    text = ("varchar", "text", "citext")
    if old.name in text and new.name in text:
        return size(old, limitless) <= size(new, limitless)
    if old.name == new.name == "enum":
        return old.kwargs.get("name") == new.kwargs.get("name")
    if old.name == new.name == "numeric":
        scale = [next(iter(type_.args[1:2]), type_.kwargs.get("scale", 0)) for type_ in (old, new)]
        unlimited = size(new, limitless) == limitless
        return unlimited or (size(old, limitless) <= size(new, limitless) and scale[0] == scale[1])
    if old.name == new.name and old.name in ("timestamp", "time", "interval", "varbit"):
        zones = [bool(type_.kwargs.get("timezone")) for type_ in (old, new)]  # a new zone converts every value
        return zones[0] == zones[1] and size(old, limitless) <= size(new, limitless)
    return (old.name, new.name) in {("cidr", "inet"), ("xml", "text"), ("xml", "varchar")}


def size(type_: Type, none: float) -> float:
    """Its length or precision."""
    said = [*type_.args, type_.kwargs.get("length"), type_.kwargs.get("precision")]
    return next((number for number in said if isinstance(number, int)), none)


def affinity(type_: Type) -> str:
    """How SQLite stores values of this type."""
    name = type_.name.upper()
    for storage, words in {"INT": ("INT",), "TEXT": ("CHAR", "CLOB", "TEXT"), "REAL": ("REAL", "FLOA", "DOUB")}.items():
        if any(word in name for word in words):
            return storage
    return {"ENUM": "TEXT", "UUID": "TEXT", "BLOB": "BLOB"}.get(name, "NUMERIC")


@rule(POSTGRESQL | MYSQL)
def constraint_scan(view: View) -> Found:
    """A foreign key or CHECK is added to an existing table without NOT VALID.
    Why: Every row is checked while writers wait, on both tables of a foreign key (MySQL and MariaDB copy the table).
    Fix: Add it with postgresql_not_valid=True and VALIDATE CONSTRAINT in the next revision. MySQL and MariaDB have no
        such form: do it in a quiet hour and suppress this with when.
    Bad: op.create_check_constraint("ck_videos_length", "videos", "length > 0")
    Good: op.create_check_constraint("ck_videos_length", "videos", "length > 0", postgresql_not_valid=True)
    """
    for op in view.existing("create_foreign_key", "create_check_constraint"):
        if not any(constraint.not_valid for constraint in op.constraints):
            yield op, f"{label(op)}: every row is checked under a lock."
    for op, column in view.columns():
        inline = op.via == "execute" or op.kwargs.get("inline_references") is True
        if column.references and not (inline and column.server_default is None and view.on(op) <= POSTGRESQL):
            yield op, f"{label(op)}: the foreign key is checked for every row under a lock."


@rule(POSTGRESQL)
def blocking_unique(view: View) -> Found:
    """A unique, primary key or exclude constraint is built on an existing table.
    Why: Its index is built under a lock that stops readers too.
    Fix: Make a unique index CONCURRENTLY in one revision; in the next, ALTER TABLE ... ADD CONSTRAINT ... UNIQUE USING
        INDEX. An exclude constraint has no such form: suppress this with how long the table may be locked.
    Bad: op.create_unique_constraint("uq_videos_url", "videos", ["url"])
    Good: op.execute("ALTER TABLE videos ADD CONSTRAINT uq_videos_url UNIQUE USING INDEX ix_videos_url")
    """
    for op in view.existing("create_unique_constraint", "create_primary_key", "create_exclude_constraint"):
        if not op.kwargs.get("using_index"):
            yield op, f"{label(op)}: the index is built under a lock."
    for op, column in view.columns():
        if column.unique or column.primary_key:
            yield op, f"{label(op)}: the unique index is built under the lock of ADD COLUMN."


# What is computed once for all rows; other functions are volatile unless they were declared otherwise.
STABLE = re.compile(
    r"now|(current|local|session|utc|statement|transaction|unix)_\w+|localtime(stamp)?|user|(to|make|date|json|jsonb|array)_\w+"
    r"|date|extract|age|timezone|coalesce|nullif|concat(_ws)?|lower|upper|length|left|right|substring|trim|replace|md5"
    r"|encode|decode|abs|round|floor|ceil|greatest|least|array|row|cast|convert|string_to_array|in|values|fetchedvalue"
    r"|(var)?char(acter)?|numeric|decimal|timestamp(tz)?|time|interval|(var)?bit"
)


@rule(POSTGRESQL | MYSQL)
def table_rewrite(view: View) -> Found:
    """A column is added that has a volatile default, is generated and stored, or counts by itself.
    Why: Every row is written anew under a lock that stops readers too. Constants and now() cost nothing.
    Fix: Add the column nullable without it, fill it in batches, and set the default for new rows in a later revision.
    Bad: op.add_column("videos", sa.Column("token", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))
    Good: op.add_column("videos", sa.Column("added", sa.DateTime(), server_default=sa.text("now()")))
    """
    for op, column in view.columns():
        default = column.server_default
        text = default if isinstance(default, str) else f"{default.name}()" if hasattr(default, "name") else ""
        called = re.findall(r"([a-z_]\w*)\s*\(", re.sub(r"'(?:[^']|'')*'", "", text.casefold()))
        volatile = [name for name in called if not STABLE.fullmatch(name)]
        if column.computed == "stored":
            yield op, f"{label(op)}: a stored generated column rewrites the table."
        elif column.identity or is_serial(column):
            yield op, f"{label(op)}: numbering the rows that exist rewrites the table."
        elif volatile:
            yield op, f"{label(op)}: the default {volatile[0]}() is computed for every row, which rewrites the table."


def is_serial(column: Column) -> bool:
    return column.type is not None and column.type.name in ("serial", "bigserial", "smallserial")


# --- the code that still runs, and the data


@rule()
def drop_table(view: View) -> Found:
    """A table is dropped.
    Why: Its rows are gone, and code that still runs during the deployment fails.
    Fix: Deploy code that no longer uses it first; drop it in a later revision, with a suppression that says since when.
    Bad: op.drop_table("videos")
    Good: op.create_table("channels", sa.Column("id", sa.Integer(), primary_key=True))
    """
    for op in view.existing("drop_table"):
        yield op, f"{label(op)} is dropped with its rows."


@rule()
def drop_column(view: View) -> Found:
    """A column is dropped.
    Why: Its values are gone, and code that still runs during the deployment names it in every SELECT and INSERT.
    Fix: Deploy code that no longer maps it first; drop it in a later revision, with a suppression that says since when.
    Bad: op.drop_column("videos", "url")
    Good: op.alter_column("videos", "url", nullable=True, existing_type=sa.String(200))
    """
    for op in view.existing("drop_column"):
        if not view.new_columns(op):
            yield op, f"{label(op)} is dropped with its values."


@rule()
def drop_constraint(view: View) -> Found:
    """A constraint is dropped and nothing takes its place.
    Why: Code that still runs relies on it (ON CONFLICT, ON DELETE), and data that breaks it comes in at once.
    Fix: Deploy code that does without it first; suppress this with since when nothing relies on it.
    Bad: op.drop_constraint("uq_videos_url", "videos", type_="unique")
    Good:
        op.drop_constraint("ck_videos_length", "videos", type_="check")
        op.create_check_constraint("ck_videos_length", "videos", "length >= 0", postgresql_not_valid=True)
    """
    for op in view.existing("drop_constraint"):
        validated = any(other.name == op.name for other in view.before(op, "validate_constraint"))
        # NOT NULL has taken the place of CHECK (... IS NOT NULL)
        required = any(other.kwargs.get("nullable") is False for other in view.before(op, "alter_column"))
        replaced = any(op.name == other.name for other in view.after(op, *CONSTRAINTS))
        gone = view.after(op, "drop_table")
        if not (validated or required or replaced or gone or view.new_name(op)):
            yield op, f"{label(op)} is dropped."


@rule()
def rename_table(view: View) -> Found:
    """A table is renamed.
    Why: Code that still runs during the deployment uses the old name and fails.
    Fix: Rename it in the model alone (__tablename__ stays), or rename and leave a view of the old name until nothing
        uses it.
    Bad: op.rename_table("videos", "clips")
    Good: op.create_table("clips", sa.Column("id", sa.Integer(), primary_key=True))
    """
    for op in view.existing("rename_table"):
        yield op, f"{op.qualified_table} is renamed to {renamed(op) or '?'}."


@rule()
def rename_column(view: View) -> Found:
    """A column is renamed.
    Why: Code that still runs during the deployment uses the old name and fails.
    Fix: Rename it in the model alone, mapped_column("old_name", ...); or add the new column, write to both, fill it,
        read from it, drop the old one.
    Bad: op.alter_column("videos", "url", new_column_name="address")
    Good: op.add_column("videos", sa.Column("address", sa.String(200)))
    """
    for op in view.existing("alter_column"):
        if renamed(op) and renamed(op) not in op.columns and not view.new_columns(op):
            yield op, f"{label(op)} is renamed to {renamed(op)}."


@rule()
def data_loss(view: View) -> Found:
    """Rows or whole objects go: TRUNCATE, DELETE without WHERE, DROP SCHEMA, CASCADE; or VACUUM FULL and CLUSTER.
    Why: What is gone can't be brought back by a downgrade. VACUUM FULL and CLUSTER lock the table while they copy it.
    Fix: Delete in batches by a condition, outside of migrations; keep a copy. Suppress this with where the copy is.
    Bad: op.execute("TRUNCATE videos")
    Good: op.execute("DELETE FROM videos WHERE id = 7")
    """
    for op in view.existing("truncate", "drop_schema", "drop_database", "drop_owned", "cluster"):
        yield op, f"{op.operation.replace('_', ' ').upper()} {op.table or op.name or ''}".rstrip() + "."
    for op in view.existing("delete"):
        if is_whole(op):
            yield op, f"Every row of {label(op)} is deleted."
    for op in view.existing("vacuum", "drop_type", "drop_domain", "drop_extension", "drop_sequence"):
        if words := re.findall(r"(?i)\b(?:FULL|CASCADE)\b", op.sql or ""):
            yield op, f"{op.operation.replace('_', ' ').upper()} {words[-1].upper()}."


@rule()
def unbatched_update(view: View) -> Found:
    """A whole existing table is updated at once.
    Why: Every row stays locked until the end, the table doubles in size, and a replica falls behind.
    Fix: Update in batches by ranges of the key, each in its own transaction, from a script or a revision of its own.
    Bad: op.execute("UPDATE videos SET views = 0")
    Good: op.execute("UPDATE videos SET views = 0 WHERE id BETWEEN 1 AND 1000")
    """
    for op in view.existing("update"):
        where = op.kwargs.get("where")
        empty = re.fullmatch(r"(?i)\W*(?:\w+\W{1,3})?(\w+)\W* IS NULL\W*", where) if isinstance(where, str) else None
        added = [column for other in view.before(op, "add_column") for column in other.columns]
        if is_whole(op) or (empty and empty[1] in added):
            yield op, f"Every row of {label(op)} is updated in one statement."


@rule()
def data_with_schema(view: View) -> Found:
    """A backfill and a change of schema stand in one migration.
    Why: The lock of the schema change is held while the rows are written; where DDL is not transactional, a failure
        leaves half of both.
    Fix: Give the backfill a revision of its own, between the one that adds and the one that tightens.
    Bad:
        op.add_column("videos", sa.Column("slug", sa.String(80)))
        op.execute("UPDATE videos SET slug = lower(title) WHERE id < 1000")
    Good: op.execute("UPDATE videos SET slug = lower(title) WHERE id < 1000")
    """
    filled = [
        *view.existing("update", "delete", "merge"),
        *(op for op in view.existing("insert", "bulk_insert") if re.search(r"(?i)\bSELECT\b", op.sql or "")),
    ]
    indexes = ("create_index", "drop_index")
    tables = [*CONSTRAINTS, "add_column", "alter_column", "alter_table", "drop_column", "drop_constraint", *indexes]
    if filled and (changed := next(view.existing(*tables), None)):
        yield filled[0], f"Rows of {label(filled[0])} are changed in the migration that changes {label(changed)}."


@rule(POSTGRESQL)
def enum_left_behind(view: View) -> Found:
    """An enum type is made in upgrade and not dropped in downgrade.
    Why: Dropping the table does not drop its enum type, and the next upgrade fails: the type already exists.
    Fix: Drop it at the end of downgrade: sa.Enum(name="...").drop(op.get_bind(), checkfirst=True)
    Bad:
        def upgrade():
            op.add_column("videos", sa.Column("views", sa.Integer()))
            op.execute("CREATE TYPE status AS ENUM ('new', 'done')")

        def downgrade():
            op.drop_column("videos", "views")
    Good:
        def upgrade():
            op.execute("CREATE TYPE status AS ENUM ('new', 'done')")

        def downgrade():
            op.execute("DROP TYPE status")
    """
    if view.migration.bodies.get("downgrade") != "code" or view.migration.irreversible:
        return
    made: dict[str, Operation] = {}
    there: set[str] = set()  # types that were there before
    for op in [*view.upgrade, *(op for op in view.migration.operations if op.function.startswith("downgrade"))]:
        back = op.function.startswith("downgrade")
        if op.operation == "create_table" and not back:
            for type_ in (column.type for column in op.definitions):
                native = type_ and type_.name == "enum" and type_.kwargs.get("native_enum") is not False
                if type_ and native and type_.kwargs.get("create_type") is not False and type_.kwargs.get("name"):
                    made[str(type_.kwargs["name"])] = op
        elif op.operation == "create_type" and op.name and not back:
            made[op.name] = op
        elif op.operation in ("drop_type", "alter_type") and op.name:
            mover = re.search(r'(?i)\bRENAME\s+TO\s+"?(\w+)', op.sql or "")
            if op.operation == "drop_type" or mover:
                old = made.pop(op.name, None)
                if old is None and not back:
                    there.add(op.name)
                elif old is not None and mover:
                    made[mover[1]] = old
    for name, op in made.items():
        if name not in there:
            yield op, f"The enum type {name} stays after downgrade."


@rule(POSTGRESQL)
def enum_value_in_transaction(view: View) -> Found:
    """A value is added to an enum type and used in the same transaction.
    Why: PostgreSQL refuses to use it before the transaction that adds it is committed.
    Fix: Add the value in a revision of its own, inside `with op.get_context().autocommit_block():`.
    Bad:
        op.execute("ALTER TYPE status ADD VALUE 'archived'")
        op.execute("UPDATE videos SET status = 'archived' WHERE id = 7")
    Good: op.execute("ALTER TYPE status ADD VALUE 'archived'")
    """
    added: list[str] = []
    for op in view.upgrade:
        if op.operation == "alter_type":
            value = re.search(r"(?i)\bADD\s+VALUE\s+(?:IF\s+NOT\s+EXISTS\s+)?'([^']+)'", op.sql or "")
            if value and not op.autocommit:
                added.append(value[1])
        elif op.operation != "execute":
            text = f"{op.sql or ''} {op.kwargs} {op.definitions} {op.args}"
            if used := next((value for value in added if f"'{value}'" in text), None):
                yield op, f"{used!r} can't be used in the transaction that adds it."


# --- the migration itself


@rule()
def application_import(view: View) -> Found:
    """A migration imports the application's code.
    Why: The code goes on changing and the migration must not: one day it imports what is no longer there, or does
        something else than it did.
    Fix: Define in the migration what it needs: sa.table("videos", sa.column("url")) instead of the model.
    Bad:
        from shop.models import Video

        def upgrade(): op.execute(sa.update(Video).values(views=0).where(Video.id < 9))
    Good:
        video = sa.table("videos", sa.column("id"), sa.column("views"))

        def upgrade(): op.execute(sa.update(video).values(views=0).where(video.c.id < 9))
    """
    seen = set()
    for module, line in view.migration.imports:
        if view.facts.application(module) and line not in seen:
            seen.add(line)
            yield line, f"{module} is the application's code."


@rule(severity="warning")
def offline_unsafe(view: View) -> Found:
    """The migration reads from the database.
    Why: `alembic upgrade --sql` has no database to read from: the script that it writes is wrong, or it fails.
    Fix: Say it in SQL (INSERT ... SELECT, UPDATE ... FROM), or do it only if not context.is_offline_mode().
    Bad: rows = op.get_bind().execute(sa.text("SELECT id FROM videos")).fetchall()
    Good: op.execute("INSERT INTO tags (video_id) SELECT id FROM videos")
    """
    for function, line in view.migration.bind_reads:
        yield line, f"{function} reads from the database, which --sql can't do."


@rule()
def unnamed_constraint(view: View) -> Found:
    """A constraint has no name.
    Why: It can't be dropped later: SQLite knows it by nothing else, MySQL and MariaDB count names up, so that they
        differ from one database to the next. PostgreSQL's own names can be relied on; drop_constraint(None) can't.
    Fix: Give it a name; Alembic writes op.f("...") for each when the metadata has a naming_convention.
    Bad: op.create_unique_constraint(None, "videos", ["url"])
    Good: op.create_check_constraint("ck_videos_length", "videos", "length > 0", postgresql_not_valid=True)
    """
    for op in view.upgrade:
        unnamed = [constraint.kind for constraint in op.constraints if constraint.name is None]
        if op.operation not in CONSTRAINTS and op.operation in ("create_table", "add_column"):
            if view.on(op) <= POSTGRESQL:
                continue
            unnamed = [kind for kind in unnamed if kind != "primary_key"]
            unnamed += ["foreign_key" for column in op.definitions if column.unnamed]
            unnamed += ["unique" for column in op.definitions if column.unique and not column.index]
        if unnamed:
            kinds = ", ".join(f"{unnamed.count(kind)} {kind.replace('_', ' ')}" for kind in dict.fromkeys(unnamed))
            yield op, f"{label(op)}: without a name: {kinds}."


@rule()
def empty_downgrade(view: View) -> Found:
    """upgrade does something, downgrade nothing.
    Why: `alembic downgrade` says that it worked, and the schema is not the one that the version says.
    Fix: Write the way back; if there is none, raise with the reason, or say irreversible = "reason" in the module.
    Bad:
        def upgrade(): op.add_column("videos", sa.Column("views", sa.Integer()))

        def downgrade(): pass
    Good:
        def upgrade(): op.add_column("videos", sa.Column("views", sa.Integer()))

        def downgrade(): raise NotImplementedError("the views are needed by the reports of 2024")
    """
    migration = view.migration
    empty = migration.bodies.get("upgrade") == "code" and migration.bodies.get("downgrade") in (None, "empty")
    if empty and view.upgrade and not migration.irreversible:
        line = migration.lines.get("downgrade", migration.lines.get("upgrade", 1))
        yield line, "There is no way back, and it is not said."


@rule(NOT_TRANSACTIONAL, "warning")
def not_resumable(view: View) -> Found:
    """Several operations that can't be run twice stand in one migration, or data and schema.
    Why: Each change of the schema commits by itself here. A migration that dies in the middle has done half of it, and
        fails at its first operation when it is run again.
    Fix: One operation in a revision, or if_not_exists=True and if_exists=True on each that takes it.
    Bad:
        op.add_column("videos", sa.Column("views", sa.Integer()))
        op.add_column("videos", sa.Column("likes", sa.Integer()))
    Good:
        op.add_column("videos", sa.Column("views", sa.Integer()), if_not_exists=True)
        op.add_column("videos", sa.Column("likes", sa.Integer()), if_not_exists=True)
    """
    schema = [op for op in view.upgrade if is_schema(op)]
    data = [op for op in view.upgrade if op.operation in DATA_CHANGES]
    once = [op for op in schema if not is_repeatable(view, op)]
    if once and len(schema) > 1:
        yield once[0], f"{label(once[0])}: a second run after a failure stops at this {once[0].operation}."
    elif schema and data:
        yield data[0], f"{label(data[0])}: rows are changed beside a schema change that commits by itself."


def is_repeatable(view: View, op: Operation) -> bool:
    if op.kwargs.get("if_not_exists") is True or op.kwargs.get("if_exists") is True:
        return True
    if op.operation in ("alter_column", "create_table_comment", "drop_table_comment"):
        return renamed(op) is None
    undone = {"create_index": "drop_index", "create_table": "drop_table"}.get(op.operation, "")
    return any(other.name == op.name and other.kwargs.get("if_exists") for other in view.before(op, undone))


@rule(DISTRIBUTED)
def no_primary_key(view: View) -> Found:
    """A new table has no primary key.
    Why: A cluster places and replicates rows by it: Galera can't replicate deletes without one, and the others add a
        hidden column that nothing can use.
    Fix: Give the table a primary key.
    Bad: op.create_table("tags", sa.Column("name", sa.String(50)))
    Good: op.create_table("tags", sa.Column("name", sa.String(50), primary_key=True))
    """
    for op in view.upgrade:
        if op.operation == "create_table" and op.certain and op.definitions:
            keyed = any(constraint.kind == "primary_key" for constraint in op.constraints)
            if not keyed and not any(column.primary_key for column in op.definitions):
                yield op, f"{label(op)} has no primary key."


@rule(POSTGRESQL)
def json_equality(view: View) -> Found:
    """A column is json where jsonb is meant.
    Why: json has no equality: SELECT DISTINCT, GROUP BY and UNION fail on the whole row, and no index helps it.
    Fix: Use postgresql.JSONB, or sa.JSON().with_variant(postgresql.JSONB(), "postgresql").
    Bad: op.add_column("videos", sa.Column("data", sa.JSON()))
    Good: op.add_column("videos", sa.Column("data", postgresql.JSONB()))
    """
    for op in view.upgrade:
        if op.operation == "alter_column":
            types = {", ".join(op.columns): op.kwargs.get("type_")}
        else:
            types = {str(column.name): column.type for column in op.definitions}
        for name, type_ in types.items():
            if isinstance(type_, Type) and for_database(type_, "postgresql").name == "json":
                yield op, f"{op.qualified_table}.{name} is json, which has no equality."


# --- found by running the migrations


@rule(by="drift")
def models_out_of_sync(view: View) -> None:
    """The models and what the migrations make are not the same.
    Why: The code asks for what the database does not have, or the next autogenerated migration drops what it has.
    Fix: Make the migration: alembic revision --autogenerate -m "Sync models"
    Bad:
        tags: Mapped[str] = mapped_column(String(500))  # in the model; in no migration
    Good:
        op.add_column("videos", sa.Column("tags", sa.String(500)))
    """


@rule(by="roundtrip")
def upgrade_fails(view: View) -> None:
    """upgrade() raises on a scratch database with rows in its tables.
    Why: It will in production.
    Fix: Make it fit the rows that exist: fill, clean or default them before the constraint.
    Bad: op.create_unique_constraint("uq_videos_title", "videos", ["title"])  # with two videos of one title
    Good: op.create_index("ix_videos_title", "videos", ["title"])
    """


@rule(by="roundtrip")
def downgrade_fails(view: View) -> None:
    """downgrade() raises.
    Why: The way back is needed when there is no time to mend it.
    Fix: Undo in reverse order, under the names that upgrade gave; say irreversible = "reason" if there is no way back.
    Bad: op.drop_index("ix_video_title")  # made as ix_videos_title
    Good: op.drop_index("ix_videos_title", "videos")
    """


@rule(by="roundtrip")
def upgrade_not_repeatable(view: View) -> None:
    """The second upgrade, after the downgrade, raises.
    Why: The downgrade left something behind, most often an enum type, a sequence or a function.
    Fix: Drop in downgrade everything that upgrade makes.
    Bad: op.drop_table("videos")  # its enum type stays
    Good: op.execute("DROP TYPE status")  # after the table
    """


@rule(by="roundtrip")
def downgrade_differs(view: View) -> None:
    """The schema after downgrade is not the schema before upgrade.
    Why: A database that was rolled back is one that nobody has tested.
    Fix: Undo each difference that is named: its length, default, nullability, name.
    Bad: op.alter_column("videos", "url", type_=sa.String(100))  # it was 200
    Good: op.alter_column("videos", "url", type_=sa.String(200))
    """


@rule(by="roundtrip")
def data_not_restored(view: View) -> None:
    """Rows are changed or gone after upgrade and downgrade.
    Why: Rolling back loses what users have entered, and the migration does not say so.
    Fix: Keep what is needed to restore it, or say lossy = "reason" in the module.
    Bad: op.drop_column("videos", "url")  # and nothing says that the values are lost
    Good: lossy = "nobody has read url since 2.3"
    """


@rule(by="report")
def unused_ignore(view: View) -> None:
    """A suppression suppresses nothing, or lacks its rule or its reason.
    Why: It hides the next finding of that place, which nobody has looked at.
    Fix: Remove it, or write `# migration-guard: ignore[rule] reason`.
    Bad: op.add_column("videos", sa.Column("url", sa.String(200)))  # migration-guard: ignore[drop-column] not read
    Good: op.drop_column("videos", "url")  # migration-guard: ignore[drop-column] not read since 2.3
    """
