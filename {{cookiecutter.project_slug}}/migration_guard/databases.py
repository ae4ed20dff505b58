"""The databases that a project can deploy to."""

from __future__ import annotations

from collections.abc import Iterable

# What a project can deploy to -> its SQLAlchemy dialects, by which a migration branches.
DATABASES: dict[str, tuple[str, ...]] = {
    "sqlite": ("sqlite",),
    "postgresql": ("postgresql",),
    "mysql": ("mysql", "mariadb"),
    "mariadb": ("mariadb", "mysql"),
    "galera": ("mariadb", "mysql"),
    "citus": ("postgresql",),
    "cockroachdb": ("cockroachdb",),
    "yugabytedb": ("postgresql", "yugabytedb"),
    "tidb": ("mysql", "tidb"),
}


def dialects_of(databases: Iterable[str]) -> tuple[str, ...]:
    """The SQLAlchemy dialects of these databases, each once."""
    return tuple(
        dict.fromkeys(dialect for database in databases for dialect in DATABASES[database])
    )


EVERY = frozenset(DATABASES)


POSTGRESQL = frozenset({"postgresql", "citus"})


MYSQL = frozenset({"mysql", "mariadb", "galera"})


NOT_TRANSACTIONAL = frozenset(
    {*MYSQL, "cockroachdb", "tidb", "yugabytedb"}
)  # DDL commits by itself


DISTRIBUTED = frozenset({"citus", "cockroachdb", "galera", "tidb", "yugabytedb"})
