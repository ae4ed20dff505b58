"""The tasks of this project: ``nox`` runs the checks, ``nox -l`` lists every task."""

from __future__ import annotations

import json
import os
import shutil
import sys
from hashlib import sha256
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "none"  # all sessions share the environment of install()

try:
    PYPROJECT = nox.project.load_toml("pyproject.toml")
    DEPENDENCIES = PYPROJECT["project"]["dependencies"]
except (OSError, ValueError, KeyError) as error:
    sys.exit(f"error: pyproject.toml: {type(error).__name__}: {error}")
LOCK = Path("uv.lock")
PICTURES = "migration_guard.reporting.pictures"
ENVIRONMENT = Path(".nox", "project").resolve()
PROGRAMS = ENVIRONMENT / ("Scripts" if sys.platform == "win32" else "bin")
os.environ["PATH"] = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"


def install(session: nox.Session, *groups: str) -> None:
    """Install what the project depends on and ``groups``, unless all of it is there already.

    With uv, the versions are those of uv.lock, which is written if it does not exist. A session of
    yours that has an environment of its own (``venv_backend="uv|virtualenv"``) gets the newest.
    """
    if session.venv_backend != "none":
        session.install(*DEPENDENCIES, *nox.project.dependency_groups(PYPROJECT, *groups))
        return
    with_uv = shutil.which("uv") is not None
    if with_uv and not LOCK.is_file():
        session.run_install("uv", "lock", "--quiet")
    declared = json.dumps([DEPENDENCIES, PYPROJECT["dependency-groups"]]).encode()
    state = sha256(declared + (LOCK.read_bytes() if with_uv else b"")).hexdigest()
    stamp = ENVIRONMENT / "installed.txt"
    usable = stamp.is_file() and shutil.which("python", path=PROGRAMS)
    known, *there = stamp.read_text(encoding="utf-8").split() if usable else [""]
    wanted = sorted({*groups, *there}) if known == state else sorted(groups)
    if known == state and wanted == there:
        return
    if with_uv:
        chosen = [f"--group={group}" for group in wanted]
        command = ["uv", "sync", "--locked", "--no-install-project", "--no-default-groups", *chosen]
    else:
        session.run_install(sys.executable, "-m", "virtualenv", "--quiet", str(ENVIRONMENT))
        requirements = [*DEPENDENCIES, *nox.project.dependency_groups(PYPROJECT, *wanted)]
        command = ["python", "-m", "pip", "install", *requirements]
    place = {"UV_PROJECT_ENVIRONMENT": str(ENVIRONMENT)}
    if session.run_install(*command, "--quiet", env=place):
        stamp.write_text(" ".join([state, *wanted]), encoding="utf-8")


@nox.session
def check(session: nox.Session) -> None:
    """Are the migrations safe, and in sync with the models? (options: see -- --help)"""
    install(session, "drivers", "guard")
    session.run("python", "scripts/check_migrations.py", *session.posargs)


@nox.session
def roundtrip(session: nox.Session) -> None:
    """Run every migration up, down and up again (-- --since REF, -- -k REVISION)"""
    install(session, "drivers", "guard")
    session.run("python", "scripts/check_migrations.py", "--roundtrip", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff's format and rules, and mypy's strict types."""
    install(session, "drivers", "guard", "lint", "tests")
    try:
        session.run("ruff", "format", "--check")
        session.run("ruff", "check")
    except nox.command.CommandFailed:
        session.error("run `nox -s format`: it fixes what ruff can fix")
    session.run("mypy")


@nox.session(default=False)
def format(session: nox.Session) -> None:
    """Format the code and fix what ruff can fix"""
    install(session, "drivers", "guard", "lint", "tests")
    session.run("ruff", "check", "--fix", "--exit-zero", "--quiet")
    session.run("ruff", "format")
    session.run("ruff", "check")  # what ruff can't fix


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests (options go to pytest)"""
    install(session, "drivers", "guard", "tests")
    session.run("pytest", *session.posargs)


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Draw schema and revisions into docs/SCHEMA.md (-- --check, -- --html: one page to open)"""
    if "--html" in session.posargs:
        install(session, "docs", "drivers", "guard")
        session.run("python", "-m", f"{PICTURES}.write_page", *session.posargs)
    else:
        install(session, "drivers", "guard")
        session.run("python", "-m", f"{PICTURES}.write_schema", *session.posargs)


@nox.session(default=False)
def plan(session: nox.Session) -> None:
    """Show what migrating the database would do; changes nothing (-- --probe: do its rows fit?)"""
    install(session, "drivers", "guard")
    session.run("python", "scripts/check_migrations.py", "--plan", *session.posargs)


@nox.session(default=False)
def migrate(session: nox.Session) -> None:
    """Migrate the database of DATABASE_URL to head (-- downgrade -1; --yes, --resume, --edited)"""
    install(session, "drivers", "guard")
    answers = ("--yes", "--resume", "--edited")  # what alembic takes as -x
    options: list[str] = []
    for given in session.posargs:
        if given in answers:
            options += ["-x", given.removeprefix("--")]
    command = [word for word in session.posargs if word not in answers]
    session.run("alembic", *options, *(command or ["upgrade", "head"]))
    session.run("alembic", "current")


@nox.session(default=False)
def revision(session: nox.Session) -> None:
    """Write a migration for what changed in the models (-- 'Add tags to Video')"""
    if len(session.posargs) != 1 or session.posargs[0].startswith("-"):
        session.error('say what changed: nox -s revision -- "Add tags to Video"')
    install(session, "drivers", "guard", "lint")
    # On a scratch database: your own need not be up to date.
    session.run("python", "-m", "migration_guard.writing.revision", session.posargs[0])


# Add your own sessions below this line: updates of the template leave it where it is.
