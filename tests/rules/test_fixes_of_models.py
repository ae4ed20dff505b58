"""Fixes that change the models and let autogenerate write, followed to the letter on PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lib import faults
from lib.checks import codes_of
from lib.faults import History, Revision
from lib.projects import Project
from lib.servers import fresh_database
from migration_guard.rules import RULES

VIDEOS = """
class Channel(Base):
    __tablename__ = "channels"
    id: Mapped[int] = mapped_column(primary_key=True)


class Video(Base):
    __tablename__ = "videos"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
FIRST = Revision(
    'op.create_table("channels", sa.Column("id", sa.Integer(), primary_key=True))\n'
    'op.create_table("videos", sa.Column("id", sa.Integer(), primary_key=True))',
    'op.drop_table("videos"); op.drop_table("channels")',
)


@pytest.fixture
def project(bake: Callable[..., Project], tmp_path: Path) -> Iterator[Project]:
    for url in fresh_database("postgresql", tmp_path):
        yield bake(url, starter="blank")


def write(project: Project, column: str, second: Revision | None = None) -> None:
    """Write the history of the tables, perhaps a second revision, and models with the column."""
    revisions = (FIRST, second) if second else (FIRST,)
    faults.write(History(revisions), project.versions, project.models)
    imports = "import sqlalchemy as sa\nfrom sqlalchemy import ForeignKey, String\n"
    imports += "from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\n\n\n"
    base = "class Base(DeclarativeBase):\n    metadata = sa.MetaData(naming_convention={\n"
    base += '        "ix": "ix_%(table_name)s_%(column_0_N_name)s",\n'
    base += '        "uq": "uq_%(table_name)s_%(column_0_N_name)s"})\n\n'
    project.models.write_text(f"{imports}{base}{VIDEOS}    {column}\n", encoding="utf-8")
    project.run("alembic", "upgrade", "head")


def findings(project: Project, *options: str) -> list[dict[str, Any]]:
    written = ("--format", "json", "--output", "report.json")
    project.run("python", "scripts/check_migrations.py", *written, *options, ok=None)
    return list(json.loads((project.path / "report.json").read_text())["findings"])


def codes(project: Project, rule: str) -> list[str]:
    (found,) = [each for each in findings(project) if each["rule"] == rule]
    return codes_of(found["fix"])


def is_green(project: Project) -> None:
    assert findings(project) == []
    assert findings(project, "--roundtrip") == []
    project.run("alembic", "upgrade", "head")


def test_models_out_of_sync(project: Project) -> None:
    write(project, RULES["models-out-of-sync"].bad)
    (command,) = codes(project, "models-out-of-sync")
    project.sh(command)
    is_green(project)


CHANNEL = 'channel_id: Mapped[int | None] = mapped_column(ForeignKey("channels.id", name="fk"))'


def test_foreign_key_without_index(project: Project) -> None:
    back = 'op.drop_constraint("fk", "videos", type_="foreignkey")\n'
    back += 'op.drop_column("videos", "channel_id")'
    write(project, CHANNEL, Revision(RULES["foreign-key-without-index"].bad, back))
    argument, command = codes(project, "foreign-key-without-index")
    project.edit(project.models, 'name="fk")', f'name="fk"), {argument}')
    project.sh(command)
    is_green(project)


@pytest.mark.parametrize(
    ("rule", "argument"), [("blocking-index", "index=True"), ("blocking-unique", "unique=True")]
)
def test_an_index_of_a_new_column(project: Project, rule: str, argument: str) -> None:
    added = f'op.add_column("videos", sa.Column("url", sa.String(200), {argument}))'
    drop = 'op.drop_column("videos", "url")'
    write(project, f"url: Mapped[str | None] = mapped_column(String(200), {argument})")
    faults.write(History((FIRST, Revision(added, drop))), project.versions)
    pasted, command = codes(project, rule)
    assert pasted == argument
    faults.write(
        History((FIRST, Revision(added.replace(f", {argument}", ""), drop))), project.versions
    )
    project.run("alembic", "upgrade", "head")
    project.sh(command)
    is_green(project)
