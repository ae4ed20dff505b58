"""Scratch databases for the tests, beside the database of ``DATABASE_URL``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from migration_guard.exceptions import CannotCheck
from migration_guard.running.scratch import find_url, scratch_database
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

ROOT = Path(__file__).resolve().parents[1]


def configure(connection: Connection) -> Config:
    """Return Alembic's configuration for commands that run on this connection."""
    config = Config(ROOT / "alembic.ini")
    config.attributes.update(connection=connection, configure_logging=False)
    return config


@contextmanager
def scratch(template: str = "") -> Iterator[Engine]:
    """Yield a scratch database: empty, or a copy of ``template``. The test fails if there is no server."""
    try:
        with scratch_database(find_url(ROOT), template=template) as engine:
            yield engine
    except CannotCheck as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def migrate(engine: Engine) -> None:
    """Run the migrations that the database does not have."""
    with engine.connect() as connection:
        command.upgrade(configure(connection), "head")
        connection.commit()


@pytest.fixture(scope="session")
def template() -> Iterator[str]:
    """The name of a migrated database to copy. Don't connect to it: PostgreSQL could not copy it."""
    with scratch() as engine:
        if engine.dialect.name in ("mysql", "mariadb"):  # they can't copy a database
            yield ""
        else:
            migrate(engine)
            yield str(engine.url.database)


@pytest.fixture(scope="session")
def database(template: str) -> Iterator[Engine]:
    """A scratch database with all migrations. All tests share it, so leave no rows behind."""
    with scratch(template) as engine:
        migrate(engine)
        yield engine


@pytest.fixture
def own_database(template: str) -> Iterator[Engine]:
    """The same for this test alone: for code that commits on connections of its own."""
    with scratch(template) as engine:
        migrate(engine)
        yield engine


@pytest.fixture
def session(database: Engine) -> Iterator[Session]:
    """A session on the migrated database. Whatever a test commits is rolled back at its end."""
    with database.connect() as connection:
        transaction = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            yield session
        transaction.rollback()


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A connection to an empty scratch database, for this test alone."""
    with scratch() as engine, engine.connect() as connection:
        yield connection


@pytest.fixture
def config(connection: Connection) -> Config:
    """Alembic's configuration, for commands that run on the empty scratch database."""
    return configure(connection)


class Migrated:
    """A scratch database at some revision, to test what the next migration does to its rows."""

    def __init__(self, connection: Connection, config: Config, revision: str) -> None:
        self.connection, self.config = connection, config
        self.upgrade(revision)

    def upgrade(self, revision: str = "+1") -> None:
        """Run the next migration, or all up to a revision."""
        command.upgrade(self.config, revision)
        self.connection.commit()

    def downgrade(self, revision: str = "-1") -> None:
        """Take back the last migration, or all after a revision."""
        command.downgrade(self.config, revision)
        self.connection.commit()

    def insert_into(self, table: str, *rows: dict[str, Any]) -> None:
        """Insert rows into a table as it is at this revision; the models may be newer."""
        columns = sa.Table(table, sa.MetaData(), autoload_with=self.connection)
        self.connection.execute(sa.insert(columns), list(rows))
        self.connection.commit()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows that a query finds."""
        found = [tuple(row) for row in self.connection.execute(sa.text(query))]
        self.connection.commit()
        return found


@pytest.fixture
def migrated_to(connection: Connection, config: Config) -> Callable[[str], Migrated]:
    """A function that migrates an empty scratch database to a revision and returns it."""
    return lambda revision: Migrated(connection, config, revision)
