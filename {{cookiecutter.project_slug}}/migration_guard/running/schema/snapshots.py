"""The snapshot for each database."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.engine import Connection

from .mysql import MySQL
from .postgresql import PostgreSQL
from .snapshot import Snapshot
from .sqlite import SQLite

SNAPSHOTS: dict[str, type[Snapshot]] = {
    "sqlite": SQLite,
    "postgresql": PostgreSQL,
    "mysql": MySQL,
    "mariadb": MySQL,
}


def snapshot_of(
    connection: Connection, hidden: Iterable[str] = (), exact: bool = False
) -> Snapshot:
    return SNAPSHOTS[connection.dialect.name](connection, hidden, exact)
