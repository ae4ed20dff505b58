"""Scratch databases for the tests, on the server that ``DATABASE_URL`` names, else on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from migration_guard.running.scratch import find_url, scratch_database
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A connection to an empty scratch database."""
    with scratch_database(find_url(ROOT)) as engine, engine.connect() as connection:
        yield connection


@pytest.fixture
def config(connection: Connection) -> Config:
    """Alembic's configuration, for commands that run on the scratch database."""
    config = Config(ROOT / "alembic.ini")
    config.attributes.update(connection=connection, configure_logging=False)
    return config


@pytest.fixture
def session(connection: Connection, config: Config) -> Iterator[Session]:
    """A session on the migrated scratch database."""
    command.upgrade(config, "head")
    connection.commit()
    if connection.dialect.name == "sqlite":
        # Migrations run without it, see alembic/env.py; the application runs with it. By the driver: SQLAlchemy would
        # begin a transaction, in which this pragma does nothing.
        connection.connection.cursor().execute("PRAGMA foreign_keys = ON")
    with Session(connection) as session:
        yield session
