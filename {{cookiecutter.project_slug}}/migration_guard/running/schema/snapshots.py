"""The snapshot for each database."""

from collections.abc import Iterable

from sqlalchemy.engine import Connection

from .mysql import MySQL
from .objects import SchemaObject
from .postgresql import PostgreSQL
from .snapshot import Snapshot
from .sqlite import SQLite

SNAPSHOTS: dict[str, type[Snapshot]] = {"sqlite": SQLite, "postgresql": PostgreSQL}
SNAPSHOTS |= {"mysql": MySQL, "mariadb": MySQL}


def snapshot_of(
    connection: Connection, hidden: Iterable[str] = (), exact: bool = False
) -> Snapshot:
    return SNAPSHOTS[connection.dialect.name](connection, hidden, exact)


def describe(connection: Connection, hidden: Iterable[str] = ()) -> dict[str, SchemaObject]:
    """Return the objects of a database by their names, without the ``hidden`` tables."""
    snapshot = snapshot_of(connection, hidden)
    snapshot.refresh(everything=True)
    return {item.name: item for item in snapshot.objects.values()}
