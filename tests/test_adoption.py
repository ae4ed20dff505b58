"""The guard alone in a project that has Alembic: the commands of its README, on what ``alembic init`` makes."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from conftest import DATABASE_FOLDER, ROOT, Project

README = (DATABASE_FOLDER / "migration_guard" / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## Adopt it in a project that has Alembic\n")[2]
MODELS = """\
import sqlalchemy as sa

metadata = sa.MetaData()
videos = sa.Table(
    "videos",
    metadata,
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("title", sa.String(80), nullable=False),
)
"""
FIRST = """\
import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.create_table("videos", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("url", sa.String(80)))


def downgrade():
    op.drop_table("videos")
"""
OLD = """\
import sqlalchemy as sa
from alembic import op

revision = "b1"
down_revision = "a1"


def upgrade():
    op.add_column("videos", sa.Column("title", sa.String(80), nullable=False))
    op.drop_column("videos", "url")


def downgrade():
    pass
"""


class Shop(Project):
    guard = "migration_guard"

    def check(self, command: str, ok: bool | None = True) -> str:
        """Run a command of the README, wherever the guard is."""
        return self.sh(command.replace("-m migration_guard", f"-m {self.guard}"), ok=ok).stdout


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)


def commands(word: str) -> list[str]:
    """The commands of the README that have this word, with this repository in place of its address."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    found = [line.replace("gh:soundhash/template", str(ROOT)) for line in lines if word in line]
    assert found
    return found


@pytest.fixture(params=["cookiecutter", "copy", "in a package"])
def shop(tmp_path: Path, request: pytest.FixtureRequest) -> Shop:
    """A project of two migrations, of which the second has faults, with the guard in it."""
    project = Shop(tmp_path / "shop", "shop")
    project.path.mkdir()
    project.run("alembic", "init", "migrations")
    project.edit("migrations/env.py", "target_metadata = None", "from models import metadata as target_metadata")
    (project.path / "alembic.ini").rename(project.path / "migrations" / "alembic.ini")
    project.edit("migrations/alembic.ini", "%(here)s/migrations", "%(here)s")
    project.edit("migrations/alembic.ini", "driver://user:pass@localhost/dbname", "sqlite:///shop.db")
    (project.path / "models.py").write_text(MODELS)
    (project.path / "pyproject.toml").write_text(blocks("toml")[0])
    (project.path / "migrations" / "versions" / "a1.py").write_text(FIRST)
    (project.path / "migrations" / "versions" / "b1.py").write_text(OLD)
    (project.path / "README.md").write_text("Ours.\n")
    if request.param == "cookiecutter":
        before = contents(project.path)
        (command,) = commands("cookiecutter ")
        project.sh(command)
        after = contents(project.path)
        assert {path: after[path] for path in before} == before
        assert {path.split("/")[0] for path in after.keys() - before.keys()} == {"migration_guard"}
    else:
        target = project.path / "migration_guard"
        if request.param == "in a package":
            project.guard = "store.migration_guard"
            target = project.path / "store" / "migration_guard"
            target.parent.mkdir()
            (target.parent / "__init__.py").touch()
        shutil.copytree(DATABASE_FOLDER / "migration_guard", target, ignore=shutil.ignore_patterns("__pycache__"))
    return project


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rules(project: Shop) -> dict[str, set[str | None]]:
    """What every command of the README finds: the revisions by rule."""
    found: dict[str, set[str | None]] = {}
    for command in commands("-m migration_guard"):
        if "baseline" not in command:
            project.check(f"{command} --format json --output report.json", ok=None)
            for finding in json.loads((project.path / "report.json").read_text())["findings"]:
                found.setdefault(finding["rule"], set()).add(finding["revision"])
    return found


def test_old_findings_are_let_be_and_new_ones_are_not(shop: Shop) -> None:
    old = {"not-null-without-default", "drop-column", "empty-downgrade", "upgrade-fails", "downgrade-differs"}
    found = rules(shop)
    assert found.keys() <= old, found
    assert {"not-null-without-default", "drop-column", "empty-downgrade"} <= found.keys()
    assert {"b1"} == set().union(*found.values())
    for command in commands("--write-baseline"):
        shop.check(command)
    with (shop.path / "pyproject.toml").open("a") as file:
        file.write(blocks("toml")[1])
    assert rules(shop) == {}
    # lines may move
    migration = shop.path / "migrations" / "versions" / "b1.py"
    migration.write_text(migration.read_text().replace("def upgrade", "# moved\n\n\ndef upgrade"))
    assert rules(shop) == {}
    # the same rule on another operation, or in another migration, is new
    migration.write_text(OLD.replace('"url")', '"url")\n    op.drop_column("videos", "stars")'))
    output = shop.check(commands("--static")[0], ok=False)
    assert "videos.stars" in output
    assert "videos.url" not in output
    migration.write_text(OLD)
    (migration.parent / "c1.py").write_text(OLD.replace('"b1"', '"c1"').replace('"a1"', '"b1"'))
    output = shop.check(commands("--static")[0], ok=False)
    assert "(revision c1)" in output
    assert "(revision b1)" not in output


def test_the_lock_of_the_readme_fits_into_an_env_py_of_alembic_init(shop: Shop) -> None:
    env = shop.path / "migrations" / "env.py"
    mine = blocks("python")[0].replace("from migration_guard", f"from {shop.guard}")
    before, _, rest = env.read_text().partition("def run_migrations_online()")
    env.write_text(f"{before}{mine}\n\nif context.{rest.partition('if context.')[2]}")
    shop.edit("migrations/versions/b1.py", "nullable=False", "nullable=False, server_default=''")
    shop.edit("models.py", "nullable=False", "nullable=False, server_default=''")
    shop.run("alembic", "-c", "migrations/alembic.ini", "upgrade", "head")
    with sqlite3.connect(shop.path / "shop.db") as connection:
        applied = {row[0] for row in connection.execute("SELECT revision FROM alembic_journal")}
    assert applied == {"a1", "b1"}
    shop.run("alembic", "-c", "migrations/alembic.ini", "check")
    assert "models-out-of-sync" not in rules(shop)


def test_alembic_is_heard_where_it_is_asked_itself(shop: Shop) -> None:
    (shop.path / "migrations" / "versions" / "b1.py").unlink()
    shop.edit("models.py", 'sa.Column("title", sa.String(80), nullable=False)', 'sa.Column("url", sa.String(80))')
    first = FIRST.replace(
        'op.create_table("v',
        'import logging\n    logging.getLogger("alembic.x").warning("Hear")\n    op.create_table("v',
    )
    (shop.path / "migrations" / "versions" / "a1.py").write_text(first)
    for option in ("", " --roundtrip", " --plan"):
        said = shop.check(f"python -m migration_guard{option}")
        assert "INFO" not in said
        assert "Hear" in said, "a warning is not ours to hide"
    assert "INFO" in shop.run("alembic", "-c", "migrations/alembic.ini", "upgrade", "head").stdout


def test_flask_style_config_has_no_script_location(shop: Shop) -> None:
    shop.edit("migrations/alembic.ini", "script_location = %(here)s", "")
    assert "models-out-of-sync" not in rules(shop)
    shop.edit("models.py", "sa.String(80)", "sa.String(99)")
    assert "models-out-of-sync" in rules(shop)


def test_cruft_updates_the_guard_alone(tmp_path: Path) -> None:
    template, shop = tmp_path / "template", Project(tmp_path / "shop", "shop")
    me = "-c user.name=me -c user.email=me@example.org"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(template)], check=True)
    shop.path.mkdir()
    (shop.path / "README.md").write_text("Ours.\n")
    shop.sh(f"git init -q && cruft create {template} --no-input --directory .guard --overwrite-if-exists")
    shop.sh(f"git add -A && git {me} commit -qm Adopt")
    lock = next(template.glob("{{*/src/*/database/migration_guard/lock.py"))
    lock.write_text(lock.read_text() + "# newer\n")
    subprocess.run(["bash", "-c", f"git {me} commit -qam Newer"], cwd=template, check=True)
    shop.sh("cruft update -y")
    assert (shop.path / "migration_guard" / "lock.py").read_text().endswith("# newer\n")
    assert (shop.path / "README.md").read_text() == "Ours.\n"
