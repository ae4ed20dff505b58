"""Shared by the tests of many and of dying migrators: histories, races, kills, stock Alembic."""

from __future__ import annotations

import compileall
import itertools
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from lib.projects import Project

REVISIONS = 30
START = """number = sa.Column("n", sa.Integer)
    op.create_table("t", sa.Column("id", sa.Integer, primary_key=True), number)
    op.execute("INSERT INTO t (id, n) VALUES (1, 0)")"""
HISTORIES: dict[str, Callable[[int], str]] = {
    "plain": lambda i: f'op.create_table("t{i}", sa.Column("id", sa.Integer, primary_key=True))',
    "data": lambda i: 'op.execute("UPDATE t SET n = n + 1")',
    "update then alter": lambda i: (
        f"""op.execute("UPDATE t SET n = n + 1")
    op.add_column("t", sa.Column("c{i}", sa.Integer))"""
    ),
}
MIGRATION = """import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {parent!r}


def upgrade():
    {upgrade}


def downgrade():
    {downgrade}
"""


def revision(number: int) -> str:
    return f"r{number:03}"


def write_migration(project: Project, number: int, upgrade: str, downgrade: str = "pass") -> Path:
    """Write revision ``number``, which follows the one before it."""
    path = project.versions / f"{revision(number)}.py"
    parent = revision(number - 1) if number > 1 else None
    path.write_text(
        MIGRATION.format(
            revision=revision(number), parent=parent, upgrade=upgrade, downgrade=downgrade
        ),
        encoding="utf-8",
    )
    return path


def write_history(project: Project, history: str, revisions: int = REVISIONS) -> None:
    """Replace the project's migrations: one creates ``t``, the others are steps of ``history``."""
    compileall.compile_dir(project.path / "src", quiet=1)  # once, and not in each of many processes
    for path in project.versions.glob("*.py"):
        path.unlink()
    write_migration(project, 1, START)
    for number in range(2, revisions + 1):
        write_migration(project, number, HISTORIES[history](number))


def use_stock(project: Project) -> Project:
    """Replace ``env.py`` by the one that Alembic writes: the project without the guard."""
    import alembic

    template = Path(alembic.__file__).parent / "templates" / "generic" / "env.py"
    (project.path / "alembic" / "env.py").write_text(
        template.read_text(encoding="utf-8"), encoding="utf-8"
    )
    url = project.environment["DATABASE_URL"].replace("%", "%%")
    project.edit("alembic.ini", "[alembic]\n", f"[alembic]\nsqlalchemy.url = {url}\n")
    return project


def fork(project: Project, *arguments: str, kill_at: int = 0, **environment: str) -> int:
    """Start ``alembic`` as a process, forked to save the imports; return its id.

    With ``kill_at``, it dies as from ``kill -9`` before or after its n-th statement or commit.
    """
    import alembic.config
    import psycopg  # noqa: F401
    import pymysql  # type: ignore[import-untyped]  # noqa: F401
    import sqlalchemy.dialects.mysql
    import sqlalchemy.dialects.postgresql
    import sqlalchemy.dialects.sqlite
    import sqlalchemy.orm  # noqa: F401

    if child := os.fork():
        return child
    status = 70
    try:
        warnings.resetwarnings()
        log = os.open(project.path / f"{os.getpid()}.log", os.O_WRONLY | os.O_CREAT)
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w", buffering=1), os.fdopen(2, "w", buffering=1)
        os.chdir(project.path)
        for name in [name for name in sys.modules if name.partition(".")[0] == project.package]:
            del sys.modules[name]  # of the project of another test
        os.environ.clear()
        os.environ.update({**project.environment, **environment})
        if kill_at:
            points = itertools.count(1)

            def die(*_: object) -> None:
                if next(points) == kill_at:
                    os.kill(os.getpid(), 9)

            for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
                sa.event.listen(sa.Engine, name, die)
        alembic.config.main(argv=list(arguments))
        status = 0
    except SystemExit as error:
        status = 1 if error.code else 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def result(project: Project, child: int) -> tuple[int, str]:
    """Wait for a process that `fork` started; return its exit status and what it printed.

    The status is negative for a signal.
    """
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    log = project.path / f"{child}.log"
    output = log.read_text(encoding="utf-8")
    log.unlink()
    return status, output


def alembic(project: Project, *arguments: str, **environment: Any) -> tuple[int, str]:
    """Run ``alembic``; return its exit status and what it printed."""
    return result(project, fork(project, *arguments, **environment))


def race(project: Project, migrators: int = 8, urls: list[str] | None = None) -> list[str]:
    """Start many migrators at once; return the output of those that failed."""
    urls = urls or [project.environment["DATABASE_URL"]]
    running = [
        fork(project, "upgrade", "head", DATABASE_URL=urls[n % len(urls)]) for n in range(migrators)
    ]
    return [output for status, output in [result(project, child) for child in running] if status]


def engine(url: str) -> sa.Engine:
    return sa.create_engine(url, poolclass=sa.pool.NullPool)


def wrong(
    url: str, history: str, revisions: int = REVISIONS, applied: int | None = None
) -> str | None:
    """Return what is wrong with a database that should be at ``applied`` of ``history``."""
    at = revisions if applied is None else applied
    with engine(url).connect() as connection:
        inspector = sa.inspect(connection)
        tables = set(inspector.get_table_names()) - {
            "alembic_version",
            "alembic_journal",
            "alembic_lease",
        }
        versions = []
        if inspector.has_table("alembic_version"):
            versions = list(connection.scalars(sa.text("SELECT version_num FROM alembic_version")))
        if versions != ([revision(at)] if at else []):
            return f"version {versions}, expected revision {at}"
        want = set()
        if at:
            want = {"t"} | (
                {f"t{number}" for number in range(2, at + 1)} if history == "plain" else set()
            )
        if tables != want:
            return f"at {at}: tables {sorted(tables ^ want)} too many or missing"
        if at and history != "plain":
            if (n := connection.scalar(sa.text("SELECT n FROM t"))) != at - 1:
                return f"at {at}: the data steps were applied {n} times"
            columns = {column["name"] for column in inspector.get_columns("t")} - {"id", "n"}
            want = {f"c{number}" for number in range(2, at + 1)} if history != "data" else set()
            if columns != want:
                return f"at {at}: columns {sorted(columns ^ want)} too many or missing"
    return None


def at(url: str) -> int:
    """Return the number of the revision that the database says it is at."""
    with engine(url).connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return 0
        version = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return int(version[1:]) if version else 0


def reset(url: str) -> None:
    """Empty the database, so that one project serves many trials."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        for suffix in ("", "-journal", "-migrating"):
            Path(f"{parsed.database}{suffix}").unlink(missing_ok=True)
        return
    with engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if parsed.get_backend_name() == "postgresql":
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        else:
            connection.exec_driver_sql(f"DROP DATABASE {parsed.database}")
            connection.exec_driver_sql(f"CREATE DATABASE {parsed.database}")
