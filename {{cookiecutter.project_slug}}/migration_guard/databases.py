"""The databases that a project can deploy to."""

from __future__ import annotations

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


EVERY = frozenset(DATABASES)


POSTGRESQL = frozenset({"postgresql", "citus"})


MYSQL = frozenset({"mysql", "mariadb", "galera"})


NOT_TRANSACTIONAL = frozenset(
    {*MYSQL, "cockroachdb", "tidb", "yugabytedb"}
)  # DDL commits by itself


DISTRIBUTED = frozenset({"citus", "cockroachdb", "galera", "tidb", "yugabytedb"})
