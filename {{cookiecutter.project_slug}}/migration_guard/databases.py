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


# The oldest versions that are maintained: what is assumed of a database without a stated version.
OLDEST = {
    "sqlite": "3.35",
    "postgresql": "14",
    "mysql": "8.0",
    "mariadb": "10.6",
    "galera": "10.6",
    "citus": "14",
}


def version(text: str) -> tuple[int, ...]:
    """A version as numbers, which compare as versions do."""
    return tuple(int(number) for number in text.split("."))


def concerns(versions: str, database: str, lowest: str) -> bool:
    """Whether a rule for these versions of a database ("<12", "" for all) matters to a project.

    ``lowest`` is the lowest version that the project declares, or "".
    """
    lowest = lowest or OLDEST.get(database, "0")
    return all(
        not part.strip().startswith("<") or version(lowest) < version(part.strip().lstrip("<= "))
        for part in versions.split(",")
    )


EVERY = frozenset(DATABASES)


POSTGRESQL = frozenset({"postgresql", "citus"})


MYSQL = frozenset({"mysql", "mariadb", "galera"})


NOT_TRANSACTIONAL = frozenset(
    {*MYSQL, "cockroachdb", "tidb", "yugabytedb"}
)  # DDL commits by itself


DISTRIBUTED = frozenset({"citus", "cockroachdb", "galera", "tidb", "yugabytedb"})


TRANSACTIONAL = EVERY - NOT_TRANSACTIONAL  # a migration that fails leaves nothing
