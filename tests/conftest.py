"""The fixtures of all tests: a baked project, on each database that is found."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lib.projects import Project, baked
from lib.servers import PROGRAMS, SERVERS, fresh_database, unreachable


def pytest_report_header() -> list[str]:
    """Say which databases and programs are left out."""
    return [
        f"left out: {name}: {why}" for name in (*SERVERS, *PROGRAMS) if (why := unreachable(name))
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it again at the end, where it is read."""
    for line in pytest_report_header():
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture
def bake(tmp_path: Path) -> Callable[..., Project]:
    """Return a function that gives a copy of a project baked with these options (each set is baked once)."""

    def copy(database_url: str | None = None, **options: str) -> Project:
        original = baked(tuple(sorted(options.items())))
        target = tmp_path / "project" / original.name
        shutil.copytree(original, target)
        package = next(path.parent.name for path in target.glob("src/*/__init__.py"))
        return Project(target, package, database_url)

    return copy


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database, on each database in turn."""
    yield from fresh_database(request.param, tmp_path)


@pytest.fixture
def project(bake: Callable[..., Project], database_url: str) -> Project:
    """The default project, with a fresh database, on each database in turn."""
    return bake(database_url)
