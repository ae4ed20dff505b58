"""The nox sessions of a generated project, in environments that nox makes itself."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lib.projects import ROOT, Project
from lib.servers import fresh_database


@pytest.fixture
def project(bake: Callable[..., Project]) -> Project:
    return bake()


def test_the_noxfile_is_short(project: Project) -> None:
    assert len((project.path / "noxfile.py").read_text().splitlines()) < 150


def test_nox_lists_each_session_with_what_it_does(project: Project) -> None:
    listed = dict(
        re.findall(r"^([*-] \w+) -> (.+)$", project.run("nox", "-l").stdout, re.MULTILINE)
    )
    assert set(listed) == {
        "* check",
        "* roundtrip",
        "* lint",
        "* tests",
        "- docs",
        "- format",
        "- migrate",
        "- plan",
        "- revision",
    }


def test_nox_is_green_in_a_fresh_project(project: Project) -> None:
    # The two blocks of its README, in turn.
    first, then = re.findall(
        r"```bash\n(.*?)\n```", (project.path / "README.md").read_text(), re.DOTALL
    )
    output = project.sh(first).stdout
    for session in ("check", "roundtrip", "lint", "tests"):
        assert f"* {session}: success" in output
    assert not list(project.path.glob("*.db")), "the checks leave the project's own database alone"
    assert "Migrated from base to b9532a7d8c7a" in project.sh(then).stdout
    assert [each.name for each in (project.path / ".nox").iterdir()] == ["project"]
    environment = next((project.path / ".nox" / "project").glob("lib/python*/site-packages"))
    assert not list(environment.glob("soundhash*")), "the project itself is not installed"
    # The second time, nothing is installed.
    assert "uv sync" not in project.run("nox", "-s", "check").stdout
    assert (project.path / "uv.lock").is_file()
    # A changed dependency is, as soon as the lock has it.
    project.edit("pyproject.toml", '"sqlglot>=28"', '"sqlglot>=28.1"')
    assert "run `uv lock`" in project.run("nox", "-s", "check", ok=False).stdout
    project.run("uv", "lock")
    assert "uv sync" in project.run("nox", "-s", "check").stdout
    # What only another session needs is added to the environment, and stays.
    page = ("nox", "-s", "docs", "--", "--html")
    assert "--group=docs" in project.run(*page).stdout
    assert "Wrote " in project.run(*page).stdout
    assert "uv sync" not in project.run("nox", "-s", "check", "docs").stdout


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "[project]",
            "[project",
            "TOMLDecodeError: Expected ']' at the end of a table declaration (at line ",
        ),
        ("[project]", "[projekt]", "KeyError: 'dependencies'"),
    ],
)
def test_a_broken_pyproject_is_one_line(
    project: Project, old: str, new: str, expected: str
) -> None:
    project.edit("pyproject.toml", old, new)
    (line,) = project.run("nox", "-l", ok=False).stdout.splitlines()
    assert line.startswith(f"error: pyproject.toml: {expected}")


def test_check_works_without_uv(project: Project, tmp_path: Path) -> None:
    programs = {"git": shutil.which("git"), "nox": Path(sys.executable).with_name("nox")}
    for name, program in programs.items():
        (tmp_path / name).symlink_to(program or "")
    check = "nox", "-s", "check"
    assert "pip install" in project.run(*check, PATH=str(tmp_path)).stdout
    assert not (project.path / "uv.lock").exists()
    assert "pip install" not in project.run(*check, PATH=str(tmp_path)).stdout
    # With uv, the versions are the locked ones, in the same environment.
    assert "uv sync" in project.run(*check).stdout
    assert "pip install" in project.run(*check, PATH=str(tmp_path)).stdout


def test_a_session_can_have_an_environment_of_its_own(project: Project) -> None:
    noxfile = project.path / "noxfile.py"
    session = """

@nox.session(venv_backend="uv|virtualenv", default=False)
def versions(session: nox.Session) -> None:
    install(session)
    session.run("python", "-c", "import sqlalchemy, sys; print(sys.prefix)")
"""
    noxfile.write_text(noxfile.read_text() + session)
    assert str(project.path / ".nox" / "versions") in project.run("nox", "-s", "versions").stdout


def test_an_environment_without_its_python_is_made_again(project: Project) -> None:
    project.run("nox", "-s", "check")
    for python in (project.path / ".nox" / "project" / "bin").glob("python*"):
        python.unlink()
    assert "uv sync" in project.run("nox", "-s", "check").stdout


def test_check_fails_in_nox_as_it_does_alone(project: Project) -> None:
    project.edit(
        project.models,
        "    title: Mapped[str]",
        "    tags: Mapped[str | None]\n    title: Mapped[str]",
    )
    output = project.run("nox", "-s", "check", ok=False).stdout
    assert "videos.tags" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("database", ["sqlite", "postgresql", "mariadb"])
def test_migrate_says_from_where_to_where(
    bake: Callable[..., Project], database: str, tmp_path: Path
) -> None:
    for url in fresh_database(database, tmp_path):
        project = bake(url)
        project.sh(
            "git init -q"
        )  # with no repository, every revision counts as deployed, and going back asks
        output = project.run("nox", "-s", "migrate").stdout
        assert "Migrated from base to b9532a7d8c7a" in output
        output = project.run("nox", "-s", "migrate", "--", "downgrade", "-1").stdout
        assert "Migrated from b9532a7d8c7a to 4c1f0f6a52d3" in output


def test_revision_writes_a_migration(project: Project) -> None:
    project.run("alembic", "upgrade", "head")
    project.edit(
        project.models,
        "    title: Mapped[str]",
        "    tags: Mapped[str | None]\n    title: Mapped[str]",
    )
    project.run("nox", "-s", "revision", "--", "Add tags to Video")
    (migration,) = project.versions.glob("*_add_tags_to_video.py")
    assert '"tags"' in migration.read_text()
    project.run("ruff", "format", "--check")


def test_a_revision_is_written_where_there_is_no_ruff_to_format_it(project: Project) -> None:
    project.run("nox", "-s", "check")
    alembic = ".nox/project/bin/alembic"
    output = project.run(
        alembic, "revision", "-m", "other", "--head", "4c1f0f6a52d3", "--splice"
    ).stdout
    assert "No module named ruff" in output
    assert "Traceback" not in output
    project.run(alembic, "merge", "-m", "both", "heads")
    assert len(list(project.versions.glob("*.py"))) == 4
    project.run("python", "scripts/check_migrations.py", "--static")


@pytest.mark.parametrize("starter", ["soundhash", "blank"])
def test_docs_draws_what_changed(bake: Callable[..., Project], starter: str) -> None:
    project = bake(starter=starter)
    model, table = ("Video", "videos") if starter == "soundhash" else ("Example", "examples")
    project.run("nox", "-s", "docs", "--", "--check")  # a fresh project's is current
    project.edit(
        project.models,
        f'    __tablename__ = "{table}"\n',
        (
            f'    __tablename__ = "{table}"\n'
            "    tags: Mapped[str | None] = mapped_column(String(500))\n"
        ),
    )
    project.run("nox", "-s", "docs", "--", "--check", ok=False)
    project.run("alembic", "upgrade", "head")
    project.run("nox", "-s", "docs")
    assert 'VARCHAR(500) tags "nullable"' in (project.path / "docs" / "SCHEMA.md").read_text()
    project.run("nox", "-s", "docs", "--", "--check")
    project.run("alembic", "revision", "--autogenerate", "-m", f'Add "tags" to {model}')
    project.run("nox", "-s", "docs", "--", "--check", ok=False)
    project.run("nox", "-s", "docs")
    assert f"Add #quot;tags#quot; to {model}" in (project.path / "docs" / "SCHEMA.md").read_text()
    project.run("nox", "-s", "docs", "--", "--check", PYTHONHASHSEED="7")


@pytest.mark.parametrize(
    "session", [("docs",), ("docs", "--", "--check"), ("revision", "--", "x"), ("migrate",)]
)
def test_broken_models_end_a_session_in_one_line(
    project: Project, session: tuple[str, ...]
) -> None:
    project.edit(project.models, "class Base(", "def oops(:\n\n\nclass Base(")
    output = project.run("nox", "-s", *session, ok=False).stdout
    assert re.search(
        r"^(error|FAILED): src/soundhash/database/models.py:\d+: SyntaxError: ",
        output,
        re.MULTILINE,
    )
    assert "Traceback" not in output


def test_a_blank_project_takes_its_first_model(
    bake: Callable[..., Project], database_url: str
) -> None:
    project = bake(database_url, starter="blank")
    project.run("alembic", "upgrade", "head")
    for old, new in (("class Example(", "class Order("), ('"examples"', '"orders"')):
        project.edit(project.models, old, new)
    blocks = re.findall(r"```bash\n(.*?)\n```", (project.path / "README.md").read_text(), re.DOTALL)
    (replace,) = [block for block in blocks if "\nrm " in block]
    project.sh(replace)
    project.run("python", "scripts/check_migrations.py")
    project.run("alembic", "upgrade", "head")


def test_revision_without_a_message_says_how(project: Project) -> None:
    for options in ((), ("--", "--help")):
        output = project.run("nox", "-s", "revision", *options, ok=False).stdout
        assert 'nox -s revision -- "Add tags to Video"' in output


def test_cookiecutter_from_a_repository_by_its_abbreviation(
    tmp_path: Path, project: Project
) -> None:
    """``cookiecutter gh:soundhash/template``, with ``gh:`` pointed at a local clone."""
    clone = tmp_path / "soundhash" / "template.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(ROOT), str(clone)], check=True)
    settings = tmp_path / "cookiecutter.yaml"
    settings.write_text(
        f"abbreviations:\n  gh: file://{tmp_path}/{{0}}.git\n"
        f"cookiecutters_dir: {tmp_path}/cookiecutters\nreplay_dir: {tmp_path}/replay\n"
    )
    project.path = tmp_path
    project.run(
        "cookiecutter",
        "--no-input",
        "--config-file",
        str(settings),
        "-o",
        "out",
        "gh:soundhash/template",
    )
    assert (
        tomllib.loads((tmp_path / "out" / "soundhash" / "pyproject.toml").read_text())["project"][
            "name"
        ]
        == "soundhash"
    )


@pytest.fixture
def installed(project: Project) -> Iterator[Project]:
    """A project whose commands come only from the environment that INSTALL.md creates."""
    path = project.environment["PATH"]
    yield project
    project.environment["PATH"] = path


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_install_md_makes_a_development_environment(installed: Project, tool: str) -> None:
    text = (installed.path / "INSTALL.md").read_text()
    blocks = re.findall(r"```(?:bash|text)\n(.*?)```", text, re.DOTALL)
    with_uv, with_pip, sqlite, *_ = [block for block in blocks if "pre-commit" not in block]
    script = (
        (with_uv if tool == "uv" else with_pip) + sqlite + "command -v alembic nox\nnox --version\n"
    )
    output = installed.sh(script).stdout
    assert "b9532a7d8c7a (head)" in output
    assert f"{installed.path}/.venv/bin/alembic" in output
    assert (installed.path / "soundhash.db").is_file()
    installed.sh(
        "source .venv/bin/activate\npython -c 'import soundhash.database.models'\n"
        "pytest --version\nmypy --version"
    )


def test_each_url_of_install_md_is_understood(bake: Callable[..., Project]) -> None:
    project = bake(starter="soundhash")
    (urls,) = re.findall(r"```text\n(.*?)```", (project.path / "INSTALL.md").read_text(), re.DOTALL)
    for line in urls.splitlines():
        (project.path / ".env").write_text(line + "\n")
        show = (
            "from src.soundhash.database.connection import database_url as u; "
            "print(u().get_backend_name(), u().port)"
        )
        backend = line.partition("=")[2].partition(":")[0]
        assert project.run("python", "-c", show).stdout.split()[0] == backend
