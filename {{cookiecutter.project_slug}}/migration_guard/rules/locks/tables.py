"""Rules about statements that copy a table, or keep its readers away."""

import re
from collections.abc import Iterator
from typing import Any

from ...databases import MYSQL, POSTGRESQL
from ...reading.migration import Call, Column, Operation, Type
from ..column_types import are_comparable, is_free, name_on, plainly, size
from ..known_schema import bytes_of_a_character, is_indexed, known_checks, type_before
from ..rule import Found, rule
from ..upgrade import Upgrade, label, statement, those_named

# Functions that are computed once for all rows. Others may be volatile.
STABLE = re.compile(
    r"now|(current|local|session|utc|statement|transaction|unix)_\w+|localtime(stamp)?|user"
    r"|(to|make|date|json|jsonb|array)_\w+|date|extract|age|timezone|coalesce|nullif|concat(_ws)?"
    r"|lower|upper|length|left|right|substring|trim|replace|md5|encode|decode|cur(date|time)"
    r"|\w+range|abs|round|floor|ceil|greatest|least|array|row|cast|convert|string_to_array|in"
    r"|values|fetchedvalue|(var)?char(acter)?|numeric|decimal|timestamp(tz)?|time|interval"
    r"|(var)?bit|(true|false|null)_?|text|literal(_column)?"
)

# What an ALTER TABLE does that copies the table, where an action begins.
MOVES = re.compile(
    r"(?i)(?:,|\bTABLE\s+(?:IF\s+EXISTS\s+|ONLY\s+|ALL\s+IN\s+TABLESPACE\s+)*\S+)\s*\b"
    r"(SET (?:TABLESPACE|LOGGED|UNLOGGED|ACCESS METHOD)|CONVERT TO CHARACTER|ADD SYSTEM VERSIONING"
    r"|(?:ENGINE|ROW_FORMAT)[ =]+\w+|FORCE(?! ROW)|ORDER BY|PARTITION BY|REMOVE PARTITIONING"
    r"|(?:COALESCE|REORGANIZE|REBUILD) PARTITION)\b"
)

# What a MySQL statement asks for itself. LOCK=EXCLUSIVE is blocks-readers.
STATED = re.compile(r"(?i)\b(ALGORITHM\s*=?\s*COPY|LOCK\s*=?\s*SHARED)\b")


@rule(
    summary="""
    The whole table is copied: a column with a volatile default, a stored or numbered one, a new
    place or partitions, or a MySQL index that keeps writers away.
    """,
    why="""
    PostgreSQL writes every row again under a lock that makes readers wait, too. MySQL and MariaDB
    copy the table, and writers wait for FULLTEXT, SPATIAL and what runs with ALGORITHM=COPY
    (manuals: InnoDB online DDL). Constants and now() cost nothing.
    """,
    fix="""
    Add the column nullable and without server_default. In the next revision set it for new rows,
    `op.alter_column("<table>", "<column>", server_default=...)`, and then fill the column in
    batches. Copy a table at a quiet time, with `# migration-guard: ignore[table-rewrite] <when>`,
    or with a tool that copies it in the background.
    """,
    bad="""
    op.add_column("videos",
        sa.Column("token", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))
    """,
    good="""
    op.add_column("videos", sa.Column("added", sa.DateTime(), server_default=sa.text("now()")))
    """,
    databases=POSTGRESQL | MYSQL,
)
def table_rewrite(upgrade: Upgrade) -> Found:
    for op, column in upgrade.added_columns():
        on_postgresql = upgrade.databases_of(op) & POSTGRESQL
        stored = column.computed == "stored" or (column.computed == "default" and on_postgresql)
        volatile = next((name for name in called(column) if not STABLE.fullmatch(name)), None)
        if stored:
            yield op, f"{label(op)}: a stored generated column rewrites the table."
        elif column.identity:
            yield op, f"{label(op)}: numbering the rows that exist rewrites the table."
        elif volatile:
            message = f"the default {volatile}() is computed for every row"
            yield op, f"{label(op)}: {message}, which rewrites the table."
        elif on_postgresql and is_checked_domain(upgrade, column):
            yield op, f"{label(op)}: a domain with a constraint rewrites the table."
    for op in upgrade.on_existing_tables("alter_table"):
        if move := MOVES.search(statement(op)):
            yield op, f"{label(op)}: {move[1]} copies the table."
    for op in upgrade.on_existing_tables("alter_column"):  # PostgreSQL 17
        if re.search(r"(?i)\bSET\s+EXPRESSION\b", statement(op)):
            yield op, f"{label(op)}: SET EXPRESSION computes every row again."
    yield from copied_by_mysql(upgrade)


def copied_by_mysql(upgrade: Upgrade) -> Found:
    """Yield what copies a table of MySQL or MariaDB, or keeps its writers away."""
    for op in upgrade.on_existing_tables():
        if not upgrade.databases_of(op) & MYSQL:
            continue
        text = f"{statement(op)} {op.kwargs.get('mysql_prefix') or ''}"
        kind = re.search(r"(?i)\b(FULLTEXT|SPATIAL)\b", text)
        stated = STATED.search(text)
        key = op.kwargs.get("type_") == "primary" or op.operation == "create_primary_key"
        if op.operation == "create_index" and kind:
            yield op, f"{label(op)}: writers wait while a {kind[1].upper()} index is built."
        elif stated and op.operation != "execute":
            yield op, f"{label(op)}: {stated[1].upper()} makes writers wait."
        elif key and op.operation in ("drop_constraint", "create_primary_key"):
            yield op, f"{label(op)}: a changed primary key copies the table."


def called(column: Column) -> list[str]:
    """Return the functions that the column's default calls."""
    default = column.server_default
    text = default if isinstance(default, str) else " ".join(f"{x}()" for x in called_by(default))
    return re.findall(r"([a-z_]\w*)\s*\(", re.sub(r"'(?:[^']|'')*'", "", text.casefold()))


def called_by(value: Any) -> Iterator[str]:
    """Yield the functions in a default, without the type that something is cast to."""
    if isinstance(value, Call):
        yield value.name
        for arg in value.args[:1] if value.name in ("cast", "type_coerce") else value.args:
            yield from called_by(arg)


def is_checked_domain(upgrade: Upgrade, column: Column) -> bool:
    """Return whether the column's type is a domain that the files create with a constraint."""
    name = column.type.name.casefold() if column.type else ""
    return any(
        (op.name or "").casefold() == name and re.search(r"(?i)\bCHECK\b|NOT\s+NULL", statement(op))
        for op in [
            *upgrade.past.of("create_domain", "alter_domain"),
            *upgrade.operations("create_domain", "alter_domain"),
        ]
    )


PLAIN_CAST = re.compile(
    r"(?i)\s*(CAST\s*\(\s*)?\"?(\w+)\"?(\s*(::|AS)\s*[\w ]+(\([\d, ]*\))?)?\s*\)?\s*"
)


@rule(
    summary="A column's type changes in a way that rewrites the table.",
    why="""
    Every row is written again under a lock that makes readers wait, too, and one value that does
    not fit makes it fail. A new collation builds every index again, and a CHECK of the column is
    checked for every row.
    """,
    fix="""
    Add a column of the new type, write to both, fill it in batches, read from the new one, and
    drop the old one. Or change it at a quiet time: `# migration-guard: ignore[type-change]
    <when>`. Changes that are free on the database, such as a longer varchar, are not reported
    where existing_type states the old type.
    """,
    bad='op.alter_column("videos", "id", type_=sa.BigInteger(), existing_type=sa.Integer())',
    good='op.alter_column("videos", "url", type_=sa.String(30), existing_type=sa.String(20))',
)
def type_change(upgrade: Upgrade) -> Found:
    for op in upgrade.on_filled_tables("alter_column"):
        new = op.kwargs.get("type_")
        if not isinstance(new, Type) or upgrade.adds_columns(op):
            continue
        databases, old = upgrade.databases_of(op), type_before(upgrade, op)
        if is_same_in_utc(upgrade, op, old, new):
            continue
        if reason := costly_on_postgresql(upgrade, op, old) if databases & POSTGRESQL else "":
            yield op, f"{label(op)}: {reason}."
            continue
        width = bytes_of_a_character(upgrade, op)
        costly = sorted(name for name in databases if not is_free(name, old, new, width))
        if not costly:
            continue
        if isinstance(old, Type) and are_comparable(old, new):
            plain = [plainly(each, costly[0]) for each in (old, new)]
            digits = [size(each) - size(Type("", (*each.args[1:2], 0))) for each in plain]
            shorter = old.name == new.name and digits[1] < digits[0]  # before the point
            fails = ", and fails where a value is longer" if shorter else ""
            change = f"{name_on(old, costly[0])} to {name_on(new, costly[0])}"
            yield op, f"{label(op)}: {change} rewrites the table on {', '.join(costly)}{fails}."
        else:
            missing = "existing_type is missing, so the old type is"
            what = "the values of an enum type are" if isinstance(old, Type) else missing
            message = f"{label(op)}: {what} not known"
            yield op, f"{message}; most changes to {name_on(new, costly[0])} rewrite the table."


UTC = re.compile(r"(?i)SET\s+TIME\s?ZONE\s*(=|\bTO\b)?\s*'?UTC\b")


def is_same_in_utc(upgrade: Upgrade, op: Operation, old: Any, new: Type) -> bool:
    """Return whether a time zone comes or goes while the session is in UTC, and no index with it.

    Then PostgreSQL keeps the values. It builds an index of the column again.
    """
    before = those_named(("set",), upgrade.everything[: upgrade.at[id(op)]])
    in_utc = upgrade.any_runs_whenever(op, [each for each in before if UTC.match(each.sql or "")])
    stamps = isinstance(old, Type) and old.name == new.name == "timestamp" and old.args == new.args
    return in_utc and stamps and not is_indexed(upgrade, op, op.columns)


def costly_on_postgresql(upgrade: Upgrade, op: Operation, old: Any) -> str:
    """Return why a change that is free by its types costs time there after all, or ""."""
    using = op.kwargs.get("postgresql_using")
    cast = PLAIN_CAST.fullmatch(using) if isinstance(using, str) else None
    if using and not (cast and cast[2].casefold() in [name.casefold() for name in op.columns]):
        return "USING changes the values, so the table is rewritten"
    if re.search(r"(?i)\bCOLLATE\b", statement(op)):
        return "a new collation builds every index of the column again"
    new = op.kwargs["type_"]
    if isinstance(old, Type) and (old.name, old.args) == (new.name, new.args):
        return ""
    for check, valid in known_checks(upgrade, op):
        text = str(check.expression).casefold()
        if valid and any(
            re.search(rf"\b{re.escape(name.casefold())}\b", text) for name in op.columns
        ):
            return f"the CHECK {check.name or text} is checked for every row again"
    return ""


@rule(
    summary="Readers of a table have to wait for as long as a statement runs.",
    why="""
    REFRESH MATERIALIZED VIEW, DETACH PARTITION and LOCK TABLE take a lock that no SELECT can pass
    (ACCESS EXCLUSIVE), and DETACH PARTITION takes it on the parent, too. So do LOCK TABLES ...
    WRITE and LOCK=EXCLUSIVE on MySQL and MariaDB.
    """,
    fix="""
    Write `CONCURRENTLY` behind REFRESH MATERIALIZED VIEW (the view needs a unique index) or after
    the name in DETACH PARTITION, which needs a revision of its own and `with
    op.get_context().autocommit_block():`. Lock a table in a weaker mode, or not at all. Otherwise
    do it at a quiet time: `# migration-guard: ignore[blocks-readers] <when>`
    """,
    bad='op.execute("REFRESH MATERIALIZED VIEW totals")',
    good='op.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY totals")',
    databases=POSTGRESQL | MYSQL,
)
def blocks_readers(upgrade: Upgrade) -> Found:
    known = [*upgrade.past.undeployed, *upgrade.everything]
    created = those_named(("create_materialized_view",), known)
    for op in upgrade.operations("refresh_materialized_view"):
        same = [each for each in created if each.name == op.name]
        concurrent = re.search(r"(?i)\bCONCURRENTLY\b|\bWITH\s+NO\s+DATA\b", statement(op))
        if not concurrent and not upgrade.any_runs_whenever(op, same):
            yield op, f"{op.name}: nobody can read the view while it is filled again."
    for op in upgrade.on_existing_tables("alter_table"):
        detached = re.search(r"(?i)\bDETACH\s+PARTITION\s+(\S+)", statement(op))
        if detached and not re.search(r"(?i)\bCONCURRENTLY\b", statement(op)):
            yield op, f"{label(op)}: DETACH PARTITION {detached[1]} keeps the readers of both away."
    for op in upgrade.on_existing_tables("lock_table"):
        text = statement(op)
        mode = re.search(r"(?i)\bIN\s+(.+?)\s+MODE\b", text)
        written = re.search(r"(?i)\bWRITE\b", text)
        on_mysql = upgrade.databases_of(op) <= MYSQL
        exclusive = written if on_mysql else not mode or "ACCESS EXCLUSIVE" in mode[1].upper()
        if exclusive:
            yield op, f"{label(op)}: LOCK TABLE keeps readers away until the transaction ends."
    for op in upgrade.on_existing_tables():
        exclusive = re.search(r"(?i)\bLOCK\s*=?\s*EXCLUSIVE\b", statement(op))
        if exclusive and op.operation != "execute" and upgrade.databases_of(op) & MYSQL:
            yield op, f"{label(op)}: LOCK=EXCLUSIVE keeps readers away."
