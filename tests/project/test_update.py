"""A project that its user went on to change is updated to a newer template with cruft, and nothing is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from lib.projects import PROJECT_TEMPLATE, ROOT, Project

pytestmark = pytest.mark.slow
GUARD = PROJECT_TEMPLATE.relative_to(ROOT) / "migration_guard"


@pytest.fixture
def template(tmp_path: Path) -> Project:
    """A repository of the template as it stands, with one commit."""
    copy = tmp_path / "template"
    skip = shutil.ignore_patterns("__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(PROJECT_TEMPLATE, copy / PROJECT_TEMPLATE.name, ignore=skip)
    shutil.copytree(ROOT / "hooks", copy / "hooks", ignore=skip)
    shutil.copy(ROOT / "cookiecutter.json", copy)
    repository = Project(copy, "")
    repository.sh(
        "git init -q -b main && git config user.name T && git config user.email t@example.org"
    )
    repository.sh("git add -A && git commit -qm First")
    return repository


@pytest.mark.parametrize("starter", ["soundhash", "blank"])
@pytest.mark.parametrize("database", ["sqlite", "postgresql", "mariadb"])
def test_what_the_user_changed_stays_and_what_is_ours_is_updated(
    template: Project, tmp_path: Path, starter: str, database: str
) -> None:
    home = Project(tmp_path, "")
    home.environment |= {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    answers = f'{{"project_name": "Acme {{braces}} Orders", "starter": "{starter}", "database": "{database}"}}'
    home.run("cruft", "create", str(template.path), "--no-input", "--extra-context", answers)
    project = Project(tmp_path / "acme-braces-orders", "acme_braces_orders")
    project.environment |= home.environment
    project.sh(
        "git init -q -b main && git config user.name T && git config user.email t@example.org"
    )
    project.sh("git add -A && git commit -qm Baked")

    # The user: a model, a migration, a session of their own.
    table = "videos" if starter == "soundhash" else "examples"
    mine = "    tags: Mapped[str | None] = mapped_column(String(500))\n"
    project.edit(
        project.models, f'    __tablename__ = "{table}"\n', f'    __tablename__ = "{table}"\n{mine}'
    )
    project.run("alembic", "revision", "-m", "Mine")
    noxfile = project.path / "noxfile.py"
    session = (
        '\n\n@nox.session(default=False)\ndef mine(session: nox.Session) -> None:\n    """Mine"""\n'
    )
    noxfile.write_text(noxfile.read_text() + session)
    project.sh("git add -A && git commit -qm Mine")
    project.run("cruft", "check")

    # The template: the guard, a document and the sessions change; a file comes.
    guard = template.path / GUARD / "settings.py"
    guard.write_text(guard.read_text() + "\nNEWER = True\n")
    (template.path / GUARD / "newer.py").write_text('"""Newer."""\n')
    template.edit(
        PROJECT_TEMPLATE.name + "/noxfile.py",
        "Ruff's format and rules",
        "The format and rules of ruff",
    )
    template.sh("git add -A && git commit -qm Second")
    assert "out of date" in project.run("cruft", "check", ok=False).stdout.lower()

    project.run("cruft", "update", "--skip-apply-ask")

    assert list(project.path.rglob("*.rej")) + list(project.path.rglob("*.orig")) == []
    assert "NEWER = True" in (project.path / "migration_guard" / "settings.py").read_text()
    assert (project.path / "migration_guard" / "newer.py").is_file()
    assert "The format and rules of ruff" in noxfile.read_text()
    assert session in noxfile.read_text()
    assert mine in project.models.read_text()
    assert list(project.versions.glob("*_mine.py"))
    project.sh("git add -A && git commit -qm Updated")
    project.run("cruft", "check")
