"""One migrator at a time: the others wait, then find nothing to do. Which lock that takes is the database's to say."""

from __future__ import annotations

import logging
import os
import random
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa
from alembic.util import CommandError

from ..settings import Limits
from .limits import is_transient, undo

log = logging.getLogger("alembic.migration_guard")


def me() -> str:
    """This process, as the others read it. Asked for each time: a fork is another one."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Lock:
    def acquire(self) -> bool:
        """Take it if it is free; never wait, and leave no transaction open."""
        raise NotImplementedError

    def holder(self) -> str:
        raise NotImplementedError

    def confirm(self) -> None:
        """Raise if it is lost; most locks are lost with the connection only."""

    def release(self) -> None:
        raise NotImplementedError


@contextmanager
def one_migrator(connection: sa.Connection, limits: Limits) -> Iterator[Lock]:
    """Hold the lock of the database that ``connection`` leads to; wait for it, but not for ever."""
    lock = lock_for(connection, limits)
    deadline, told = time.monotonic() + limits.wait, 0.0
    while not lock.acquire():
        now = time.monotonic()
        if now > deadline:
            raise CommandError(
                f"waited {limits.wait:g} s for another migrator ({lock.holder()}); nothing was done"
            )
        if now > told:
            log.info("Waiting for another migrator (%s)", lock.holder())
            told = now + 10
        time.sleep(random.uniform(0.05, 0.4))
    try:
        yield lock
    finally:
        with suppress(sa.exc.DBAPIError):  # the server is gone, and the lock with it
            lock.release()


def lock_for(connection: sa.Connection, limits: Limits) -> Lock:
    name = connection.dialect.name
    if name == "sqlite":
        database = connection.exec_driver_sql("PRAGMA database_list").all()[0][2]
        connection.rollback()
        return FileLock(database)
    version = str(connection.exec_driver_sql("SELECT version()").scalar())
    nodes = None
    if name in ("mysql", "mariadb"):
        nodes = connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'wsrep_cluster_size'").first()
    if galera := nodes is not None and int(nodes[1]) > 0:
        connection.exec_driver_sql(
            "SET SESSION wsrep_sync_wait = 15"
        )  # read what the other nodes have committed
    connection.commit()
    # Each node of a cluster would hand out an advisory lock of its own.
    cluster = galera or any(word in version for word in ("CockroachDB", "-YB-", "TiDB"))
    if limits.lease_only or cluster or name not in SESSION_LOCKS:
        return Lease(connection, limits)
    return SessionLock(connection, *SESSION_LOCKS[name])


class FileLock(Lock):
    """A lock on a file beside the SQLite database. The system frees it however its holder ends."""

    def __init__(self, database: str) -> None:
        try:  # a database in memory is nobody else's
            self.file = (
                open(f"{database}-migrating", "a+") if database else tempfile.TemporaryFile("a+")
            )
        except OSError as error:
            raise CommandError(
                f"can't lock the database: {error.strerror}: {error.filename}"
            ) from None

    def acquire(self) -> bool:
        try:
            if sys.platform == "win32":
                import msvcrt

                self.file.seek(1 << 20)  # beyond the text: what is locked can't be read
                msvcrt.locking(self.file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        self.file.truncate(0)
        self.file.write(me())
        self.file.flush()
        return True

    def holder(self) -> str:
        self.file.seek(0)
        return self.file.read()

    def release(self) -> None:
        self.file.close()  # the file stays: who removed it could remove the next one's


NAME = "CONCAT('migration:', LEFT(SHA2(DATABASE(), 256), 32))"  # MySQL's locks are the server's, PostgreSQL's the database's


MYSQL_LOCK = (
    f"SELECT GET_LOCK({NAME}, 0)",
    f"SELECT CONCAT(user, '@', host) FROM information_schema.processlist WHERE id = IS_USED_LOCK({NAME})",
    f"SELECT RELEASE_LOCK({NAME})",
)


POSTGRESQL_LOCK = (
    "SELECT pg_try_advisory_lock(1835624306, 1635017076)",
    """SELECT application_name || ', process ' || pid FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE granted AND locktype = 'advisory' AND (classid, objid) = (1835624306, 1635017076)
    AND datname = current_database() AND database = datid""",
    "SELECT pg_advisory_unlock(1835624306, 1635017076)",
)


SESSION_LOCKS = {"mysql": MYSQL_LOCK, "mariadb": MYSQL_LOCK, "postgresql": POSTGRESQL_LOCK}


class SessionLock(Lock):
    """An advisory lock of the connection that migrates. The server frees it when that connection ends.

    It is tried again and again: CREATE INDEX CONCURRENTLY would wait for a session that waits for the lock inside the
    server, and so for itself.
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

    def release(self) -> None:
        self.connection.rollback()
        self._ask(self.end)


class Lease(Lock):
    """A row that says who migrates and until when, by the server's clock; renewed on a connection of its own."""

    def __init__(self, connection: sa.Connection, limits: Limits) -> None:
        self.connection, self.seconds, self.ended = connection, limits.lease, threading.Event()
        mysql = connection.dialect.name in ("mysql", "mariadb")
        now: sa.ColumnElement[float] = sa.literal_column(
            "UNIX_TIMESTAMP(NOW(6))" if mysql else "EXTRACT(EPOCH FROM clock_timestamp())"
        )
        self.table = sa.Table(
            "alembic_lease",
            sa.MetaData(),
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("owner", sa.String(255)),
            sa.Column("expires", sa.Double, nullable=False),
        )
        change, column, owner = self.table.update(), self.table.c, me()
        self.take = change.where(column.expires < now).values(
            owner=owner, expires=now + limits.lease
        )
        self.renew = change.where(column.owner == owner).values(expires=now + limits.lease)
        self.free = change.where(column.owner == owner).values(expires=0)

    def acquire(self) -> bool:
        try:
            if not sa.inspect(self.connection).has_table(self.table.name):
                self.connection.execute(sa.schema.CreateTable(self.table, if_not_exists=True))
            if self.connection.scalar(sa.select(self.table.c.id)) is None:
                self.connection.execute(self.table.insert().values(id=1, expires=0))
            self.connection.commit()
            taken = self.connection.execute(self.take).rowcount == 1
            self.connection.commit()
        except sa.exc.DBAPIError as error:
            undo(self.connection)
            if isinstance(error, sa.exc.IntegrityError) or is_transient(error.orig):
                return False  # another migrator was quicker
            raise
        if taken:
            threading.Thread(target=self._keep, daemon=True).start()
        return taken

    def _keep(self) -> None:
        while not self.ended.wait(self.seconds / 3):
            with suppress(sa.exc.DBAPIError), self.connection.engine.begin() as own:
                own.execute(self.renew)

    def holder(self) -> str:
        try:
            return str(self.connection.scalar(sa.select(self.table.c.owner)))
        except sa.exc.DBAPIError:
            return "unknown"
        finally:
            undo(self.connection)

    def confirm(self) -> None:
        if self.connection.execute(self.renew).rowcount != 1:
            raise CommandError(f"stopped: the lease ran out, and {self.holder()} has it now")

    def release(self) -> None:
        self.ended.set()
        undo(self.connection)
        self.connection.execute(self.free)
        self.connection.commit()
