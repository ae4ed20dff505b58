"""DATABASE_URL: where it is read from, what it may hold, and what a user reads when it is wrong."""

from __future__ import annotations

import re
import runpy
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from lib.projects import Project
from lib.servers import SERVERS, fresh_database, require
from migration_guard.exceptions import CannotCheck
from migration_guard.running.configured import from_env_file

PASSWORD = "p%40@:/ w#?rd'\"\\%s"


def one_line_error(project: Project, *command: str) -> str:
    """Run a command that must fail with one line; return that line."""
    output = project.run(*command, ok=False).stdout
    assert "Traceback" not in output
    (line,) = [line for line in output.splitlines() if "FAILED" in line or "rror" in line]
    return line


def test_the_default_is_a_file_in_the_project(bake: Callable[..., Project]) -> None:
    project = bake()
    (project.path / "elsewhere").mkdir()
    project.sh("cd elsewhere && alembic -c ../alembic.ini upgrade head")
    assert (project.path / "soundhash.db").is_file()


def test_an_env_file_says_where(bake: Callable[..., Project], tmp_path: Path) -> None:
    project = bake()
    (project.path / ".env").write_text(
        f"# comment\nOTHER=1\nexport DATABASE_URL = 'sqlite:///{tmp_path}/from-env.db'  # mine\n"
    )
    project.run("alembic", "upgrade", "head")
    assert (tmp_path / "from-env.db").is_file()
    # The environment comes first.
    project.run("alembic", "upgrade", "head", DATABASE_URL=f"sqlite:///{tmp_path}/first.db")
    assert (tmp_path / "first.db").is_file()


NO_URL = "DATABASE_URL is not set: set it in the environment or in .env (see .env.example)"
NEEDS_A_URL = {
    "upgrade": "alembic upgrade head",
    "current": "alembic current",
    "check": "python scripts/check_migrations.py",
    "roundtrip": "python scripts/check_migrations.py --roundtrip",
    "plan": "python scripts/check_migrations.py --plan",
    "application": (
        "python -c 'from src.soundhash.database.connection import create_engine; create_engine()'"
    ),
}


@pytest.mark.parametrize("command", NEEDS_A_URL)
def test_a_server_project_never_falls_back_to_sqlite(
    bake: Callable[..., Project], command: str
) -> None:
    project = bake(database="postgresql")
    done = project.sh(NEEDS_A_URL[command], ok=False)
    assert f"{NO_URL}; `docker compose up --detach --wait` starts a server" in done.stdout
    assert done.returncode == (2 if command in ("check", "roundtrip", "plan") else done.returncode)
    if command != "application":
        assert "Traceback" not in done.stdout
    assert "is empty" in project.sh(NEEDS_A_URL[command], ok=False, DATABASE_URL="").stdout
    assert not list(project.path.glob("*.db"))


def test_what_needs_no_database_needs_no_url(bake: Callable[..., Project]) -> None:
    project = bake(database="postgresql")
    project.run("python", "scripts/check_migrations.py", "--static")
    project.run("alembic", "history")
    printed = project.run("alembic", "upgrade", "head", "--sql").stdout
    assert "TIMESTAMP WITH TIME ZONE" in printed


def test_the_settings_say_whether_sqlite_is_the_default(bake: Callable[..., Project]) -> None:
    project = bake()
    project.edit("pyproject.toml", 'databases = ["sqlite"]', 'databases = ["postgresql"]')
    assert NO_URL in one_line_error(project, "alembic", "upgrade", "head")
    project.edit("pyproject.toml", '["postgresql"]', '["postgresql", "sqlite"]')
    project.run("alembic", "upgrade", "head")


ENV_FILES = {
    b"\xef\xbb\xbfDATABASE_URL=sqlite:///x.db\n": (
        ".env begins with a byte order mark: save it as UTF-8"
    ),
    "DATABASE_URL=sqlite:///x.db\n".encode("utf-16"): ".env is not UTF-8: save it as UTF-8",
    b"\ndatabase_url=sqlite:///x.db\n": ".env:2: write DATABASE_URL=, in capitals and with =",
    b"DATABASE_URL: sqlite:///x.db\n": ".env:1: write DATABASE_URL=, in capitals and with =",
    b"DATABASE_URL=\n": ".env:1: DATABASE_URL is empty",
    b"DATABASE_URL=  # later\n": ".env:1: DATABASE_URL is empty",
    b"DATABASE_URL=sqlite:///x.db\nDATABASE_URL=''\n": ".env:2: DATABASE_URL is empty",
}


ENV_VALUES = {
    b"# DATABASE_URL=a\nMY_DATABASE_URL=b\n": None,
    b"DATABASE_URL=sqlite:///a.db\nDATABASE_URL=sqlite:///b.db # b\n": "sqlite:///b.db",
    b"  export DATABASE_URL = 'sqlite:///a b.db'  # c\r\n": "sqlite:///a b.db",
    b'DATABASE_URL="postgresql://u:p#q@h/d" # c\n': "postgresql://u:p#q@h/d",
    b"DATABASE_URL=postgresql://u:p#q@h/d\n": "postgresql://u:p#q@h/d",
    "DATABASE_URL=sqlite:///\u00e9.db".encode(): "sqlite:///\u00e9.db",
}


@pytest.mark.parametrize("content", [*ENV_FILES, *ENV_VALUES])
def test_the_project_and_the_guard_read_an_env_file_alike(
    bake: Callable[..., Project], content: bytes
) -> None:
    """Neither imports the other, so each has its own reader."""
    project = bake()
    file = project.path / ".env"
    file.write_bytes(content)
    module = runpy.run_path(str(project.path / "src/soundhash/database/connection.py"))
    for read in (module["_from_env_file"], from_env_file):
        if content in ENV_VALUES:
            assert read(file) == ENV_VALUES[content]
        else:
            with pytest.raises((ValueError, CannotCheck)) as refused:
                read(file)
            assert str(refused.value).startswith(ENV_FILES[content])


def test_an_env_file_that_is_easily_misread_is_refused(bake: Callable[..., Project]) -> None:
    project = bake()
    content, message = next(iter(ENV_FILES.items()))
    (project.path / ".env").write_bytes(content)
    assert message in one_line_error(project, "alembic", "upgrade", "head")
    done = project.run("python", "scripts/check_migrations.py", ok=False)
    assert done.returncode == 2
    assert done.stdout.startswith(f"error: {message}")
    assert not list(project.path.glob("*.db"))


def test_the_last_assignment_of_an_env_file_wins(bake: Callable[..., Project]) -> None:
    project = bake()
    lines = (
        "# DATABASE_URL=\nMY_DATABASE_URL=x\nDATABASE_URL=sqlite:///a.db\n"
        "DATABASE_URL=sqlite:///b.db # b\n"
    )
    (project.path / ".env").write_text(lines)
    project.run("alembic", "upgrade", "head")
    assert [path.name for path in project.path.glob("*.db")] == ["b.db"]


def test_the_example_of_an_env_file_is_read(bake: Callable[..., Project]) -> None:
    for database, begins in {
        "sqlite": "sqlite",
        "citus": "postgresql",
        "galera": "mariadb",
    }.items():
        project = bake(database=database)
        shutil.copy(project.path / ".env.example", project.path / ".env")
        show = "from src.soundhash.database.connection import database_url as u; print(u())"
        assert project.run("python", "-c", show).stdout.startswith(begins)
        shutil.rmtree(project.path)


@pytest.mark.parametrize("database", ["sqlite", "postgresql", "mariadb"])
def test_a_url_with_an_async_driver_works_everywhere(
    bake: Callable[..., Project], database: str, tmp_path: Path
) -> None:
    drivers = {"sqlite": "aiosqlite", "postgresql": "asyncpg", "mariadb": "asyncmy"}
    for url in fresh_database(database, tmp_path):
        parsed = sa.make_url(url)
        name = f"{parsed.get_backend_name()}+{drivers[database]}"
        ssl = {"ssl": "prefer"} if database == "postgresql" else {}
        given = parsed.set(drivername=name, query=ssl).render_as_string(hide_password=False)
        project = bake(given)
        project.run("alembic", "upgrade", "head")
        project.run("python", "scripts/check_migrations.py")
        assert (
            "nothing to run"
            in project.run("python", "scripts/check_migrations.py", "--plan").stdout
        )


@pytest.mark.parametrize("database", ["postgresql", "mariadb"])
def test_a_password_with_every_special_character(
    bake: Callable[..., Project], database: str, tmp_path: Path
) -> None:
    for url in fresh_database(database, tmp_path):
        name, user = sa.make_url(url).database, f"user_{uuid.uuid4().hex[:10]}"
        server = sa.create_engine(
            SERVERS[database], isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
        )
        escaped = PASSWORD.replace("'", "''").replace("%", "%%")
        with server.connect() as connection:
            if database == "postgresql":
                connection.exec_driver_sql(f"CREATE ROLE {user} LOGIN PASSWORD '{escaped}'")
                connection.exec_driver_sql(f"ALTER DATABASE {name} OWNER TO {user}")
            else:
                escaped = escaped.replace("\\", "\\\\")
                connection.exec_driver_sql(f"CREATE USER {user}@'%%' IDENTIFIED BY '{escaped}'")
                connection.exec_driver_sql(f"GRANT ALL ON {name}.* TO {user}@'%%'")
        try:
            at = sa.make_url(SERVERS[database])
            password = quote(PASSWORD, safe="")
            project = bake(
                f"{at.get_backend_name()}://{user}:{password}@{at.host}:{at.port}/{name}"
            )
            output = project.run("alembic", "upgrade", "head").stdout
            assert PASSWORD not in output
            assert quote(PASSWORD, safe="") not in output
            if database == "mariadb":  # the test's PostgreSQL may trust everybody
                project.environment["DATABASE_URL"] = project.environment["DATABASE_URL"].replace(
                    "w%23", "X"
                )
                assert "Access denied" in one_line_error(project, "alembic", "current")
        finally:
            with server.connect() as connection:
                if database == "postgresql":
                    connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
                    connection.exec_driver_sql(f"DROP ROLE {user}")
                else:
                    connection.exec_driver_sql(f"DROP USER {user}@'%%'")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("not a url", "DATABASE_URL is not a database URL"),
        ("oracledb2://scott:tiger-secret@host/db", "unknown database"),
        ("mssql+pyodbc://sa:tiger-secret@host/db", "pyodbc is not installed"),
        ("postgresql://app@127.0.0.1:5432/db?password=tiger-secret", "?password="),
        (
            "postgresql://app:tiger-secret@127.0.0.1:1/db",
            "No connection to postgresql+psycopg://app:***@127.0.0.1:1/db",
        ),
        (
            "mariadb://app:tiger-secret@127.0.0.1:1/db",
            "start the server, or correct host and port in DATABASE_URL",
        ),
        ("mariadb://root@127.0.0.1:3306/", "names no database"),
        ("postgresql://app:ti@ger/x@127.0.0.1:5432/db", "percent-encode the password"),
        ("sqlite:////nowhere/at/all.db", "unable to open"),
    ],
)
@pytest.mark.parametrize("command", ["alembic upgrade head", "alembic current"])
def test_a_bad_url_is_one_line_without_the_password(
    bake: Callable[..., Project], url: str, says: str, command: str
) -> None:
    line = one_line_error(bake(url), *command.split())
    assert says in line
    assert "tiger" not in line


def test_a_bare_scheme_gets_the_driver_of_the_project(bake: Callable[..., Project]) -> None:
    show = (
        "from src.soundhash.database.connection import create_engine as c; "
        "print(c().url.drivername)"
    )
    project = bake()
    for scheme, driver in {
        "postgres": "postgresql+psycopg",
        "postgresql": "postgresql+psycopg",
        "mysql": "mysql+pymysql",
        "mariadb": "mariadb+pymysql",
        "mysql+pymysql": "mysql+pymysql",
    }.items():
        shown = project.run("python", "-c", show, DATABASE_URL=f"{scheme}://u:p@localhost/x").stdout
        assert shown.strip() == driver


@pytest.mark.parametrize("database", ["sqlite", "postgresql", "mariadb"])
def test_moments_are_utc_whatever_the_server_thinks(
    bake: Callable[..., Project], database: str, tmp_path: Path
) -> None:
    require(database)
    for url in fresh_database(database, tmp_path):
        project = bake(url)
        project.run("alembic", "upgrade", "head")
        script = """
from datetime import UTC, datetime, timedelta, timezone
from src.soundhash.database.connection import session_factory
from src.soundhash.database.models import Channel, Video
with session_factory()() as session:
    there = datetime(2026, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=5)))
    channel = Channel(external_id="c", name="n")
    video = Video(external_id="v", title="t", published_at=there, channel=channel)
    session.add(video)
    session.commit()
    assert video.published_at == there, video.published_at
    assert abs(video.created_at - datetime.now(UTC)) < timedelta(minutes=1), video.created_at
    try:
        video.published_at = datetime(2026, 7, 1)
        session.commit()
    except Exception as error:
        assert "time zone" in str(error), error
    else:
        raise AssertionError("a naive moment was taken")
"""
        project.run("python", "-c", script, TZ="Asia/Kolkata")


@pytest.mark.parametrize(
    "url", ["sqlite:///x.db", "postgresql://h/x", "mariadb://h/x", "mysql://h/x"]
)
def test_offline_mode_prints_the_whole_history(bake: Callable[..., Project], url: str) -> None:
    project = bake(url)
    (command,) = re.findall(
        r"^alembic .* --sql .*$", (project.path / "alembic" / "README.md").read_text(), re.MULTILINE
    )
    project.sh(command)
    output = (project.path / "upgrade.sql").read_text()
    assert output.count("CREATE TABLE") == 6
    assert "idx_processing_jobs_target" in output
    if url.startswith("mysql"):  # whose IF [NOT] EXISTS is for tables alone
        assert "INDEX IF" not in output
        assert (
            "i.index_name = 'ix_videos_channel_id')), 'CREATE INDEX ix_videos_channel_id ON videos"
            in output
        )
    else:
        assert "CREATE INDEX IF NOT EXISTS ix_videos_channel_id ON videos" in output
