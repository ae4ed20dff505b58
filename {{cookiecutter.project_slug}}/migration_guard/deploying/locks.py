"""Which lock keeps a second migrator away: the database decides."""

import zlib

import sqlalchemy as sa

from ..pyproject import Limits
from .applied import own_name
from .lock import Lock


def lock_for(
    connection: sa.Connection,
    limits: Limits,
    version_table: str = "alembic_version",
    schema: str | None = None,
) -> Lock:
    """Return the lock of the history whose version table this is, in the connected database."""
    name = connection.dialect.name
    if name == "sqlite":
        database = connection.exec_driver_sql("PRAGMA database_list").all()[0][2]
        connection.rollback()
        from .file_lock import FileLock

        return FileLock(database)
    version = str(connection.exec_driver_sql("SELECT version()").scalar())
    nodes = None
    if name in ("mysql", "mariadb"):
        nodes = connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'wsrep_cluster_size'").first()
    if galera := nodes is not None and int(nodes[1]) > 0:
        # Read what the other nodes have committed.
        connection.exec_driver_sql("SET SESSION wsrep_sync_wait = 15")
    connection.commit()
    # Each node of a cluster has advisory locks of its own.
    cluster = galera or any(word in version for word in ("CockroachDB", "-YB-", "TiDB"))
    from .session_lock import SESSION_LOCKS, SessionLock

    if limits.lease_only or cluster or name not in SESSION_LOCKS:
        from .lease import Lease

        return Lease(connection, limits, own_name(version_table, "lease"), schema)
    own = (version_table, schema) == ("alembic_version", None)
    key = 0 if own else zlib.crc32(f"{schema}.{version_table}".encode()) >> 1
    return SessionLock(connection, *(sql.format(key=key) for sql in SESSION_LOCKS[name]))
