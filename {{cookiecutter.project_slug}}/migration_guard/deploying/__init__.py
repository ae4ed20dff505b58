"""What runs when a database is migrated: one migrator at a time, limits, and the journal."""

from .applied import TABLES
from .connecting import connect
from .journal import migrate

__all__ = ["TABLES", "connect", "migrate"]
