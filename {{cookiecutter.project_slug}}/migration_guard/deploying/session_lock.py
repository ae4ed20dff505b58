"""The lock of one server: an advisory lock that ends with the session."""

import sqlalchemy as sa

from .lock import Lock

# MySQL's locks are the server's, PostgreSQL's the database's. {key}: the history, 0 the usual one.
NAME = "CONCAT('migration:', LEFT(SHA2(CONCAT(DATABASE(), IF({key}, {key}, '')), 256), 32))"


MYSQL_LOCK = (
    f"SELECT GET_LOCK({NAME}, 0)",
    "SELECT CONCAT(user, '@', host, ', session ', id) FROM information_schema.processlist"
    f" WHERE id = IS_USED_LOCK({NAME})",
    f"SELECT RELEASE_LOCK({NAME})",
)


POSTGRESQL_LOCK = (
    "SELECT pg_try_advisory_lock(1835624306, 1635017076 - {key})",
    """SELECT application_name || ', process ' || pid
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE granted AND locktype = 'advisory'
    AND (classid, objid) = (1835624306, (1635017076 - {key})::bigint & 4294967295)
    AND datname = current_database() AND database = datid""",
    "SELECT pg_advisory_unlock(1835624306, 1635017076 - {key})",
)


SESSION_LOCKS = {"mysql": MYSQL_LOCK, "mariadb": MYSQL_LOCK, "postgresql": POSTGRESQL_LOCK}


class SessionLock(Lock):
    """An advisory lock of the connection that migrates. The server frees it when that one ends.

    It is tried again and again: CREATE INDEX CONCURRENTLY would wait for a session that waits for
    the lock inside the server, and so for itself.
    """

    def __init__(self, connection: sa.Connection, attempt: str, holder: str, release: str) -> None:
        self.connection, self.attempt, self.who, self.end = connection, attempt, holder, release

    def _ask(self, sql: str) -> object:
        answer = self.connection.exec_driver_sql(sql).scalar()
        self.connection.rollback()
        return answer

    def acquire(self) -> bool:
        return bool(self._ask(self.attempt))

    def holder(self) -> str:
        return str(self._ask(self.who) or "just ended")

    def release(self) -> bool:
        self.connection.rollback()
        return bool(self._ask(self.end))
