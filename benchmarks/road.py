"""How many changes of models arrive, with the generated project's env.py and with Alembic's own.

Each change goes the whole road (see tests/lib/road.py). Writes benchmarks/road.md.

    nox -s bench -- road [--only postgresql,mariadb,sqlite] [--quick]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from common import FOLDER, reachable  # first: it finds the tests' library
from lib.projects import bake_into  # and this the guard

# isort: split
from lib.changes import CHANGES, change
from lib.road import Arrival, Change, Road
from lib.servers import fresh_database

# What `alembic init` writes, on the connection of the check or on DATABASE_URL.
OWN = """
import os

import sqlalchemy as sa
from alembic import context
from shop.database.models import Base

OPTIONS = {options}


def run(connection):
    context.configure(connection=connection, target_metadata=Base.metadata, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with sa.create_engine(os.environ["DATABASE_URL"], poolclass=sa.pool.NullPool).connect() as own:
        run(own)
"""
DEFAULT: dict[str, object] = {}
EVERYTHING: dict[str, object] = {
    "compare_type": True,
    "compare_server_default": True,
    "render_as_batch": True,
    "autogenerate_plugins": ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
}
ENVS = {
    "this template": None,
    "Alembic": OWN.format(options=DEFAULT),
    "Alembic, every comparison": OWN.format(options=EVERYTHING),
}
TYPES = [
    "BigInteger",
    "Boolean",
    "Date",
    "DateTime",
    "DateTime(timezone=True)",
    "Double",
    "Float",
    "Integer",
    "Interval",
    "LargeBinary",
    "Numeric(10,2)",
    "SmallInteger",
    "String(30)",
    "Text",
    "Time",
    "Unicode(30)",
    "UnicodeText",
    "Uuid",
]
OF_DATABASES = {
    "postgresql": [
        "BIT(4)",
        "BYTEA",
        "CIDR",
        "CITEXT",
        "DATERANGE",
        "DOMAIN('d1',Integer())",
        "HSTORE",
        "INET",
        "INT4RANGE",
        "INT4MULTIRANGE",
        "INT8RANGE",
        "INTERVAL(precision=3)",
        "JSONB",
        "MACADDR",
        "MACADDR8",
        "MONEY",
        "NUMRANGE",
        "OID",
        "TIMESTAMP(precision=3)",
        "TSRANGE",
        "TSTZRANGE",
        "TSVECTOR",
        "UUID",
        "ARRAY(Integer)",
        "ARRAY(Text)",
    ],
    "mariadb": [
        "BIGINT(unsigned=True)",
        "BIT(4)",
        "CHAR(5,collation='utf8mb4_bin')",
        "DATETIME(fsp=6)",
        "DOUBLE",
        "ENUM('a','b')",
        "INTEGER(unsigned=True)",
        "JSON",
        "LONGBLOB",
        "LONGTEXT",
        "MEDIUMINT",
        "MEDIUMTEXT",
        "SET('a','b')",
        "TIME(fsp=3)",
        "TINYINT(1)",
        "TINYTEXT",
        "VARBINARY(20)",
        "YEAR",
    ],
}


def changes_of(database: str) -> list[Change]:
    """The set for one database: the changes of the tests, and each type on a new and an old table."""
    module = "postgresql" if database == "postgresql" else "mysql"
    types = [*TYPES, *(f"{module}.{each}" for each in OF_DATABASES.get(database, ()))]
    found = [each for each in CHANGES if database in each.databases]
    for each in types:
        column = f'Column("value", {each})'
        found.append(change(f"{each}, new table", None, column, database))
        found.append(
            change(
                f"{each}, existing table",
                'Column("code", Integer)',
                f'Column("code", Integer), {column}',
                database,
            )
        )
    return found


def measure(database: str, name: str, changes: list[Change]) -> list[tuple[Change, Arrival, float]]:
    folder = Path(tempfile.mkdtemp(prefix="road-"))
    project = bake_into(folder, database=database, starter="blank", project_slug="shop")
    results = []
    for url in fresh_database(database, folder):
        road = Road(project, "shop", url, ENVS[name])
        for each in changes:
            start = time.perf_counter()
            arrival = road.travel(each)
            results.append((each, arrival, time.perf_counter() - start))
            mark = "ok " if not arrival.faults else "RED"
            print(mark, database, name, each.name, *arrival.faults[:2], sep=" | ", flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="sqlite,postgresql,mariadb")
    parser.add_argument("--quick", action="store_true", help="the changes of the tests alone")
    options = parser.parse_args()
    lines, missed = [], []
    for database in reachable(options.only):
        changes = changes_of(database)
        if options.quick:
            changes = [each for each in changes if each in CHANGES]
        for name in ENVS:
            results = measure(database, name, changes)
            arrived = [each for each, arrival, _ in results if not arrival.faults]
            plain = [each for each in changes if not each.decisions]
            cells = (
                database,
                name,
                f"{len(arrived)} of {len(changes)}",
                f"{sum(each in arrived for each in plain)} of {len(plain)}",
            )
            lines.append(f"| {' | '.join(cells)} |")
            if ENVS[name] is None:
                for each, arrival, _ in results:
                    if arrival.faults:
                        fault = " ".join(arrival.faults[0].split())[:160]
                        missed.append(f"- {database}, {each.name}: {fault}")
    report = FOLDER / "road.md"
    text = report.read_text(encoding="utf-8")
    head = text[: text.index("| database |")]
    table = "| database | env.py | arrive | of those without a decision |\n|---|---|---|---|\n"
    rest = "\n\n## What does not arrive here\n\n" + ("\n".join(missed) or "Nothing.") + "\n"
    report.write_text(head + table + "\n".join(lines) + rest, encoding="utf-8")


if __name__ == "__main__":
    main()
