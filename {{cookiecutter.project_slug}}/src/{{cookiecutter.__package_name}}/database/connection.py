"""Where the database is: its URL, the engine, the session."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.orm import Session, sessionmaker

PROJECT = Path(__file__).resolve().parents[3]
DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}


def database_url() -> URL:
    """Return the URL of this project's database.

    It is ``DATABASE_URL`` from the environment, else from the file ``.env`` of the project, else an SQLite file in
    the project. A URL without a driver (``postgresql://``) gets the driver that the project depends on.

    Raises:
        ValueError: it is no URL, or it holds a password where logs would show it. The message never shows the URL.
    """
    text = os.environ.get("DATABASE_URL") or _from_env_file(PROJECT / ".env")
    if not text:
        file = PROJECT / "{{ cookiecutter.__package_name }}.db"
        return URL.create("sqlite", database=str(file))
    try:
        url = make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise ValueError(
            "DATABASE_URL is not a database URL: write it as postgresql://user:password@host:5432/name, "
            "with special characters in the password percent-encoded"
        ) from None
    if url.get_backend_name() != "sqlite":
        if "@" in f"{url.host}{url.database}":
            raise ValueError(
                "DATABASE_URL has an @ too many: percent-encode the password (@ is %40, / is %2F)"
            )
        if not url.database:
            raise ValueError("DATABASE_URL names no database: end it with /name")
    if "password" in url.query:
        raise ValueError(
            "DATABASE_URL has ?password=, which logs may show: write it as //user:password@host"
        )
    return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))


def create_engine(url: URL | str | None = None, **options: Any) -> Engine:
    """Return an engine for ``url``, by default `database_url()`; ``options`` are those of `sqlalchemy.create_engine`.

    Every connection enforces foreign keys and speaks UTC, whatever the database's own default is.

    Raises:
        ValueError: the driver for ``url`` is not installed, or there is none of that name.
    """
    url = database_url() if url is None else make_url(url)
    try:
        engine = sa.create_engine(url, **{"hide_parameters": True, **options})
    except ModuleNotFoundError as error:
        raise ValueError(
            f"the driver {error.name} is not installed: add it to the project's dependencies"
        ) from None
    except sa.exc.NoSuchModuleError:
        known = "sqlite, postgresql, mariadb, mysql"
        raise ValueError(
            f"DATABASE_URL: unknown database or driver {url.drivername}: use one of {known}"
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    elif engine.dialect.name in ("mysql", "mariadb"):
        event.listen(engine, "connect", _prepare_mysql)
    return engine


def session_factory(engine: Engine | None = None) -> sessionmaker[Session]:
    """Return a factory of sessions on ``engine``, by default a new engine for `database_url()`."""
    return sessionmaker(engine or create_engine())


def _from_env_file(path: Path) -> str | None:
    """Return ``DATABASE_URL`` from an env file, or None."""
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            if match := re.match(
                r"""\s*(?:export\s+)?DATABASE_URL\s*=\s*(?:"([^"]*)"|'([^']*)'|(\S*))""", line
            ):
                return next((value for value in match.groups() if value), None)
    return None


def _prepare_sqlite(connection: Any, record: object) -> None:
    # Python's driver would begin transactions late and commit before DDL; see _begin_sqlite.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    # Source: SQLAlchemy's documentation, "Enabling Non-Legacy SQLite Transactional Modes with the sqlite3 driver".
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _prepare_mysql(connection: Any, record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00'")
