"""Every fenced block of a project's documents, run as a user would, in a fresh project."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from lib.projects import Project
from lib.servers import fresh_database

GUIDE = "docs/DATABASE_MIGRATIONS.md"
OUT_OF_SYNC = "Migrations are out of sync with models"


class Block(NamedTuple):
    section: str
    language: str
    text: str


def blocks(document: Path) -> list[Block]:
    """Return the fenced blocks of a Markdown document, each with the heading above it."""
    found, section, fence, lines = [], "", None, []
    for line in document.read_text(encoding="utf-8").splitlines():
        if fence is not None:
            if line == "```":
                found.append(Block(section, fence, "\n".join(lines)))
                fence = None
            else:
                lines.append(line)
        elif line.startswith("```"):
            fence, lines = line.removeprefix("```"), []
        elif line.startswith("#"):
            section = line.lstrip("# ")
    return found


@pytest.fixture(
    params=["soundhash-sqlite", "soundhash-postgresql", "soundhash-mariadb", "blank-sqlite"]
)
def project(
    request: pytest.FixtureRequest, bake: Callable[..., Project], tmp_path: Path
) -> Iterator[Project]:
    """A project under git, made for one of the databases, with a fresh database of that kind."""
    starter, _, database = request.param.partition("-")
    for url in fresh_database(database, tmp_path):
        project = bake(url, starter=starter, database=database)
        project.sh(
            "git init -q -b main && git config user.name T && git config user.email t@example.org"
        )
        project.sh("git add . && git commit -qm Start")
        yield project


def model(project: Project) -> tuple[str, str]:
    """Return the name of the model that the guide changes, and of its table."""
    return (
        ("Video", "videos")
        if "class Video" in project.models.read_text()
        else ("Example", "examples")
    )


def add_field(project: Project, field: str) -> None:
    """Add a field to the model that the guide changes."""
    _, table = model(project)
    project.edit(
        project.models,
        f'    __tablename__ = "{table}"\n',
        f'    __tablename__ = "{table}"\n    {field}\n',
    )


def inspect(project: Project) -> sa.Inspector:
    """Look at the database that the project's commands used."""
    url = sa.make_url(project.environment["DATABASE_URL"])
    return sa.inspect(sa.create_engine(url, poolclass=sa.pool.NullPool))


def columns(project: Project) -> set[str]:
    return {column["name"] for column in inspect(project).get_columns(model(project)[1])}


def check(project: Project, ok: bool = True) -> str:
    """Run the check; return what it prints."""
    done = project.run("python", "scripts/check_migrations.py", ok=None)
    assert done.returncode == (0 if ok else 1), done.stdout
    return done.stdout


def run_section(project: Project, section: str, **replace: str) -> str:
    """Run the shell blocks of a section of the guide with ``replace``; return the output."""
    found = [
        block
        for block in blocks(project.path / GUIDE)
        if block.section == section and block.language == "bash"
    ]
    assert found, section
    output = ""
    for block in found:
        text = block.text
        for name, value in replace.items():
            assert f"<{name}>" in text
            text = text.replace(f"<{name}>", value)
        output += project.sh(text).stdout
    return output


def python_blocks(project: Project, section: str) -> list[str]:
    return [
        b.text
        for b in blocks(project.path / GUIDE)
        if b.section == section and b.language == "python"
    ]


def heads(project: Project) -> list[str]:
    return re.findall(r"^(\w+) \(head\)", project.run("alembic", "heads").stdout, re.MULTILINE)


def test_when_you_clone_the_repository(project: Project) -> None:
    run_section(project, "When You Clone the Repository")
    assert "(head)" in project.run("alembic", "current").stdout
    assert model(project)[1] in inspect(project).get_table_names()


def test_when_you_pull_changes(project: Project) -> None:
    project.run("alembic", "upgrade", "4c1f0f6a52d3")
    project.run("alembic", "revision", "-m", "From a colleague")
    run_section(project, "When You Pull Changes")
    assert heads(project)[0] in project.run("alembic", "current").stdout


def test_when_you_modify_database_models(project: Project) -> None:
    project.run("alembic", "upgrade", "head")
    add_field(project, "field: Mapped[str | None] = mapped_column(String(20))")
    project.sh("uv lock --quiet && git add uv.lock && git commit -qm Versions")  # of the first nox
    run_section(project, "When You Modify Database Models")
    assert "field" in columns(project)
    shown = project.run("git", "show", "--name-only").stdout
    assert "versions" in shown
    assert "docs/SCHEMA.md" in shown
    assert project.run("git", "status", "--short").stdout == ""
    check(project)


@pytest.mark.parametrize("style", ["as the guide says", "Column(...)"])
def test_adding_a_new_column(project: Project, style: str) -> None:
    project.run("alembic", "upgrade", "head")
    (block,) = python_blocks(project, "Adding a New Column")
    (line,) = [line.strip() for line in block.splitlines() if line.endswith("# Add this")]
    if style == "Column(...)":
        project.edit(
            project.models,
            "from sqlalchemy.orm",
            "from sqlalchemy import Column\nfrom sqlalchemy.orm",
        )
        line = "new_field = Column(String(100))"
    add_field(project, line)
    assert "new_field" in check(project, ok=False)
    run_section(project, "Adding a New Column")
    assert "new_field" in columns(project)
    check(project)


def test_adding_a_new_table(project: Project) -> None:
    project.run("alembic", "upgrade", "head")
    (block,) = python_blocks(project, "Adding a New Table")
    project.models.write_text(project.models.read_text() + "\n\n" + block)
    assert "new_table" in check(project, ok=False)
    run_section(project, "Adding a New Table")
    assert "new_table" in inspect(project).get_table_names()
    check(project)


def test_adding_an_index(project: Project) -> None:
    add_field(project, "some_field: Mapped[str | None] = mapped_column(String(20))")
    project.run("alembic", "upgrade", "head")
    project.run("alembic", "revision", "--autogenerate", "-m", "Add some_field")
    project.run("alembic", "upgrade", "head")
    (block,) = python_blocks(project, "Adding an Index")
    if "Index," not in project.models.read_text():
        project.edit(
            project.models,
            "from sqlalchemy import DateTime, ",
            "from sqlalchemy import DateTime, Index, ",
        )
    project.models.write_text(project.models.read_text() + "\n\n" + block + "\n")
    assert "idx_custom_index" in check(project, ok=False)
    run_section(project, "Adding an Index")
    assert "idx_custom_index" in {
        index["name"] for index in inspect(project).get_indexes(model(project)[1])
    }
    check(project)


def test_check_status(project: Project) -> None:
    project.run("alembic", "upgrade", "head")
    output = run_section(project, "Check Status")
    assert "(head)" in output
    assert "Revision ID: 4c1f0f6a52d3" in output or "Rev: 4c1f0f6a52d3" in output


def test_testing_migrations(project: Project) -> None:
    output = run_section(project, "Testing Migrations")
    assert "Running downgrade" in output
    assert "(head)" in project.run("alembic", "current").stdout


def test_manual_migrations(project: Project) -> None:
    run_section(project, "Manual Migrations")
    (migration,) = project.versions.glob("*_custom_data_migration.py")
    project.run("alembic", "upgrade", "head")
    project.run("alembic", "downgrade", "-1")
    _, table = model(project)
    statement = (
        f"INSERT INTO {table} (name) VALUES ('first')"
        if table == "examples"
        else ("INSERT INTO channels (external_id, name) VALUES ('c1', 'first')")
    )
    project.edit(
        migration, '"""Upgrade schema."""', f'"""Upgrade data."""\n    op.execute("{statement}")'
    )
    project.edit(
        migration,
        '"""Downgrade schema."""',
        (
            '"""Downgrade data."""\n'
            f"    op.execute(\"DELETE FROM {statement.split()[2]} WHERE name = 'first'\")"
        ),
    )
    project.run("alembic", "upgrade", "head")
    check(project)


def test_testing_a_data_migration(project: Project) -> None:
    (before,) = heads(project)
    (block,) = python_blocks(project, "Testing a Data Migration")
    tests = project.path / "tests" / "database" / "test_data_migrations.py"
    tests.write_text(block.replace("<revision before>", before) + "\n")
    table = "channels" if model(project)[0] == "Video" else "examples"
    migration = project.versions / "c1_trim.py"

    def write(change: str) -> None:
        migration.write_text(
            f"from alembic import op\n\nrevision = 'c1'\ndown_revision = '{before}'\n\n\n"
            f"def upgrade():\n    op.execute('UPDATE {table} SET name = {change}(name)')\n\n\n"
            "def downgrade():\n    pass\n"
        )

    write("trim")
    project.run("pytest", "-q", str(tests))
    write("upper")
    assert "AssertionError" in project.run("pytest", "-q", str(tests), ok=False).stdout


def test_pre_commit_check(project: Project) -> None:
    run_section(project, "Pre-Commit Check")
    add_field(project, "tags: Mapped[str | None] = mapped_column(String(500))")
    assert OUT_OF_SYNC in check(project, ok=False)


def test_target_database_is_not_up_to_date(project: Project) -> None:
    failed = project.run("alembic", "revision", "--autogenerate", "-m", "Too early", ok=False)
    assert "Target database is not up to date" in failed.stdout
    run_section(project, '"Target database is not up to date"')
    project.run("alembic", "revision", "--autogenerate", "-m", "Now")


def test_cant_locate_revision(project: Project) -> None:
    project.run("alembic", "revision", "-m", "Lost")
    project.run("alembic", "upgrade", "head")
    (lost,) = project.versions.glob("*_lost.py")
    lost.unlink()
    failed = project.run("alembic", "upgrade", "head", ok=False).stdout
    assert "Can't locate revision" in failed
    assert "Traceback" not in failed
    assert "initial_schema" in run_section(project, '"Can\'t locate revision"')


def test_migrations_are_out_of_sync_with_models(project: Project) -> None:
    project.run("alembic", "upgrade", "head")
    add_field(project, "tags: Mapped[str | None] = mapped_column(String(500))")
    report = check(project, ok=False)
    assert OUT_OF_SYNC in report
    assert f"{model(project)[1]}.tags" in report
    assert 'alembic revision --autogenerate -m "Sync models"' in report
    run_section(project, '"Migrations are out of sync with models" (CI failure)')
    check(project)
    project.run("alembic", "upgrade", "head")
    assert "tags" in columns(project)


def test_multiple_migration_heads(project: Project) -> None:
    (head,) = heads(project)
    project.run("alembic", "revision", "-m", "Left")
    project.run("alembic", "revision", "-m", "Right", "--head", head, "--splice")
    failed = project.run("alembic", "upgrade", "head", ok=False).stdout
    assert "2 heads" in failed
    left, right = heads(project)
    report = check(project, ok=False)
    assert "multiple-heads" in report
    assert "alembic merge" in report
    assert left in report
    assert right in report
    run_section(project, "Multiple migration heads", rev1=left, rev2=right)
    project.run("alembic", "upgrade", "head")
    check(project)


@pytest.mark.parametrize("project", ["soundhash-postgresql"], indirect=True)
def test_a_change_of_several_files_is_rebased(project: Project) -> None:
    """What the section of several heads states about a change that autogenerate split."""
    project.run("alembic", "upgrade", "head")
    (before,) = heads(project)
    add_field(
        project, 'copy_of: Mapped[int | None] = mapped_column(ForeignKey("videos.id"), index=True)'
    )
    output = project.run("alembic", "revision", "--autogenerate", "-m", "Copies").stdout
    first, *others = re.findall(r"^\d\. (\w+)", output, re.MULTILINE)
    assert others
    assert f"if your database has run it, nox -s migrate -- downgrade {before}, or" in output
    project.run("alembic", "upgrade", "head")
    project.run("alembic", "downgrade", "-1")
    assert "copy_of" in columns(project)
    project.run("alembic", "downgrade", before)
    assert "copy_of" not in columns(project)
    project.run("alembic", "revision", "-m", "Theirs", "--head", before, "--splice")
    (theirs,) = set(heads(project)) - set(others)
    (file,) = project.versions.glob(f"{first}_*.py")
    project.edit(file, f'= "{before}"', f'= "{theirs}"')
    project.run("alembic", "upgrade", "head")
    assert heads(project) == others[-1:]
    assert "copy_of" in columns(project)
    check(project)


def test_need_to_rollback(project: Project) -> None:
    project.run("alembic", "revision", "-m", "One")
    project.run("alembic", "revision", "-m", "Two")
    project.run("alembic", "upgrade", "head")
    (block,) = [
        block for block in blocks(project.path / GUIDE) if block.section == "Need to rollback"
    ]
    one_back, specific, everything = [
        line for line in block.text.splitlines() if line and not line.startswith("#")
    ]
    project.sh(one_back)
    project.sh(specific.replace("<revision>", "4c1f0f6a52d3"))
    assert "4c1f0f6a52d3" in project.run("alembic", "current").stdout
    if project.environment["DATABASE_URL"].startswith("sqlite"):
        project.sh(everything)
    else:
        # On a server it asks about what is deployed; without a terminal it prints how to go on.
        project.sh("git update-ref refs/remotes/origin/main HEAD")
        assert "alembic -x yes downgrade" in project.sh(everything, ok=False).stdout
        assert answer_on_a_terminal(project, everything, "no") != 0
        assert "4c1f0f6a52d3" in project.run("alembic", "current").stdout
        assert answer_on_a_terminal(project, everything, "yes") == 0
    assert set(inspect(project).get_table_names()) <= {"alembic_version", "alembic_journal"}


def answer_on_a_terminal(project: Project, command: str, answer: str) -> int:
    """Run a command on a terminal of its own and type an answer; return its exit status."""
    main, terminal = os.openpty()
    environment = project.environment
    with subprocess.Popen(
        shlex.split(command),
        cwd=project.path,
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        os.write(main, f"{answer}\n".encode())
        with contextlib.suppress(OSError):  # what Linux says at the end of a terminal
            while os.read(main, 1024):
                pass
    os.close(main)
    return process.returncode


def test_example_workflow(project: Project, tmp_path: Path) -> None:
    project.run("alembic", "upgrade", "head")
    project.sh(
        f"git init -q --bare {tmp_path}/origin.git && git remote add origin {tmp_path}/origin.git"
    )
    project.sh("git push -q -u origin main && git remote set-head origin main")
    # In place of vim, an editor that makes the change that the block's comment asks for.
    (block,) = [
        block for block in blocks(project.path / GUIDE) if block.section == "Example Workflow"
    ]
    (field,) = re.findall(r"# Add: (.*)", block.text)
    name, table = model(project)
    editor = tmp_path / "bin" / "vim"
    editor.parent.mkdir()
    after = shlex.quote(f's/^    __tablename__ = "{table}"$/&\\n    {field}/')
    editor.write_text(f'#!/bin/sh\nexec sed -i {after} "$1"\n')
    editor.chmod(0o755)
    project.environment["PATH"] = f"{editor.parent}:{project.environment['PATH']}"
    output = run_section(project, "Example Workflow")
    assert f"{name}.tags" in output
    assert "tags" in columns(project)
    assert (
        project.run("git", "rev-parse", "main").stdout
        == project.run("git", "rev-parse", "origin/main").stdout
    )
    check(project)


def test_robust_validation_using_ast_parsing(project: Project) -> None:
    source = (
        "from alembic import op\n\nrevision = 'abc123'\ndown_revision = None\n\n\ndef upgrade():\n"
        "    op.create_index('idx_my_index', 'audio_fingerprints', ['video_id'])\n"
        "    op.create_index('idx_examples', 'examples', ['name'])\n\n\ndef downgrade():\n"
        "    pass\n"
    )
    (project.versions / "abc123_my_migration.py").write_text(source)
    (project.path / "migration.py").write_text(
        "# create_index would be nice\n\ndef upgrade():\n    pass\n"
    )
    use, naive, robust, example = python_blocks(project, "Robust Validation Using AST Parsing")
    output = project.run("python", "-c", use).stdout
    assert "Migration creates an index" in output
    assert "Creates index: ['idx_my_index', 'audio_fingerprints', ['video_id']]" in output
    assert "table\n" in output
    assert "Migration creates idx_my_index" in output
    imports = "\n".join(use.splitlines()[:2]) + "\n"
    assert project.run("python", "-c", imports + naive).stdout == "Has index\n", (
        "the naive approach is naive"
    )
    assert project.run("python", "-c", imports + robust).stdout == ""
    assert project.run("python", "-c", example).stdout.startswith("✓ All required")


def test_no_section_of_the_guide_is_left_out(bake: Callable[..., Project]) -> None:
    """Each section with a block has its test here, by its name."""
    sections = {block.section for block in blocks(bake().path / GUIDE)}
    tested = {name.removeprefix("test_") for name in globals()}
    for section in sections:
        name = re.sub(
            r"\W+", "_", section.lower().replace("'", "").removesuffix(" (ci failure)")
        ).strip("_")
        assert name in tested, section
