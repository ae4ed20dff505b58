"""Where migrated databases are kept: on each server in its own way.

SQLite's file lies in the cache's folder, and so do the statements that make a MySQL or MariaDB database again;
PostgreSQL's database stays on its server, to be copied.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
import zlib
from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine

from .cache import UNSEEN, Cache, digest
from .dump import Dump, dump, restore
from .errors import one_line
from .findings import CannotCheck
from .scratch import MySQL, PostgreSQL, SQLite

MONTH = 30 * 24 * 3600
PRAGMAS = ("foreign_keys", "legacy_alter_table", "recursive_triggers", "ignore_check_constraints", "writable_schema")
VARIABLES = (  # on which it may depend what a statement does
    "SHOW {} VARIABLES WHERE Variable_name REGEXP '^(version$|auto_increment|character_set|collation|default|div_precision"
    "|explicit|group_concat|innodb_(default|file|page|strict)|lock_wait|lower_case|max_(statement|execution)|old|sql_(auto|big"
    "|mode|quote|require|safe|select)|time_zone|transaction_|tx_|(check_constraint|foreign_key|unique)_checks)'"
)


class Store(ABC):
    """Where databases are kept by name, each with a header; ``server`` is all of the server that they depend on."""

    unseen = UNSEEN  # in a revision's source: what lives in the session and nobody can ask for
    server: str

    @abstractmethod
    def names(self) -> set[str]:
        """What is kept."""

    @abstractmethod
    def header(self, name: str) -> Any:
        """The header, of what is to be restored next; None where it can't be read."""

    @abstractmethod
    def restore(self, server: Any, scratch: str, name: str) -> Engine:
        """The scratch database, as that was whose header was read last; raises CannotCheck or OSError."""

    @abstractmethod
    def keep(self, server: Any, scratch: str, name: str, header: bytes, named: set[str]) -> None:
        """Keep the scratch database, which nobody uses any more, and drop what there is no room for.

        ``named``: the words of what ran since it was restored.
        """

    @abstractmethod
    def session(self, connection: Connection) -> dict[str, str] | None:
        """What was set for the session and is not in its database; None where it has tables of its own."""

    @abstractmethod
    def set_variable(self, connection: Connection, name: str, value: str) -> None:
        """Set it again."""


class Files(Store):
    """Images of databases in the cache's folder, compressed: the header is the first line."""

    def __init__(self, cache: Cache, server: str) -> None:
        self.cache, self.server = cache, server

    @abstractmethod
    def read(self, server: Any, scratch: str, named: set[str]) -> bytes | None:
        """The image of a database; None of one that can have none."""

    def names(self) -> set[str]:
        return {path.stem for path in self.cache.folder.glob("*.image")}

    def header(self, name: str) -> Any:
        path = self.cache.folder / f"{name}.image"
        with suppress(OSError, ValueError, zlib.error):
            header, _, self.image = zlib.decompress(path.read_bytes()).partition(b"\n")
            made = json.loads(header)
            with suppress(OSError):
                os.utime(path)
            return made

    def keep(self, server: Any, scratch: str, name: str, header: bytes, named: set[str]) -> None:
        image = self.read(server, scratch, named)
        if image is None:
            return
        self.cache.write(f"{name}.image", zlib.compress(header + b"\n" + image, 1))
        files = {path: path.stat() for path in self.cache.folder.glob("*.image")}
        total = 0
        for path in sorted(files, key=lambda path: -files[path].st_mtime_ns):
            total += files[path].st_size
            if total > self.cache.limit:
                path.unlink()


class Images(Files):
    """SQLite's files."""

    def __init__(self, cache: Cache, url: URL) -> None:
        super().__init__(cache, f"sqlite {sqlite3.sqlite_version}")

    def read(self, server: SQLite, scratch: str, named: set[str]) -> bytes:
        return (server.folder(scratch) / "scratch.db").read_bytes()

    def restore(self, server: SQLite, scratch: str, name: str) -> Engine:
        engine = server.create(scratch)
        (server.folder(scratch) / "scratch.db").write_bytes(self.image)
        return engine

    def session(self, connection: Connection) -> dict[str, str] | None:
        found = {name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar()) for name in PRAGMAS}
        return None if connection.exec_driver_sql("SELECT 1 FROM sqlite_temp_master").first() else found

    def set_variable(self, connection: Connection, name: str, value: str) -> None:
        connection.connection.cursor().execute(f"PRAGMA {name} = {value}")  # in a transaction some do nothing


class Dumps(Files):
    """The statements that make a MySQL or MariaDB database again."""

    unseen = re.compile(r"(?i)\bcreate\s+(or\s+replace\s+)?temporary\b|\bprefixes\b|(?<![\w\n])@")  # is the session's

    def __init__(self, cache: Cache, url: URL) -> None:
        server = MySQL(url)
        with server.connect() as connection:
            place, user = url.set(database=None).render_as_string(), server.user(connection)
            settings = connection.exec_driver_sql(VARIABLES.format("GLOBAL")).all()
        super().__init__(cache, digest(place, user, *server.options(), *settings))
        self.dumped: Dump = {}  # what was restored

    def read(self, server: MySQL, scratch: str, named: set[str]) -> bytes | None:
        with server.engine(scratch).connect() as connection:
            dumped = dump(connection, self.dumped, named)
        return json.dumps(dumped).encode() if dumped else None

    def restore(self, server: MySQL, scratch: str, name: str) -> Engine:
        engine = server.create(scratch)
        with engine.connect() as connection:
            try:
                dumped = json.loads(self.image)
                same = restore(connection, dumped)
            except sa.exc.DBAPIError as error:
                connection.invalidate()
                raise CannotCheck(one_line(error)) from None
        if not same:
            raise CannotCheck("What was kept does not give the same again.")
        self.dumped = dumped
        return engine

    def session(self, connection: Connection) -> dict[str, str] | None:
        return {row.Variable_name: row.Value for row in connection.exec_driver_sql(VARIABLES.format("SESSION"))}

    def set_variable(self, connection: Connection, name: str, value: str) -> None:
        plain = value.replace(".", "", 1).isdigit()
        connection.exec_driver_sql(f"SET {name} = " + (value if plain else f"'{value}'" if value else "NULL"))


class Templates(Store):
    """PostgreSQL's databases, under a name that no scratch database has; the header is the comment of each."""

    def __init__(self, cache: Cache, url: URL) -> None:
        self.cache, self.databases = cache, PostgreSQL(url)
        self.prefix = f"migration_guard_kept_{digest(cache.root)[:8]}_"
        with self.databases.connect() as connection:
            place = url.set(database=None).render_as_string()
            self.server = digest(place, *connection.exec_driver_sql(SERVER).one())
            self.there = connection.exec_driver_sql(KEPT.format("")).scalars().all()

    def names(self) -> set[str]:
        return {name.removeprefix(self.prefix) for name in self.there if name.startswith(self.prefix)}

    def header(self, name: str) -> Any:
        with (
            suppress(CannotCheck, sa.exc.SQLAlchemyError, ValueError, zlib.error),
            self.databases.connect() as connection,
        ):
            kept = connection.exec_driver_sql(KEPT.format(f", {COMMENT}") + f" AND datname = '{self.prefix}{name}'")
            header = zlib.decompress(b64decode(kept.one()[1].partition(" ")[2]))
            self.comment(connection, self.prefix + name, header)
            return json.loads(header)

    def comment(self, connection: Connection, database: str, header: bytes) -> None:
        text = f"{int(time.time())} {b64encode(zlib.compress(header)).decode()}"
        connection.exec_driver_sql(f"COMMENT ON DATABASE {database} IS '{text}'")

    def restore(self, server: PostgreSQL, scratch: str, name: str) -> Engine:
        return server.create(scratch, self.prefix + name)

    def keep(self, server: PostgreSQL, scratch: str, name: str, header: bytes, named: set[str]) -> None:
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {self.prefix}{name}")
            self.comment(connection, scratch, header)
            connection.exec_driver_sql(f"ALTER DATABASE {scratch} RENAME TO {self.prefix}{name}")
            used = f", pg_database_size(oid), CAST(split_part({COMMENT}, ' ', 1) AS bigint) AS used"
            total = 0
            for database, size, last in connection.exec_driver_sql(f"{KEPT.format(used)} ORDER BY used DESC").all():
                mine = database.startswith(self.prefix)
                total += size * mine
                if (mine and total > self.cache.limit) or time.time() - last > MONTH:  # of whatever project
                    with suppress(sa.exc.DBAPIError):  # somebody copies it
                        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {database}")

    def session(self, connection: Connection) -> dict[str, str] | None:
        rows = connection.exec_driver_sql("SELECT name, setting FROM pg_settings WHERE source = 'session'")
        found = {row.name: row.setting for row in rows}
        return None if connection.exec_driver_sql("SELECT pg_my_temp_schema()").scalar() else found

    def set_variable(self, connection: Connection, name: str, value: str) -> None:
        connection.execute(sa.select(sa.func.set_config(name, value, False)))


STORES: dict[str, Any] = {"sqlite": Images, "postgresql": Templates, "mysql": Dumps, "mariadb": Dumps}
SERVER = """SELECT version(), current_user, datcollate, datctype, encoding, (SELECT string_agg(name || setting, ' ' ORDER BY name)
  FROM pg_settings WHERE source NOT IN ('default', 'client', 'session', 'override', 'database'))
  FROM pg_database WHERE datname = 'template1'"""
COMMENT = "shobj_description(oid, 'pg_database')"  # when it was used, and its header
KEPT = f"""SELECT datname{{}} FROM pg_database
  WHERE datname ~ '^migration_guard_kept_[0-9a-f]{{{{8}}}}_[0-9a-f]{{{{24}}}}$' AND {COMMENT} ~ '^[0-9]+ '"""
