"""What the template accepts, what it refuses, and that every answer gives valid files."""

from __future__ import annotations

import ast
import itertools
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from lib.projects import ROOT, Project, bake_into

pytestmark = pytest.mark.slow
HOSTILE = {
    "plain": "Acme Orders",
    "quotes": 'O\'Neill "Quoted" \\ back\\slash',
    "triple": "Three \"\"\" and ''' {braces} $HOME %s # hash: yes",
    "emoji": "Orders 🎵 für Größe",
    "sixty": "x" * 60,
    "a": "aaa",
    "z": "zzz",
}


def bake_cli(
    folder: Path, *answers: str, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run cookiecutter as a user does."""
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "cookiecutter",
            "--no-input",
            "-o",
            str(folder),
            str(ROOT),
            *answers,
        ],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def test_prompts() -> None:
    context = json.loads((ROOT / "cookiecutter.json").read_text())
    prompts = [name for name in context if not name.startswith("_")]
    assert len(prompts) <= 10
    assert set(context["__prompts__"]) == set(prompts)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("starter", ["soundhash", "blank"])
@pytest.mark.parametrize("database", ["sqlite", "postgresql", "mysql", "mariadb"])
def test_every_accepted_answer_gives_valid_files(
    tmp_path: Path, name: str, starter: str, database: str
) -> None:
    text = HOSTILE[name]
    path = bake_into(
        tmp_path,
        project_name=text,
        description=text,
        author_name=text,
        starter=starter,
        database=database,
    )
    pyproject = tomllib.loads((path / "pyproject.toml").read_text(encoding="utf-8"))
    assert pyproject["project"]["description"] == text
    assert pyproject["project"]["authors"] == [{"name": text}]
    assert text in (path / "README.md").read_text(encoding="utf-8")
    for file in path.rglob("*.py"):
        ast.parse(file.read_text(encoding="utf-8"))
    for file in [*path.rglob("*.yml"), *path.rglob("*.yaml")]:
        assert yaml.safe_load(file.read_text(encoding="utf-8"))
    assert (path / "compose.yaml").exists() is (database != "sqlite")
    assert not [file for file in path.rglob("*") if "cookiecutter" in file.name]
    left = [
        file
        for file in path.rglob("*")
        if file.is_file() and "cookiecutter." in file.read_text(encoding="utf-8")
    ]
    assert left == []


@pytest.mark.parametrize(
    ("cluster", "server", "images"),
    [
        ("galera", "mariadb", ()),
        ("citus", "postgresql", ("compose.yaml", ".github/workflows/ci.yml")),
    ],
)
def test_a_cluster_is_its_server_with_more_rules(
    bake: Callable[..., Project], tmp_path: Path, cluster: str, server: str, images: tuple[str]
) -> None:
    paths = [bake_into(tmp_path / database, database=database) for database in (cluster, server)]
    ours, theirs = (
        {file.relative_to(path): file.read_bytes() for file in path.rglob("*") if file.is_file()}
        for path in paths
    )
    assert {
        str(name) for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)
    } == {"pyproject.toml", *images}
    project = bake(database=cluster)
    static = [sys.executable, "scripts/check_migrations.py", "--static"]
    assert "Clean: 2 files" in project.run(*static).stdout
    (project.versions / "c1.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n\nrevision = 'c1'\n"
        "down_revision = 'b9532a7d8c7a'\n\n\n"
        "def upgrade():\n    op.create_table('logs', sa.Column('line', sa.Text))\n\n\n"
        "def downgrade():\n    op.drop_table('logs')\n"
    )
    assert "no-primary-key" in project.run(*static, ok=False).stdout
    project.edit("pyproject.toml", f'databases = ["{cluster}>=', f'databases = ["{server}>=')
    assert "no-primary-key" not in project.run(*static).stdout


@pytest.mark.parametrize(
    ("starter", "database", "name"),
    [
        *itertools.product(["soundhash", "blank"], ["sqlite", "postgresql", "mariadb"], ["plain"]),
        *(("soundhash", "sqlite", name) for name in HOSTILE if name != "plain"),
        *(("blank", "postgresql", name) for name in ("a", "z")),
    ],
)
def test_a_fresh_project_passes_its_own_lint(
    bake: Callable[..., Project], starter: str, database: str, name: str
) -> None:
    text = HOSTILE[name]
    project = bake(
        project_name=text, description=text, author_name=text, starter=starter, database=database
    )
    project.run("ruff", "format", "--check")
    project.run("ruff", "check")
    if name in ("plain", "a", "z"):
        project.run("mypy")


@pytest.mark.parametrize(
    ("starter", "driver", "lines"),
    [("soundhash", "sync", 400), ("blank", "async", 400), ("soundhash", "async", 430)],
)
def test_the_package_is_the_users_own_code(
    bake: Callable[..., Project], starter: str, driver: str, lines: int
) -> None:
    sources = (bake(starter=starter, driver=driver).path / "src").rglob("*.py")
    assert sum(len(path.read_text().splitlines()) for path in sources) <= lines


def test_a_users_type_checker_leaves_the_guard_alone(bake: Callable[..., Project]) -> None:
    project = bake()
    project.edit("pyproject.toml", "strict = true", "strict = true\ndisallow_any_expr = true")
    found = project.run("mypy", "src", "migration_guard", ok=False).stdout
    assert "src/soundhash/database/connection.py" in found
    assert "migration_guard/" not in found


def test_the_first_revision_of_a_user_passes_lint(bake: Callable[..., Project]) -> None:
    project = bake()
    project.run("alembic", "upgrade", "head")
    project.run("alembic", "revision", "-m", "Empty")
    project.run("alembic", "upgrade", "head")
    migration = project.autogenerate(
        "    settings: Mapped[dict[str, Any] | None]\n"
        "    seen_at: Mapped[datetime | None] = mapped_column(index=True)\n",
        "Add settings and seen_at",
    )
    project.run("ruff", "format", "--check")
    project.run("ruff", "check")
    project.run("mypy")
    # What autogenerate wrote imports all that it uses, and nothing of the application.
    assert "soundhash" not in migration.read_text()
    project.run("alembic", "upgrade", "head")


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("project_slug=../evil", "no name for a folder"),
        ("project_slug=/tmp/evil", "no name for a folder"),
        ("project_slug=a b", "no name for a folder"),
        ("project_slug=1st", "no name for a folder"),
        ("project_slug=-x", "no name for a folder"),
        ("project_slug=café", "no name for a folder"),
        ("project_slug=" + "x" * 101, "no name for a folder"),
        ("project_slug=", "no name for a folder"),
        ("project_name=🎵", "no name for a folder"),
        ("project_slug=class", "a keyword"),
        ("project_slug=match", "a keyword"),
        ("project_slug=json", "a module of Python itself"),
        ("project_slug=Email", "a module of Python itself"),
        ("project_slug=sqlalchemy", "already in use"),
        ("project_slug=alembic", "already in use"),
        ("project_slug=test", "already in use"),
        ("project_slug=tests", "already in use"),
        ("project_slug=src", "already in use"),
        ("description=two\nlines", "line break"),
        ("description=next\x85line", "line break"),
        ("author_name=bell\x07", "control character"),
        ("project_name=tab\there", "control character"),
        ("project_name= ", "project_name is empty"),
        ("project_slug=mako", "already in use"),
        ("project_slug=typing-extensions", "already in use"),
        ("project_slug=migration_guard", "already in use"),
        ("database_version=17", "leave it empty for sqlite"),
    ],
)
def test_what_can_not_work_is_refused_in_one_line(tmp_path: Path, answer: str, cause: str) -> None:
    done = bake_cli(tmp_path / "out", answer)
    assert done.returncode != 0
    (line,) = [
        line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error: ")
    ]
    assert cause in line
    assert ": " in line.removeprefix("Error: "), "the remedy follows the cause"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("database", "version"),
    [("postgresql", "seventeen"), ("mysql", ""), ("mariadb", ">=11"), ("citus", "18")],
)
def test_a_version_that_no_server_has_is_refused(
    tmp_path: Path, database: str, version: str
) -> None:
    done = bake_cli(tmp_path, f"database={database}", f"database_version={version}")
    assert done.returncode != 0
    assert "Error: database_version" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("database", "version", "image", "driver"),
    [
        ("postgresql", "", "postgres:17", "psycopg[binary]>="),
        ("postgresql", "18.1", "postgres:18.1", "psycopg[binary]>="),
        ("citus", "16", "citusdata/citus:12.1", "psycopg[binary]>="),
        ("mysql", "", "mysql:8.4", "pymysql[rsa]>="),
        ("mariadb", "10.11", "mariadb:10.11", "pymysql>="),
        ("galera", "", "mariadb:11.8", "pymysql>="),
    ],
)
def test_a_database_decides_image_driver_and_rules(
    tmp_path: Path, database: str, version: str, image: str, driver: str
) -> None:
    given = {"database_version": version} if version else {}
    path = bake_into(tmp_path, database=database, **given)
    compose = yaml.safe_load((path / "compose.yaml").read_text())
    workflow = yaml.safe_load((path / ".github/workflows/ci.yml").read_text())
    images = {
        job["services"]["database"]["image"]
        for job in workflow["jobs"].values()
        if "services" in job
    }
    assert {compose["services"]["database"]["image"]} | images == {image}
    pyproject = tomllib.loads((path / "pyproject.toml").read_text())
    assert [name for name in pyproject["project"]["dependencies"] if name.startswith(driver)]
    lowest = version or image.partition(":")[2]
    assert pyproject["tool"]["migration-guard"]["databases"] == [f"{database}>={lowest}"]
    url = (path / ".env.example").read_text().partition("DATABASE_URL=")[2]
    assert url.partition(":")[0] == {"galera": "mariadb", "citus": "postgresql"}.get(
        database, database
    )


@pytest.mark.parametrize("license_", ["MIT", "Apache-2.0", "proprietary"])
def test_the_license_is_the_users_choice(tmp_path: Path, license_: str) -> None:
    path = bake_into(tmp_path, license=license_, author_name=HOSTILE["quotes"])
    assert "MIT" in (path / "migration_guard" / "LICENSE").read_text()
    if license_ == "proprietary":
        assert not (path / "LICENSE").exists()
    else:
        text = (path / "LICENSE").read_text()
        assert HOSTILE["quotes"] in text
        assert text.lstrip().startswith({"MIT": "MIT License"}.get(license_, "Apache License"))
    done = subprocess.run(
        ["uv", "build", "--wheel", "-o", str(tmp_path / "dist"), str(path)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_only_soundhash_is_described_as_soundhash(tmp_path: Path) -> None:
    path = bake_into(tmp_path, project_name="Acme Orders")
    project = tomllib.loads((path / "pyproject.toml").read_text())["project"]
    assert project["description"] == ""
    assert "authors" not in project
    for file in path.rglob("*"):
        if file.is_file() and "migration_guard" not in file.parts:
            assert "recording" not in file.read_text(encoding="utf-8").partition("class ")[0], file


def test_baking_over_other_answers_leaves_nothing_of_them(tmp_path: Path) -> None:
    first = bake_cli(tmp_path / "a", "database=postgresql", "license=MIT")
    assert first.returncode == 0, first.stderr
    answers = ("starter=blank", "license=proprietary")
    for folder, options in (("a", ["-f"]), ("b", [])):
        done = bake_cli(tmp_path / folder, *options, *answers)
        assert done.returncode == 0, done.stderr
    over, fresh = (
        {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
        for path in (tmp_path / "a", tmp_path / "b")
    )
    assert over == fresh


@pytest.mark.parametrize(
    "slug", ["classy", "json-store", "testing-orders", "a", "x" * 60, "a.b", "Acme_Orders"]
)
def test_the_nearest_harmless_slug_is_accepted(tmp_path: Path, slug: str) -> None:
    done = bake_cli(tmp_path, f"project_slug={slug}")
    assert done.returncode == 0, done.stderr
    package = slug.lower().replace("-", "_").replace(".", "_")
    assert (tmp_path / slug / "src" / package / "database" / "models.py").is_file()


def test_a_wheel_can_be_built_from_hostile_answers(tmp_path: Path) -> None:
    path = bake_into(
        tmp_path, project_name="Acme", description=HOSTILE["triple"], author_name=HOSTILE["quotes"]
    )
    done = subprocess.run(
        ["uv", "build", "--wheel", "-o", str(tmp_path / "dist"), str(path)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "dist").glob("acme-*.whl"))
