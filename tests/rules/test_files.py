"""What the rules see of a migration's file and of the modules that it imports."""

from __future__ import annotations

from pathlib import Path

import pytest
from migration_guard.history.files import MigrationFiles
from migration_guard.rules import RULES
from migration_guard.rules.judge import judge
from migration_guard.rules.past import Past
from migration_guard.settings import Settings

HEAD = "revision = 'a1'\ndown_revision = None\n\n"


def files_of(root: Path, source: str) -> tuple[MigrationFiles, Path]:
    versions = root / "alembic" / "versions"
    versions.mkdir(parents=True)
    (versions / "a1.py").write_text(HEAD + source)
    settings = Settings(root=root, versions=(versions,), config=root / "alembic.ini")
    return MigrationFiles(settings), versions / "a1.py"


def test_the_helpers_of_a_migration_are_found_from_every_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "project"
    source = "from helpers import forget\n\n\ndef upgrade():\n    forget('t')\n"
    files, file = files_of(root, source)
    helper = "from alembic import op\n\n\ndef forget(table):\n    op.drop_column(table, 'c')\n"
    (root / "helpers.py").write_text(helper)
    for folder in (root, tmp_path):
        monkeypatch.chdir(folder)
        migration = files.read(file, whole=True)
        assert migration
        assert migration.path == "alembic/versions/a1.py"
        assert [(op.operation, op.table) for op in migration.operations] == [("drop_column", "t")]


def test_a_module_of_the_application_is_reported_once(tmp_path: Path) -> None:
    source = (
        "from shop.models import Video\nfrom shop.models import Tag\n"
        "from shop.texts import slug\n\n"
        "def upgrade():\n    from shop.models import Channel\n"
    )
    files, file = files_of(tmp_path, source)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "models.py").touch()
    migration = files.read(file, whole=True)
    assert migration
    rules = {"application-import": RULES["application-import"]}
    found = judge(migration, {"postgresql": ""}, files.is_application, rules, Past())
    assert [(each.line, each.message) for each in found] == [
        (4, "shop.models is the application's code (it is imported on 2 more lines)."),
        (6, "shop.texts is the application's code."),
    ]
