"""``--static`` imports nothing of the project, whatever its files are called."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lib.projects import PROJECT_TEMPLATE

MIGRATION = """\
from alembic import op
revision = "1a"
down_revision = None
def upgrade():
    op.execute("DROP TABLE videos")
def downgrade():
    raise NotImplementedError
irreversible = "a test"
"""
FILES = [
    "__init__.py",
    "alembic/__init__.py",
    "alembic/env.py",
    "alembic/versions/__init__.py",
    "argparse.py",
    "json.py",
    "scripts/sqlglot.py",
    "sqlalchemy.py",
    "sqlglot.py",
    "sqlglot/__init__.py",
    "src/alembic.py",
    "src/app/__init__.py",
    "src/sqlglot.py",
    "tomllib.py",
]


@pytest.mark.slow
@pytest.mark.parametrize("command", [["scripts/check_migrations.py"], ["-m", "migration_guard"]])
def test_static_imports_nothing_of_the_project(command: list[str], tmp_path: Path) -> None:
    for folder in ("migration_guard", "scripts"):
        shutil.copytree(PROJECT_TEMPLATE / folder, tmp_path / folder)
    for name in FILES:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"raise SystemExit('{name} was imported')\n")
    (tmp_path / "alembic/versions/1a_drop.py").write_text(MIGRATION)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = alembic\n")
    (tmp_path / "pyproject.toml").write_text("[tool.migration-guard]\ndatabases = ['postgresql']\n")
    run = subprocess.run(
        [sys.executable, "-B", *command, "--static"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "was imported" not in run.stdout + run.stderr
    assert "drop-table" in run.stdout
    assert run.returncode == 1
