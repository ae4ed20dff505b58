"""Alembic's operations and SQLAlchemy's constructors, by the names of their parameters."""

import re

from .migration import words

IDENTIFIERS = ("revision", "down_revision", "depends_on", "branch_labels")


# Alembic's positional parameters. The table, the name and the columns have their own fields of an
# operation. A batch has no parameter for the table.
SIGNATURES: dict[str, tuple[str, ...]] = {
    "add_column": ("table", "column"),
    "alter_column": ("table", "columns"),
    "bulk_insert": ("table", "rows"),
    "create_check_constraint": ("name", "table", "condition"),
    "create_exclude_constraint": ("name", "table"),
    "create_foreign_key": ("name", "table", "referent_table", "columns", "remote_cols"),
    "create_index": ("name", "table", "columns"),
    "create_primary_key": ("name", "table", "columns"),
    "create_table": ("table",),
    "create_table_comment": ("table", "comment"),
    "create_unique_constraint": ("name", "table", "columns"),
    "drop_column": ("table", "columns"),
    "drop_constraint": ("name", "table", "type_"),
    "drop_index": ("name", "table"),
    "drop_table": ("table",),
    "drop_table_comment": ("table",),
    "rename_table": ("table", "new_table_name"),
}


IDENTITY = ("table", "name", "columns", "schema")  # each value of these is an operation of its own


STARRED = {*SIGNATURES, "execute", "batch_alter_table", "invoke", "get_bind", "get_context", "f"}


BATCH_SIGNATURES = {
    name: tuple(p for p in parameters if p != "table") for name, parameters in SIGNATURES.items()
}


FIELDS = dict.fromkeys(("table_name", "source_table", "old_table_name", "source"), "table") | {
    "index_name": "name",
    "constraint_name": "name",
    "column_name": "columns",
    "local_cols": "columns",
    "source_schema": "schema",
    "referent": "referent_table",
}


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


# The kind of constraint that each operation and class creates.
CONSTRAINTS = {
    name: snake(name).removeprefix("create_").removesuffix("_constraint")
    for name in words(
        "create_check_constraint create_exclude_constraint create_foreign_key create_primary_key "
        "create_unique_constraint CheckConstraint ExcludeConstraint ForeignKeyConstraint "
        "PrimaryKeyConstraint UniqueConstraint"
    )
}


SESSIONS = words("Session sessionmaker scoped_session")


# The constructors of SQLAlchemy that the reader handles; any other becomes a Call.
CONSTRUCTORS = (
    CONSTRAINTS.keys()
    | SESSIONS
    | words(
        "Column mapped_column text DDL table Table insert update delete inspect from_engine "
        "reflect MetaData automap_base conv quoted_name"
    )
)
