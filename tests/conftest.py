"""The fixtures of all tests: a baked project, on each database that is found."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lib.processes import forbid_processes, mark_slow
from lib.projects import Project, baked
from lib.servers import (
    IN_CI,
    PROGRAMS,
    SERVERS,
    fresh_database,
    lacking,
    unreachable,
    wrong_url,
)


def pytest_configure() -> None:
    """Stop in one line where a server's URL can't be used, or where CI lacks what it needs."""
    for name in SERVERS:
        if why := wrong_url(name):
            raise pytest.UsageError(why)
    if IN_CI and (lacks := lacking()):
        raise pytest.UsageError(f"CI leaves nothing out: {'; '.join(lacks)}")


def pytest_report_header() -> list[str]:
    """Say which databases and programs are left out."""
    return [
        f"left out: {name}: {why}" for name in (*SERVERS, *PROGRAMS) if (why := unreachable(name))
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it again at the end, where it is read."""
    for line in pytest_report_header():
        terminalreporter.write_line(line, yellow=True)


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is slow, and leave the fault tests out unless ``-m`` names the marker."""
    mark_slow(items)
    if "fault" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("fault")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """From here to the end of the test, only a test that is marked ``slow`` may start a process."""
    forbid_processes(item.get_closest_marker("slow") is None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    forbid_processes(False)


@pytest.fixture
def bake(tmp_path: Path) -> Callable[..., Project]:
    """Return a function that gives a copy of a project, which is baked once for its options."""

    def copy(database_url: str | None = None, **options: str) -> Project:
        for database in ("postgresql", "mariadb", "mysql"):
            if database_url and database_url.startswith(database):
                options.setdefault("database", database)
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
