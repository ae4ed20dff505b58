"""What runs when a database is migrated: one migrator at a time, limits, and the journal."""

from .applied import TABLES
from .journal import migrate

__all__ = ["TABLES", "migrate"]
