"""Servers that start, are silent or refuse, and the files and settings of a lock."""

from __future__ import annotations

import os
import socket
import sqlite3
import stat
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from lib.galera import free_port
from lib.migrators import alembic, at, engine, fork, result, write_history, write_migration
from lib.projects import Project
from lib.servers import database_of

on_servers = pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def through(project: Project, port: int) -> str:
    url = sa.make_url(project.environment["DATABASE_URL"])
    return url.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)


def forward(port: int, target: sa.URL) -> socket.socket:
    """Listen on ``port`` and pass everything on to a server; return the listener."""
    listener = socket.create_server(("127.0.0.1", port))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        finally:
            sink.close()

    def serve() -> None:
        try:
            while True:
                client, _ = listener.accept()
                server = socket.create_connection((target.host or "", target.port or 0))
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    return listener


@on_servers
def test_a_server_that_is_still_starting_is_waited_for(project: Project) -> None:
    write_history(project, "data", 2)
    port, direct = free_port(), sa.make_url(project.environment["DATABASE_URL"])
    url = through(project, port)
    child = fork(project, "upgrade", "head", DATABASE_URL=url)
    time.sleep(3)
    with forward(port, direct):
        status, output = result(project, child)
    assert status == 0, output
    assert "trying for 30 s" in output
    begun = time.monotonic()
    assert alembic(project, "current", DATABASE_URL=through(project, free_port()))[0]
    assert time.monotonic() - begun < 10, "what changes nothing does not wait"


@on_servers
def test_a_port_that_accepts_and_never_answers_does_not_hang(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = through(project, silent.getsockname()[1])
        begun = time.monotonic()
        status, output = alembic(
            project, "upgrade", "head", DATABASE_URL=url, MIGRATION_CONNECT_WAIT="0"
        )
    assert status
    assert time.monotonic() - begun < 20
    assert "No connection to " in output.splitlines()[-1]


@on_servers
def test_a_long_statement_is_not_cut_off(project: Project) -> None:
    write_history(project, "data", 1)
    sleep = (
        "pg_sleep" if database_of(project.environment["DATABASE_URL"]) == "postgresql" else "sleep"
    )
    write_migration(project, 2, f'op.execute("SELECT {sleep}(12)")')
    assert alembic(project, "upgrade", "head")[0] == 0


@pytest.fixture
def stranger(project: Project) -> Iterator[str]:
    """The URL of a user who may connect and do nothing else."""
    url = sa.make_url(project.environment["DATABASE_URL"])
    name, postgresql = f"user_{uuid.uuid4().hex[:8]}", database_of(str(url)) == "postgresql"
    admin = engine(project.environment["DATABASE_URL"])
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if postgresql:
            connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
        else:
            connection.exec_driver_sql(f"CREATE USER {name}@'%%' IDENTIFIED BY 'x'")
            connection.exec_driver_sql(f"GRANT SELECT ON {url.database}.* TO {name}@'%%'")
        yield url.set(username=name, password="x").render_as_string(hide_password=False)
        if postgresql:
            connection.exec_driver_sql(f"DROP OWNED BY {name}")
        user = name if postgresql else f"{name}@'%%'"
        connection.exec_driver_sql(f"DROP {'ROLE' if postgresql else 'USER'} {user}")


@on_servers
def test_a_missing_right_comes_with_its_grant(project: Project, stranger: str) -> None:
    write_history(project, "data", 2)
    admin = engine(project.environment["DATABASE_URL"])
    for _ in range(8):
        status, output = alembic(project, "upgrade", "head", DATABASE_URL=stranger)
        if status == 0:
            break
        assert "Traceback" not in output
        grant = output.splitlines()[-1].partition("have an administrator run: ")[2]
        assert grant, output
        with admin.begin() as connection:
            connection.exec_driver_sql(grant.replace("%", "%%"))
    assert at(project.environment["DATABASE_URL"]) == 2


@on_postgresql
def test_the_server_ends_a_session_whose_client_went_silent_and_no_other(project: Project) -> None:
    write_history(project, "data", 1)
    show = ["tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count"]
    show += ["tcp_user_timeout", "idle_in_transaction_session_timeout"]
    checks = [f"op.get_bind().scalar(sa.text('SHOW {name}'))" for name in show]
    write_migration(project, 2, f"assert [{', '.join(checks)}] == ['5', '2', '3', '10000', '0']")
    with engine(project.environment["DATABASE_URL"]).connect() as connection:
        name = sa.make_url(project.environment["DATABASE_URL"]).database
        connection.exec_driver_sql(
            f"ALTER DATABASE {name} SET idle_in_transaction_session_timeout = '1s'"
        )
        connection.commit()
    write_migration(project, 3, "import time; time.sleep(3)\n    op.execute('SELECT 1')")
    status, output = alembic(project, "upgrade", "head")
    assert status == 0, output


@on_sqlite
def test_a_reader_in_the_way_of_a_commit_is_waited_for(project: Project) -> None:
    write_history(project, "data", 2)
    assert alembic(project, "upgrade", "head")[0] == 0
    write_migration(project, 3, 'op.execute("UPDATE t SET n = n + 1")')
    file = sa.make_url(project.environment["DATABASE_URL"]).database or ""
    reader = sqlite3.connect(file, check_same_thread=False)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM t").fetchall()
    threading.Timer(9, reader.close).start()
    # Not forked: SQLite would take the reader for one of its own process.
    project.run("alembic", "upgrade", "head")
    assert at(project.environment["DATABASE_URL"]) == 3


@on_sqlite
def test_the_lock_file_follows_no_link_and_serves_other_users(project: Project) -> None:
    write_history(project, "data", 2)
    file = Path(sa.make_url(project.environment["DATABASE_URL"]).database or "")
    precious, lock = project.path / "precious", Path(f"{file}-migrating")
    precious.write_text("keep")
    lock.symlink_to(precious)
    status, output = alembic(project, "upgrade", "head")
    assert status
    assert "can't lock the database" in output.splitlines()[-1]
    assert precious.read_text() == "keep"
    lock.unlink()
    file.touch()
    file.chmod(0o666)
    before = os.umask(0o077)
    try:
        assert alembic(project, "upgrade", "head")[0] == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(lock.stat().st_mode) == 0o666
