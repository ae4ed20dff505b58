"""The database servers and programs that the tests use, as far as they are found."""

from __future__ import annotations

import functools
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

VARIABLES = {"postgresql": "TEST_POSTGRESQL_URL", "mariadb": "TEST_MARIADB_URL"}
DEFAULTS = {
    "postgresql": "postgresql+psycopg://postgres@127.0.0.1:5432/postgres",
    "mariadb": "mariadb+pymysql://root@127.0.0.1:3306/",
}
SERVERS = {name: os.environ.get(VARIABLES[name]) or DEFAULTS[name] for name in DEFAULTS}
MYSQL = SERVERS["mariadb"].startswith("mysql")  # a MySQL stands in for MariaDB
mariadb_only = pytest.mark.skipif(MYSQL, reason="MySQL has no such thing")
PROGRAMS = ("chromium", "npm")
IN_CI = bool(os.environ.get("CI"))
PACKAGES = Path(__file__).resolve().parents[2] / ".ci" / "packages.txt"


def wrong_url(database: str) -> str | None:
    """Return why no driver can use the URL of ``database``, or None when one can."""
    try:
        sa.create_engine(SERVERS[database])
    except (ImportError, sa.exc.ArgumentError) as error:
        return f"{VARIABLES[database]}: {error}: write a URL like {DEFAULTS[database]}"
    return None


def lacking() -> list[str]:
    """Return what CI needs and this machine lacks, each with the reason."""
    lines = PACKAGES.read_text(encoding="utf-8").splitlines()
    needed = [line.split()[0] for line in lines if not line.startswith("#")]
    path = f"{os.environ['PATH']}:/usr/sbin"
    programs = [
        f"{name}: not installed"
        for name in needed
        if not (shutil.which(name, path=path) or Path(name).exists())
    ]
    return [*programs, *(f"{name}: {why}" for name in SERVERS if (why := unreachable(name)))]


@functools.cache
def unreachable(database: str) -> str | None:
    """Return why the server or the program can't be used, or None when it can."""
    if database in PROGRAMS:
        return None if shutil.which(database) else "not installed"
    try:
        engine = sa.create_engine(
            SERVERS[database], connect_args={"connect_timeout": 5}, poolclass=sa.pool.NullPool
        )
        engine.connect().close()
    except sa.exc.SQLAlchemyError as error:
        return " ".join(str(getattr(error, "orig", error)).split())
    return None


def require(database: str) -> None:
    """Skip the test where ``database`` has no server, or a program is missing (in CI none is)."""
    if database in (*SERVERS, *PROGRAMS) and (why := unreachable(database)):
        pytest.skip(f"{database}: {why}")


def database_of(url: str) -> str:
    """Return the tests' name of the database: MySQL stands in for MariaDB."""
    name = sa.make_url(url).get_backend_name()
    return "mariadb" if name == "mysql" else name


def fresh_database(database: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a new, empty database, and drop it at the end."""
    require(database)
    if database == "sqlite":
        yield f"sqlite:///{folder / 'test.db'}"
        return
    name = f"template_test_{uuid.uuid4().hex[:12]}"
    server = sa.create_engine(
        SERVERS[database], isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
    )
    with server.connect() as connection:
        # PostgreSQL copies template1 only while nobody is connected to it.
        template = " TEMPLATE template0" if database == "postgresql" else ""
        connection.exec_driver_sql(f"CREATE DATABASE {name}{template}")
    try:
        yield server.url.set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            force = " WITH (FORCE)" if database == "postgresql" else ""
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}{force}")
