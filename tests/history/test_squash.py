"""The squash of alembic/README.md, followed to the letter on each database."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from lib.projects import Project

TITLE = "## Squash old migrations"


@pytest.fixture
def team(project: Project) -> Project:
    """A project whose two revisions are deployed and have run on its database."""
    project.sh("git init -q -b main && git config user.name T && git config user.email t@e.org")
    project.sh("git add . && git commit -qm Start && git update-ref refs/remotes/origin/main HEAD")
    project.run("alembic", "upgrade", "head")
    return project


def squash(project: Project) -> Path:
    """Follow the document up to the check, and return the file."""
    text = (project.path / "alembic" / "README.md").read_text(encoding="utf-8")
    commands, check = re.findall(r"(?s)```bash\n(.*?)```", text.partition(TITLE)[2])
    assert check.strip() == "python scripts/check_migrations.py --against origin/main"
    (last,) = re.findall(r"^(\w+) \(head\)", project.run("alembic", "heads").stdout)
    project.sh(commands)
    (file,) = project.versions.glob("*.py")
    source = file.read_text(encoding="utf-8")
    assert re.search(r"(?m)^down_revision\b.* = None$", source)
    (old,) = re.findall(r'(?m)^revision\b.* = "(\w+)"$', source)
    project.edit(file, f'= "{old}"', f'= "{last}"')
    return file


def check(project: Project, *options: str, ok: bool = True) -> str:
    command = ("python", "scripts/check_migrations.py", "--against", "origin/main", *options)
    return project.run(*command, ok=ok).stdout


def tables(project: Project) -> set[str]:
    url = sa.make_url(project.environment["DATABASE_URL"])
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    return set(sa.inspect(engine).get_table_names())


def test_a_squash_is_accepted_and_deployed(team: Project) -> None:
    before = tables(team)
    squash(team)
    assert "Clean: 1 file" in check(team)
    assert "was not compared with what it replaces" in check(team, "--static")
    assert "Running upgrade" not in team.run("alembic", "upgrade", "head").stdout
    assert "(head)" in team.run("alembic", "current").stdout
    team.run("alembic", "-x", "yes", "downgrade", "base")
    assert not tables(team) & before - {"alembic_version", "alembic_journal"}
    team.run("alembic", "upgrade", "head")
    assert tables(team) == before


def test_a_squash_that_forgets_an_index_is_found(team: Project) -> None:
    file = squash(team)
    source = file.read_text(encoding="utf-8")
    name = "idx_processing_jobs_target"
    calls = source.split("    op.create_index(")
    calls = [each for each in calls if f'"{name}"' not in each.partition("    op.")[0]]
    without = "    op.create_index(".join(calls)
    assert without != source, source
    file.write_text(without, encoding="utf-8")
    output = check(team, ok=False)
    assert "edited-migration" in output
    assert f"creates another schema than they do: index processing_jobs.{name} differs" in output


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_is_behind_deploys_the_release_before(team: Project) -> None:
    team.run("alembic", "downgrade", "-1")
    squash(team)
    output = team.run("alembic", "upgrade", "head", ok=False).stdout
    assert "deploy the release before the squash first" in output.splitlines()[-1]
    plan = team.run("python", "scripts/check_migrations.py", "--plan", ok=False).stdout
    assert "deploy the release before the squash first" in plan


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_that_stands_for_only_a_part_is_no_squash(team: Project) -> None:
    """One of the files that it should replace is still there."""
    (first,) = team.versions.glob("4c1f0f6a52d3*.py")
    source = first.read_text(encoding="utf-8")
    squash(team)
    first.write_text(source, encoding="utf-8")
    assert "is deployed (origin/main)" in check(team, "--static", ok=False)
