"""Whether a database is migrated: for the readiness check of an application."""

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine


def at_head(database: Engine | Connection, config: str | Path | None = None) -> bool:
    """Return whether the database has run every migration of this code.

    A database that a newer release has migrated further counts as well, so that the running release
    stays ready.
    ``config`` is alembic.ini; by default it is the one in the nearest folder above the guard.

    Raises:
        FileNotFoundError: there is no alembic.ini.
    """
    if isinstance(database, Engine):
        with database.connect() as connection:
            return at_head(connection, config)
    heads, known = _revisions(str(config or _nearest()))
    applied = set(MigrationContext.configure(database).get_current_heads())
    return bool(applied - known) or applied == heads


@cache
def _revisions(config: str) -> tuple[set[str], set[str]]:
    scripts = ScriptDirectory.from_config(Config(config))
    return set(scripts.get_heads()), {script.revision for script in scripts.walk_revisions()}


def _nearest() -> Path:
    for folder in Path(__file__).resolve().parents:
        if (folder / "alembic.ini").is_file():
            return folder / "alembic.ini"
    raise FileNotFoundError("no alembic.ini above the guard: pass its path to at_head()")
