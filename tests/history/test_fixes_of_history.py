"""The fixes of the rules about the history, followed to the letter.

What is between backticks is pasted or run.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from history.test_history import History
from lib.checks import codes_of
from lib.projects import Project
from migration_guard.rules import RULES

pytestmark = pytest.mark.slow


@pytest.fixture
def history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> History:
    made = History(tmp_path / "project", capsys)
    made.add("a1", None)
    return made


def bad_example(history: History, rule: str) -> dict[str, Any]:
    """Write the rule's bad example; return its finding."""
    for number, pair in enumerate(RULES[rule].bad.split(", ")):
        parent, revision = pair.split(" <- ")
        history.add(revision, parent, name=f"example{number}")
    return next(found for found in history.check()[1] if found["rule"] == rule)


def paste(history: History, found: dict[str, Any], code: str) -> None:
    """Replace the line of the file of the finding that sets the same name."""
    path = history.root / found["path"]
    name = code.partition(" = ")[0]
    text = re.sub(rf"(?m)^{name} = .*$", code, path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")


def run(history: History, command: str) -> str:
    return subprocess.run(
        command, shell=True, cwd=history.root, check=True, capture_output=True, text=True
    ).stdout


def test_the_parent_that_is_gone_for_good(history: History) -> None:
    found = bad_example(history, "missing-parent")
    paste(history, found, codes_of(found["fix"])[-1])
    assert history.check() == (0, [])


def test_the_parent_that_git_still_has(history: History) -> None:
    history.add("lost", "a1", name="2026_lost_and_found")
    history.add("c1", "lost")
    history.commit()
    (history.versions / "2026_lost_and_found.py").unlink()
    history.commit()
    (found,) = history.check()[1]
    log, checkout, _ = codes_of(found["fix"])
    commit, file = run(history, log).split()
    run(history, checkout.replace("<commit>", commit).replace("<file>", file))
    assert history.check() == (0, [])


def test_two_files_of_one_revision(history: History) -> None:
    found = bad_example(history, "duplicate-revision")
    follow, name, command = codes_of(found["fix"])
    paste(history, found, follow)
    paste(history, found, name.replace("<identifier>", run(history, command).strip()))
    assert history.check() == (0, [])


def test_a_circle(history: History) -> None:
    found = bad_example(history, "revision-cycle")
    paste(history, found, codes_of(found["fix"])[0])
    assert history.check() == (0, [])


def test_an_edited_migration(history: History) -> None:
    added, edited = (f'sa.Column("tags", sa.String({length}))' for length in (100, 500))
    path = history.add("b1", "a1", column="tags")
    text = path.read_text(encoding="utf-8")
    old = 'sa.Column("tags", sa.Text())'
    path.write_text(text.replace(old, added), encoding="utf-8")
    history.commit()
    path.write_text(text.replace(old, edited), encoding="utf-8")
    (found,) = history.check("--against", "HEAD")[1]
    assert found["rule"] == "edited-migration"
    (command,) = codes_of(found["fix"])
    run(history, command)
    head = (
        'from alembic import op\nimport sqlalchemy as sa\nrevision = "c1"\ndown_revision = "b1"\n'
    )
    call = RULES["edited-migration"].good.splitlines()[-1]
    back = call.replace("500", "0").replace("100", "500").replace("(0)", "(100)")
    bodies = f"\n\ndef upgrade():\n    {call}\n\n\ndef downgrade():\n    {back}\n"
    history.write("c1", head + bodies)
    assert history.check("--against", "HEAD") == (0, [])


def test_a_computed_identifier(history: History) -> None:
    text = history.add("b1", "a1").read_text(encoding="utf-8")
    history.write("b1", text.replace("revision = 'b1'", RULES["unreadable-migration"].bad, 1))
    found = next(each for each in history.check()[1] if each["rule"] == "unreadable-migration")
    code, command = codes_of(found["fix"])
    paste(history, found, code.replace("<identifier>", run(history, command).strip()))
    assert history.check() == (0, [])


# --- two heads, on a database


@pytest.fixture
def team(bake: Callable[..., Project], tmp_path: Path) -> Project:
    """B's clone: c1 and c2 are B's own and have run on B's database; main has b1."""
    project = bake(f"sqlite:///{tmp_path / 'b.db'}", starter="blank")
    project.sh(
        "git init -q -b main && git config user.name B && git config user.email b@example.org"
    )
    (head,) = re.findall(r"^(\w+) \(head\)", project.run("alembic", "heads").stdout)
    write(project, "b1", head)
    project.sh("git add . && git commit -qm Main && git update-ref refs/remotes/origin/main HEAD")
    (project.versions / "b1.py").rename(project.path / "b1.away")
    write(project, "c1", head)
    write(project, "c2", "c1")
    project.run("alembic", "upgrade", "head")
    (project.path / "b1.away").rename(project.versions / "b1.py")
    return project


def write(project: Project, revision: str, parent: str) -> None:
    text = "import sqlalchemy as sa\nfrom alembic import op\n\n"
    text += f"revision = {revision!r}\ndown_revision = {parent!r}\n\n\n"
    column = 'sa.Column("id", sa.Integer(), primary_key=True)'
    text += f'def upgrade():\n    op.create_table("{revision}", {column})\n\n\n'
    text += f'def downgrade():\n    op.drop_table("{revision}")\n'
    (project.versions / f"{revision}.py").write_text(text, encoding="utf-8")


def findings(project: Project) -> list[dict[str, Any]]:
    command = ("python", "scripts/check_migrations.py", "--static", "--format", "json")
    return list(json.loads(project.run(*command, ok=None).stdout)["findings"])


def tables(project: Project) -> list[str]:
    """Return the tables of B's database that the revisions create."""
    url = project.environment["DATABASE_URL"]
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    return sorted(name for name in sa.inspect(engine).get_table_names() if len(name) == 2)


def test_the_head_that_is_not_deployed_is_rebased(team: Project) -> None:
    (found,) = findings(team)
    assert (found["rule"], found["path"]) == ("multiple-heads", "alembic/versions/c1.py")
    assert "if c2 is not deployed, rebase it" in found["fix"]
    merge, down, follow, up = codes_of(found["fix"])
    assert merge == 'alembic merge -m "Merge migrations" b1 c2'
    team.sh(down)
    team.edit(found["path"], "down_revision = '4c1f0f6a52d3'", follow)
    team.sh(up)
    assert findings(team) == []
    assert tables(team) == ["b1", "c1", "c2"]
    assert "c2 (head)" in team.run("alembic", "current").stdout


def test_the_heads_are_merged(team: Project) -> None:
    (found,) = findings(team)
    team.sh(codes_of(found["fix"])[0])
    assert findings(team) == []
    team.run("alembic", "upgrade", "head")
    assert tables(team) == ["b1", "c1", "c2"]


def test_both_ways_are_named_where_nothing_is_known_to_be_deployed(team: Project) -> None:
    team.sh("git update-ref -d refs/remotes/origin/main")
    (found,) = findings(team)
    for command in (
        ("python", "-m", "migration_guard.writing.revision", "Add tags"),
        ("alembic", "upgrade", "head"),
    ):
        output = team.run(*command, ok=False).stdout
        assert found["fix"] in output, "the same fix as of the check"
    merge, down, follow, up = codes_of(found["fix"])
    assert merge == 'alembic merge -m "Merge migrations" b1 c2'
    team.sh(down.replace("<the parent of its first file>", "4c1f0f6a52d3"))
    team.edit(
        "alembic/versions/c1.py",
        "down_revision = '4c1f0f6a52d3'",
        follow.replace("<the other>", "b1"),
    )
    team.sh(up)
    assert findings(team) == []
