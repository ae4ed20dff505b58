"""Many migrators on the nodes of a real MariaDB Galera cluster, and one whose node is killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from lib import galera
from lib.migrators import (
    HISTORIES,
    alembic,
    at,
    engine,
    fork,
    race,
    result,
    revision,
    use_stock,
    write_history,
    wrong,
)
from lib.projects import Project
from lib.servers import IN_CI

pytestmark = pytest.mark.fault
TRIALS = 10


@pytest.fixture(scope="module")
def cluster() -> Iterator[galera.Cluster]:
    if what := galera.missing():
        (pytest.fail if IN_CI else pytest.skip)(f"no Galera cluster without {what}")
    cluster = galera.Cluster()
    yield cluster
    cluster.stop()


@pytest.fixture
def urls(cluster: galera.Cluster) -> list[str]:
    """An empty database's URL on each node that lives."""
    living = [number for number, node in enumerate(cluster.nodes) if node.poll() is None]
    with engine(cluster.url(living[0], "")).connect() as connection:
        connection.exec_driver_sql("DROP DATABASE IF EXISTS race")
        connection.exec_driver_sql("CREATE DATABASE race")
    return [cluster.url(number, "race") for number in living]


@pytest.mark.parametrize("history", HISTORIES)
def test_a_race_over_the_nodes_ends_right(
    bake: Callable[..., Project], cluster: galera.Cluster, urls: list[str], history: str
) -> None:
    assert cluster.status(0, "wsrep_cluster_size") == "3"
    project = bake(urls[0])
    write_history(project, history)
    for _ in range(TRIALS):
        with engine(cluster.url(0, "")).connect() as connection:
            connection.exec_driver_sql("DROP DATABASE race")
            connection.exec_driver_sql("CREATE DATABASE race")
        assert race(project, urls=urls) == []
        for url in urls:
            assert wrong(url, history) is None


def test_stock_alembic_fails_the_same_race(bake: Callable[..., Project], urls: list[str]) -> None:
    project = use_stock(bake(urls[0]))
    write_history(project, "update then alter")
    env = project.path / "alembic" / "env.py"
    own = 'import os\nconfig.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"])\n'
    env.write_text(
        env.read_text().replace("target_metadata = None", own + "target_metadata = None")
    )
    assert race(project, urls=urls) or wrong(urls[0], "update then alter")


def test_a_node_killed_under_a_migrator(
    bake: Callable[..., Project], cluster: galera.Cluster, urls: list[str]
) -> None:
    """It must come last: the cluster goes on with two nodes."""
    project = bake(urls[0])
    project.environment |= {"MIGRATION_LEASE": "3"}
    write_history(project, "update then alter")
    child = fork(project, "upgrade", "head", DATABASE_URL=urls[2])
    while at(urls[0]) < 5:
        time.sleep(0.02)
    cluster.kill(2)
    status, output = result(project, child)
    assert status
    assert "Traceback" not in output
    assert output.splitlines()[-1].startswith("FAILED: ")
    status, output = alembic(project, "upgrade", "head", DATABASE_URL=urls[0])
    if status:  # named, and not gone on with
        applied = at(urls[0])
        assert f"{revision(applied + 1)} stopped in the middle" in output
        with engine(urls[0]).connect() as connection:
            columns = {column["name"] for column in sa.inspect(connection).get_columns("t")}
            if f"c{applied + 1}" in columns:
                connection.exec_driver_sql(f"ALTER TABLE t DROP COLUMN c{applied + 1}")
            connection.exec_driver_sql(f"UPDATE t SET n = {applied - 1}")
            connection.commit()
        status, output = alembic(project, "-x", "resume", "upgrade", "head", DATABASE_URL=urls[1])
    assert status == 0, output
    assert [wrong(url, "update then alter") for url in urls[:2]] == [None, None]
