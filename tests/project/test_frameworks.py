"""The examples of docs/FRAMEWORKS.md, and the async engine, on each database."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from lib.projects import Project
from lib.servers import fresh_database

pytestmark = pytest.mark.slow
FASTAPI = """
from app import app
from fastapi.testclient import TestClient
with TestClient(app) as client:
    print(client.get("/ready").status_code, end=" ")
    if client.get("/ready").json():
        print(client.get("/names").json())
"""
FLASK = """
from app import app
client = app.test_client()
print(client.get("/ready").status_code, end=" ")
if client.get("/ready").status_code == 200:
    print(client.get("/names").json)
"""


@pytest.fixture(
    params=["sqlite-async", "postgresql-async", "mariadb-async", "sqlite-sync", "postgresql-sync"]
)
def project(
    request: pytest.FixtureRequest, bake: Callable[..., Project], tmp_path: Path
) -> Iterator[Project]:
    database, _, driver = request.param.partition("-")
    for url in fresh_database(database, tmp_path):
        yield bake(url, database=database, driver=driver)


def example(project: Project, framework: str) -> str:
    text = (project.path / "docs" / "FRAMEWORKS.md").read_text()
    section = text.partition(f"## {framework}\n")[2]
    (block,) = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    return block


@pytest.mark.parametrize(("framework", "client"), [("FastAPI", FASTAPI), ("Flask", FLASK)])
def test_a_web_application_is_ready_once_the_database_is_migrated(
    project: Project, framework: str, client: str
) -> None:
    (project.path / "src" / "app.py").write_text(example(project, framework))
    project.run("ruff", "check", "src")
    (project.path / "src" / "client.py").write_text(client)
    run = ("python", "src/client.py")
    assert "503" in project.run(*run, PYTHONPATH=str(project.path)).stdout
    project.run("alembic", "upgrade", "head")
    url = project.environment["DATABASE_URL"]
    with sa.create_engine(url, poolclass=sa.pool.NullPool).begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO channels (external_id, name) VALUES ('c1', 'Nachtmusik')"
        )
    assert "200 ['Nachtmusik']" in project.run(*run, PYTHONPATH=str(project.path)).stdout
    # A newer release has migrated further: this one stays ready.
    project.run("alembic", "revision", "-m", "Newer")
    assert "503" in project.run(*run, PYTHONPATH=str(project.path)).stdout
    project.run("alembic", "upgrade", "head")
    (newer,) = project.versions.glob("*_newer.py")
    newer.unlink()
    assert "200 " in project.run(*run, PYTHONPATH=str(project.path)).stdout


ASYNC = """
import asyncio, sys
import sqlalchemy as sa
from soundhash.database.connection import async_session_factory, create_async_engine

async def main():
    engine = create_async_engine()
    async with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            print("enforced", await connection.scalar(sa.text("PRAGMA foreign_keys")))
        elif engine.dialect.name != "postgresql":
            print("zone", await connection.scalar(sa.text("SELECT @@session.time_zone")))
    async with async_session_factory(engine)() as session:
        print("one", await session.scalar(sa.text("SELECT 1")), engine.dialect.driver)
    await engine.dispose()

try:
    asyncio.run(main())
except ValueError as error:
    sys.exit(f"error: {error}")
"""


@pytest.mark.parametrize(
    ("database", "driver"),
    [("sqlite", "aiosqlite"), ("postgresql", "asyncpg"), ("mariadb", "aiomysql")],
)
def test_the_async_engine_is_as_the_other_one(
    bake: Callable[..., Project], tmp_path: Path, database: str, driver: str
) -> None:
    for url in fresh_database(database, tmp_path):
        project = bake(url, database=database, driver="async")
        run = ("python", "-c", ASYNC)
        environment = {"PYTHONPATH": f"{project.path}:{project.path / 'src'}"}
        output = project.run(*run, **environment).stdout
        assert f"one 1 {driver}" in output
        assert {"sqlite": "enforced 1", "mariadb": "zone +00:00"}.get(database, "") in output
        if database == "postgresql":
            modes = project.run(*run, DATABASE_URL=f"{url}?sslmode=disable", **environment).stdout
            assert "one 1" in modes
            wrong = project.run(*run, ok=False, DATABASE_URL=f"{url}?options=x", **environment)
            assert wrong.stdout.splitlines() == [
                (
                    "error: DATABASE_URL: asyncpg has no option options: pass it in "
                    "connect_args instead"
                )
            ]


def test_a_sqlmodel_class_joins_the_migrations(bake: Callable[..., Project]) -> None:
    project = bake()
    imports, _, classes = example(project, "SQLModel").partition("\n")
    text = project.models.read_text()
    project.models.write_text(
        text.replace("from sqlalchemy import", f"{imports}\nfrom sqlalchemy import", 1) + classes
    )
    project.run("alembic", "upgrade", "head")
    project.run("alembic", "revision", "--autogenerate", "-m", "Notes")
    project.run("python", "scripts/check_migrations.py")
    (migration,) = project.versions.glob("*_notes.py")
    assert 'create_table(\n        "notes"' in migration.read_text()
