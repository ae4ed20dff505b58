"""A project's wheel alone migrates a database: in a fresh environment, from an empty folder."""

from __future__ import annotations

import fcntl
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from lib.layout import GUARD, needed_to_deploy
from lib.migrators import engine
from lib.projects import PROJECT_TEMPLATE, Project
from lib.servers import fresh_database

pytestmark = pytest.mark.slow
COMMAND = "acme-orders-migrate"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    yield from fresh_database(request.param, tmp_path)


def build(project: Project) -> Path:
    project.run("uv", "build", "--quiet", "--wheel", "-o", "dist")
    (wheel,) = (project.path / "dist").glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Project:
    """Install the wheel in a fresh environment; return an empty folder to run its command in."""
    empty = Project(folder / "empty", "acme_orders")
    empty.path.mkdir()
    python = str(folder / "venv" / "bin" / "python")
    empty.run("uv", "venv", "--quiet", str(folder / "venv"))
    empty.run("uv", "pip", "install", "--quiet", "--python", python, str(wheel))
    empty.environment["PATH"] = f"{folder / 'venv' / 'bin'}:/usr/bin:/bin"
    return empty


@contextmanager
def another_migrator(url: str) -> Iterator[None]:
    """Hold the lock of the database, as another migrator does."""
    with engine(url).connect() as connection:
        if connection.dialect.name == "sqlite":
            with open(f"{sa.make_url(url).database}-migrating", "a") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield
        else:
            connection.exec_driver_sql("SELECT pg_advisory_lock(1835624306, 1635017076)")
            yield


def test_a_wheel_migrates_a_database(
    bake: Callable[..., Project], tmp_path: Path, url: str
) -> None:
    database = sa.make_url(url).get_backend_name()
    project = bake(project_name="Acme Orders", database=database)
    settings = "\n[tool.migration-guard.lock]\nwait = 0.5\n\n[tool.mypy]\n"
    project.edit("pyproject.toml", "\n[tool.mypy]\n", settings)
    (project.path / ".env").write_text(f"DATABASE_URL={url}\n")
    (tmp_path / "install").mkdir()
    empty = install(build(project), tmp_path / "install")
    (empty.path / ".env").write_text(f"DATABASE_URL={url}\n")
    (empty.path / "pyproject.toml").write_text('[tool.alembic]\nscript_location = "nowhere"\n')

    refused = empty.run(COMMAND, ok=False).stdout
    assert "DATABASE_URL is not set: set it in the environment" in refused
    empty.environment["DATABASE_URL"] = url
    with another_migrator(url):
        waited = empty.run(COMMAND, ok=False).stdout
        assert "waited 0.5 s for another migrator" in waited
        assert "Traceback" not in waited + refused
    for _ in range(2):
        empty.run(COMMAND)
    assert "(head)" in empty.run(COMMAND, "current").stdout
    heads = [file.name.partition("_")[0] for file in project.versions.glob("*.py")]
    with engine(url).connect() as connection:
        journal = connection.scalars(sa.text("SELECT revision FROM alembic_journal")).all()
    assert sorted(journal) == sorted(heads)
    compared = empty.run(COMMAND, "check", ok=False).stdout
    assert "a wheel can't compare models: run this in the project's folder" in compared
    empty.run(COMMAND, "-x", "yes", "downgrade", "base")
    assert "(head)" not in empty.run(COMMAND, "current").stdout
    assert {path.name for path in empty.path.iterdir()} == {".env", "pyproject.toml"}


def test_a_wheel_carries_what_a_deployment_needs(bake: Callable[..., Project]) -> None:
    project = bake(project_name="Acme Orders")
    (project.path / ".env").write_text("DATABASE_URL=sqlite:///secret.db\n")
    project.run("alembic", "upgrade", "head", DATABASE_URL="sqlite:///acme_orders.db")
    names = zipfile.ZipFile(build(project)).namelist()
    assert {name.split("/")[0] for name in names} == {
        "acme_orders",
        "acme_orders-0.1.0.dist-info",
    }
    assert not [name for name in names if ".env" in name or name.endswith((".db", ".pyc"))]
    inside = f"acme_orders/_migrations/{GUARD}/"
    carried = {
        name.removeprefix(inside).removesuffix(".py").replace("/", ".")
        for name in names
        if name.startswith(inside)
    }
    needed = needed_to_deploy(PROJECT_TEMPLATE / GUARD)
    packages = {"": "__init__", "deploying": "deploying.__init__"}
    assert carried == {packages.get(name, name) for name in needed | {""}}


def test_the_command_works_in_the_projects_folder_too(bake: Callable[..., Project]) -> None:
    project = bake(project_name="Acme Orders")
    main = "from acme_orders.database.migrate import main; main()"
    source = str(project.path / "src")
    paths = os.pathsep.join([source, project.environment.get("PYTHONPATH", "")])
    project.run("python", "-c", main, PYTHONPATH=paths)
    assert (project.path / "acme_orders.db").is_file()
