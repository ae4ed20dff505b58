"""A project that its user has changed is updated with cruft to a newer template without a loss."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from lib.projects import PROJECT_TEMPLATE, ROOT, Project
from lib.servers import IN_CI

pytestmark = pytest.mark.slow
GUARD = PROJECT_TEMPLATE.relative_to(ROOT) / "migration_guard"
# The version before this one, in which the guard lay in src/<package>/database/.
LAST_VERSION = "df30b9d"
IDENTITY = "git config user.name T && git config user.email t@example.org"
SESSION = (
    '\n\n@nox.session(default=False)\ndef mine(session: nox.Session) -> None:\n    """Mine"""\n'
)


def commit_template(repository: Project) -> None:
    """Make the template, as it stands in this working tree, the next commit of ``repository``."""
    for old in repository.path.iterdir():
        if old.is_dir() and old.name != ".git":
            shutil.rmtree(old)
    skip = shutil.ignore_patterns("__pycache__", ".*_cache", ".hypothesis")
    for name in (PROJECT_TEMPLATE.name, "hooks"):
        shutil.copytree(ROOT / name, repository.path / name, ignore=skip)
    shutil.copy(ROOT / "cookiecutter.json", repository.path)
    repository.sh("git add -A && git commit -qm 'As it stands'")


@pytest.fixture
def template(tmp_path: Path) -> Project:
    """A repository of the template, without a commit."""
    repository = Project(tmp_path / "template", "")
    repository.path.mkdir()
    repository.sh(f"git init -q -b main && {IDENTITY}")
    return repository


@pytest.fixture
def create(template: Project, tmp_path: Path) -> Callable[..., Project]:
    """Return a function that makes a project from ``template`` with cruft, and commits it."""

    def make(starter: str, database: str) -> Project:
        home = Project(tmp_path, "")
        home.environment |= {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
        answers = (
            '{"project_name": "Acme {braces} Orders", '
            f'"starter": "{starter}", "database": "{database}"}}'
        )
        home.run("cruft", "create", str(template.path), "--no-input", "--extra-context", answers)
        project = Project(tmp_path / "acme-braces-orders", "acme_braces_orders")
        project.environment |= home.environment
        project.sh(f"git init -q -b main && {IDENTITY} && git add -A && git commit -qm Baked")
        return project

    return make


def change(project: Project, starter: str) -> str:
    """Add what a user adds: a column, a migration, a nox session. Return the column's line."""
    table = f'    __tablename__ = "{"videos" if starter == "soundhash" else "examples"}"\n'
    mine = "    tags: Mapped[str | None] = mapped_column(String(500))\n"
    project.edit(project.models, table, table + mine)
    project.run("alembic", "revision", "-m", "Mine")
    noxfile = project.path / "noxfile.py"
    noxfile.write_text(noxfile.read_text() + SESSION)
    project.sh("git add -A && git commit -qm Mine")
    return mine


def update(project: Project, may_conflict: str = "") -> None:
    """Update with cruft: only the named file may have a conflict, which is resolved here."""
    project.run("cruft", "update", "--skip-apply-ask", ok=None if may_conflict else True)
    assert list(project.path.rglob("*.rej")) + list(project.path.rglob("*.orig")) == []
    conflicts = project.run("git", "grep", "-lE", "^(<{7}|>{7})", ok=None).stdout.split()
    assert set(conflicts) <= {may_conflict}
    for name in conflicts:  # the template's lines, and the session that was added behind them
        text = (project.path / name).read_text()
        theirs = re.sub(r"<{7}.*?\n={7}\n(.*?)>{7}[^\n]*\n", r"\1", text, flags=re.DOTALL)
        (project.path / name).write_text(theirs.rstrip("\n") + SESSION)
    project.sh("git add -A && git commit -qm Updated")
    project.run("cruft", "check")


@pytest.mark.parametrize("starter", ["soundhash", "blank"])
@pytest.mark.parametrize("database", ["sqlite", "postgresql", "mariadb"])
def test_what_the_user_changed_stays_and_what_is_ours_is_updated(
    template: Project, create: Callable[..., Project], starter: str, database: str
) -> None:
    commit_template(template)
    project = create(starter, database)
    mine = change(project, starter)
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

    update(project)

    noxfile = (project.path / "noxfile.py").read_text()
    assert "NEWER = True" in (project.path / "migration_guard" / "settings.py").read_text()
    assert (project.path / "migration_guard" / "newer.py").is_file()
    assert "The format and rules of ruff" in noxfile
    assert SESSION in noxfile
    assert mine in project.models.read_text()
    assert list(project.versions.glob("*_mine.py"))


@pytest.mark.parametrize(
    ("starter", "database", "changed"),
    [
        ("soundhash", "postgresql", False),
        ("soundhash", "sqlite", True),
        ("blank", "mariadb", True),
    ],
)
def test_a_project_of_the_last_version_is_updated_to_this_one(
    template: Project,
    create: Callable[..., Project],
    starter: str,
    database: str,
    changed: bool,
) -> None:
    archive = subprocess.run(
        ["git", "archive", LAST_VERSION], check=False, cwd=ROOT, capture_output=True
    )
    if archive.returncode:
        (pytest.fail if IN_CI else pytest.skip)(f"the clone has no commit {LAST_VERSION}")
    subprocess.run(["tar", "-x"], check=True, cwd=template.path, input=archive.stdout)
    template.sh("git add -A && git commit -qm 'The last version'")
    project = create(starter, database)
    assert (project.path / "src/acme_braces_orders/database/migration_guard").is_dir()
    if changed:
        mine = change(project, starter)
    if database == "sqlite":
        project.run("alembic", "upgrade", "head")
    commit_template(template)

    # The last version's noxfile ended with a session that has changed, right before the user's own.
    update(project, may_conflict="noxfile.py" if changed else "")

    left = project.path / "src/acme_braces_orders/database/migration_guard"
    assert list(left.rglob("*.py")) == []
    if changed:
        assert mine in project.models.read_text()
        assert SESSION in (project.path / "noxfile.py").read_text()
    assert "Clean" in project.run("python", "scripts/check_migrations.py", "--static").stdout
    if database == "sqlite":
        # What the last version migrated goes on: nothing counts as edited.
        project.run("alembic", "upgrade", "head")
        project.run("alembic", "revision", "--autogenerate", "-m", "Tags")
        project.run("alembic", "upgrade", "head")
        assert "Clean" in project.run("python", "scripts/check_migrations.py").stdout


def test_a_users_linter_leaves_the_guard_alone(
    template: Project, create: Callable[..., Project]
) -> None:
    commit_template(template)
    project = create("soundhash", "sqlite")
    before = contents(project.path / "migration_guard")
    project.edit("pyproject.toml", "line-length = 100", "line-length = 88")
    text = (project.path / "pyproject.toml").read_text()
    select = re.search(r"^select = \[.*\]$", text, re.MULTILINE)
    assert select
    project.edit("pyproject.toml", select.group(), 'select = ["ALL"]')
    project.run("ruff", "format")
    found = project.run("ruff", "check", "--fix", ok=None).stdout
    assert "migration_guard/" not in found
    assert "Found " in found, "the user's rules find something in the user's files"
    assert contents(project.path / "migration_guard") == before
    # Without the project's own exclusion, the guard's ruff.toml is what holds.
    guard_format = project.run("ruff", "format", "--check", "migration_guard/cli.py", ok=None)
    assert guard_format.returncode == 0, guard_format.stdout
    project.sh("git add -A && git commit -qm 'Our own style'")

    guard = template.path / GUARD
    for file in guard.rglob("*.py"):
        file.write_text(f"# Newer.\n{file.read_text()}")
    (guard / "RULES.md").write_text("Newer.\n")
    template.sh("git add -A && git commit -qm Second")
    update(project)
    assert contents(project.path / "migration_guard") == contents(guard)


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is in each file of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".ruff_cache" not in path.parts
    }
