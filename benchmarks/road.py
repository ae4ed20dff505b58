"""How many changes of models arrive, with the generated project's env.py and with Alembic's own.

Each change goes the whole road (see tests/lib/road.py). Writes benchmarks/road.md.

squawk (its SQL) and alembic-guard (its files) also judge what is written for PostgreSQL, if they
are installed: pip install squawk-cli alembic-guard.

    nox -s bench -- road [--only postgresql,mariadb,sqlite] [--quick]
    nox -s bench -- road --only mariadb --env Alembic --results road.json  # a part of it
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
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
OURS = "this template"
SERVERS_IN_ORDER = ("sqlite", "postgresql", "mariadb")
ENVS = {
    OURS: None,
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
    """The set for one database: the tests' changes, and each type on a new and an old table."""
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


@dataclass
class Result:
    faults: list[str]
    judged: list[str]  # what the outside judges find


Results = dict[str, dict[str, dict[str, Result]]]  # by database, env.py and change


def measure(database: str, name: str, changes: list[Change]) -> dict[str, Result]:
    folder = Path(tempfile.mkdtemp(prefix="road-"))
    project = bake_into(folder, database=database, starter="blank", project_slug="shop")
    results = {}
    for url in fresh_database(database, folder):
        road = Road(project, "shop", url, ENVS[name], lint=ENVS[name] is None)
        for each in changes:
            arrival = road.travel(each)
            judged = judge(road, arrival) if database == "postgresql" else set()
            results[each.name] = Result(arrival.faults, sorted(judged))
            mark = "ok " if not arrival.faults else "RED"
            print(mark, database, name, each.name, *arrival.faults[:2], sep=" | ", flush=True)
    shutil.rmtree(folder)
    return results


def seconds(database: str, rounds: int = 5) -> dict[str, float]:
    """Return the median time of `alembic revision --autogenerate` for one new column, by env.py."""
    folder = Path(tempfile.mkdtemp(prefix="road-"))
    times: dict[str, list[float]] = {OURS: [], "Alembic": []}
    roads = {}
    with contextlib.ExitStack() as stack:
        for name in times:
            place = folder / name.partition(" ")[0]
            project = bake_into(place, database=database, starter="blank", project_slug="shop")
            url = stack.enter_context(contextlib.contextmanager(fresh_database)(database, place))
            road = roads[name] = Road(project, "shop", url, ENVS[name])
            with road.at_home():
                road.start()
                road.write(CHANGES[0].models(CHANGES[0].before))
                road.alembic("revision", message="Before", autogenerate=True)
                road.alembic("upgrade", "head")
                road.write(CHANGES[0].models(CHANGES[0].after))
        command = [sys.executable, "-m", "alembic", "revision", "--autogenerate", "-m", "After"]
        for _ in range(rounds):  # one after the other, since the machine may have other work
            for name, road in roads.items():
                before = set(road.versions.glob("*.py"))
                with road.at_home():
                    # Compiled once, as elsewhere.
                    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
                    start = time.perf_counter()
                    subprocess.run(command, check=True, capture_output=True, env=environment)
                    times[name].append(time.perf_counter() - start)
                for file in set(road.versions.glob("*.py")) - before:
                    file.unlink()
    shutil.rmtree(folder)
    return {name: statistics.median(measured) for name, measured in times.items()}


def judge(road: Road, arrival: Arrival) -> set[str]:
    """The rules of squawk and alembic-guard that find something in what is written."""
    found: set[str] = set()
    if arrival.files and shutil.which("alembic-guard"):
        command = ["alembic-guard", "--format", "json", *map(str, arrival.files)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        found |= {f"alembic-guard {each}" for each in rules_in(json.loads(done.stdout))}
    if arrival.files and shutil.which("squawk"):
        sql = road.project / "upgrade.sql"
        try:
            sql.write_text(road.sql(arrival.last), encoding="utf-8")
        except Exception as error:
            return {*found, f"squawk: no SQL: {type(error).__name__}"}
        command = ["squawk", "--reporter", "json", str(sql)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        found |= {f"squawk {each}" for each in rules_in(json.loads(done.stdout or "[]"))}
    return found


def rules_in(report: object) -> set[str]:
    """The rules that a report in JSON names, wherever they stand in it."""
    if isinstance(report, list):
        return {rule for each in report for rule in rules_in(each)}
    if not isinstance(report, dict):
        return set()
    names = {str(report[key]) for key in ("rule_name", "rule_id", "rule", "id") if key in report}
    return names or {rule for each in report.values() for rule in rules_in(each)}


def rows_of(database: str, found: dict[str, dict[str, Result]]) -> list[str]:
    lines = []
    plain = {each.name for each in changes_of(database) if not each.decisions}
    for name, results in found.items():
        arrived = {change for change, each in results.items() if not each.faults}
        measured = plain & results.keys()
        cells = (
            database,
            name,
            f"{len(arrived)} of {len(results)}",
            f"{len(arrived & measured)} of {len(measured)}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def judges_of(found: dict[str, dict[str, Result]]) -> list[str]:
    """A row for each rule of an outside judge: in how many changes it finds something."""
    counts = {
        name: Counter(rule for each in results.values() for rule in each.judged)
        for name, results in found.items()
    }
    lines = [f"| rule | {' | '.join(found)} |", "|---|" + "---|" * len(found)]
    for rule in sorted({rule for counted in counts.values() for rule in counted}):
        lines.append(f"| {rule} | {' | '.join(str(counts[name][rule]) for name in found)} |")
    return lines


def report(results: Results) -> str:
    """What follows the introduction of road.md."""
    lines = [
        "| database | env.py | arrive | of those without a decision |",
        "|---|---|---|---|",
    ]
    missed = []
    for database, found in results.items():
        lines += rows_of(database, found)
        for title, each in found.get(OURS, {}).items():
            if each.faults:
                fault = " ".join(each.faults[0].split())[:160]
                missed.append(f"- {database}, {title}: {fault}")
    lines += ["", "## What does not arrive here", "", *(missed or ["Nothing."])]
    judged = results.get("postgresql", {})
    if any(each.judged for found in judged.values() for each in found.values()):
        lines += ["", "## What the outside judges find", ""]
        lines += ["In how many changes each of their rules finds something, on PostgreSQL.", ""]
        lines += judges_of(judged)
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="sqlite,postgresql,mariadb")
    parser.add_argument("--env", choices=ENVS, action="append")
    parser.add_argument("--quick", action="store_true", help="the changes of the tests alone")
    parser.add_argument("--results", type=Path, help="a JSON file of earlier results to add to")
    parser.add_argument("--seconds", action="store_true", help="print how long autogenerate takes")
    options = parser.parse_args()
    if options.seconds:
        for database in reachable(options.only):
            print(database, {name: round(found, 2) for name, found in seconds(database).items()})
        return
    results: Results = {}
    for database in reachable(options.only):
        changes = changes_of(database)
        if options.quick:
            changes = [each for each in changes if each in CHANGES]
        names = options.env or list(ENVS)
        results[database] = {name: measure(database, name, changes) for name in names}
    if options.results:
        results = added(options.results, results)
    path = FOLDER / "road.md"
    text = path.read_text(encoding="utf-8")
    head = text[: text.index("| database |")]
    path.write_text(head + report(results), encoding="utf-8")


def added(file: Path, new: Results) -> Results:
    """The results in a file and the new ones, in the order of the report; both are in it then."""
    old = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    both: Results = {}
    for database in SERVERS_IN_ORDER:
        for name in ENVS:
            found = old.get(database, {}).get(name, {})
            found = {change: Result(**each) for change, each in found.items()}
            found |= new.get(database, {}).get(name, {})
            if found:
                both.setdefault(database, {})[name] = found
    file.write_text(json.dumps(both, default=asdict, indent=1), encoding="utf-8")
    return both


if __name__ == "__main__":
    main()
