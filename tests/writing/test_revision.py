"""The session that writes revisions, and what Alembic's own options mean for several of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from lib.projects import Project, bake_into
from lib.servers import fresh_database
from migration_guard.running.models import Models

pytestmark = pytest.mark.slow
TABLE = """
    name: Mapped[str] = mapped_column(String(100), unique=True)
"""
REVISION = ("python", "-m", "migration_guard.writing.revision")


@pytest.fixture
def project(tmp_path: Path):
    path = bake_into(tmp_path, database="sqlite", starter="blank", project_slug="shop")
    return Project(path, "shop")


def test_the_developers_own_database_need_not_be_there(project: Project) -> None:
    project.edit(project.models, TABLE, f"{TABLE}    tags: Mapped[str | None]\n")
    done = project.run(*REVISION, "Add tags")
    assert "Add tags" in done.stdout
    assert "alembic upgrade head" in done.stdout
    back = "nox -s migrate -- downgrade 4c1f0f6a52d3, or alembic downgrade 4c1f0f6a52d3."
    assert back in done.stdout
    assert not list(project.path.glob("*.db"))
    assert len(list(project.versions.glob("*add_tags*.py"))) == 1
    again = project.run(*REVISION, "Nothing")
    assert "Nothing to write" in again.stdout
    assert not list(project.versions.glob("*nothing*.py"))


def test_the_call_that_renames_stands_in_a_comment(project: Project) -> None:
    """Also where the table gets a column of another type."""
    title = TABLE.replace("name:", "title:")
    project.edit(project.models, TABLE, f"{title}    tags: Mapped[int | None]\n")
    project.run(*REVISION, "Rename")
    (written,) = project.versions.glob("*rename*.py")
    call = "# op.execute('ALTER TABLE examples RENAME COLUMN name TO title')"
    assert call in written.read_text(encoding="utf-8")


def test_suppressed_drift_is_left_out(project: Project) -> None:
    """A column that the models no longer have stays until its suppression goes."""
    project.edit(project.models, TABLE, f"{TABLE}    tags: Mapped[str | None]\n")
    project.run(*REVISION, "Add tags")
    project.edit(project.models, "    tags: Mapped[str | None]\n", "")
    project.edit(
        project.models,
        "class Example(Base):",
        "class Example(Base):  # migration-guard: ignore[models-out-of-sync] tags goes later",
    )
    assert "Nothing to write" in project.run(*REVISION, "Nothing").stdout


def test_the_first_of_several_keeps_the_id_and_the_label(tmp_path: Path) -> None:
    for url in fresh_database("postgresql", tmp_path):
        path = bake_into(tmp_path, database="postgresql", starter="blank", project_slug="shop")
        project = Project(path, "shop", url)
        project.run("alembic", "upgrade", "head")
        column = "    size: Mapped[int | None] = mapped_column(index=True)\n"
        project.edit(project.models, TABLE, TABLE + column)
        options = ("--rev-id", "abc123", "--branch-label", "sizes")
        done = project.run("alembic", "revision", "--autogenerate", "-m", "Add size", *options)
        assert "1. abc123 Add size" in done.stdout
        assert "Add size: build indexes" in done.stdout
        (first,) = project.versions.glob("abc123*.py")
        (second,) = project.versions.glob("*build_indexes.py")
        assert "sizes" in first.read_text(encoding="utf-8")
        text = second.read_text(encoding="utf-8")
        assert 'down_revision: str | Sequence[str] | None = "abc123"' in text
        assert "branch_labels: str | Sequence[str] | None = None" in text
        project.run("python", "scripts/check_migrations.py")
        project.run("alembic", "upgrade", "head")
        project.run("alembic", "check")


def test_nothing_is_split_on_a_table_that_is_not_deployed(tmp_path: Path) -> None:
    """A table of the branch gets its index at once; one that the remote has does not."""
    for url in fresh_database("postgresql", tmp_path):
        path = bake_into(tmp_path, database="postgresql", starter="blank", project_slug="shop")
        project = Project(path, "shop", url)
        project.sh("git init -q --bare ../remote.git; git init -q -b main; git add -A")
        author = "-c user.name=Ada -c user.email=ada@example.com"
        project.sh(f"git {author} commit -qm start; git remote add origin ../remote.git")
        project.sh("git push -q -u origin main; git remote set-head origin main")
        project.run("alembic", "upgrade", "head")
        table = "id: Mapped[int] = mapped_column(primary_key=True)"
        size = "size: Mapped[int | None] = mapped_column()"
        models = f'class Tag(Base):\n    __tablename__ = "tags"\n    {table}\n    {size}\n'
        with project.models.open("a", encoding="utf-8") as file:
            file.write(f"\n\n{models}")
        project.run(*REVISION, "Add tags")
        project.edit(project.models, size, size.replace("()", "(index=True)"))
        project.run(*REVISION, "Index tags")
        (written,) = project.versions.glob("*index_tags*.py")
        assert "concurrently" not in written.read_text(encoding="utf-8")
        project.run("python", "scripts/check_migrations.py")
        weight = "    weight: Mapped[int | None] = mapped_column(index=True)\n"
        project.edit(project.models, TABLE, TABLE + weight)
        project.run(*REVISION, "Add weight")
        assert list(project.versions.glob("*add_weight_build_indexes.py"))


def test_safe_autogenerate_can_be_turned_off(tmp_path: Path) -> None:
    for url in fresh_database("postgresql", tmp_path):
        path = bake_into(tmp_path, database="postgresql", starter="blank", project_slug="shop")
        project = Project(path, "shop", url)
        project.edit(
            "pyproject.toml",
            "[tool.migration-guard]",
            "[tool.migration-guard]\nsafe-autogenerate = false",
        )
        project.run("alembic", "upgrade", "head")
        column = "    size: Mapped[int | None] = mapped_column(index=True)\n"
        project.edit(project.models, TABLE, TABLE + column)
        project.run("alembic", "revision", "--autogenerate", "-m", "Add size")
        assert len(list(project.versions.glob("*.py"))) == 2


def test_a_required_column_comes_with_the_line_of_the_model_to_write(project: Project) -> None:
    """The line has the model's own default as its server default, or else a plain one."""
    columns = [
        "    size: Mapped[int]\n",
        "    tags: Mapped[str] = mapped_column(\n        String(20),\n    )\n",
        "    rate: Mapped[float] = mapped_column(default=1.5)\n",
    ]
    project.edit(project.models, TABLE, TABLE + "".join(columns))
    project.run(*REVISION, "Add columns")
    (file,) = project.versions.glob("*add_columns*")
    lines = re.findall(r"# In the model: (.*)", file.read_text(encoding="utf-8"))
    assert lines == [
        "size: Mapped[int] = mapped_column(server_default='0')",
        "tags: Mapped[str] = mapped_column(String(20), server_default='')",
        "rate: Mapped[float] = mapped_column(default=1.5, server_default='1.5')",
    ]
    file.unlink()
    for column, line in zip(columns, lines, strict=True):
        project.edit(project.models, column, f"    {line}\n")
    project.run(*REVISION, "Add columns")
    project.run("python", "scripts/check_migrations.py")


def test_an_extension_keeps_its_table_and_an_enum_type_is_there_already(tmp_path: Path) -> None:
    for url in fresh_database("postgresql", tmp_path):
        path = bake_into(tmp_path, database="postgresql", starter="blank", project_slug="shop")
        project = Project(path, "shop", url)
        mood = '    mood: Mapped[str | None] = mapped_column(Enum("a", "b", name="mood"))\n'
        project.edit(project.models, TABLE, TABLE + mood)
        project.edit(project.models, "DateTime, ", "DateTime, Enum, ")
        project.run(*REVISION, "Add mood")
        project.edit(project.models, mood, mood + mood.replace("mood:", "before:"))
        project.run(*REVISION, "Add mood before")
        (file,) = project.versions.glob("*add_mood_before*")
        assert "Decide" not in file.read_text(encoding="utf-8")
        project.run("alembic", "upgrade", "head")
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE EXTENSION citext")
            connection.exec_driver_sql("CREATE TABLE owned (id integer UNIQUE)")
            connection.exec_driver_sql("ALTER EXTENSION citext ADD TABLE owned")
        engine.dispose()
        project.run("alembic", "check")


def test_only_the_extension_that_is_missing_is_created(tmp_path: Path) -> None:
    """The server's message is 'operator class "gin_trgm_ops" does not exist'."""
    metadata = sa.MetaData()
    operators = {"postgresql_using": "gin", "postgresql_ops": {"text": "gin_trgm_ops"}}
    index = sa.Index("ix_text", "text", **operators)
    sa.Table("texts", metadata, sa.Column("text", sa.Text), index)
    for url in fresh_database("postgresql", tmp_path):
        models = Models(metadata, tmp_path, "env.py")
        models.create_beside(sa.make_url(url), {})
        found = [name for name in models.objects if name.startswith("extension ")]
        assert found == ["extension pg_trgm"]
