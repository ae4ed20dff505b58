"""Scratch databases are always dropped, and the configured database is never connected to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from lib.projects import PROJECT_TEMPLATE, Project
from lib.servers import SERVERS, database_of, fresh_database, require
from migration_guard.cli import main
from migration_guard.error_messages import one_line
from migration_guard.exceptions import CannotCheck
from migration_guard.no_connection import why_no_connection
from migration_guard.running.scratch import find_url, scratch_database

HOLD = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # what the tests run under may ignore it
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from sqlalchemy.engine import make_url
from migration_guard.running.scratch import scratch_database
with scratch_database(make_url(sys.argv[2])) as engine:
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (id integer)")
        connection.commit()
        print(engine.url.database, flush=True)
        time.sleep(60)
"""


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> sa.URL:
    require(request.param)
    return sa.make_url(SERVERS.get(request.param, "sqlite://"))


def there(server: sa.URL) -> set[str]:
    """The scratch databases that there are on the server."""
    if server.get_backend_name() == "sqlite":
        return {
            str(path / "scratch.db")
            for path in Path(tempfile.gettempdir()).glob("migration_guard_*")
        }
    engine = sa.create_engine(server, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        query = (
            "SELECT datname FROM pg_database"
            if server.get_backend_name() == "postgresql"
            else "SHOW DATABASES"
        )
        return {
            name
            for name in connection.exec_driver_sql(query).scalars()
            if name.startswith("migration_guard_")
        }


def hold(server: sa.URL) -> tuple[subprocess.Popen[str], str]:
    """Another process that is in the middle of using a scratch database."""
    url = server.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(PROJECT_TEMPLATE), url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def end(process: subprocess.Popen[str], how: int) -> None:
    process.send_signal(how)
    process.wait(30)
    assert process.stdout is not None
    process.stdout.close()


def test_it_is_empty_and_gone_afterwards(server: sa.URL) -> None:
    with scratch_database(server) as engine:
        assert sa.inspect(engine).get_table_names() == []
        assert engine.url.database in there(server)
    assert engine.url.database not in there(server)


def test_it_is_gone_after_an_error(server: sa.URL) -> None:
    def fails() -> None:
        with scratch_database(server) as engine, engine.connect() as connection:
            names.append(engine.url.database)
            connection.exec_driver_sql("CREATE TABLE t (id integer)")
            raise ZeroDivisionError

    names: list[str | None] = []
    with pytest.raises(ZeroDivisionError):
        fails()
    assert names[0] not in there(server)


def test_it_is_kept_where_that_is_asked(server: sa.URL, capsys: pytest.CaptureFixture[str]) -> None:
    with scratch_database(server, keep=lambda: True) as engine:
        name = engine.url.database
    assert name in there(server)
    assert str(name) in capsys.readouterr().err
    for _ in range(2):  # its process is alive: the next run keeps it
        with scratch_database(server):
            assert name in there(server)
    if server.get_backend_name() != "sqlite":
        with sa.create_engine(
            server, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
        ).connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name}")


@pytest.mark.slow
def test_it_is_gone_after_ctrl_c(server: sa.URL) -> None:
    process, name = hold(server)
    assert name in there(server)
    end(process, signal.SIGINT)
    assert name not in there(server)


@pytest.mark.slow
def test_the_next_run_drops_what_a_kill_left_and_nothing_else(server: sa.URL) -> None:
    killed, left = hold(server)
    working, used = hold(server)
    try:
        end(killed, signal.SIGKILL)
        assert {left, used} <= there(server)
        deadline = time.monotonic() + 30  # until the server has noticed that its client is gone
        while left in there(server) and time.monotonic() < deadline:
            with scratch_database(server) as engine:
                assert engine.url.database not in (left, used)
        assert left not in there(server)
        assert used in there(server)
    finally:
        end(working, signal.SIGINT)


def test_a_database_with_a_similar_name_is_kept(server: sa.URL) -> None:
    if server.get_backend_name() == "sqlite":
        folder = Path(tempfile.gettempdir()) / "migration_guard_of_mine"
        folder.mkdir()
        with scratch_database(server):
            assert folder.is_dir()
        folder.rmdir()
        return
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE migration_guard_of_mine")
        try:
            with scratch_database(server):
                assert "migration_guard_of_mine" in there(server)
        finally:
            connection.exec_driver_sql("DROP DATABASE migration_guard_of_mine")


def test_sqlite_has_transactions_around_ddl_and_foreign_keys() -> None:
    with scratch_database(sa.make_url("sqlite://")) as engine:
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE TABLE t (id integer)")
            connection.rollback()
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert sa.inspect(engine).get_table_names() == []


# --- users who may do little


@pytest.fixture(params=["postgresql", "mariadb"])
def limited(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[bool], str]]:
    """URLs for a user who may only connect, and one who may create databases but not connect."""
    require(request.param)
    database = fresh_database(request.param, tmp_path)
    url = sa.make_url(next(database))
    user = f"guard_{os.getpid()}"
    admin = sa.create_engine(
        SERVERS[request.param], isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
    )
    postgresql = request.param == "postgresql"
    account = (
        user if postgresql else f"{user}@'_%%'"
    )  # another than user@'%', which a GRANT to the name alone means

    def make(creates: bool) -> str:
        with admin.connect() as connection:
            if postgresql:
                connection.exec_driver_sql(
                    f"CREATE ROLE {user} LOGIN PASSWORD 'secret' {'CREATEDB' * creates}"
                )
                connection.exec_driver_sql(f"REVOKE ALL ON DATABASE {url.database} FROM PUBLIC")
            else:
                connection.exec_driver_sql(f"CREATE USER {account} IDENTIFIED BY 'secret'")
                if creates:
                    connection.exec_driver_sql(
                        f"GRANT ALL ON `migration\\_guard\\_%%`.* TO {account}"
                    )
        return url.set(username=user, password="secret").render_as_string(hide_password=False)

    yield make
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP {'ROLE' if postgresql else 'USER'} IF EXISTS {account}")
    next(database, None)


def test_a_user_who_may_not_create_databases_gets_one_line(
    limited: Callable[[bool], str],
) -> None:
    url = sa.make_url(limited(False))
    with pytest.raises(CannotCheck) as error, scratch_database(url):
        pass
    text = str(error.value)
    assert "\n" not in text
    assert "secret" not in text
    assert "--database-url" in text
    remedy = re.search(r"(ALTER ROLE \S+ CREATEDB|GRANT ALL .+? TO \S+),", text)
    engine = sa.create_engine(
        SERVERS[database_of(url)], isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
    )
    with engine.connect() as admin:
        admin.exec_driver_sql(remedy[1].replace("%", "%%"))
    with scratch_database(url):
        pass


def test_nothing_is_asked_of_the_configured_database(
    limited: Callable[[bool], str], bake: Callable[..., Project]
) -> None:
    """The user may create databases, but not connect to the one that DATABASE_URL names."""
    url = limited(True)
    with pytest.raises(sa.exc.DBAPIError):
        sa.create_engine(url, poolclass=sa.pool.NullPool).connect()
    project = bake(url)
    for options in ([], ["--roundtrip"]):
        assert "Clean" in project.run("python", "scripts/check_migrations.py", *options).stdout


# --- what a user can get wrong


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql+psycopg://me:secret@127.0.0.1:1/app",
            "No connection to postgresql+psycopg://me:***@127.0.0.1:1",
        ),
        (
            "mariadb+pymysql://me:secret@127.0.0.1:1/app",
            "No connection to mariadb+pymysql://me:***@127.0.0.1:1",
        ),
    ],
)
def test_no_server_is_one_line(url: str, expected: str) -> None:
    with pytest.raises(CannotCheck) as error, scratch_database(sa.make_url(url)):
        pass
    assert str(error.value).startswith(expected)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("database", "changed", "remedy"),
    [
        ("postgresql", {"username": "nobody_here"}, "create this user, or correct user and"),
        ("postgresql", {"database": "nothing_here"}, "create this database, or correct its name"),
        ("postgresql", {"port": 1}, "start the server, or correct host and port"),
        ("mariadb", {"username": "nobody_here"}, "create this user, or correct user and"),
        ("mariadb", {"database": "nothing_here"}, "create this database, or correct its name"),
        ("mariadb", {"port": 1}, "start the server, or correct host and port"),
    ],
)
def test_no_connection_comes_with_the_one_step_that_helps(
    database: str, changed: dict[str, Any], remedy: str
) -> None:
    require(database)
    url = sa.make_url(SERVERS[database]).set(**changed)
    with pytest.raises(sa.exc.DBAPIError) as error:
        sa.create_engine(url, poolclass=sa.pool.NullPool).connect()
    message, _, fix = why_no_connection(error.value).rpartition("; ")
    assert fix.startswith(remedy)
    assert fix.endswith(" in DATABASE_URL")
    assert message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("postgresql://me@127.0.0.1:1/app", "error: No connection to postgresql+psycopg://me@"),
        ("nonsense", "error: --database-url is not a database URL"),
    ],
)
def test_a_check_without_a_server_prints_the_cause_alone(
    bake: Callable[..., Project], capsys: pytest.CaptureFixture[str], url: str, cause: str
) -> None:
    project = bake()
    migration = next(project.versions.glob("*.py"))
    text = migration.read_text()
    migration.write_text(
        text.replace("upgrade() -> None:", "upgrade() -> None:\n    op.drop_table('t')")
    )
    assert main(project.path, ["--static"]) == 1
    assert "drop-table" in capsys.readouterr().out
    assert main(project.path, ["--database-url", url]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(cause)
    assert err.count("\n") == 1


def test_a_password_that_the_driver_can_not_send_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def connect(**_: object) -> None:
        raise RuntimeError("'cryptography' package is required")

    monkeypatch.setattr("pymysql.connect", connect)
    url = sa.make_url("mysql+pymysql://me:secret@h/app")
    with pytest.raises(
        CannotCheck, match=r"^No connection to .*'cryptography' package is required"
    ):
        scratch_database(url).__enter__()


@pytest.mark.parametrize(
    "url", ["nonsense", "postgresql+nodriver://me:secret@h/app", "oracle://me:secret@h/app"]
)
def test_a_url_that_is_none_is_one_line(url: str, tmp_path: Path) -> None:
    with pytest.raises(CannotCheck) as error:
        find_url(tmp_path, url)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


def test_where_the_url_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert find_url(tmp_path).drivername == "sqlite"
    (tmp_path / ".env").write_text("# here\nexport DATABASE_URL='postgresql://a@h/b'\n")
    assert str(find_url(tmp_path)) == "postgresql+psycopg://a@h/b"
    monkeypatch.setenv("DATABASE_URL", "mariadb://c@h/d")
    assert str(find_url(tmp_path)) == "mariadb+pymysql://c@h/d"
    assert str(find_url(tmp_path, "sqlite://")) == "sqlite://"


def test_the_driver_is_the_first_that_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {"psycopg2"}
    monkeypatch.setattr("migration_guard.running.scratch.find_spec", lambda name: name in there)
    monkeypatch.setitem(sys.modules, "psycopg2", types.ModuleType("psycopg2"))
    assert find_url(tmp_path, "postgresql://a@h/b").drivername == "postgresql+psycopg2"
    there.add("psycopg")
    assert find_url(tmp_path, "postgres://a@h/b").drivername == "postgresql+psycopg"
    assert find_url(tmp_path, "postgresql+psycopg2://a@h/b").drivername == "postgresql+psycopg2"


def test_a_message_names_no_scratch_database() -> None:
    name = "migration_guard_b8f24180_14666_340841_2691f0d1"
    assert (
        one_line(ValueError(f"Table '{name}.user' doesn't exist.")) == "Table 'user' doesn't exist"
    )
    assert (
        one_line(ValueError(f"fails (`{name}`.`c`, CONSTRAINT x)")) == "fails (`c`, CONSTRAINT x)"
    )
    settings = (
        "1 validation error for Settings\nKEY\n  Field required [input_value={'P': 'secret'}]"
    )
    assert one_line(ValueError(settings)) == "1 validation error for Settings: KEY: Field required"
    other = "No module named 'migration_guard_helpers.rows'"
    assert one_line(ValueError(other)) == other
