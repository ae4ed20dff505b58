"""Each change of the models is written, passes the check, is applied and taken back completely."""

from __future__ import annotations

import contextlib
import functools

import pytest
from lib.changes import CHANGES
from lib.projects import Project, bake_into
from lib.road import Change, Road
from lib.servers import fresh_database

pytestmark = pytest.mark.slow
CASES = [(database, change) for change in CHANGES for database in change.databases]


@pytest.fixture(scope="module")
def roads(tmp_path_factory):
    """A project on each database that a test asks for."""
    open_ones, found = [], {}

    def road(database: str) -> Road:
        if database not in found:
            folder = tmp_path_factory.mktemp(database)
            url = fresh_database(database, folder)
            open_ones.append(url)
            project = bake_into(folder, database=database, starter="blank", project_slug="shop")
            found[database] = Road(project, "shop", next(url))
        return found[database]

    yield road
    for url in open_ones:
        next(url, None)


PAIRS = ("postgresql,sqlite", "sqlite,postgresql", "postgresql,mariadb", "mariadb,postgresql")
IN_PAIRS = (
    "index added",
    "unique column added",
    "foreign key column added",
    "check added",
    "enum column",
    "not null with scalar",
    "column dropped",
)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """A project that declares several databases; autogenerate runs on the first."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def road(names: str) -> Road:
            folder = tmp_path_factory.mktemp("pair")
            first, *others = (
                stack.enter_context(contextlib.contextmanager(fresh_database)(name, folder))
                for name in names.split(",")
            )
            database = names.partition(",")[0]
            path = bake_into(folder, database=database, starter="blank", project_slug="shop")
            declared = "".join(f'"{name}", ' for name in names.split(",")[1:])
            Project(path, "shop").edit(
                "pyproject.toml", "databases = [", f"databases = [{declared}"
            )
            return Road(path, "shop", first, others=others)

        yield road


@pytest.mark.parametrize("names", PAIRS)
@pytest.mark.parametrize("name", IN_PAIRS)
def test_arrives_on_each_declared_database(names: str, name: str, pairs) -> None:
    (change,) = (each for each in CHANGES if each.name == name)
    arrival = pairs(names).travel(change)
    assert not arrival.faults, arrival.text()
    assert arrival.files


@pytest.mark.parametrize(
    ("database", "change"), CASES, ids=[f"{database}-{change.name}" for database, change in CASES]
)
def test_arrives(database: str, change: Change, roads) -> None:
    arrival = roads(database).travel(change)
    assert not arrival.faults, arrival.text()
    assert arrival.files
