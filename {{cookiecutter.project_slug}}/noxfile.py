"""The tasks of this project: ``nox`` runs the checks, ``nox -l`` lists every task."""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"

try:
    PYPROJECT = nox.project.load_toml("pyproject.toml")
    DEPENDENCIES = PYPROJECT["project"]["dependencies"]
except (OSError, ValueError, KeyError) as error:
    sys.exit(f"error: pyproject.toml: {type(error).__name__}: {error}")
LOCK = Path("uv.lock")
PICTURES = "migration_guard.reporting.pictures"


def install(session: nox.Session, *groups: str) -> None:
    """Install what the project depends on and ``groups``, unless just that is there from the last run.

    With uv, the versions are those of uv.lock, which is written if it does not exist.
    """
    requirements = [*DEPENDENCIES, *nox.project.dependency_groups(PYPROJECT, *groups)]
    place = session.virtualenv.location
    with_uv = session.venv_backend == "uv"
    if with_uv and not LOCK.is_file():
        session.run_install("uv", "lock", "--quiet")
    locked = LOCK.read_bytes() if with_uv else b""
    wanted = sha256("\n".join(requirements).encode() + locked).hexdigest()
    stamp = Path(place) / "installed.txt"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    if with_uv:
        chosen = [f"--group={group}" for group in groups]
        command = ["uv", "sync", "--locked", "--no-install-project", "--no-default-groups", *chosen]
        session.run_install(*command, "--quiet", env={"UV_PROJECT_ENVIRONMENT": place})
    else:
        session.install(*requirements)
    write = f"import pathlib; pathlib.Path({str(stamp)!r}).write_text({wanted!r})"
    session.run_install("python", "-c", write, silent=True, log=False)


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
    session.run("ruff", "check", "--fix", success_codes=[0, 1])  # 1: it prints what it can't fix
    session.run("ruff", "format")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests (options go to pytest)"""
    install(session, "drivers", "guard", "tests")
    session.run("pytest", *session.posargs)


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Draw schema and revisions into docs/SCHEMA.md (-- --check, -- --html: one page to open)"""
    install(session, "docs", "drivers", "guard")
    if "--html" in session.posargs:
        session.run("python", "-m", f"{PICTURES}.write_page", *session.posargs)
        return
    # It reports faults of the models, too.
    session.run("python", "-m", f"{PICTURES}.draw_history", *session.posargs)
    session.run("paracelsus", "inject", "docs/SCHEMA.md", "--python-dir", "src", *session.posargs)


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
