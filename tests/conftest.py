"""Bakes projects and runs commands in them, on every database that is found."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from cookiecutter.main import cookiecutter

# The guard is imported in place too: bytecode there would be baked into projects.
sys.dont_write_bytecode = True

ROOT = Path(__file__).resolve().parents[1]
PROJECT_TEMPLATE = ROOT / "{{cookiecutter.project_slug}}"
DATABASE_FOLDER = PROJECT_TEMPLATE / "src" / "{{cookiecutter.__package_name}}" / "database"
sys.path.insert(0, str(DATABASE_FOLDER))

SERVERS = {
    "postgresql": os.environ.get("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"),
    "mariadb": os.environ.get("TEST_MARIADB_URL", "mariadb+pymysql://root@127.0.0.1:3306/"),
}
MYSQL = sa.make_url(SERVERS["mariadb"]).get_backend_name() == "mysql"  # a MySQL stands in for MariaDB
mariadb_only = pytest.mark.skipif(MYSQL, reason="MySQL has no such thing")
PROGRAMS = ("chromium",)
IN_CI = bool(os.environ.get("CI"))


@functools.cache
def unreachable(database: str) -> str | None:
    """Return why the server of ``database``, or the program of that name, can't be used, or None when it can."""
    if database in PROGRAMS:
        return None if shutil.which(database) else "not installed"
    try:
        engine = sa.create_engine(SERVERS[database], connect_args={"connect_timeout": 5}, poolclass=sa.pool.NullPool)
        engine.connect().close()
    except sa.exc.SQLAlchemyError as error:
        return " ".join(str(getattr(error, "orig", error)).split())
    return None


def pytest_report_header() -> list[str]:
    """Say which databases and programs are left out."""
    return [f"left out: {name}: {why}" for name in (*SERVERS, *PROGRAMS) if (why := unreachable(name))]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it again at the end, where it is read."""
    for line in pytest_report_header():
        terminalreporter.write_line(line, yellow=True)


def require(database: str) -> None:
    """Skip the test where ``database`` has no server, or a program is missing; in CI all are required."""
    if database in (*SERVERS, *PROGRAMS) and (why := unreachable(database)):
        (pytest.fail if IN_CI else pytest.skip)(f"{database}: {why}")


def database_of(url: str) -> str:
    """Return which of the databases of the tests it is: MySQL is taken for MariaDB."""
    name = sa.make_url(url).get_backend_name()
    return "mariadb" if name == "mysql" else name


class Project:
    """A baked project in a folder of its own, and the commands that its user types."""

    def __init__(self, path: Path, package: str, database_url: str | None = None) -> None:
        self.path = path
        self.package = package
        # Nothing of the environment that the tests run in: uv would take it for the project's own.
        mine = {"DATABASE_URL", "GITHUB_ACTIONS", "FORCE_COLOR", "NO_COLOR"}
        mine |= {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON"}
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in mine and not name.startswith(("COV_", "PYTEST_", "PYTHON", "NOX_"))
        }
        self.environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment["CI"] = "true"  # nothing is kept from one run for the next; tests/test_cache.py lets it be
        # mypy reads SQLAlchemy once for all projects of this process.
        self.environment["MYPY_CACHE_DIR"] = str(Path(tempfile.gettempdir()) / f"mypy-{os.getpid()}")
        if database_url:
            self.environment["DATABASE_URL"] = database_url

    @property
    def models(self) -> Path:
        return self.path / "src" / self.package / "database" / "models.py"

    @property
    def versions(self) -> Path:
        return self.path / "alembic" / "versions"

    def run(self, *command: str, ok: bool | None = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the project; ``ok`` says whether it must succeed (None: either will do).

        stderr comes in stdout, in the order in which a user sees it.
        """
        done = subprocess.run(
            command,
            check=False,
            cwd=self.path,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=600,
        )
        assert ok is None or (done.returncode == 0) is ok, f"{command} gave {done.returncode}:\n{done.stdout}"
        return done

    def sh(self, script: str, ok: bool | None = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a shell script in the project, as `run` does."""
        return self.run("bash", "-euo", "pipefail", "-c", script, ok=ok, **environment)

    def edit(self, path: str | Path, old: str, new: str) -> None:
        """Replace ``old``, which must be there, by ``new`` in a file."""
        file = self.path / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        before = file.stat().st_mtime
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        # Of the same second and size, Python would take its bytecode for current.
        os.utime(file, (before - 2, before - 2))

    def autogenerate(self, columns: str, message: str) -> Path:
        """Add columns to the model of videos and let Alembic write the revision; return its file."""
        table = '    __tablename__ = "videos"\n'
        self.edit(self.models, table, f"{table}\n{columns}")
        before = set(self.versions.glob("*.py"))
        self.run("alembic", "revision", "--autogenerate", "-m", message)
        (written,) = set(self.versions.glob("*.py")) - before
        return written


@functools.cache
def _template() -> str:
    """Return a clean copy of the template's files, as a clone has them."""
    copy = Path(tempfile.mkdtemp(prefix="template-")) / "template"
    shutil.copytree(
        PROJECT_TEMPLATE, copy / PROJECT_TEMPLATE.name, ignore=shutil.ignore_patterns("__pycache__", ".*_cache")
    )
    shutil.copytree(ROOT / "hooks", copy / "hooks", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "cookiecutter.json", copy)
    return str(copy)


@functools.cache
def _baked(options: tuple[tuple[str, str], ...]) -> Path:
    return bake_into(Path(tempfile.mkdtemp(prefix="baked-")), **dict(options))


def bake_into(folder: Path, **options: str) -> Path:
    """Bake a project with ``options`` into ``folder``, as ``cookiecutter --no-input`` does."""
    return Path(cookiecutter(_template(), no_input=True, extra_context=options, output_dir=str(folder)))


@pytest.fixture(autouse=True)
def _nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a test runs the guard in this process."""
    monkeypatch.setenv("CI", "true")


@pytest.fixture
def bake(tmp_path: Path) -> Callable[..., Project]:
    """Return a function that gives a copy of a project baked with these options (each set is baked once)."""

    def copy(database_url: str | None = None, **options: str) -> Project:
        baked = _baked(tuple(sorted(options.items())))
        target = tmp_path / "project" / baked.name
        shutil.copytree(baked, target)
        package = next(path.parent.name for path in target.glob("src/*/__init__.py"))
        return Project(target, package, database_url)

    return copy


def fresh_database(database: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a new, empty database, and drop it at the end."""
    require(database)
    if database == "sqlite":
        yield f"sqlite:///{folder / 'test.db'}"
        return
    name = f"template_test_{uuid.uuid4().hex[:12]}"
    server = sa.create_engine(SERVERS[database], isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
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


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database, on each database in turn."""
    yield from fresh_database(request.param, tmp_path)


@pytest.fixture
def project(bake: Callable[..., Project], database_url: str) -> Project:
    """The default project, with a fresh database, on each database in turn."""
    return bake(database_url)
