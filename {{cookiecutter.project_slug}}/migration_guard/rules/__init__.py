"""Rules: operations in, findings out. Each module holds the rules of a category."""

from . import column_types, data, design, enums, locks, reading, revision, running_code  # noqa: F401
