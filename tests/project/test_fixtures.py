"""The fixtures that a generated project has for its tests, on each database."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lib.projects import Project

pytestmark = pytest.mark.slow

TESTS = """
import pytest
import sqlalchemy as sa

from acme.database.connection import create_engine
from acme.database.models import Example

NUMBERS = sa.select(sa.func.count()).select_from(Example)


@pytest.mark.parametrize("n", range(3))
def test_commits_are_rolled_back(session, n):
    assert session.scalar(NUMBERS) == 0
    session.add(Example(name="one"))
    session.commit()


@pytest.mark.parametrize("n", range(3))
def test_connections_of_its_own(own_database, session, n):
    address = own_database.url.render_as_string(hide_password=False)
    engine = create_engine(address, poolclass=sa.NullPool)
    for number in range(2):
        with engine.begin() as connection:
            assert connection.scalar(NUMBERS) == number
            connection.execute(sa.insert(Example).values(name=f"number {number}"))
    with own_database.begin() as connection:
        Example.__table__.drop(connection)
"""


def test_each_test_finds_the_migrated_schema_and_no_rows(
    bake: Callable[..., Project], database_url: str, tmp_path: Path
) -> None:
    project = bake(database_url, project_name="Acme", starter="blank")
    (project.path / "tests" / "test_own.py").write_text(TESTS)
    (migration,) = project.versions.glob("*.py")
    runs = tmp_path / "runs.txt"
    note = f'    with open({str(runs)!r}, "a") as file:\n        file.write("run\\n")\n'
    start = '    """Create the first table."""\n'
    project.edit(migration, start, start + note)
    project.run("pytest", "-q", "tests/test_own.py")
    # MySQL and MariaDB can't copy a database.
    copies = not database_url.startswith(("mysql", "mariadb"))
    assert len(runs.read_text().splitlines()) == (1 if copies else 4)


def test_a_test_that_commits_elsewhere_is_seen(bake: Callable[..., Project]) -> None:
    project = bake(project_name="Acme", starter="blank")
    shared = TESTS.replace("own_database", "database").replace("(database, session", "(database")
    (project.path / "tests/test_own.py").write_text(shared)
    assert "2 failed" in project.run("pytest", "-q", "tests/test_own.py", ok=False).stdout


def test_a_missing_server_is_one_line_for_each_test(bake: Callable[..., Project]) -> None:
    project = bake(database="postgresql", starter="blank")
    nowhere = "postgresql://nobody@127.0.0.1:9/nothing"
    for url, cause in ({}, "DATABASE_URL is not set"), ({"DATABASE_URL": nowhere}, "No connection"):
        output = project.run("pytest", "-q", "tests/database", ok=False, **url).stdout
        (report,) = re.findall(r"=+ ERRORS =+\n(.+?)\n=+ short", output, re.DOTALL)
        lines = [line for line in report.splitlines() if not re.match("_+ ERROR at setup", line)]
        assert lines
        assert all(line.startswith(cause) for line in lines), output
