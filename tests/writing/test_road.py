"""Each change of the models is written, passes the check, is applied and taken back completely."""

from __future__ import annotations

import pytest
from lib.changes import CHANGES
from lib.projects import bake_into
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


@pytest.mark.parametrize(
    ("database", "change"), CASES, ids=[f"{database}-{change.name}" for database, change in CASES]
)
def test_arrives(database: str, change: Change, roads) -> None:
    arrival = roads(database).travel(change)
    assert not arrival.faults, arrival.text()
    assert arrival.files
