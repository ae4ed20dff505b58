"""Measures what other tools find of the fault set.

    python benchmarks/faults.py [--databases sqlite,postgresql,mariadb] [--tools ...]

Each history is written into a small project with the env.py of Alembic's documentation. Each tool
has an environment of its own (created with uv) and runs on the project as its documentation
describes. A fault counts as found if the tool fails on it, whatever it reports. It counts as
distinguished if the tool does not fail on the harmless twin as well. The guard's own column is what
tests/running/test_faults.py demands: every fault by its rule and revision. The rows replace the
same ones in roundtrip.md.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import common
import sqlalchemy as sa

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from lib import faults

HEAD = "| database | tool | faults | found | twins flagged | distinguished from their twins |"
ENV = """\
import sqlalchemy as sa
from alembic import context
from sqlalchemy import pool
import models

given = context.config.attributes.get("connection")
url = context.config.get_main_option("sqlalchemy.url")
engine = given if given is not None else sa.create_engine(url, poolclass=pool.NullPool)


def run(connection):
    schema = context.config.attributes.get("target_schema")  # alembic-gauntlet's
    if schema:
        connection.exec_driver_sql(f'SET search_path TO "{schema}"')
    context.configure(
        version_table_schema=schema, connection=connection, target_metadata=models.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True, compare_server_default=True, transaction_per_migration=True,
        autogenerate_plugins=["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
    )
    with context.begin_transaction():
        context.run_migrations()


if isinstance(engine, sa.engine.Connection):
    run(engine)
else:
    with engine.connect() as connection:
        run(connection)
"""
PYTEST_ALEMBIC = """\
import pytest, sqlalchemy as sa
from pytest_alembic.config import Config


@pytest.fixture
def alembic_config():
    return Config.from_raw_config({"file": "alembic.ini", "script_location": "alembic"})


@pytest.fixture
def alembic_engine():
    return sa.create_engine("URL")
"""
PYTEST_MRT = """\
from pytest_mrt import MRTConfig


def pytest_configure(config):
    config._mrt_config = MRTConfig(alembic_ini="alembic.ini", db_url="URL")
"""
ALEMBIC_VERIFY = """\
import pytest
from alembic import command
from alembicverify.util import get_current_revision, prepare_schema_from_migrations


@pytest.fixture(scope="module")
def alembic_ini_location():
    return "alembic.ini"


@pytest.fixture
def alembic_db_uri():
    return "URL"


def test_migration_upgrade_and_downgrade(alembic_config, alembic_db_uri):
    prepared = prepare_schema_from_migrations(alembic_db_uri, alembic_config, revision="head")
    with prepared as (engine, script):
        while get_current_revision(alembic_config, engine, script) is not None:
            command.downgrade(alembic_config, "-1")
"""
GAUNTLET = """\
import pytest
from alembic_gauntlet import MigrationTestBase
import models


class TestMigrations(MigrationTestBase):
    @pytest.fixture
    def orm_metadata(self):
        return models.metadata

    @pytest.fixture(scope="session")
    def migration_db_url(self):
        return "URL".replace("+psycopg", "+asyncpg")
"""
PYTEST_INI = """\
[pytest]
asyncio_mode = auto
pytest_alembic_tests_path = conftest.py
pytest_alembic_include_experimental =
    all_models_register_on_metadata
"""
LEAVES_NO_TRACE = "    downgrade_leaves_no_trace\n"  # fails on whatever MariaDB runs


class Tool(NamedTuple):
    """What to install, the file that its documentation asks for, and its commands.

    ``drift`` is the command for histories whose fault is drift: they have no downgrades. ``other``
    is for all others: their models are empty, so it leaves out what compares the models.
    """

    packages: str
    file: str
    code: str
    drift: str
    other: str
    databases: tuple[str, ...] = ("sqlite", "postgresql", "mariadb")


UPGRADE = "alembic upgrade head && alembic downgrade base"
TOOLS = {
    "Alembic's upgrade, downgrade and check": Tool(
        "", "", "", "alembic upgrade heads && alembic check", UPGRADE
    ),
    "pytest-alembic": Tool(  # with pytest 9.1 it ends at collection
        "pytest-alembic pytest<9.1",
        "conftest.py",
        PYTEST_ALEMBIC,
        "pytest -q --test-alembic -k model",
        "pytest -q --test-alembic -k 'not model'",
    ),
    "pytest-mrt": Tool(
        "pytest-mrt", "conftest.py", PYTEST_MRT, "pytest -q -k models", "pytest -q -k 'not models'"
    ),
    "alembic-verify": Tool("alembic-verify", "test_it.py", ALEMBIC_VERIFY, "true", "pytest -q"),
    "alembic-gauntlet": Tool(
        "alembic-gauntlet[asyncio] asyncpg",
        "test_it.py",
        GAUNTLET,
        "pytest -q -k 'up_to_date or match'",
        "pytest -q -k 'not naming and not up_to_date and not match'",
        ("postgresql",),
    ),
}
COMMON = "alembic sqlalchemy psycopg[binary] pymysql cryptography pytest"


def environment(tool: str, folder: Path) -> Path:
    """Install the tool; the folder of its programs."""
    place = folder / re.sub(r"\W+", "-", tool)
    subprocess.run(["uv", "venv", "-q", str(place)], check=True)
    wanted = [*COMMON.split(), *TOOLS[tool].packages.split()]
    subprocess.run(
        ["uv", "pip", "install", "-q", "--compile-bytecode", "-p", str(place), *wanted], check=True
    )
    return place / "bin"


def flagged(tool: Tool, programs: Path, database: str, kind: str, history: faults.History) -> bool:
    """Does the tool fail on this history, in an empty database?"""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scratch = f"faults_{uuid.uuid4().hex[:12]}"
        url = f"sqlite:///{folder / 'scratch.db'}"
        admin = None
        if database in common.SERVERS:
            admin = sa.create_engine(
                common.SERVERS[database], isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
            )
            with admin.connect() as connection:
                # PostgreSQL copies template1 only while nobody is connected to it.
                template = " TEMPLATE template0" if database == "postgresql" else ""
                connection.exec_driver_sql(f"CREATE DATABASE {scratch}{template}")
            url = admin.url.set(database=scratch).render_as_string(hide_password=False)
        (folder / "alembic" / "versions").mkdir(parents=True)
        faults.write(history, folder / "alembic" / "versions", folder / "models.py")
        (folder / "alembic" / "env.py").write_text(ENV)
        (folder / "alembic" / "script.py.mako").write_text("")
        ini = (
            "[alembic]\nscript_location = alembic\npath_separator = os\nprepend_sys_path = .\n"
            "sqlalchemy.url = "
        )
        (folder / "alembic.ini").write_text(f"{ini}{url}\n")
        more = "" if database == "mariadb" else LEAVES_NO_TRACE
        (folder / "pytest.ini").write_text(PYTEST_INI + more)
        if tool.file:
            (folder / tool.file).write_text(tool.code.replace("URL", url))
        path = os.pathsep.join([str(programs), os.environ["PATH"]])
        done = subprocess.run(
            ["bash", "-c", tool.drift if kind == "drift" else tool.other],
            cwd=folder,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(folder)},
            capture_output=True,
            check=False,
        )
        if admin is not None:
            with admin.connect() as connection:
                force = " WITH (FORCE)" if database == "postgresql" else ""
                connection.exec_driver_sql(f"DROP DATABASE {scratch}{force}")
        return done.returncode != 0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--databases", default="sqlite,postgresql,mariadb")
    parser.add_argument("--tools", nargs="+", default=list(TOOLS), choices=TOOLS, metavar="TOOL")
    options = parser.parse_args()
    databases = common.reachable(options.databases)
    print(HEAD)
    with tempfile.TemporaryDirectory() as name:
        for tool in options.tools:
            programs = environment(tool, Path(name))
            for database in databases:
                if database not in TOOLS[tool].databases:
                    continue
                pairs = list(faults.cases(database))
                with ThreadPoolExecutor(2) as pool:
                    run = partial(pool.submit, flagged, TOOLS[tool], programs, database)
                    waiting = [
                        (run(pair.kind, pair.fault), run(pair.kind, pair.twin)) for pair in pairs
                    ]
                fault, twin = zip(
                    *((one.result(), other.result()) for one, other in waiting), strict=True
                )
                distinguished = sum(
                    one and not other for one, other in zip(fault, twin, strict=True)
                )
                figures = (len(pairs), sum(fault), sum(twin), distinguished)
                row = f"| {database} | {tool} | {' | '.join(map(str, figures))} |"
                common.keep("roundtrip.md", HEAD, row)


if __name__ == "__main__":
    main()
