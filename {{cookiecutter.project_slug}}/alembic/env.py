"""Alembic runs this file for each command that needs the models or a database."""

from __future__ import annotations

import logging
from functools import cache
from logging.config import fileConfig
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import context
from alembic.util import CommandError
from migration_guard.deploying import connect, migrate, own_tables
from migration_guard.error_messages import fault, full_message
from sqlalchemy import pool

from {{ cookiecutter.__package_name }}.database.connection import (
    NoDatabaseUrl,
    create_engine,
    database_url,
)

try:
    from {{ cookiecutter.__package_name }}.database import models
except Exception as error:
    raise CommandError(fault(error)) from error

ROOT = Path(__file__).resolve().parents[1]
# A wheel has this folder inside its package: there only the environment tells the database's URL.
PROJECT = None if ROOT.name == "_migrations" else ROOT
config = context.config
if config.config_file_name is not None and config.attributes.get("configure_logging", True):
    fileConfig(config.config_file_name, disable_existing_loggers=False)
log = logging.getLogger("alembic.env")
# The schemas that the models name, besides the default one.
SCHEMAS = {table.schema for table in models.Base.metadata.tables.values()} - {None}


def include_name(name: str | None, kind: str, parents: Any) -> bool:
    """Tell what autogenerate compares: the models' schemas, without the guard's own tables."""
    if kind == "schema":
        return name is None or name in SCHEMAS
    own = own_tables(context.get_context().version_table)
    return kind != "table" or (name not in own and name not in partitions())


@cache
def partitions() -> set[str]:
    """Return the names of the partitions that no model maps."""
    bind = context.get_bind()
    mapped = {table.name for table in models.Base.metadata.tables.values()}
    if bind.dialect.name != "postgresql":
        return set()
    return set(bind.scalars(sa.text("SELECT relname FROM pg_class WHERE relispartition"))) - mapped


def configure(**where: Any) -> None:
    """Tell Alembic what to compare and how to run; ``where`` is a connection or a URL (offline)."""
    where |= {
        "target_metadata": models.Base.metadata,
        "include_schemas": bool(SCHEMAS),
        "include_name": include_name,
        "transaction_per_migration": True,
    }
    context.configure(**where)
    if "revision_context" in context.get_context().opts:  # `alembic upgrade` imports none of it
        if PROJECT is None:
            raise CommandError("a wheel can't compare models: run this in the project's folder")
        from migration_guard.writing.autogenerate import options

        context.configure(**where, **options(ROOT))


def run_offline() -> None:
    """Print the SQL (``alembic upgrade head --sql``): no database is needed."""
    try:
        url = database_url(PROJECT)
        name, where = url.get_backend_name(), {"url": url}
    except NoDatabaseUrl:
        if not getattr(config.cmd_opts, "sql", False):
            raise
        from migration_guard.settings import read_settings  # no deployment needs it

        name = read_settings(ROOT).dialects[0]
        where = {"dialect_name": name}
    configure(
        **where,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
        render_as_batch=name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


def run_online(connection: sa.Connection, guarded: bool) -> None:
    """Run the command on ``connection``, with a transaction for each revision if possible."""
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # A batch migration copies the table and drops the old one: enforced foreign keys would
        # delete the child rows.
        # By the driver: SQLAlchemy would begin a transaction, in which this pragma does nothing.
        connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
    configure(
        connection=connection, render_as_batch=sqlite, transactional_ddl=True if sqlite else None
    )
    migration = context.get_context()
    in_transaction = connection.in_transaction()

    def run() -> None:
        before = migration.get_current_heads()
        with context.begin_transaction():
            context.run_migrations()
        after = migration.get_current_heads()
        if not in_transaction:
            connection.rollback()  # reading the heads began a transaction
        if after != before:
            log.info(
                "Migrated from %s to %s",
                " and ".join(before) or "base",
                " and ".join(after) or "base",
            )

    if (
        guarded and "destination_rev" in migration.opts
    ):  # upgrade, downgrade, stamp: what changes the database
        migrate(migration, run, ROOT, context.get_x_argument(as_dictionary=True))
    else:
        run()


def changes_the_database() -> bool:
    """Return whether this is upgrade, downgrade or stamp, or was called from Python."""
    options = config.cmd_opts
    return options is None or hasattr(options, "revision") or hasattr(options, "revisions")


def main() -> None:
    """Run on the caller's connection, else on one of our own, guarded against other migrators."""
    try:
        if getattr(config.cmd_opts, "autogenerate", False):
            # Several heads: Alembic reports them later, outside this file and without a remedy.
            context.script.get_revision(config.cmd_opts.head or "head")
        if context.is_offline_mode():
            run_offline()
        elif given := config.attributes.get("connection"):
            run_online(given, guarded=False)
        else:
            engine = create_engine(database_url(PROJECT), poolclass=pool.NullPool)
            with connect(engine, ROOT, wait=changes_the_database()) as connection:
                run_online(connection, guarded=True)
    except (CommandError, ValueError, OSError, sa.exc.DBAPIError) as error:
        raise CommandError(full_message(error)) from error
    except Exception as error:
        if config.cmd_opts is None:  # called from Python, where the error itself is of use
            raise
        raise CommandError(fault(error)) from error


main()
