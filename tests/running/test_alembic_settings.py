"""What an adopted project has set in Alembic's own configuration need not be set again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from migration_guard.exceptions import CannotCheck
from migration_guard.running.configured import configured_url
from migration_guard.settings import read_settings


@pytest.fixture(autouse=True)
def no_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)


def write(root: Path, ini: str = "", toml: str = "", file: str = "alembic.ini") -> None:
    (root / file).parent.mkdir(exist_ok=True)
    if ini:
        (root / file).write_text(f"[alembic]\n{ini}\n", encoding="utf-8")
    (root / "pyproject.toml").write_text(toml, encoding="utf-8")


@pytest.mark.parametrize(
    ("ini", "toml", "folders"),
    [
        ("", "", ["alembic/versions"]),
        ("script_location = %(here)s/db", "", ["db/versions"]),
        ("script_location = shop:db", "", ["shop/db/versions"]),
        ("script_location = shop.orders:db", "", ["shop/orders/db/versions"]),
        ("script_location = db\nversion_locations = a b, c", "", ["a", "b", "c"]),
        (f"version_locations = %(here)s/a{os.pathsep}b\npath_separator = os", "", ["a", "b"]),
        ("version_locations = a;b\nversion_path_separator = ;", "", ["a", "b"]),
        ("", '[tool.alembic]\nscript_location = "%(here)s/db"', ["db/versions"]),
        ("", '[tool.alembic]\nversion_locations = ["%(here)s/a", "b"]', ["a", "b"]),
        ("script_location = db", '[tool.migration-guard]\nversions = ["mine"]', ["mine"]),
    ],
)
def test_the_folders_of_migrations(tmp_path: Path, ini: str, toml: str, folders: list[str]) -> None:
    write(tmp_path, ini, toml)
    assert read_settings(tmp_path).versions == tuple(tmp_path / folder for folder in folders)


def test_a_configuration_elsewhere_without_a_location_is_beside_its_migrations(
    tmp_path: Path,
) -> None:
    toml = '[tool.migration-guard]\nconfig = "migrations/alembic.ini"'
    write(tmp_path, "# as Flask-Migrate writes it", toml, "migrations/alembic.ini")
    assert read_settings(tmp_path).versions == (tmp_path / "migrations" / "versions",)


DECLARED = '[tool.migration-guard]\ndatabases = ["postgresql"]'
URL = "postgresql://u:p%40w@127.0.0.1/shop"


def test_the_url_of_alembic_is_used_where_no_other_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, f"sqlalchemy.url = {URL.replace('%', '%%')}", DECLARED)
    assert configured_url(tmp_path) == URL
    (tmp_path / ".env").write_text("DATABASE_URL=postgresql://from-env-file/\n")
    assert configured_url(tmp_path) == "postgresql://from-env-file/"
    monkeypatch.setenv("DATABASE_URL", "postgresql://from-environment/")
    assert configured_url(tmp_path) == "postgresql://from-environment/"


@pytest.mark.parametrize(
    "url",
    ["", "sqlalchemy.url = driver://user:pass@localhost/dbname", "sqlalchemy.url = %(SHOP)s"],
)
def test_no_url_is_never_sqlite_for_a_project_that_does_not_declare_it(
    tmp_path: Path, url: str
) -> None:
    write(tmp_path, f"script_location = db\n{url}", DECLARED)
    with pytest.raises(CannotCheck, match="DATABASE_URL is not set"):
        configured_url(tmp_path)
    write(tmp_path, f"script_location = db\n{url}", DECLARED.replace("postgresql", "sqlite"))
    assert configured_url(tmp_path) == "sqlite://"


def test_a_configuration_that_can_not_be_read_is_one_line(tmp_path: Path) -> None:
    write(tmp_path, "script_location = a\nscript_location = b")
    with pytest.raises(CannotCheck, match=r"alembic\.ini: While reading") as error:
        read_settings(tmp_path)
    assert len(str(error.value).splitlines()) == 1
