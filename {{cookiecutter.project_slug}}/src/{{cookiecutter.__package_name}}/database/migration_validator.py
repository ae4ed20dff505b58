"""What one migration file does, read from its source and never run: for your own tests and checks."""

from migration_guard.validator import MigrationValidator, UnreadableMigration

__all__ = ["MigrationValidator", "UnreadableMigration"]
