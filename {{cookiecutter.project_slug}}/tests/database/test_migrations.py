"""The migrations, run on a scratch database.

``nox -s check`` compares them with the models in full, and ``nox -s roundtrip`` runs each of them back and forth, with rows.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine

from {{ cookiecutter.__package_name }}.database.models import Base

SCRIPTS = ScriptDirectory.from_config(Config(Path(__file__).parents[2] / "alembic.ini"))


def test_there_is_one_head() -> None:
    assert len(SCRIPTS.get_heads()) == 1


def test_upgrade_makes_what_the_models_need(database: Engine) -> None:
    inspector = sa.inspect(database)
    for name, table in Base.metadata.tables.items():
        found = {column["name"] for column in inspector.get_columns(table.name, table.schema)}
        assert found >= {column.name for column in table.columns}, name


def columns(connection: Connection) -> dict[str, set[str]]:
    """Return the columns of each table."""
    inspector = sa.inspect(connection)
    found = {
        table: {column["name"] for column in inspector.get_columns(table)}
        for table in inspector.get_table_names()
    }
    connection.rollback()  # reading began a transaction, and the next command needs its own
    return found


def test_downgrade_leaves_nothing_behind_and_upgrade_works_again(
    connection: Connection, config: Config
) -> None:
    # A revision with `irreversible = "reason"` has no way back: go down to the last of them.
    irreversible = [
        script.revision
        for script in SCRIPTS.walk_revisions()
        if getattr(script.module, "irreversible", None)
    ]
    lowest = irreversible[0] if irreversible else "base"
    before = {"alembic_version": {"version_num"}}
    if irreversible:
        command.upgrade(config, lowest)
        before = columns(connection)
    command.upgrade(config, "head")
    migrated = columns(connection)
    command.downgrade(config, lowest)
    assert columns(connection) == before
    command.upgrade(config, "head")
    assert columns(connection) == migrated
{%- if cookiecutter.starter == "soundhash" %}


def test_the_composite_indexes_are_there(database: Engine) -> None:
    inspector = sa.inspect(database)
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
