"""What a scratch database has from its server, and that no statement leaves it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from lib.projects import Project
from lib.servers import fresh_database
from migration_guard.running.scratch import find_url, scratch_database


@pytest.mark.parametrize("there", [True, False])
def test_an_extension_of_the_configured_database_is_in_the_scratch_one(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where a server has Citus, its database has the extension, and migrations call its functions.
    monkeypatch.setattr("migration_guard.running.scratch.EXTENSIONS", ("citext",))
    for url in fresh_database("postgresql", tmp_path):
        if there:
            engine = sa.create_engine(url, poolclass=sa.NullPool)
            with engine.begin() as connection:
                connection.exec_driver_sql("CREATE EXTENSION citext")
        with scratch_database(find_url(tmp_path, url)) as engine, engine.connect() as connection:
            query = "SELECT count(*) FROM pg_extension WHERE extname = 'citext'"
            assert connection.exec_driver_sql(query).scalar() == int(there)


def test_no_extension_is_created_that_the_server_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(self: object, engine: object) -> None:
        raise AssertionError("the configured database is not asked")

    monkeypatch.setattr("migration_guard.running.scratch.PostgreSQL.extend", connect)
    for url in fresh_database("postgresql", tmp_path):
        with scratch_database(find_url(tmp_path, url)):
            pass


def in_models(project: Project, schema: str) -> None:
    name = '    __tablename__ = "examples"\n'
    project.edit(project.models, name, f'{name}    __table_args__ = {{"schema": "{schema}"}}\n')


def in_migration(project: Project, schema: str) -> None:
    (migration,) = project.versions.glob("*.py")
    last = 'name=op.f("uq_examples_name")),\n'
    project.edit(migration, last, f'{last}        schema="{schema}",\n')


def in_rows(project: Project, schema: str) -> None:
    (migration,) = project.versions.glob("*.py")
    rows = f'    op.execute(sa.table("examples", schema="{schema}").delete())\n'
    project.edit(migration, "\n\ndef downgrade", f"{rows}\n\ndef downgrade")


@pytest.mark.slow
@pytest.mark.parametrize("write", [in_models, in_migration, in_rows, None])
def test_another_database_of_the_server_stays_untouched(
    write: Callable[[Project, str], None] | None, bake: Callable[..., Project], tmp_path: Path
) -> None:
    """On MySQL and MariaDB a schema is a database, and that is not a scratch one."""
    for url in fresh_database("mariadb", tmp_path):
        for other in fresh_database("mariadb", tmp_path):
            engine = sa.create_engine(other, poolclass=sa.NullPool)
            with engine.begin() as connection:
                connection.exec_driver_sql("CREATE TABLE examples (id integer)")
                connection.exec_driver_sql("INSERT INTO examples VALUES (1)")
            project = bake(url, starter="blank")
            if write:
                write(project, str(engine.url.database))
            for option in ("--strict", "--roundtrip"):
                clean = write is None or (write is in_models and option == "--roundtrip")
                report = project.run("python", "scripts/check_migrations.py", option, ok=clean)
                refused = "is the database" in report.stdout
                assert refused is not clean, report.stdout
                assert "Traceback" not in report.stdout
            with engine.begin() as connection:
                assert sa.inspect(connection).get_table_names() == ["examples"]
                assert connection.exec_driver_sql("SELECT id FROM examples").all() == [(1,)]
