"""The commands and statements that lead to a finding of the roundtrip, in an empty database."""

import re
from collections.abc import Sequence

from alembic.script import Script
from alembic.util import to_tuple

from .rows import Rows
from .schema.objects import is_named, words

REPEATED = {
    "sqlite": "'{0}' || replace(printf('%*s', {1}, ''), ' ', 'x')",
    "postgresql": "'{0}' || repeat('x', {1})",
    "mysql": "concat('{0}', repeat('x', {1}))",
}


def reproduce(script: Script, function: str, texts: Sequence[str], rows: Rows | None) -> str:
    """Return the steps, one on each line: upgrades, and INSERTs into tables that ``texts`` name."""
    parents = to_tuple(script.down_revision, ())
    statements = inserts(rows, texts) if rows else []
    steps: list[str] = []
    for _, revision, insert in sorted(statements, key=lambda each: each[0]):
        if f"alembic upgrade {revision}" not in steps:
            steps.append(f"alembic upgrade {revision}")
        text = re.sub(r" LIMIT 1 OFFSET \d+\)", " LIMIT 1)", insert)
        steps.append(f"{short(text, rows.maker.dialect if rows else '')};")
    for parent in parents:
        if f"alembic upgrade {parent}" not in steps:
            steps.append(f"alembic upgrade {parent}")
    steps.append(f"alembic upgrade {script.revision}")
    if function == "downgrade":
        steps.append(f"alembic downgrade {parents[0] if len(parents) == 1 else '-1'}")
    return "\n".join(steps)


def inserts(rows: Rows, texts: Sequence[str]) -> list[tuple[int, str, str]]:
    """Return the INSERTs of these tables, and one for each table that they refer to.

    If there are triggers, all INSERTs are returned, because a trigger may need any of them.
    """
    named = words(texts)
    tables = {table for table in rows.inserts if is_named(table, named)}
    needed, snapshot = set(tables), rows.snapshot
    for _ in snapshot.parents:  # as many generations as there can be
        needed |= {parent for table in needed for parent in snapshot.parents.get(table, ())}
    found = []
    for table in needed:
        listed = rows.inserts.get(table, [])
        found += listed if table in tables or snapshot.triggered else listed[:1]
    return found


def short(statement: str, dialect: str) -> str:
    """Return the same statement with a function call in place of long repeated letters."""
    form = REPEATED.get(dialect, REPEATED["mysql"])
    return re.sub(r"'(\d*)(x{30,})'", lambda match: form.format(match[1], len(match[2])), statement)
