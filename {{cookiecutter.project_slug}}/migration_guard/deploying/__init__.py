"""What runs when a database is migrated: one migrator at a time, limits, and the journal."""

from .applied import TABLES, own_tables
from .connecting import connect
from .journal import migrate

__all__ = ["TABLES", "connect", "migrate", "own_tables"]
