"""The migrations, run on a scratch database.

``nox -s check`` compares them with the models in full, and ``nox -s roundtrip`` runs each of them back and forth, with rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from {{ cookiecutter.__package_name }}.database.models import Base


def test_there_is_one_head(config: Config) -> None:
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1


def columns(connection: Connection) -> dict[str, set[str]]:
    inspector = sa.inspect(connection)
    made = {
        table: {column["name"] for column in inspector.get_columns(table)}
        for table in inspector.get_table_names()
    }
    connection.rollback()  # to look began a transaction, and the next command needs one of its own
    return made


def test_upgrade_makes_what_the_models_need(connection: Connection, config: Config) -> None:
    command.upgrade(config, "head")
    made = columns(connection)
    for name, table in Base.metadata.tables.items():
        assert made[name] >= {column.name for column in table.columns}


def test_downgrade_leaves_nothing_behind(connection: Connection, config: Config) -> None:
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    assert sa.inspect(connection).get_table_names() == ["alembic_version"]


def test_upgrade_works_again_after_downgrade(connection: Connection, config: Config) -> None:
    command.upgrade(config, "head")
    made = columns(connection)
    command.downgrade(config, "base")
    command.upgrade(config, "head")
    assert columns(connection) == made
{%- if cookiecutter.starter == "soundhash" %}


def test_the_composite_indexes_are_there(connection: Connection, config: Config) -> None:
    command.upgrade(config, "head")
    inspector = sa.inspect(connection)
    found = {
        index["name"]: index["column_names"]
        for table in ("audio_fingerprints", "match_results", "processing_jobs")
        for index in inspector.get_indexes(table)
    }
    assert found["idx_fingerprints_video_time"] == ["video_id", "start_time", "end_time"]
    assert found["idx_fingerprints_hash_video"] == ["fingerprint_hash", "video_id"]
    assert found["idx_match_results_query_fp"] == ["query_fingerprint_id", "similarity"]
    assert found["idx_match_results_matched_fp"] == ["matched_fingerprint_id", "similarity"]
    assert found["idx_processing_jobs_type_status"] == ["job_type", "status"]
    assert found["idx_processing_jobs_target"] == ["target_type", "target_id"]
{%- endif %}
