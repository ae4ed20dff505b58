"""The migrated database, kept for the next run under a hash of the revisions that made it and of what ran them.

The longest history that is kept is taken, and what follows it alone is run. SQLite's file lies in the cache's folder, and
so do the statements that make a MySQL or MariaDB database again; PostgreSQL's stays on its server, to be copied.
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
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import URL, Connection, Engine

from .cache import UNSEEN, Cache, bare, changed_since, content, digest, is_alone, libraries, loaded, record, said
from .dump import dump, restore
from .errors import one_line
from .findings import CannotCheck, Finding
from .scratch import MySQL, PostgreSQL, SQLite
from .stepping import import_all, plan_of, read_scripts

MONTH = 30 * 24 * 3600
PRAGMAS = ("foreign_keys", "legacy_alter_table", "recursive_triggers", "ignore_check_constraints", "writable_schema")


def kept_history(cache: Cache | None, kind: str, config: Config, url: URL) -> KeptHistory | None:
    """What is kept of the revisions on this server; None where nothing is or can be."""
    return KeptHistory(cache, kind, config, url) if cache and url.get_backend_name() in STORES else None


class KeptHistory:
    """The revisions in the order in which they run; ``point``: how many of them a kept database holds."""

    def __init__(self, cache: Cache, kind: str, config: Config, url: URL) -> None:
        record()
        self.before = libraries()
        self.cache, self.config = cache, config
        self.store = STORES[url.get_backend_name()](cache, url)
        self.made: dict[str, Any] | None = None  # what to keep at the end
        self.point, self.header = 0, {}
        self.scripts = read_scripts(config, {file: reading.migration for file, reading in cache.readings.items()})
        self.plan = [script.path for script in plan_of(self.scripts)]
        env = [content(self.scripts.env_py_location), content(str(config.config_file_name))]
        key = digest(cache.base, kind, cache.root, self.store.server, *env)
        self.keys = [key := digest(key, path, content(path))[:24] for path in self.plan]
        there = self.store.names()
        for index in range(len(self.keys), 0, -1):
            if self.keys[index - 1] in there and (header := self.store.header(self.keys[index - 1])):
                self.point, self.header = index, header
                break
        else:
            self.scripts = read_scripts(config)
        self.needed = kind == "check" or self.point < len(self.plan)  # to go on, or to look at
        import_all(plan_of(self.scripts)[self.point :])

    def create(self, server: Any, name: str) -> Any:
        """The scratch database, as it was kept; empty where that can't be had, and then it does not fit."""
        if self.point and self.needed:
            with suppress(CannotCheck, OSError):
                return self.store.restore(server, name, self.keys[self.point - 1])
            server.drop(name)
        return server.create(name)

    def fits(self, context: MigrationContext) -> bool:
        """After env.py ran: is what is kept what the revisions would make today? If not: once more, from nothing."""
        connection, here = context.connection, loaded()
        assert connection is not None
        metadata = context.opts.get("target_metadata")
        many = metadata if isinstance(metadata, list | tuple) else [metadata]
        self.options = digest(said(context.opts), said([getattr(each, "naming_convention", None) for each in many]))
        self.libraries = libraries() - self.before
        self.session = session(connection)
        connection.commit()
        if not self.point:
            return True
        was, alone = self.header, self.header["alone"]
        if (
            was["options"] == self.options
            and (not self.needed or was["heads"] == sorted(context.get_current_heads()))
            and self.libraries <= set(was["libraries"])
            and all(
                known[0] == digest(content(path)) or (alone and known[1] == bare(path))
                for path, known in was["files"].items()
            )
            and all(path in was["files"] or (alone and bare(path) == digest()) for path in here - set(self.plan))
        ):
            self.cache.taken = self.point
            restore_session(connection, was["session"])
            return True
        self.forget()
        return False

    def keep(self, context: MigrationContext, findings: list[Finding], state: Any = None) -> None:
        """Keep the database at the end, as it is now, if nothing stands against it."""
        connection, here = context.connection, loaded() - set(self.plan)
        assert connection is not None
        now = session(connection)
        heads = sorted(context.get_current_heads())
        connection.commit()
        read = {str(file): reading.migration for file, reading in self.cache.readings.items()}
        migrations = [read[path] for path in self.plan if path in read]
        unseen = {UNSEEN, getattr(self.store, "unseen", UNSEEN)}
        if (
            self.point == len(self.plan)
            or self.plan != [script.path for script in plan_of(self.scripts)]
            or len(migrations) < len(self.plan)
            or any(each.search(migration.source) for migration in migrations for each in unseen)
            or any(changed_since(self.cache.started, path) for path in here | set(self.plan))
            or now is None
            or self.session is None
            or not self.cache.green(findings)
        ):
            return
        self.made = {
            "files": {path: (digest(content(path)), bare(path)) for path in here | set(self.header.get("files", ()))},
            "alone": all(map(is_alone, migrations)),
            "options": self.options,
            "libraries": sorted(self.libraries | set(self.header.get("libraries", ()))),
            "heads": heads,
            "session": {name: value for name, value in now.items() if self.session.get(name) != value},
            "findings": [asdict(found) for found in findings],
            "state": state,
        }

    def resume(self, findings: list[Finding]) -> Any:
        """What else there is to go on with from ``point``; none from the start."""
        if not self.point:
            return None
        findings += [Finding(**each) for each in self.header["findings"]]
        return self.header["state"]

    def forget(self) -> None:
        """Start from nothing."""
        self.point, self.needed, self.header = 0, True, {}
        self.scripts = read_scripts(self.config)

    def take_over(self, server: Any, name: str) -> None:
        """Keep the scratch database, if it is to be kept; nobody is connected to it any more."""
        if self.made is not None:
            with suppress(CannotCheck, OSError, sa.exc.DBAPIError):
                self.store.keep(server, name, self.keys[-1], json.dumps(self.made).encode())


class Files(ABC):
    """Images of databases in the cache's folder, compressed: the header is the first line."""

    def __init__(self, cache: Cache, server: str) -> None:
        self.cache, self.server = cache, server

    @abstractmethod
    def read(self, server: Any, scratch: str) -> bytes | None:
        """The image of a database; None of one that can have none."""

    @abstractmethod
    def restore(self, server: Any, scratch: str, name: str) -> Engine:
        """The scratch database, made of the image of which the header was read last."""

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

    def keep(self, server: Any, scratch: str, name: str, header: bytes) -> None:
        image = self.read(server, scratch)
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

    def read(self, server: SQLite, scratch: str) -> bytes:
        return (server.folder(scratch) / "scratch.db").read_bytes()

    def restore(self, server: SQLite, scratch: str, name: str) -> Engine:
        engine = server.create(scratch)
        (server.folder(scratch) / "scratch.db").write_bytes(self.image)
        return engine


class Dumps(Files):
    """The statements that make a MySQL or MariaDB database again."""

    unseen = re.compile(r"(?i)\bcreate\s+(or\s+replace\s+)?temporary\b|\bprefixes\b|(?<![\w\n])@")  # is the session's

    def __init__(self, cache: Cache, url: URL) -> None:
        server = MySQL(url)
        with server.connect() as connection:
            place, user = url.set(database=None).render_as_string(), server.user(connection)
            settings = connection.exec_driver_sql(VARIABLES.format("GLOBAL")).all()
        super().__init__(cache, digest(place, user, *server.options(), *settings))

    def read(self, server: MySQL, scratch: str) -> bytes | None:
        with server.engine(scratch).connect() as connection:
            dumped = dump(connection)
        return json.dumps(dumped).encode() if dumped else None

    def restore(self, server: MySQL, scratch: str, name: str) -> Engine:
        engine = server.create(scratch)
        with engine.connect() as connection:
            try:
                same = restore(connection, json.loads(self.image))
            except sa.exc.DBAPIError as error:
                connection.invalidate()
                raise CannotCheck(one_line(error)) from None
        if not same:
            raise CannotCheck("What was kept does not give the same again.")
        return engine


class Templates:
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

    def keep(self, server: PostgreSQL, scratch: str, name: str, header: bytes) -> None:
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


STORES: dict[str, Any] = {"sqlite": Images, "postgresql": Templates, "mysql": Dumps, "mariadb": Dumps}
SERVER = """SELECT version(), current_user, datcollate, datctype, encoding, (SELECT string_agg(name || setting, ' ' ORDER BY name)
  FROM pg_settings WHERE source NOT IN ('default', 'client', 'session', 'override', 'database'))
  FROM pg_database WHERE datname = 'template1'"""
COMMENT = "shobj_description(oid, 'pg_database')"  # when it was used, and its header
KEPT = f"""SELECT datname{{}} FROM pg_database
  WHERE datname ~ '^migration_guard_kept_[0-9a-f]{{{{8}}}}_[0-9a-f]{{{{24}}}}$' AND {COMMENT} ~ '^[0-9]+ '"""


VARIABLES = (  # on which it may depend what a statement does
    "SHOW {} VARIABLES WHERE Variable_name REGEXP '^(version$|auto_increment|character_set|collation|default|div_precision"
    "|explicit|group_concat|innodb_(default|file|page|strict)|lock_wait|lower_case|max_(statement|execution)|old|sql_(auto|big"
    "|mode|quote|require|safe|select)|time_zone|transaction_|tx_|(check_constraint|foreign_key|unique)_checks)'"
)


def session(connection: Connection) -> dict[str, str] | None:
    """What was set for the session and is not in its database; None where it has tables of its own."""
    if connection.dialect.name == "sqlite":
        found = {name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar()) for name in PRAGMAS}
        return None if connection.exec_driver_sql("SELECT 1 FROM sqlite_temp_master").first() else found
    if connection.dialect.name != "postgresql":
        return {row.Variable_name: row.Value for row in connection.exec_driver_sql(VARIABLES.format("SESSION"))}
    rows = connection.exec_driver_sql("SELECT name, setting FROM pg_settings WHERE source = 'session'")
    found = {row.name: row.setting for row in rows}
    return None if connection.exec_driver_sql("SELECT pg_my_temp_schema()").scalar() else found


def restore_session(connection: Connection, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        if connection.dialect.name == "sqlite":  # by the driver: in a transaction some do nothing
            connection.connection.cursor().execute(f"PRAGMA {name} = {value}")
        elif connection.dialect.name != "postgresql":
            plain = value.replace(".", "", 1).isdigit()
            connection.exec_driver_sql(f"SET {name} = " + (value if plain else f"'{value}'" if value else "NULL"))
        else:
            connection.execute(sa.select(sa.func.set_config(name, value, False)))
    connection.commit()
