"""The databases that a project can deploy to."""

from collections.abc import Iterable

# Each database that a project can deploy to, with the SQLAlchemy dialects that it may have.
DATABASES: dict[str, tuple[str, ...]] = {
    "sqlite": ("sqlite",),
    "postgresql": ("postgresql",),
    "mysql": ("mysql",),  # the dialect mariadb refuses such a server
    "mariadb": ("mariadb", "mysql"),
    "galera": ("mariadb", "mysql"),
    "citus": ("postgresql",),
    "cockroachdb": ("cockroachdb",),
    "yugabytedb": ("postgresql", "yugabytedb"),
    "tidb": ("mysql", "tidb"),
}


def dialects_of(databases: Iterable[str]) -> tuple[str, ...]:
    """Return the SQLAlchemy dialects of these databases, each once."""
    return tuple(dict.fromkeys(dialect for name in databases for dialect in DATABASES[name]))


# The oldest maintained versions: the guard assumes them where a project states no version.
OLDEST = {
    "sqlite": "3.35",
    "postgresql": "14",
    "mysql": "8.0",
    "mariadb": "10.6",
    "galera": "10.6",
    "citus": "14",
}


def version(text: str) -> tuple[int, ...]:
    """Return a version as numbers, which compare as versions do."""
    return tuple(int(number) for number in text.split("."))


def concerns(versions: str, database: str, lowest: str) -> bool:
    """Return whether a rule for these versions of a database concerns a project.

    ``versions`` is "<12", or "" for all of them. ``lowest`` is the lowest version that the project
    declares, or "".
    """
    lowest = lowest or OLDEST.get(database, "0")
    return all(
        not part.strip().startswith("<") or version(lowest) < version(part.strip().lstrip("<= "))
        for part in versions.split(",")
    )


EVERY = frozenset(DATABASES)


POSTGRESQL = frozenset({"postgresql", "citus"})


MYSQL = frozenset({"mysql", "mariadb", "galera"})


# DDL commits by itself.
NOT_TRANSACTIONAL = frozenset({*MYSQL, "cockroachdb", "tidb", "yugabytedb"})


DISTRIBUTED = frozenset({"citus", "cockroachdb", "galera", "tidb", "yugabytedb"})


TRANSACTIONAL = EVERY - NOT_TRANSACTIONAL  # a migration that fails leaves nothing behind
