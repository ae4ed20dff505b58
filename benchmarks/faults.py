"""What others find of the fault set: ``python benchmarks/faults.py [--databases sqlite,postgresql,mariadb]``.

Each history is written into a small project of its own, with an env.py as Alembic's documentation has it, and each tool
is run on it as its own documentation says. A fault counts as found where the tool fails on it and not on its innocent
twin; which fault it is need not be said. Needs pytest and pytest-alembic; the guard's own column is what
tests/test_faults.py demands: every fault by its name and revision.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.dont_write_bytecode = True
import faults

SERVERS = {
    "postgresql": os.environ.get("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"),
    "mariadb": os.environ.get("TEST_MARIADB_URL", "mariadb+pymysql://root@127.0.0.1:3306/"),
}
ENV = """\
import sqlalchemy as sa
from alembic import context
from sqlalchemy import pool
import models

given = context.config.attributes.get("connection")
url = context.config.get_main_option("sqlalchemy.url")
engine = given if given is not None else sa.create_engine(url, poolclass=pool.NullPool)


def run(connection):
    context.configure(
        connection=connection, target_metadata=models.metadata, render_as_batch=connection.dialect.name == "sqlite",
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
CONFTEST = """\
import pytest, sqlalchemy as sa
from pytest_alembic.config import Config


@pytest.fixture
def alembic_config():
    return Config.from_raw_config({{"file": "alembic.ini", "script_location": "alembic"}})


@pytest.fixture
def alembic_engine():
    return sa.create_engine({url!r})
"""
EXPERIMENTAL = "all_models_register_on_metadata downgrade_leaves_no_trace"
# By the kind of the pair: models say nothing in histories whose fault is not drift.
TOOLS = {
    "alembic check": {"drift": "alembic upgrade heads && alembic check", "graph": "alembic upgrade head"},
    "pytest-alembic": {
        "drift": "pytest -q --test-alembic",
        "graph": "pytest -q --test-alembic -k 'not model'",
        "roundtrip": "pytest -q --test-alembic -k 'not model'",
    },
}


def flagged(tool: str, kind: str, history: faults.History, database: str) -> bool:
    """Does the tool fail on this history, in an empty database?"""
    if kind not in TOOLS[tool]:
        return False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scratch = f"faults_{uuid.uuid4().hex[:12]}"
        url = f"sqlite:///{folder / 'scratch.db'}"
        admin = None
        if database in SERVERS:
            admin = sa.create_engine(SERVERS[database], isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
            with admin.connect() as connection:
                connection.exec_driver_sql(f"CREATE DATABASE {scratch}")
            url = admin.url.set(database=scratch).render_as_string(hide_password=False)
        (folder / "alembic" / "versions").mkdir(parents=True)
        faults.write(history, folder / "alembic" / "versions", folder / "models.py")
        (folder / "alembic" / "env.py").write_text(ENV)
        (folder / "alembic" / "script.py.mako").write_text("")
        ini = "[alembic]\nscript_location = alembic\npath_separator = os\nprepend_sys_path = .\nsqlalchemy.url = "
        (folder / "alembic.ini").write_text(f"{ini}{url}\n")
        (folder / "conftest.py").write_text(CONFTEST.format(url=url))
        (folder / "pytest.ini").write_text(
            "[pytest]\npytest_alembic_include_experimental =\n"
            + "".join(f"    {test}\n" for test in EXPERIMENTAL.split())
        )
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            ["bash", "-c", TOOLS[tool][kind]],
            cwd=folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            check=False,
        )
        if admin is not None:
            with admin.connect() as connection:
                force = " WITH (FORCE)" if database == "postgresql" else ""
                connection.exec_driver_sql(f"DROP DATABASE {scratch}{force}")
        return done.returncode != 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", default="sqlite,postgresql,mariadb")
    parser.add_argument("--tools", default=",".join(TOOLS))
    options = parser.parse_args()
    print("| database | tool | faults | found | twins flagged | told from their twins |\n|---|---|---:|---:|---:|---:|")
    for database in options.databases.split(","):
        pairs = list(faults.cases(database))
        for tool in options.tools.split(","):
            with ThreadPoolExecutor(2) as pool:
                fault = list(pool.map(lambda pair: flagged(tool, pair.kind, pair.fault, database), pairs))  # noqa: B023
                twin = list(pool.map(lambda pair: flagged(tool, pair.kind, pair.twin, database), pairs))  # noqa: B023
            told = sum(one and not other for one, other in zip(fault, twin, strict=True))
            print(f"| {database} | {tool} | {len(pairs)} | {sum(fault)} | {sum(twin)} | {told} |", flush=True)


if __name__ == "__main__":
    main()
