"""The migrations, run on a scratch database. ``nox -s roundtrip`` goes deeper: each revision, with rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from {{ cookiecutter.__package_name }}.database.models import Base


def test_there_is_one_head(config: Config) -> None:
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1


def test_upgrade_makes_what_the_models_say(connection: Connection, config: Config) -> None:
    command.upgrade(config, "head")
    assert set(sa.inspect(connection).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
    command.check(config)  # raises where they differ


def test_downgrade_leaves_nothing_behind(connection: Connection, config: Config) -> None:
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    assert sa.inspect(connection).get_table_names() == ["alembic_version"]


def test_upgrade_works_again_after_downgrade(config: Config) -> None:
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    command.upgrade(config, "head")
    command.check(config)
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
