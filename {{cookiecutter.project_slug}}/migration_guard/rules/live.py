"""Rules about the configured database, which ``--plan`` reads."""

from ..databases import POSTGRESQL
from .rule import declare

database_drift = declare(
    "database-drift",
    summary="The schema of the configured database is not what its revision should be.",
    why="""
    Somebody changed it without a migration, or a migration stopped halfway. The next migration
    may fail there, and it was tested on another schema.
    """,
    fix="""
    Find out who needs the difference. Then write a migration that makes it part of the history, or
    undo it on the database.
    """,
    bad="ALTER TABLE videos ADD COLUMN hotfix text  -- run in psql, and in no migration",
    good='op.add_column("videos", sa.Column("hotfix", sa.Text()))',
    severity="warning",
)

invalid_index = declare(
    "invalid-index",
    summary="An index of the configured database is INVALID.",
    why="""
    A CREATE INDEX CONCURRENTLY failed. No query uses the index, and every write still pays for
    it.
    """,
    fix="Drop it with DROP INDEX CONCURRENTLY, and build it again in a migration of its own.",
    bad="CREATE INDEX CONCURRENTLY ix_videos_url ON videos (url)  -- was cancelled",
    good="REINDEX INDEX CONCURRENTLY ix_videos_url",
    databases=POSTGRESQL,
    severity="warning",
)

not_validated = declare(
    "not-validated",
    summary="A constraint of the configured database is still NOT VALID.",
    why="The rows that were there before it may break it. The planner can't rely on it either.",
    fix="Write a migration that runs ALTER TABLE ... VALIDATE CONSTRAINT.",
    bad="ALTER TABLE videos ADD CONSTRAINT ck_videos_length CHECK (length > 0) NOT VALID",
    good="ALTER TABLE videos VALIDATE CONSTRAINT ck_videos_length",
    databases=POSTGRESQL,
    severity="warning",
)

rows_do_not_fit = declare(
    "rows-do-not-fit",
    summary="Rows of the configured database break what a pending migration requires.",
    why="The migration will fail on them, or change them.",
    fix="Clean up these rows first: fill, shorten or merge them.",
    bad="ALTER TABLE videos ADD CONSTRAINT uq_videos_url UNIQUE (url)  -- 3 rows share a url",
    good="DELETE FROM videos WHERE id IN (7, 9)  -- decided which rows stay",
    severity="warning",
)
