"""Bakes projects and runs commands in them, as their users do."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cookiecutter.main import cookiecutter
from lib.preloaded import SECONDS, Preloaded

# The guard is imported in place too: bytecode there would be baked into projects.
sys.dont_write_bytecode = True

ROOT = Path(__file__).resolve().parents[2]
PROJECT_TEMPLATE = ROOT / "{{cookiecutter.project_slug}}"
sys.path.insert(0, str(PROJECT_TEMPLATE))


def user_environment() -> dict[str, str]:
    """Return the environment without what the tests run in: uv would use that for the project."""
    mine = {"DATABASE_URL", "GITHUB_ACTIONS", "FORCE_COLOR", "NO_COLOR"}
    mine |= {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON"}
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in mine and not name.startswith(("COV_", "PYTEST_", "PYTHON", "NOX_"))
    }
    programs = [str(ROOT / "tests" / "lib" / "bin"), str(Path(sys.executable).parent)]
    environment["PATH"] = os.pathsep.join([*programs, os.environ["PATH"]])
    return environment


@functools.cache
def preloaded() -> Preloaded:
    return Preloaded(user_environment())


def run_new_process(
    command: tuple[str, ...], folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the command in a new process; its result has stderr in stdout."""
    return subprocess.run(
        command,
        check=False,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=SECONDS,
    )


class Project:
    """A baked project in a folder of its own, and the commands that its user types."""

    def __init__(self, path: Path, package: str, database_url: str | None = None) -> None:
        self.path = path
        self.package = package
        self.environment = user_environment()
        # mypy reads SQLAlchemy once for all projects of this process.
        self.environment["MYPY_CACHE_DIR"] = str(
            Path(tempfile.gettempdir()) / f"mypy-{os.getpid()}"
        )
        if database_url:
            self.environment["DATABASE_URL"] = database_url

    @property
    def models(self) -> Path:
        return self.path / "src" / self.package / "database" / "models.py"

    @property
    def versions(self) -> Path:
        return self.path / "alembic" / "versions"

    def run(
        self, *command: str, ok: bool | None = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the project; ``ok`` says whether it must succeed (None: either will do).

        stderr comes in stdout, in the order in which a user sees it.
        """
        variables = {**self.environment, **environment}
        run = preloaded().run if preloaded().takes(command, variables) else run_new_process
        done = run(command, self.path, variables)
        assert ok is None or (done.returncode == 0) is ok, (
            f"{command} gave {done.returncode}:\n{done.stdout}"
        )
        return done

    def sh(
        self, script: str, ok: bool | None = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
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
        """Add columns to the model of videos, let Alembic write the revision; return its file."""
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
        PROJECT_TEMPLATE,
        copy / PROJECT_TEMPLATE.name,
        ignore=shutil.ignore_patterns("__pycache__", ".*_cache"),
    )
    shutil.copytree(ROOT / "hooks", copy / "hooks", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "cookiecutter.json", copy)
    return str(copy)


def bake_into(folder: Path, **options: str) -> Path:
    """Bake a project with ``options`` into ``folder``, as ``cookiecutter --no-input`` does."""
    return Path(
        cookiecutter(_template(), no_input=True, extra_context=options, output_dir=str(folder))
    )


@functools.cache
def baked(options: tuple[tuple[str, str], ...]) -> Path:
    return bake_into(Path(tempfile.mkdtemp(prefix="baked-")), **dict(options))
