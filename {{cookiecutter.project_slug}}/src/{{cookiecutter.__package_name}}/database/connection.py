"""Where the database is: its URL, the engine, the session."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine, make_url
{%- if cookiecutter.driver == "async" %}
from sqlalchemy.ext import asyncio
{%- endif %}
from sqlalchemy.orm import Session, sessionmaker

ROOT = Path(__file__).resolve().parents[3]
# The folder of alembic.ini; None where this package is installed from a wheel.
PROJECT = ROOT if (ROOT / "alembic.ini").is_file() else None
DRIVERS = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
{%- if cookiecutter.driver == "async" %}
ASYNC_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "mysql": "mysql+aiomysql",
    "mariadb": "mariadb+aiomysql",
}
# What asyncpg takes from a URL; for the rest pass connect_args.
ASYNCPG_KEYS = {"ssl", "timeout", "command_timeout", "prepared_statement_cache_size"}
{%- endif %}


class NoDatabaseUrl(ValueError):
    """DATABASE_URL is set nowhere, and the project does not deploy to SQLite."""


def database_url(project: Path | None = PROJECT) -> URL:
    """Return the URL of this project's database.

    It is ``DATABASE_URL`` from the environment, else from the file ``.env`` in the folder ``project``. Without either,
    it is an SQLite file in that folder, but only where ``pyproject.toml`` declares the database ``sqlite``. A URL
    without a driver (``postgresql://``) or with an async driver gets the driver that the project depends on.

    Raises:
        NoDatabaseUrl: there is no URL.
        ValueError: the URL is empty, not valid, or shows its password. The message never has the URL.
    """
    text = os.environ.get("DATABASE_URL")
    if text is None and project is not None:
        text = _from_env_file(project / ".env")
    if text is None:
        if project is None or not _declares_sqlite(project):
            raise NoDatabaseUrl(_how_to_set(project))
        file = project / "{{ cookiecutter.__package_name }}.db"
        return URL.create("sqlite", database=str(file))
    if not text.strip():
        raise ValueError("DATABASE_URL is empty: set it to the URL of the database, or unset it")
    try:
        url = make_url(text.strip())
    except (sa.exc.ArgumentError, ValueError):
        raise ValueError(
            "DATABASE_URL is not a database URL: write it as postgresql://user:password@host:5432/name, "
            "with special characters in the password percent-encoded"
        ) from None
    if url.get_backend_name() != "sqlite":
        if "@" in f"{url.host}{url.database}":
            raise ValueError(
                "DATABASE_URL has more than one @: percent-encode the password (@ is %40, / is %2F)"
            )
        if not url.database:
            raise ValueError("DATABASE_URL names no database: end it with /name")
    if "password" in url.query:
        raise ValueError(
            "DATABASE_URL has ?password=, which logs may show: write it as //user:password@host"
        )
    return _with_sync_driver(url)


def create_engine(url: URL | str | None = None, **options: Any) -> Engine:
    """Return an engine for ``url``, by default `database_url()`; ``options`` are those of `sqlalchemy.create_engine`.

    Every connection enforces foreign keys and speaks UTC, whatever the database's own default is.
    Raises ValueError if the driver for ``url`` is not installed, or there is none of that name.
    """
    url = database_url() if url is None else _with_sync_driver(make_url(url))
    engine: Engine = _create(sa.create_engine, url, options)
    return engine

{%- if cookiecutter.driver == "async" %}


def create_async_engine(url: URL | str | None = None, **options: Any) -> asyncio.AsyncEngine:
    """Return an engine for asyncio, as `create_engine` does, with the async driver of the same database.

    Raises ValueError as `create_engine`, and if asyncpg has no such option as the URL has.
    """
    url = database_url() if url is None else _with_sync_driver(make_url(url))
    url = url.set(drivername=ASYNC_DRIVERS.get(url.get_backend_name(), url.drivername))
    if url.get_backend_name() == "postgresql":
        if "sslmode" in url.query:  # psycopg's name for it
            ssl = str(url.query["sslmode"])
            url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": ssl})
        if unknown := sorted(url.query.keys() - ASYNCPG_KEYS):
            raise ValueError(
                f"DATABASE_URL: asyncpg has no option {unknown[0]}: pass it in connect_args instead"
            )
    engine: asyncio.AsyncEngine = _create(asyncio.create_async_engine, url, options)
    return engine
{%- endif %}


def _create(create: Callable[..., Any], url: URL, options: dict[str, Any]) -> Any:
    """Return a new engine, whose connections are prepared. Raises ValueError where there is no driver."""
    try:
        engine = create(url, **{"hide_parameters": True, **options})
    except ModuleNotFoundError as error:
        raise ValueError(
            f"the driver {error.name} is not installed: add it to the project's dependencies"
        ) from None
    except sa.exc.NoSuchModuleError:
        raise ValueError(
            f"DATABASE_URL: unknown database or driver {url.drivername}:"
            " use sqlite, postgresql, mariadb or mysql"
        ) from None
    inner = getattr(engine, "sync_engine", engine)  # that of an engine for asyncio
    if engine.dialect.name == "sqlite":
        event.listen(inner, "connect", _prepare_sqlite)
        event.listen(inner, "begin", _begin_sqlite)
    elif engine.dialect.name in ("mysql", "mariadb"):
        utc = "SET time_zone = '+00:00'"
        event.listen(inner, "connect", lambda connection, _: connection.cursor().execute(utc))
    return engine


def session_factory(engine: Engine | None = None) -> sessionmaker[Session]:
    """Return a factory of sessions on ``engine``, by default a new engine for `database_url()`."""
    return sessionmaker(engine or create_engine())

{%- if cookiecutter.driver == "async" %}


def async_session_factory(
    engine: asyncio.AsyncEngine | None = None,
) -> asyncio.async_sessionmaker[asyncio.AsyncSession]:
    """Return a factory of sessions for asyncio; what they have loaded stays readable after a commit."""
    return asyncio.async_sessionmaker(engine or create_async_engine(), expire_on_commit=False)
{%- endif %}


def _from_env_file(path: Path) -> str | None:
    """Return the last ``DATABASE_URL`` of an env file, or None. Raises ValueError for one that is easily misread."""
    if not path.is_file():
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} is not UTF-8: save it as UTF-8 without BOM") from None
    if text.startswith("\ufeff"):
        raise ValueError(f"{path.name} begins with a byte order mark: save it as UTF-8 without BOM")
    found = None
    assignment = re.compile(
        r"""\s*(?:export\s+)?(DATABASE_URL)\s*([=:])\s*(?:"([^"]*)"|'([^']*)'|([^\s#]\S*)?)""",
        re.IGNORECASE,
    )
    for number, line in enumerate(text.splitlines(), 1):
        if match := assignment.match(line):
            name, sign, *values = match.groups()
            found = next(filter(None, values), None)
            if name != "DATABASE_URL" or sign != "=":
                raise ValueError(
                    f"{path.name}:{number}: write DATABASE_URL=, in capitals and with ="
                )
            if found is None:
                raise ValueError(f"{path.name}:{number}: DATABASE_URL is empty")
    return found


def _declares_sqlite(project: Path) -> bool:
    """Return whether ``pyproject.toml`` names SQLite among the databases that the project deploys to."""
    try:
        tools = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    except (OSError, KeyError):
        return False
    return "sqlite" in tools.get("migration-guard", {}).get("databases", ["sqlite"])


def _how_to_set(project: Path | None) -> str:
    """Return the message for a missing DATABASE_URL."""
    message = "DATABASE_URL is not set: set it in the environment"
    if project:
        message += " or in .env (see .env.example)"
    if project and (project / "compose.yaml").is_file():
        message += "; `docker compose up --detach --wait` starts a server on this machine"
    return message


def _with_sync_driver(url: URL) -> URL:
    """Return the URL with a driver: the project's own, if it names none or one for asyncio."""
    try:
        driver = "" if url.drivername in DRIVERS else url.drivername
        if driver and url.get_dialect().is_async:
            driver = ""
            if "ssl" in url.query:  # asyncpg's name for it
                ssl = str(url.query["ssl"])
                url = url.difference_update_query(["ssl"]).update_query_dict({"sslmode": ssl})
    except sa.exc.NoSuchModuleError:
        return url
    return url.set(drivername=driver or DRIVERS.get(url.get_backend_name(), url.drivername))


def _prepare_sqlite(connection: Any, record: object) -> None:
    # Python's driver would begin transactions late and commit before DDL; see _begin_sqlite.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    # Source: SQLAlchemy's documentation, "Enabling Non-Legacy SQLite Transactional Modes with the sqlite3 driver".
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
