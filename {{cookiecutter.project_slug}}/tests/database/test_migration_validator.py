"""How to ask a migration what it does, by example.

Each example is a migration and a question about it. The same works on the files in alembic/versions.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from {{ cookiecutter.__package_name }}.database.migration_validator import (
    MigrationValidator,
    UnreadableMigration,
)

Write = Callable[..., MigrationValidator]
VERSIONS = Path(__file__).parents[2] / "alembic" / "versions"


@pytest.fixture
def migration(tmp_path: Path) -> Write:
    """Writes a migration and opens it."""

    def write(upgrade: str, downgrade: str = "pass", module: str = "") -> MigrationValidator:
        path = tmp_path / "1a2b3c4d5e6f_example.py"
        parts = [
            "import sqlalchemy as sa",
            "from alembic import op",
            "revision = '1a2b3c4d5e6f'",
            "down_revision = None",
            textwrap.dedent(module),
            "def upgrade():",
            textwrap.indent(textwrap.dedent(upgrade), "    "),
            "def downgrade():",
            textwrap.indent(textwrap.dedent(downgrade), "    "),
        ]
        path.write_text("\n".join(parts) + "\n", encoding="utf-8")
        return MigrationValidator(path)

    return write


# Whether there is an operation


def test_has_operation(migration: Write) -> None:
    validator = migration(
        "op.create_index('ix_videos_title', 'videos', ['title'])",
        "op.drop_index('ix_videos_title')",
    )
    assert validator.has_operation("create_index")
    assert validator.has_operation("create_index", function="upgrade")
    assert not validator.has_operation("create_index", function="downgrade")
    assert validator.has_operation("drop_index", function="downgrade")


def test_comments_and_strings_are_no_operations(migration: Write) -> None:
    validator = migration(
        """
        '''Do not call op.create_index here.'''
        # op.create_index('ix_videos_title', 'videos', ['title'])
        note = "op.drop_table('videos')"
        """
    )
    assert validator.get_operations() == []
    assert validator.get_modified_tables() == set()


# Every operation, with its arguments


def test_get_operations(migration: Write) -> None:
    validator = migration(
        """
        op.create_index('ix_videos_title', 'videos', ['title'], unique=True)
        op.create_index('ix_videos_length', 'videos', ['length', 'id'])
        """
    )
    first, second = validator.get_operations("create_index", function="upgrade")
    assert first["args"] == ["ix_videos_title", "videos", ["title"]]
    assert first["kwargs"] == {"unique": True}
    assert (second["name"], second["table"], second["columns"]) == (
        "ix_videos_length",
        "videos",
        ("length", "id"),
    )


def test_operations_and_parse(migration: Write) -> None:
    validator = migration("op.drop_table('videos')", "op.create_table('videos')")
    assert [each["operation"] for each in validator.operations] == ["drop_table", "create_table"]
    validator.parse()  # reads the file again
    assert [each["function"] for each in validator.operations] == ["upgrade", "downgrade"]


def test_positional_and_keyword_arguments_are_the_same(migration: Write) -> None:
    validator = migration(
        "op.create_index(columns=['title'], table_name='videos', index_name='ix_videos_title', schema='media')"
    )
    (index,) = validator.get_operations("create_index")
    assert (index.name, index.qualified_table, index.columns) == (
        "ix_videos_title",
        "media.videos",
        ("title",),
    )


def test_columns_are_read_with_their_type_and_default(migration: Write) -> None:
    validator = migration(
        "op.add_column('videos', sa.Column('tags', sa.String(500), nullable=False, server_default=''))"
    )
    (addition,) = validator.get_operations("add_column")
    (tags,) = addition.definitions
    assert tags.type is not None
    assert (tags.type.name, tags.type.args) == ("varchar", (500,))
    assert (tags.nullable, tags.server_default) == (False, "''")


# The tables that are changed


def test_get_modified_tables(migration: Write) -> None:
    validator = migration(
        """
        op.create_table('tags', sa.Column('id', sa.Integer, primary_key=True))
        op.add_column('videos', sa.Column('tag_id', sa.ForeignKey('tags.id')))
        """,
        "op.drop_column('videos', 'tag_id')\nop.drop_table('old_tags')",
    )
    assert validator.get_modified_tables() == {"tags", "videos", "old_tags"}
    assert validator.get_modified_tables(function="upgrade") == {"tags", "videos"}


def test_has_table_modification(migration: Write) -> None:
    validator = migration("op.create_index('ix_videos_title', 'videos', ['title'])")
    assert validator.has_table_modification("videos")
    assert not validator.has_table_modification("ix_videos_title")
    assert not validator.has_table_modification("title")


def test_names_that_sql_does_not_quote_are_folded(migration: Write) -> None:
    validator = migration("op.execute('UPDATE VIDEOS SET length = 1 WHERE id = 3')")
    assert validator.get_modified_tables() == {"videos"}
    assert validator.has_table_modification("videos")
    assert validator.has_table_modification("VIDEOS")
    quoted = migration("op.drop_table('Videos')")
    assert quoted.has_table_modification("Videos")
    assert not quoted.has_table_modification("videos")


def test_a_renamed_table_has_two_names(migration: Write) -> None:
    assert migration("op.rename_table('videos', 'clips')").get_modified_tables() == {
        "videos",
        "clips",
    }


def test_a_schema_is_part_of_the_name(migration: Write) -> None:
    validator = migration("op.drop_table('videos', schema='media')")
    assert validator.get_modified_tables() == {"media.videos"}
    assert validator.has_table_modification("media.videos")
    assert validator.has_table_modification("videos")


# One index, one column


def test_validates_index_creation(migration: Write) -> None:
    validator = migration("op.create_index('ix_videos_title', 'videos', ['title'])")
    assert validator.validates_index_creation(index_name="ix_videos_title")
    assert validator.validates_index_creation(table_name="videos")
    assert validator.validates_index_creation("ix_videos_title", "videos")
    assert not validator.validates_index_creation("ix_videos_title", "channels")
    assert not validator.validates_index_creation("ix_videos_length", "videos")


def test_an_index_that_a_column_brings_is_created(migration: Write) -> None:
    validator = migration("op.add_column('videos', sa.Column('tags', sa.Text(), index=True))")
    assert validator.validates_index_creation("ix_videos_tags", "videos")
    assert not validator.validates_index_creation("ix_videos_title", "videos")


def test_an_index_that_only_downgrade_makes_is_not_created(migration: Write) -> None:
    validator = migration(
        "op.drop_index('ix_v', 'videos')", "op.create_index('ix_v', 'videos', ['title'])"
    )
    assert not validator.validates_index_creation("ix_v")


def test_validates_column_addition(migration: Write) -> None:
    validator = migration("op.add_column('videos', sa.Column('tags', sa.String(500)))")
    assert validator.validates_column_addition("videos", "tags")
    assert not validator.validates_column_addition("videos", "title")
    assert not validator.validates_column_addition("channels", "tags")


# However it is written


@pytest.mark.parametrize(
    ("module", "upgrade"),
    [
        (
            "",
            "with op.batch_alter_table('videos') as batch:\n    batch.create_index('ix_v', ['title'])",
        ),
        ("from alembic.op import create_index as make", "make('ix_v', 'videos', ['title'])"),
        ("TABLE = 'videos'", "op.create_index(op.f('ix_v'), TABLE, ['title'])"),
        (
            "",
            "for name, column in [('ix_v', 'title')]:\n    op.create_index(name, 'videos', [column])",
        ),
        ("def index(name):\n    op.create_index(name, 'videos', ['title'])", "index('ix_v')"),
        ("", "op.execute('CREATE INDEX CONCURRENTLY ix_v ON videos (title)')"),
        ("", "op.get_bind().execute(sa.text('CREATE INDEX ix_v ON videos (title)'))"),
    ],
    ids=["batch", "alias", "constant", "loop", "helper", "SQL", "SQL on the connection"],
)
def test_every_way_to_write_it_is_read(migration: Write, module: str, upgrade: str) -> None:
    validator = migration(upgrade, module=module)
    assert validator.validates_index_creation("ix_v", "videos")
    assert validator.get_modified_tables() == {"videos"}


def test_what_only_a_run_can_show_is_uncertain(migration: Write) -> None:
    validator = migration("op.drop_table(os.environ['TABLE'])", module="import os")
    (drop,) = validator.get_operations("drop_table")
    assert not drop.certain
    assert validator.get_modified_tables() == set()


# A file that can't be read


def test_an_unreadable_file_says_where_and_why(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("revision = 'a'\ndef upgrade(:\n", encoding="utf-8")
    with pytest.raises(UnreadableMigration, match=r"broken\.py:2: "):
        MigrationValidator(path)


# This project's own migrations


@pytest.mark.parametrize("path", sorted(VERSIONS.glob("*.py")), ids=lambda path: path.stem)
def test_every_migration_of_this_project_can_be_read(path: Path) -> None:
    validator = MigrationValidator(str(path))
    assert path.name.startswith(str(validator.migration.revision))
    assert validator.migration.problems == []
{%- if cookiecutter.starter == "soundhash" %}


def test_the_composite_indexes_are_all_there() -> None:
    validator = MigrationValidator(
        VERSIONS / "b9532a7d8c7a_add_composite_indexes_for_performance.py"
    )
    indexes = {
        "idx_fingerprints_video_time": "audio_fingerprints",
        "idx_fingerprints_hash_video": "audio_fingerprints",
        "idx_match_results_query_fp": "match_results",
        "idx_match_results_matched_fp": "match_results",
        "idx_processing_jobs_type_status": "processing_jobs",
        "idx_processing_jobs_target": "processing_jobs",
    }
    for name, table in indexes.items():
        assert validator.validates_index_creation(index_name=name, table_name=table)
    assert validator.get_modified_tables() == set(indexes.values())
{%- endif %}
