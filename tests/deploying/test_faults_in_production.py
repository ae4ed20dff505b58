"""Migrators that die, databases that are busy, full, read-only or gone, and changed histories."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from lib.migrators import (
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
from lib.projects import Project
from lib.servers import database_of

# --- killed


@pytest.fixture(
    params=[(6, 17), pytest.param((REVISIONS, 1), marks=pytest.mark.fault)],
    ids=["some points", "all points"],
)
def points(request: pytest.FixtureRequest) -> tuple[int, int]:
    """The number of revisions, and the step from one point of a kill to the next."""
    return request.param


def kills(project: Project, history: str, points: tuple[int, int]) -> Iterator[int]:
    """Kill `alembic upgrade head` on an empty database at each point; yield its revision."""
    revisions, stride = points
    write_history(project, history, revisions)
    url = project.environment["DATABASE_URL"]
    point, killed = 5, 0
    while True:
        reset(url)
        status, output = result(project, fork(project, "upgrade", "head", kill_at=point))
        if status != -signal.SIGKILL:
            assert status == 0, output
            assert killed > 3, "the points must lie within the run"
            return
        yield at(url)
        killed += 1
        point += stride


def repair(url: str, applied: int) -> None:
    """Undo manually what a half-applied "update then alter" did."""
    with engine(url).begin() as connection:
        if applied and f"c{applied + 1}" in {
            column["name"] for column in sa.inspect(connection).get_columns("t")
        }:
            connection.exec_driver_sql(f"ALTER TABLE t DROP COLUMN c{applied + 1}")
        if applied:
            connection.exec_driver_sql(f"UPDATE t SET n = {applied - 1}")
        else:
            connection.exec_driver_sql("DROP TABLE IF EXISTS t")


@pytest.mark.parametrize(
    "history", ["update then alter", pytest.param("plain", marks=pytest.mark.fault)]
)
def test_killed_at_any_point_it_goes_on_or_says_what_to_repair(
    project: Project, history: str, points: tuple[int, int]
) -> None:
    url, named = project.environment["DATABASE_URL"], 0
    transactional = database_of(url) != "mariadb"
    for applied in kills(project, history, points):
        if transactional:
            assert wrong(url, history, points[0], applied) is None
        status, output = alembic(project, "upgrade", "head")
        if status:
            named += 1
            assert not transactional, output
            assert f"FAILED: {revision(applied + 1)} stopped in the middle" in output
            assert "-x resume" in output
            assert at(url) == applied, "it must not go on by itself"
            if history == "plain":
                continue
            repair(url, applied)
            status, output = alembic(project, "-x", "resume", "upgrade", "head")
        assert status == 0, output
        assert wrong(url, history, points[0]) is None
    assert named or transactional or history == "plain"


@pytest.mark.parametrize("database_url", ["sqlite", "mariadb"], indirect=True)
def test_stock_alembic_killed_leaves_a_half_applied_revision_unreported(
    project: Project,
) -> None:
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
    heals = """for table in ("a", "b"):
        op.create_table(table, sa.Column("id", sa.Integer, primary_key=True), if_not_exists=True)
    op.add_column("a", sa.Column("x", sa.Integer), if_not_exists=True)
    op.drop_index("i", "a", if_exists=True)
    op.create_index("i", "a", ["x"])"""
    for path in project.versions.glob("*.py"):
        path.unlink()
    write_migration(project, 1, heals)
    point = 5
    while True:
        reset(url)
        status, output = result(project, fork(project, "upgrade", "head", kill_at=point))
        if status == 0:
            break
        status, output = alembic(project, "upgrade", "head")
        assert status == 0, (point, output)
        indexes = sa.inspect(engine(url)).get_indexes("a")
        assert [index["name"] for index in indexes] == ["i"]
        point += min(points[1], 5)
    assert point > 12


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_what_autogenerate_writes_heals_by_itself(
    project: Project, points: tuple[int, int]
) -> None:
    url = project.environment["DATABASE_URL"]
    project.run("alembic", "upgrade", "head")
    columns = (
        "    tags: Mapped[str | None] = mapped_column(String(50), index=True)\n"
        "    views: Mapped[int | None]\n"
    )
    written = project.autogenerate(columns, "Add tags and views")
    static = project.run("python", "scripts/check_migrations.py", "--static", str(written)).stdout
    assert "not-resumable" not in static

    def state() -> tuple[object, set[str]]:
        with engine(url).connect() as connection:
            columns = {column["name"] for column in sa.inspect(connection).get_columns("videos")}
            return connection.scalar(
                sa.text("SELECT version_num FROM alembic_version")
            ), columns & {"tags", "views"}

    before, half = state()[0], 0
    for point in range(5, 1000, min(points[1], 5)):
        if result(project, fork(project, "upgrade", "head", kill_at=point))[0] == 0:
            break
        half += state() in ((before, {"tags"}), (before, {"views"}), (before, {"tags", "views"}))
        project.run("alembic", "upgrade", "head")
        assert state()[1] == {"tags", "views"}
        project.run("alembic", "-x", "yes", "downgrade", "-1")
        with engine(url).connect() as connection:  # else each instant ADD COLUMN widens the row
            connection.exec_driver_sql("ALTER TABLE videos FORCE")
    assert half, "the points must lie within the revision"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_runs_what_autogenerate_wrote_for_mariadb(project: Project) -> None:
    url = project.environment["DATABASE_URL"]
    write_history(project, "data", 2)
    once = """op.add_column("t", sa.Column("x", sa.Integer), if_not_exists=True)
    op.add_column("t", sa.Column("y", sa.Integer), if_not_exists=True)
    op.drop_column("t", "y", if_exists=True)"""
    write_migration(project, 3, f"{once}\n    {once}")
    status, output = alembic(project, "upgrade", "head")
    assert status == 0, output
    assert {column["name"] for column in sa.inspect(engine(url)).get_columns("t")} == {
        "id",
        "n",
        "x",
    }
    assert (
        "ADD COLUMN x INTEGER;"
        in project.run("alembic", "upgrade", f"{revision(2)}:head", "--sql").stdout
    )


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_the_downgrade_of_a_new_table_with_an_indexed_foreign_key_runs(project: Project) -> None:
    project.run("alembic", "upgrade", "head")
    project.edit(
        project.models,
        "class Video(Base):",
        'class Tag(Base):\n    __tablename__ = "tags"\n\n'
        "    id: Mapped[int] = mapped_column(primary_key=True)\n"
        '    video_id: Mapped[int] = mapped_column(ForeignKey("videos.id"), index=True)\n\n\n'
        "class Video(Base):",
    )
    project.run("alembic", "revision", "--autogenerate", "-m", "Add tags")
    project.run("alembic", "upgrade", "head")
    project.run("alembic", "-x", "yes", "downgrade", "-1")
    project.run("alembic", "upgrade", "head")


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_autogenerate_asks_nothing_where_a_transaction_undoes_it(project: Project) -> None:
    project.run("alembic", "upgrade", "head")
    written = project.autogenerate(
        "    views: Mapped[int | None] = mapped_column()\n", "Add views"
    ).read_text()
    assert "views" in written
    assert "exists" not in written


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
    for point in range(41, 1000, 6):
        reset(url)
        status, output = result(project, fork(project, "upgrade", "head", kill_at=point))
        if status == 0:
            break
        with engine(url).connect() as connection:
            n = (
                connection.scalar(sa.text("SELECT n FROM t"))
                if sa.inspect(connection).has_table("t")
                else 0
            )
        half = n == 2 and at(url) == 2
        status, output = alembic(project, "upgrade", "head")
        assert bool(status) >= half, "half applied, and nobody says so"
        if status:
            named += 1
            assert f"{revision(3)} stopped in the middle" in output
    assert named


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_a_revision_whose_only_change_is_refused_needs_no_repair(project: Project) -> None:
    write_history(project, "data", 2)
    refused = write_migration(
        project, 3, 'op.execute("ALTER TABLE t ADD CONSTRAINT c CHECK (n > 1000)")'
    )
    status, output = alembic(project, "upgrade", "head")
    assert status
    assert f"r003.py:9: {revision(3)} failed: " in output
    assert "resume" not in output
    refused.write_text(refused.read_text().replace("1000", "-1"))
    status, output = alembic(project, "upgrade", "head")
    assert status == 0, output


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
@pytest.mark.parametrize(
    "refused",
    [
        'op.execute("ALTER TABLE t ADD CONSTRAINT c CHECK (n > 1000)")',
        'op.execute("UPDATE lost SET n = 1")',
        'op.execute("CREATE TABLE IF NOT EXISTS u (n lost)")',
    ],
)
def test_what_was_refused_is_not_what_is_to_be_undone(project: Project, refused: str) -> None:
    write_history(project, "data", 2)
    write_migration(
        project, 3, f'op.execute("ALTER TABLE t ADD COLUMN extra INTEGER")\n    {refused}'
    )
    for _ in range(2):
        status, output = alembic(project, "upgrade", "head")
        assert status
        assert "can't be repeated: ALTER TABLE t ADD COLUMN extra INTEGER;" in output


# --- busy


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)


def read(url: str) -> None:
    """Read the table as an application does that gives up after some seconds."""
    patience = (
        "SET statement_timeout = 5000"
        if url.startswith("postgresql")
        else "SET lock_wait_timeout = 5"
    )
    with engine(url).connect() as connection:
        connection.exec_driver_sql(patience)
        connection.execute(sa.text("SELECT n FROM t"))


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_a_blocked_alter_lets_readers_pass_and_ends_after_the_blocker(project: Project) -> None:
    url = project.environment["DATABASE_URL"]
    write_history(project, "data", 2)
    assert alembic(project, "upgrade", "head")[0] == 0
    write_migration(project, 3, 'op.add_column("t", sa.Column("x", sa.Integer))')
    with engine(url).connect() as blocker:
        blocker.execute(sa.text("SELECT n FROM t"))
        child = fork(project, "upgrade", "head")
        log = project.path / f"{child}.log"
        wait_for(lambda: log.exists() and "trying again" in log.read_text())
        for _ in range(10):
            read(url)
    status, output = result(project, child)
    assert status == 0, output
    assert "x" in {column["name"] for column in sa.inspect(engine(url)).get_columns("t")}
    assert at(url) == 3


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_stock_alembic_blocked_makes_readers_wait_for_the_blocker(project: Project) -> None:
    url = project.environment["DATABASE_URL"]
    write_history(project, "data", 2)
    use_stock(project)
    assert alembic(project, "upgrade", "head")[0] == 0
    write_migration(project, 3, 'op.add_column("t", sa.Column("x", sa.Integer))')
    with engine(url).connect() as blocker, engine(url).connect() as watch:
        blocker.execute(sa.text("SELECT n FROM t"))
        child = fork(project, "upgrade", "head")
        waiting = sa.text("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 't'::regclass")
        wait_for(lambda: watch.scalar(waiting))
        with pytest.raises(sa.exc.OperationalError, match="statement timeout"):
            read(url)
    assert result(project, child)[0] == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_indexes_are_built_concurrently_in_a_race_and_behind_an_old_transaction(
    project: Project,
) -> None:
    url = project.environment["DATABASE_URL"]
    write_history(project, "data", 2)
    assert alembic(project, "upgrade", "head")[0] == 0
    concurrently = """with op.get_context().autocommit_block():
        op.create_index("i{0}", "t", ["n"], postgresql_concurrently=True)"""
    for number in range(3, 7):
        write_migration(project, number, concurrently.format(number))
    with engine(url).connect() as old, engine(url).connect() as watch:
        old.execute(sa.text("SELECT n FROM t"))
        writer = engine(url).connect()
        writer.execute(sa.text("UPDATE t SET n = n"))
        child = fork(project, "upgrade", "head")
        building = sa.text(
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%' AND "
            "wait_event_type = 'Lock'"
        )
        wait_for(lambda: (watch.rollback(), watch.scalar(building))[1])
        time.sleep(1)  # five times the lock timeout: that would leave an invalid index
        writer.commit()
        writer.close()
    assert race(project) == []
    assert result(project, child)[0] == 0
    with engine(url).connect() as connection:
        valid = connection.scalars(
            sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid::regclass::text ~ '^i[3-6]$'")
        )
        assert list(valid) == [True] * 4


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_a_deadlock_is_tried_again(project: Project) -> None:
    url = project.environment["DATABASE_URL"]
    write_history(project, "data", 2)
    assert alembic(project, "upgrade", "head")[0] == 0
    with engine(url).begin() as connection:
        connection.execute(sa.text("INSERT INTO t (id, n) VALUES (2, 0)"))
    sleep = "pg_sleep" if url.startswith("postgresql") else "sleep"
    write_migration(
        project,
        3,
        f"""op.execute("UPDATE t SET n = n + 1 WHERE id = 1")
    op.execute("SELECT {sleep}(1)")
    op.execute("UPDATE t SET n = n + 1 WHERE id = 2")""",
    )
    with engine(url).connect() as other:
        other.execute(sa.text("UPDATE t SET n = n WHERE id = 2"))
        child = fork(project, "upgrade", "head")
        log = project.path / f"{child}.log"
        wait_for(lambda: log.exists() and "Running upgrade" in log.read_text())
        time.sleep(0.4)
        try:
            other.execute(sa.text("UPDATE t SET n = n WHERE id = 1"))
            other.commit()
        except sa.exc.OperationalError:
            other.rollback()
    status, output = result(project, child)
    assert status == 0, output
    with engine(url).connect() as connection:
        assert list(connection.scalars(sa.text("SELECT n FROM t ORDER BY id"))) == [2, 1]


# --- waiting for another migrator

SLOW = {
    "sqlite": "import time; time.sleep(120)",
    "postgresql": 'op.execute("SELECT pg_sleep(120)")',
    "mariadb": 'op.execute("SELECT sleep(120)")',
}


@pytest.fixture
def slow(project: Project) -> Iterator[int]:
    """A migrator that is in the middle of revision 3 and will be for long."""
    write_history(project, "data", 2)
    write_migration(project, 3, SLOW[database_of(project.environment["DATABASE_URL"])])
    child = fork(project, "upgrade", "head")
    log = project.path / f"{child}.log"
    wait_for(lambda: log.exists() and f"-> {revision(3)}" in log.read_text())
    yield child
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


@pytest.mark.parametrize("lease", ["", "1"], ids=["lock", "lease"])
def test_a_waiting_migrator_names_the_other_and_stops_after_a_time(
    project: Project, request: pytest.FixtureRequest, lease: str
) -> None:
    if lease and project.environment["DATABASE_URL"].startswith("sqlite"):
        pytest.skip("a file has one machine")
    if lease:
        project.environment |= {"MIGRATION_LEASE_ONLY": "1"}
    child = request.getfixturevalue("slow")
    status, output = alembic(project, "upgrade", "head", MIGRATION_WAIT="0.5")
    assert status
    assert "FAILED: waited 0.5 s for another migrator" in output
    if lease or database_of(project.environment["DATABASE_URL"]) != "mariadb":
        assert f":{child}" in output.splitlines()[-1]
    assert "Traceback" not in output


def test_reading_commands_wait_for_nobody(project: Project, slow: int) -> None:
    status, output = alembic(project, "current")
    assert status == 0, output


@pytest.mark.parametrize("lease", ["", "1"], ids=["lock", "lease"])
@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_a_dead_migrator_is_taken_over(
    project: Project, request: pytest.FixtureRequest, lease: str
) -> None:
    if lease:
        project.environment |= {"MIGRATION_LEASE_ONLY": "1", "MIGRATION_LEASE": "2"}
    child = request.getfixturevalue("slow")
    os.kill(child, signal.SIGKILL)
    if not lease and database_of(project.environment["DATABASE_URL"]) == "mariadb":
        with engine(
            project.environment["DATABASE_URL"]
        ).connect() as connection:  # it has no way to see that a client died
            for number in connection.scalars(
                sa.text(
                    "SELECT id FROM information_schema.processlist WHERE info LIKE '%sleep(120)'"
                )
            ):
                connection.exec_driver_sql(f"KILL {number}")
    write_migration(project, 3, 'op.execute("UPDATE t SET n = 7")')
    status, output = alembic(project, "upgrade", "head", MIGRATION_WAIT="30")
    assert status == 0, output
    assert at(project.environment["DATABASE_URL"]) == 3


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_who_lost_the_lease_stops_and_writes_nothing(project: Project) -> None:
    url = project.environment["DATABASE_URL"]
    write_history(project, "data", 2)
    write_migration(project, 3, 'op.execute("UPDATE t SET n = 7")\n    import time; time.sleep(3)')
    child = fork(project, "upgrade", "head", MIGRATION_LEASE_ONLY="1")
    log = project.path / f"{child}.log"
    wait_for(lambda: log.exists() and f"-> {revision(3)}" in log.read_text())
    with engine(url).begin() as connection:
        connection.execute(
            sa.text("UPDATE alembic_lease SET owner = 'the next one', expires = expires + 1000")
        )
    status, output = result(project, child)
    assert status
    assert "FAILED: stopped: the lease ran out, and the next one has it now" in output
    assert at(url) == 2
    with engine(url).connect() as connection:
        assert connection.scalar(sa.text("SELECT n FROM t")) == 1


@pytest.mark.parametrize(
    "history", ["data", pytest.param("update then alter", marks=pytest.mark.fault)]
)
@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_a_race_for_the_lease_ends_right(project: Project, history: str) -> None:
    project.environment |= {"MIGRATION_LEASE_ONLY": "1"}
    write_history(project, history)
    assert race(project) == []
    assert wrong(project.environment["DATABASE_URL"], history) is None
