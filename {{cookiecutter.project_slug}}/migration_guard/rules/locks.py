"""Rules about what a statement locks, and for how long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..databases import MYSQL, POSTGRESQL
from ..reading.migration import Call, Type
from .column_types import is_free, size, sql_name
from .rule import Found, rule
from .upgrade import DATA_CHANGES, Upgrade, concurrently, is_schema, label


@rule(
    summary="An index is made or dropped on an existing table without CONCURRENTLY.",
    why="""
    CREATE INDEX keeps writers out until it is built; DROP INDEX stops readers too, and
    queues behind the slowest.
    """,
    fix="""
    Use postgresql_concurrently=True inside `with op.get_context().autocommit_block():`, in
    a revision of its own.
    """,
    bad='op.create_index("ix_videos_url", "videos", ["url"])',
    good="""
    with op.get_context().autocommit_block():
        op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)
    """,
    databases=POSTGRESQL,
)
def blocking_index(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("create_index", "drop_index", "reindex"):
        gone = upgrade.creates(op) or (op.table and upgrade.later(op, "drop_table"))
        if (
            concurrently(op) is False
            and not (gone and op.operation == "drop_index")
            and not op.kwargs.get("only")
        ):
            yield (
                op,
                f"{label(op)}: {op.operation.replace('_', ' ')} without CONCURRENTLY stops writers.",
            )
    for op, column in upgrade.added_columns():
        if column.index:
            yield op, f"{label(op)}: index=True builds an index under the lock of ADD COLUMN."


@rule(
    summary="CONCURRENTLY outside autocommit_block().",
    why="PostgreSQL refuses it inside a transaction, and Alembic opens one for each migration.",
    fix="Put it into `with op.get_context().autocommit_block():`.",
    bad='op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)',
    good="""
    with op.get_context().autocommit_block():
        op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)
    """,
    databases=POSTGRESQL,
)
def concurrently_in_transaction(upgrade: Upgrade) -> Found:
    committed = False  # by hand, as it was done before there was autocommit_block()
    for op in upgrade.operations():
        committed = committed or (op.sql or "").strip(" ;\n").upper() == "COMMIT"
        if concurrently(op) is True and not op.autocommit and not committed:
            yield op, f"{label(op)}: CONCURRENTLY fails inside the migration's transaction."


@rule(
    summary="CREATE INDEX CONCURRENTLY IF NOT EXISTS.",
    why="""
    A failed build leaves an INVALID index of that name; the next run finds it and is
    content, and nothing uses it.
    """,
    fix="""
    Drop first, then make: op.drop_index(..., if_exists=True, postgresql_concurrently=True),
    op.create_index(...).
    """,
    bad="""
    with op.get_context().autocommit_block():
        op.create_index("ix_videos_url", "videos", ["url"], if_not_exists=True, postgresql_concurrently=True)
    """,
    good="""
    with op.get_context().autocommit_block():
        op.drop_index("ix_videos_url", "videos", if_exists=True, postgresql_concurrently=True)
        op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)
    """,
    databases=POSTGRESQL,
)
def concurrent_if_not_exists(upgrade: Upgrade) -> Found:
    for op in upgrade.operations("create_index"):
        dropped = any(other.name == op.name for other in upgrade.earlier(op, "drop_index"))
        if concurrently(op) is True and op.kwargs.get("if_not_exists") is True and not dropped:
            yield op, f"{label(op)}: IF NOT EXISTS keeps the INVALID index of a run that failed."


@rule(
    summary="Other operations stand beside an autocommit block.",
    why="The block commits what came before it: when something fails, half of the migration stays.",
    fix="Give the autocommit block a revision of its own.",
    bad="""
    op.add_column("videos", sa.Column("url", sa.String(200)))
    with op.get_context().autocommit_block():
        op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)
    """,
    good="""
    with op.get_context().autocommit_block():
        op.create_index("ix_videos_url", "videos", ["url"], postgresql_concurrently=True)
    """,
    databases=POSTGRESQL,
)
def autocommit_mixed(upgrade: Upgrade) -> Found:
    changes = [op for op in upgrade.operations() if is_schema(op) or op.operation in DATA_CHANGES]
    outside = [op for op in changes if not op.autocommit]
    if outside and len(outside) < len(changes):
        yield (
            outside[0],
            f"{label(outside[0])}: {outside[0].operation} is committed apart from the autocommit block.",
        )


@rule(
    summary="NOT NULL is set on a column of an existing table.",
    why="""
    The whole table is read (PostgreSQL) or rebuilt (MySQL, MariaDB, SQLite) under a lock;
    one NULL and it fails.
    """,
    fix="""
    PostgreSQL: add CHECK (... IS NOT NULL) NOT VALID, fill the rows that are NULL in the
    next revision, and in the one after it VALIDATE the constraint and set NOT NULL.
    Elsewhere fill the column first and suppress this with how long the table may be locked.
    """,
    bad='op.alter_column("videos", "url", nullable=False, existing_type=sa.String(200))',
    good="""
    op.execute("ALTER TABLE videos VALIDATE CONSTRAINT url_not_null")
    op.alter_column("videos", "url", nullable=False, existing_type=sa.String(200))
    """,
)
def set_not_null(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("alter_column"):
        if op.kwargs.get("nullable") is not False or op.kwargs.get("existing_nullable") is False:
            continue
        if (
            op.via and "type_" in op.kwargs
        ):  # MODIFY and CHANGE, which must say again what is NOT NULL already
            continue
        checks = [
            check
            for other in upgrade.earlier(op, "create_check_constraint")
            for check in other.constraints
        ]
        said = " ".join(str(check.expression) for check in checks if not check.not_valid)
        names = "|".join(map(re.escape, op.columns)) or "?"
        checked = re.search(rf"(?i)(?<!\w)({names})\W+is not null", said)
        validated = [other.name or "" for other in upgrade.earlier(op, "validate_constraint")]
        if not checked and all(re.search("(?i)fk", name) for name in validated):
            yield op, f"{label(op)}: SET NOT NULL reads the whole table under a lock."


@rule(
    summary="A foreign key or CHECK is added to an existing table without NOT VALID.",
    why="""
    Every row is checked while writers wait, on both tables of a foreign key (MySQL and
    MariaDB copy the table).
    """,
    fix="""
    Add it with postgresql_not_valid=True and VALIDATE it in the next revision. MySQL and
    MariaDB have no such form: do it in a quiet hour and suppress this with when, or add a
    foreign key in SQL with LOCK=NONE after SET foreign_key_checks=0, which looks at no row.
    """,
    bad='op.create_check_constraint(op.f("ck_videos_length"), "videos", "length > 0")',
    good="""
    op.create_check_constraint(op.f("ck_videos_length"), "videos", "length > 0", postgresql_not_valid=True)
    """,
    databases=POSTGRESQL | MYSQL,
)
def constraint_scan(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("create_foreign_key", "create_check_constraint"):
        unlocked = upgrade.databases_of(op) <= MYSQL and re.search(
            r"(?i)\bLOCK *= *NONE\b", op.sql or ""
        )  # or the server refuses
        if not unlocked and not any(constraint.not_valid for constraint in op.constraints):
            yield op, f"{label(op)}: every row is checked under a lock."
    for op, column in upgrade.added_columns():
        inline = op.via == "execute" or op.kwargs.get("inline_references") is True
        free = column.not_valid or (inline and column.server_default is None)
        if column.references and not (free and upgrade.databases_of(op) <= POSTGRESQL):
            yield op, f"{label(op)}: the foreign key is checked for every row under a lock."
    for op in upgrade.on_existing_tables("add_column"):
        if upgrade.databases_of(op) & POSTGRESQL and any(
            check.kind == "check" and not check.not_valid for check in op.constraints
        ):
            yield op, f"{label(op)}: its CHECK is made by reading every row under a lock."


@rule(
    summary="A unique, primary key or exclude constraint is built on an existing table.",
    why="Its index is built under a lock that stops readers too.",
    fix="""
    Make a unique index CONCURRENTLY in one revision and ADD CONSTRAINT ... UNIQUE USING
    INDEX in the next. An exclude constraint has no such form: suppress this with how long
    the table may be locked.
    """,
    bad='op.create_unique_constraint("uq_videos_url", "videos", ["url"])',
    good="""
    op.execute("ALTER TABLE videos ADD CONSTRAINT uq_videos_url UNIQUE USING INDEX ix_videos_url")
    """,
    databases=POSTGRESQL,
)
def blocking_unique(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables(
        "create_unique_constraint", "create_primary_key", "create_exclude_constraint"
    ):
        if not op.kwargs.get("using_index"):
            yield op, f"{label(op)}: the index is built under a lock."
    for op, column in upgrade.added_columns():
        if column.unique or column.primary_key:
            yield op, f"{label(op)}: the unique index is built under the lock of ADD COLUMN."


# What is computed once for all rows; other functions are volatile unless they were declared otherwise.
STABLE = re.compile(
    r"now|(current|local|session|utc|statement|transaction|unix)_\w+|localtime(stamp)?|user|(to|make|date|json|jsonb|array)_\w+"
    r"|date|extract|age|timezone|coalesce|nullif|concat(_ws)?|lower|upper|length|left|right|substring|trim|replace|md5"
    r"|encode|decode|cur(date|time)|\w+range|abs|round|floor|ceil|greatest|least|array|row|cast|convert|string_to_array|in|values|fetchedvalue"
    r"|(var)?char(acter)?|numeric|decimal|timestamp(tz)?|time|interval|(var)?bit|(true|false|null)_?|text|literal(_column)?"
)


MOVES = re.compile(
    r"(?i)(?:,|\bTABLE\s+(?:IF\s+EXISTS\s+|ONLY\s+|ALL\s+IN\s+TABLESPACE\s+)*\S+)\s*\b"
    r"(SET (?:TABLESPACE|LOGGED|UNLOGGED|ACCESS METHOD)|CONVERT TO CHARACTER|ADD SYSTEM VERSIONING"
    r"|(?:ENGINE|ROW_FORMAT)[ =]+\w+|FORCE(?! ROW)|ORDER BY)\b"
)


@rule(
    summary="""
    A column is added that has a volatile default, is generated and stored or counts by
    itself, or a table is moved.
    """,
    why="""
    Every row is written anew under a lock that stops readers too. Constants and now() cost
    nothing.
    """,
    fix="""
    Add the column nullable without it, fill it in batches, and set the default for new rows
    in a later revision. A table is moved in a quiet hour, or by a tool that copies it
    meanwhile: suppress this with when.
    """,
    bad="""
    op.add_column("videos", sa.Column("token", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))
    """,
    good="""
    op.add_column("videos", sa.Column("added", sa.DateTime(), server_default=sa.text("now()")))
    """,
    databases=POSTGRESQL | MYSQL,
)
def table_rewrite(upgrade: Upgrade) -> Found:
    for op, column in upgrade.added_columns():
        default = column.server_default
        text = (
            default
            if isinstance(default, str)
            else " ".join(f"{name}()" for name in called_by(default))
        )
        called = re.findall(r"([a-z_]\w*)\s*\(", re.sub(r"'(?:[^']|'')*'", "", text.casefold()))
        if column.computed == "stored" or (
            column.computed == "default" and upgrade.databases_of(op) & POSTGRESQL
        ):
            yield op, f"{label(op)}: a stored generated column rewrites the table."
        elif column.identity:
            yield op, f"{label(op)}: numbering the rows that exist rewrites the table."
        elif volatile := next((name for name in called if not STABLE.fullmatch(name)), None):
            yield (
                op,
                f"{label(op)}: the default {volatile}() is computed for every row, which rewrites the table.",
            )
    for op in upgrade.on_existing_tables("alter_table"):
        if move := MOVES.search(re.sub(r"'(?:[^']|'')*'", "''", op.sql or "")):
            yield op, f"{label(op)}: {move[1]} copies the table."


def called_by(value: Any) -> Iterator[str]:
    """The functions in a default, but for the type that something is cast to."""
    if isinstance(value, Call):
        yield value.name
        for arg in value.args[:1] if value.name in ("cast", "type_coerce") else value.args:
            yield from called_by(arg)


@rule(
    summary="A column's type changes in a way that rewrites the table.",
    why="""
    Every row is written anew under a lock that stops readers too, and a value that does not
    fit stops it all.
    """,
    fix="""
    Add a column of the new type, write to both, fill it in batches, read from it, drop the
    old one. What is free on the database, such as a longer varchar, is let through where
    existing_type says the old type.
    """,
    bad='op.alter_column("videos", "id", type_=sa.BigInteger(), existing_type=sa.Integer())',
    good='op.alter_column("videos", "url", type_=sa.String(30), existing_type=sa.String(20))',
)
def type_change(upgrade: Upgrade) -> Found:
    for op in upgrade.on_existing_tables("alter_column"):
        new, old = op.kwargs.get("type_"), op.kwargs.get("existing_type")
        if not isinstance(new, Type) or upgrade.adds_columns(op):
            continue
        costly = ", ".join(
            sorted(name for name in upgrade.databases_of(op) if not is_free(name, old, new))
        )
        if costly and isinstance(old, Type):
            fails = (
                ", and fails where a value is longer"
                if old.name == new.name and size(new) < size(old)
                else ""
            )
            yield (
                op,
                f"{label(op)}: {sql_name(old)} to {sql_name(new)} rewrites the table on {costly}{fails}.",
            )
        elif costly:
            yield (
                op,
                f"{label(op)}: to {sql_name(new)} from a type that is not said; most changes rewrite the table.",
            )
