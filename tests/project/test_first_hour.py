"""What somebody finds who opens a generated project for the first time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nox.project
import pytest
import yaml
from lib.projects import Project
from lib.servers import fresh_database

pytestmark = pytest.mark.slow


@pytest.fixture
def project(bake: Callable[..., Project]) -> Project:
    return bake()


def test_the_agents_file_is_ten_lines_of_true_commands(project: Project) -> None:
    text = (project.path / "AGENTS.md").read_text()
    assert len(text.splitlines()) <= 10
    for session in ("revision", "check", "migrate", "format"):
        assert f"`nox -s {session}" in text
    assert f"src/{project.package}/database/models.py" in text


def pre_push(project: Project) -> str:
    """Return the command of the pre-push hook, as the environment of the tests has it."""
    hooks = yaml.safe_load((project.path / ".pre-commit-config.yaml").read_text())
    assert "pre-push" in hooks["default_install_hook_types"]
    (entry,) = [hook["entry"] for hook in hooks["repos"][0]["hooks"] if hook["id"] == "roundtrip"]
    return entry.replace("nox -s roundtrip --", "python scripts/check_migrations.py --roundtrip")


def test_before_a_push_only_what_the_remote_does_not_have_is_run(project: Project) -> None:
    hook = pre_push(project)
    project.sh(
        "git init -q -b main && git config user.name T && git config user.email t@example.org"
    )
    project.sh("git add -A && git commit -qm First")
    # Without a remote, nothing is deployed: every revision is new.
    assert "2 of 2 b9532a7d8c7a" in project.sh(f"{hook} --format json").stdout
    project.sh("git update-ref refs/remotes/origin/main HEAD")
    assert " of " not in project.sh(f"{hook} --format json").stdout
    project.run("alembic", "upgrade", "head")
    project.run("alembic", "revision", "-m", "New", "--rev-id", "c1")
    assert "1 of 1 c1" in project.sh(f"{hook} --format json").stdout


def test_autogenerate_logs_no_sequence(bake: Callable[..., Project], tmp_path: Path) -> None:
    for url in fresh_database("postgresql", tmp_path):
        project = bake(url)
        project.run("alembic", "upgrade", "head")
        output = project.run("alembic", "revision", "--autogenerate", "-m", "Nothing").stdout
        assert "Nothing to write" in output
        assert "SERIAL" not in output


def test_format_fixes_what_lint_finds(project: Project) -> None:
    project.models.write_text("import   os\n" + project.models.read_text())
    assert "run `nox -s format`" in project.run("nox", "-s", "lint", ok=False).stdout
    project.run("nox", "-s", "format")
    project.run("nox", "-s", "lint")
    # What ruff can't fix fails here too: it is the hook that runs before a commit.
    project.models.write_text(project.models.read_text() + "\n\nprint(nobody)\n")
    assert "F821" in project.run("nox", "-s", "format", ok=False).stdout


def test_the_declared_lower_bounds_are_true(bake: Callable[..., Project], tmp_path: Path) -> None:
    project = bake(database="postgresql")
    pyproject = nox.project.load_toml(str(project.path / "pyproject.toml"))
    requirements = tmp_path / "requirements.txt"
    needed = pyproject["project"]["dependencies"]
    needed += nox.project.dependency_groups(pyproject, "drivers", "guard", "lint", "tests")
    requirements.write_text("\n".join(needed))
    python = tmp_path / "lowest" / "bin" / "python"
    project.run("uv", "venv", "--quiet", "--python", "3.11", str(tmp_path / "lowest"))
    lowest = ("--resolution", "lowest-direct", "--requirements", str(requirements))
    project.run("uv", "pip", "install", "--quiet", "--python", str(python), *lowest)
    project.environment["PATH"] = f"{python.parent}:{project.environment['PATH']}"
    del project.environment["MYPY_CACHE_DIR"]
    project.run("ruff", "format", "--check")
    project.run("ruff", "check")
    project.run("mypy")
    project.edit("pyproject.toml", '"postgresql>=17"', '"postgresql>=17", "sqlite"')
    project.run("python", "scripts/check_migrations.py")
    project.run("pytest", "-q")


def test_the_projects_tests_respect_an_irreversible_revision(project: Project) -> None:
    project.run("alembic", "revision", "-m", "Forget", "--rev-id", "c1")
    (migration,) = project.versions.glob("c1_*.py")
    text = migration.read_text().replace(
        '"""Downgrade schema."""', '"""Downgrade schema."""\n    raise NotImplementedError'
    )
    tests = ("pytest", "-q", "tests/database/test_migrations.py")
    migration.write_text(text)
    assert "NotImplementedError" in project.run(*tests, ok=False).stdout
    migration.write_text(f'{text}\n\nirreversible = "the names are gone"\n')
    project.run(*tests)
