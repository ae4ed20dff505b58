"""One migrator at a time: the others wait, then find nothing to do."""

import logging
import os
import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa
from alembic.util import CommandError

from ..pyproject import Limits
from .stopping import Stop

log = logging.getLogger("alembic.migration_guard")


def me() -> str:
    """Return the name of this process, as the others read it. A fork is another process."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Lock:
    def acquire(self) -> bool:
        """Take the lock if it is free; never wait, and leave no transaction open."""
        raise NotImplementedError

    def holder(self) -> str:
        raise NotImplementedError

    def confirm(self) -> None:
        """Raise CommandError if the lock is lost; most locks are lost with the connection only."""

    def release(self) -> bool:
        """Free the lock; return whether it was held until now."""
        raise NotImplementedError


@contextmanager
def one_migrator(
    connection: sa.Connection, limits: Limits, lock: Lock, stop: Stop
) -> Iterator[None]:
    """Hold the lock; wait for it up to a limit. Raises CommandError."""
    deadline, reported = time.monotonic() + limits.wait, 0.0
    while not lock.acquire():
        now = time.monotonic()
        if stop:
            raise CommandError(f"{stop.signal}: stopped waiting for another migrator")
        if now > deadline:
            raise CommandError(
                f"waited {limits.wait:g} s for another migrator ({lock.holder()}); nothing was done"
                f"{SILENT.get(connection.dialect.name, '')}"
            )
        if now > reported:
            log.info("Waiting for another migrator (%s)", lock.holder())
            reported = now + 10
        time.sleep(random.uniform(0.05, 0.4))
    held = True
    try:
        yield
    finally:
        with suppress(sa.exc.DBAPIError):  # the server is gone, and the lock with it
            held = lock.release()
    if not held:
        raise CommandError(
            "the migration lock was lost before the end, so another migrator may have run at the"
            " same time: compare the database with its migrations. A pooler may be the cause, or"
            " pg_advisory_unlock_all()"
        )


# Only the server's own settings end a session whose client went silent.
SILENT = dict.fromkeys(
    ("mysql", "mariadb"),
    "; if its machine is gone, end that session: KILL <id>. To have the server do so, set"
    " wait_timeout and the system's TCP keepalive",
)
