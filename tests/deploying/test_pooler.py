"""A pooler before PostgreSQL: refused in transaction mode before anything is changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.util import CommandError
from lib.migrators import alembic, at, engine, race, write_history, write_migration, wrong
from lib.pgbouncer import missing, pooler
from lib.projects import Project
from lib.servers import IN_CI
from migration_guard.deploying.pooler import refuse_shared_session

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
MIGRATORS = 6


@pytest.fixture
def pooled(project: Project, request: pytest.FixtureRequest) -> Iterator[Project]:
    """A project with a short history, and in DATABASE_URL a pooler in the mode of the parameter."""
    if why := missing():
        (pytest.fail if IN_CI else pytest.skip)(why)
    write_history(project, "data", 4)
    direct = project.environment["DATABASE_URL"]
    with pooler(direct, request.param, size=20) as url:
        project.environment |= {"DATABASE_URL": url, "DIRECT": direct}
        yield project


def locks_and_settings(project: Project) -> list[object]:
    """Return what the pooler's sessions still hold and have set."""
    with engine(project.environment["DATABASE_URL"]).connect() as connection:
        held = (
            "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
            " WHERE locktype = 'advisory' AND datname = current_database()"
        )
        names = ("lock_timeout", "idle_in_transaction_session_timeout", "tcp_user_timeout")
        return [
            connection.scalar(sa.text(held)),
            *(connection.scalar(sa.text(f"SHOW {name}")) for name in names),
        ]


@pytest.mark.parametrize("pooled", ["transaction"], indirect=True)
def test_transaction_mode_is_refused_before_anything_is_changed(pooled: Project) -> None:
    failed = race(pooled, MIGRATORS)
    assert len(failed) == MIGRATORS
    for output in failed:
        assert "a pooler in transaction mode" in output.splitlines()[-1]
        assert "or set lease-only = 1" in output.splitlines()[-1]
    with engine(pooled.environment["DIRECT"]).connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    assert locks_and_settings(pooled) == [0, "0", "0", "0"]


@pytest.mark.parametrize("pooled", ["transaction", "session"], indirect=True)
def test_a_lease_works_in_both_modes_and_leaves_no_settings(pooled: Project) -> None:
    pooled.environment["MIGRATION_LEASE_ONLY"] = "1"
    write_migration(
        pooled,
        5,
        """assert op.get_bind().scalar(sa.text("SHOW lock_timeout")) == "200ms"
    op.execute("UPDATE t SET n = n + 1")
    with op.get_context().autocommit_block():
        op.create_index("i", "t", ["n"], postgresql_concurrently=True)""",
    )
    assert race(pooled, MIGRATORS) == []
    assert wrong(pooled.environment["DIRECT"], "data", 5) is None
    assert locks_and_settings(pooled) == [0, "0", "0", "0"]


@pytest.mark.parametrize("pooled", ["session"], indirect=True)
def test_session_mode_is_as_good_as_the_server(pooled: Project) -> None:
    assert race(pooled, MIGRATORS) == []
    assert wrong(pooled.environment["DIRECT"], "data", 4) is None


@pytest.mark.parametrize(
    ("pooled", "shared"), [("transaction", True), ("session", False)], indirect=["pooled"]
)
def test_the_mode_is_recognised_where_no_other_client_meets_the_session(
    pooled: Project, shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migration_guard.deploying.pooler.TIMEOUT", 2)
    numbers = itertools.count()
    monkeypatch.setattr(
        "migration_guard.deploying.pooler.session_of", lambda connection: next(numbers)
    )
    with engine(pooled.environment["DATABASE_URL"]).connect() as connection:
        if shared:
            with pytest.raises(CommandError, match="a pooler in transaction mode"):
                refuse_shared_session(connection)
        else:
            refuse_shared_session(connection)
            channels = connection.scalar(sa.text("SELECT count(*) FROM pg_listening_channels()"))
            assert channels == 0


def test_a_pool_of_one_connection_is_refused_with_the_reason(
    project: Project,
) -> None:
    direct = project.environment["DATABASE_URL"]
    with pooler(direct, "session", size=1) as url:
        status, output = alembic(project, "upgrade", "head", DATABASE_URL=url)
    assert status
    assert "a pooler that gave no second connection within 10 s" in output.splitlines()[-1]


@pytest.mark.parametrize("pooled", ["transaction"], indirect=True)
def test_a_lock_that_was_lost_is_reported(pooled: Project) -> None:
    pooled.environment["DATABASE_URL"] = pooled.environment["DIRECT"]
    write_migration(pooled, 5, 'op.execute("SELECT pg_advisory_unlock_all()")')
    status, output = alembic(pooled, "upgrade", "head")
    assert status
    assert "the migration lock was lost before the end" in output
    assert at(pooled.environment["DIRECT"]) == 5
