"""Migrators that die, databases that are busy, full, read-only or gone, histories that were tampered with."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import Project, fresh_database
from migrators import (
    REVISIONS,
    alembic,
    at,
    engine,
    fork,
    race,
    reset,
    result,
    revision,
    use_stock,
    write_history,
    write_migration,
    wrong,
)

# --- killed


@pytest.fixture(params=[(6, 17), pytest.param((REVISIONS, 1), marks=pytest.mark.fault)], ids=["some points", "all points"])
def points(request: pytest.FixtureRequest) -> tuple[int, int]:
    """How many revisions there are, and at each how many-th point they are killed: before and after statements."""
    return request.param


def kills(project: Project, history: str, points: tuple[int, int]) -> Iterator[int]:
    """Kill `alembic upgrade head` on an empty database at each point in turn; yield the revision it says it is at."""
    revisions, stride = points
    write_history(project, history, revisions)
    url = project.environment["DATABASE_URL"]
    point, killed = 5, 0
    while True:
        reset(url)
        status, said = result(project, fork(project, "upgrade", "head", kill_at=point))
        if status != -signal.SIGKILL:
            assert status == 0, said
            assert killed > 3, "the points must lie within the run"
            return
        yield at(url)
        killed += 1
        point += stride


def repair(url: str, applied: int) -> None:
    """Undo by hand what a half-applied "update then alter" did."""
    with engine(url).begin() as connection:
        if applied and f"c{applied + 1}" in {column["name"] for column in sa.inspect(connection).get_columns("t")}:
            connection.exec_driver_sql(f"ALTER TABLE t DROP COLUMN c{applied + 1}")
        if applied:
            connection.exec_driver_sql(f"UPDATE t SET n = {applied - 1}")
        else:
            connection.exec_driver_sql("DROP TABLE IF EXISTS t")


@pytest.mark.parametrize("history", ["update then alter", pytest.param("plain", marks=pytest.mark.fault)])
def test_killed_at_any_point_it_goes_on_or_says_what_to_repair(
    project: Project, history: str, points: tuple[int, int]
) -> None:
    url, named = project.environment["DATABASE_URL"], 0
    transactional = not url.startswith("mariadb")
    for applied in kills(project, history, points):
        if transactional:
            assert wrong(url, history, points[0], applied) is None
        status, said = alembic(project, "upgrade", "head")
        if status:
            named += 1
            assert not transactional, said
            assert f"FAILED: {revision(applied + 1)} died in the middle" in said
            assert "-x resume" in said
            assert at(url) == applied, "it must not go on by itself"
            if history == "plain":
                continue
            repair(url, applied)
            status, said = alembic(project, "-x", "resume", "upgrade", "head")
        assert status == 0, said
        assert wrong(url, history, points[0]) is None
    assert named or transactional or history == "plain"


@pytest.mark.parametrize("database_url", ["sqlite", "mariadb"], indirect=True)
def test_stock_alembic_killed_leaves_a_half_applied_revision_and_says_nothing(project: Project) -> None:
    use_stock(project)
    url, history = project.environment["DATABASE_URL"], "update then alter"
    for applied in kills(project, history, (4, 3)):
        if wrong(url, history, 4, applied):
            break
    else:
        pytest.fail("the points do not show what the guard is for")


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_what_can_be_run_again_heals_by_itself(project: Project, points: tuple[int, int]) -> None:
    url = project.environment["DATABASE_URL"]
    heals = """op.create_table("a", sa.Column("id", sa.Integer, primary_key=True), if_not_exists=True)
    op.create_table("b", sa.Column("id", sa.Integer, primary_key=True), if_not_exists=True)
    op.add_column("a", sa.Column("x", sa.Integer), if_not_exists=True)
    op.drop_index("i", "a", if_exists=True)
    op.create_index("i", "a", ["x"])"""
    for path in project.versions.glob("*.py"):
        path.unlink()
    write_migration(project, 1, heals)
    point = 5
    while True:
        reset(url)
        status, said = result(project, fork(project, "upgrade", "head", kill_at=point))
        if status == 0:
            break
        status, said = alembic(project, "upgrade", "head")
        assert status == 0, (point, said)
        indexes = sa.inspect(engine(url)).get_indexes("a")
        assert [index["name"] for index in indexes] == ["i"]
        point += min(points[1], 5)
    assert point > 12


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_kill_between_the_transactions_of_one_revision_is_named(project: Project) -> None:
    """An autocommit block splits its revision: on PostgreSQL too, that can be half applied."""
    url = project.environment["DATABASE_URL"]
    write_history(project, "data", 2)
    write_migration(
        project,
        3,
        """op.execute("UPDATE t SET n = n + 1")
    with op.get_context().autocommit_block():
        op.execute("SELECT pg_sleep(0)")
        op.create_index("i", "t", ["n"], postgresql_concurrently=True)""",
    )
    named = 0
    for point in range(41, 1000, 3):
        reset(url)
        status, said = result(project, fork(project, "upgrade", "head", kill_at=point))
        if status == 0:
            break
        with engine(url).connect() as connection:
            n = connection.scalar(sa.text("SELECT n FROM t")) if sa.inspect(connection).has_table("t") else 0
        half = n == 2 and at(url) == 2
        status, said = alembic(project, "upgrade", "head")
        assert bool(status) >= half, "half applied, and nobody says so"
        if status:
            named += 1
            assert f"{revision(3)} died in the middle" in said
    assert named


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_a_revision_whose_only_change_is_refused_needs_no_repair(project: Project) -> None:
    write_history(project, "data", 2)
    refused = write_migration(project, 3, 'op.execute("ALTER TABLE t ADD CONSTRAINT c CHECK (n > 1000)")')
    status, said = alembic(project, "upgrade", "head")
    assert status
    assert f"FAILED: {revision(3)} failed: " in said
    assert "resume" not in said
    refused.write_text(refused.read_text().replace("1000", "-1"))
    status, said = alembic(project, "upgrade", "head")
    assert status == 0, said
