"""The lock of an SQLite database: a lock on a file beside it."""

import os
import stat
import sys
import tempfile
from contextlib import suppress
from typing import IO

from alembic.util import CommandError

from .lock import Lock, me


class FileLock(Lock):
    """A lock on a file beside the SQLite database. The system frees it however its holder ends."""

    def __init__(self, database: str) -> None:
        try:  # a database in memory is nobody else's
            if database:
                self.file = open_beside(database)
            else:
                self.file = tempfile.TemporaryFile("a+")  # noqa: SIM115 the lock holds it open
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
        if self.file.writable():
            self.file.truncate(0)
            self.file.write(me())
            self.file.flush()
        return True

    def holder(self) -> str:
        self.file.seek(0)
        return self.file.read(200)

    def release(self) -> bool:
        self.file.close()  # the file stays: deleting it could delete that of the next migrator
        return True


def open_beside(database: str) -> IO[str]:
    """Open the lock file of a database for all users of the database, but never through a link."""
    path = f"{database}-migrating"
    follow = getattr(os, "O_NOFOLLOW", 0)
    try:
        opened = os.open(path, os.O_RDWR | os.O_CREAT | follow, 0o666)
    except PermissionError:  # a file of another user; to lock it, reading is enough
        return open(os.open(path, os.O_RDONLY | follow), encoding="utf-8", errors="replace")
    with suppress(OSError):  # created with the mode of the database, whatever the umask
        os.fchmod(opened, stat.S_IMODE(os.stat(database).st_mode) & 0o666)
    return open(opened, "a+", encoding="utf-8", errors="replace")
