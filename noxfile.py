"""The tasks of the template: ``nox -l`` lists them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "tests"]

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml("pyproject.toml")


def install(session: nox.Session, *groups: str) -> None:
    """Install dependency groups of this repository."""
    # The tests start many processes, which would each compile what they import.
    compiled = {"UV_COMPILE_BYTECODE": "1"}
    if "lowest" in os.environ.get("UV_RESOLUTION", "") and session.venv_backend != "uv":
        session.error("UV_RESOLUTION is uv's: pip install uv")
    session.install(*nox.project.dependency_groups(PYPROJECT, *groups), env=compiled)


@nox.session
def tests(session: nox.Session) -> None:
    """Bake projects and use them, on every database that is found (options go to pytest)"""
    install(session, "tests")
    # An idle worker takes tests from the other: some last a minute, most a second.
    session.run("pytest", "-n", "auto", "--dist", "worksteal", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff and mypy on the template's own files and on the guard"""
    install(session, "lint", "project")
    # tests/project lints the rest of a project as it is baked.
    files = ["noxfile.py", "tests", "benchmarks", "{{cookiecutter.project_slug}}/migration_guard"]
    session.run("ruff", "format", "--check", *files)
    session.run("ruff", "check", *files)
    session.run("mypy")


@nox.session
def bake(session: nox.Session) -> None:
    """Bake a project and run check, migrate, roundtrip and lint in it (-- starter=blank)"""
    options = dict(option.partition("=")[::2] for option in session.posargs)
    url = None
    if options.get("database", "sqlite") != "sqlite":
        url = os.environ.get("DATABASE_URL")
        if not url:
            session.error("set DATABASE_URL to an empty database that this may migrate")
    install(session, "bake")
    # Not below this repository, whose .gitignore would hide the project from ruff.
    folder = Path(tempfile.mkdtemp(prefix="baked-"))
    session.run("cookiecutter", "--no-input", "-o", str(folder), str(ROOT), *session.posargs)
    (project,) = folder.iterdir()
    session.log(f"The project is in {project}")
    with session.chdir(project):
        session.run("nox", "-s", "check", "migrate", "roundtrip", "lint", env={"DATABASE_URL": url})


@nox.session(default=False)
def corpus(session: nox.Session) -> None:
    """Measure the reader on migrations of real applications, which are downloaded"""
    install(session, "project")
    session.install("pip", "alembic-guard", "lockcheck", "oneport-migrate")
    session.run("python", "benchmarks/corpus.py", session.create_tmp(), *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure everything beside its peers, which takes over an hour (-- roundtrip: one part)"""
    part, *options = session.posargs or ["all"]
    install(session, "tests")
    session.install("matplotlib", "squawk-cli", "alembic-guard", "lockcheck")
    for name in (
        ("first_minute", "roundtrip", "faults", "lock", "rules", "road")
        if part == "all"
        else (part,)
    ):
        session.run("python", f"benchmarks/{name}.py", *options)
    if part == "all":
        session.notify("corpus")
