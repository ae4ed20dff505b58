"""Scratch databases: created on the server of the configured one, and always dropped.

Nothing runs in the configured database itself. The connection that creates and drops them is to the
server's maintenance database (PostgreSQL) or to no database (MySQL, MariaDB).
"""

import hashlib
import os
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.pool import NullPool

from ..error_messages import SCRATCH, one_line
from ..exceptions import CannotCheck, NoServer
from ..no_connection import why_no_connection
from .configured import configured_url

# Extensions that a server's image creates in its database, and that migrations need.
EXTENSIONS = ("citus",)
ELSEWHERE = "or name another server with --database-url."
DRIVERS = {"postgresql": ("psycopg", "psycopg2"), "mysql": ("pymysql",), "mariadb": ("pymysql",)}


def find_url(root: Path, given: str | None = None) -> URL:
    """Return the ``given`` URL, or else the configured one. Raises CannotCheck."""
    text = given or configured_url(root)
    source = "--database-url" if given else "DATABASE_URL"
    try:
        url = make_url(text)
        backend = "postgresql" if url.drivername == "postgres" else url.drivername
        if "+" in backend and is_async(url):  # a check is synchronous
            backend = url.get_backend_name()
            url = url.difference_update_query(["ssl"])  # asyncpg's own
        if drivers := DRIVERS.get(backend):  # the first that is installed
            backend += "+" + next(filter(find_spec, drivers), drivers[0])
        url = url.set(drivername=backend)
        dialect = load_dialect(url, source)
    except (sa.exc.ArgumentError, ValueError, AttributeError):
        # The message does not contain the URL, which may have a password.
        raise CannotCheck(
            f"{source} is not a database URL; write postgresql://user:password@host:5432/name."
        ) from None
    if "password" in url.query:
        raise CannotCheck(
            f"{source} has ?password=, which logs may show: write it as //user:password@host."
        )
    if dialect.name != "sqlite" and "@" in f"{url.host}{url.database}":
        raise CannotCheck(
            f"{source} has more than one @: percent-encode the password (@ is %40, / is %2F)."
        )
    if dialect.name not in ("sqlite", "postgresql", "mysql", "mariadb"):
        raise CannotCheck(
            f"{source}: scratch databases can't be created on {dialect.name}: use sqlite,"
            f" postgresql, mariadb or mysql, {ELSEWHERE}"
        )
    return url


def is_async(url: URL) -> bool:
    """Return whether the URL names a driver for asyncio."""
    try:
        return url.get_dialect().is_async
    except sa.exc.NoSuchModuleError:
        return False


def load_dialect(url: URL, source: str = "DATABASE_URL") -> type[sa.Dialect]:
    """Return the dialect of ``url``, which ``source`` names. Raises CannotCheck."""
    try:
        dialect = url.get_dialect()
        dialect.import_dbapi()
    except ModuleNotFoundError as error:
        raise CannotCheck(
            f"The driver {error.name} is not installed: add it to the project's dependencies."
        ) from None
    except sa.exc.NoSuchModuleError:
        known = "use sqlite, postgresql, mariadb or mysql"
        raise CannotCheck(
            f"{source}: unknown database or driver {url.drivername}; {known}."
        ) from None
    return dialect


@contextmanager
def scratch_database(
    url: URL, keep: Callable[[], bool] = lambda: False, template: str = ""
) -> Iterator[Engine]:
    """Yield an engine for a new database on the server of ``url``; drop it at the end.

    It is a copy of the database ``template``, to which nobody is connected; empty without one, and
    on MySQL and MariaDB. If ``keep()`` is true at the end, it stays and its address is printed.
    """
    server = SERVERS[url.get_backend_name()](url)
    server.drop_leftovers()
    name = (
        f"migration_guard_{machine()}_{os.getpid()}_{started(os.getpid())}_{secrets.token_hex(4)}"
    )
    try:
        engine = server.create(name, template)
        try:
            yield engine
        finally:
            engine.dispose()
    finally:  # also after a Ctrl-C in the middle of create()
        if keep():
            address = server.address(name).render_as_string()
            print(f"The scratch database is kept: {address}", file=sys.stderr)
        else:
            server.drop(name)


class SQLite:
    """A file in a folder of its own in the temporary directory."""

    def __init__(self, url: URL) -> None:
        self.url = url

    def folder(self, name: str) -> Path:
        return Path(tempfile.gettempdir()) / name

    def address(self, name: str) -> URL:
        return self.url.set(database=str(self.folder(name) / "scratch.db"), query={})

    def create(self, name: str, template: str) -> Engine:
        try:
            self.folder(name).mkdir(mode=0o700)
            if template:
                shutil.copy(template, self.folder(name) / "scratch.db")
        except OSError as error:
            raise CannotCheck(
                f"{error.filename}: {error.strerror}; set TMPDIR to a folder that can be written."
            ) from None
        engine = sa.create_engine(self.address(name), poolclass=NullPool)
        event.listen(engine, "connect", prepare_sqlite)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        return engine

    def drop(self, name: str) -> None:
        shutil.rmtree(self.folder(name), ignore_errors=True)

    def drop_leftovers(self) -> None:
        for path in Path(tempfile.gettempdir()).glob("migration_guard_*"):
            if abandoned(path.name):
                shutil.rmtree(path, ignore_errors=True)


def prepare_sqlite(connection: Any, _: object) -> None:
    """Set what an application should set, and don't wait for the disk.

    The isolation level is None, because Python's own BEGIN comes too late.
    """
    connection.isolation_level = None
    for pragma in (
        "foreign_keys = ON",
        "synchronous = OFF",
        "journal_mode = MEMORY",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


@cache
def maintenance_engine(url: URL) -> Engine:
    """Return one engine for all connections: SQLAlchemy asks for the server's version only once."""
    return sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)


class Server:
    """What PostgreSQL, MySQL and MariaDB have in common."""

    missing = ""  # the statement that grants the missing privilege
    listing = ""  # the query for databases without connections
    force = ""

    def __init__(self, url: URL) -> None:
        self.url = url

    def address(self, name: str) -> URL:
        return self.url.set(database=name)

    def options(self, template: str) -> tuple[str, ...]:
        """Return options for CREATE DATABASE, tried one after the other until it succeeds."""
        raise NotImplementedError

    def maintenance(self) -> tuple[URL, ...]:
        raise NotImplementedError

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        error: Exception | None = None
        for url in self.maintenance():
            try:
                connection = maintenance_engine(url).connect()
            # PyMySQL raises RuntimeError or UnicodeError for a password that it can't send.
            except (sa.exc.DBAPIError, RuntimeError, UnicodeError) as failed:
                error = failed
                continue
            with connection:
                yield connection
                return
        place = self.url.set(database=None, query={}).render_as_string()
        assert error is not None
        raise NoServer(f"No connection to {place}: {why_no_connection(error)}, {ELSEWHERE}")

    def create(self, name: str, template: str) -> Engine:
        why = ""
        with self.connect() as connection:
            for options in self.options(template):
                try:
                    connection.exec_driver_sql(f"CREATE DATABASE {name}{options}")
                    break
                except sa.exc.DBAPIError as error:
                    why = one_line(error)
            else:
                grant = self.missing.format(user=self.user(connection))
                raise CannotCheck(
                    f"No scratch database can be created ({why}): run {grant}, {ELSEWHERE}"
                )
            engine = self.engine(name)
            self.prepare(connection, engine)
        return engine

    def engine(self, name: str) -> Engine:
        return sa.create_engine(
            self.address(name), poolclass=NullPool, connect_args=self.arguments()
        )

    def user(self, connection: Connection) -> str:
        """Return the quoted name of the connected user."""
        return f'"{connection.scalar(sa.select(sa.func.current_user()))}"'

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the driver."""
        return {}

    def prepare(self, connection: Connection, engine: Engine) -> None:
        """Set in the scratch database of ``engine`` what makes it faster, and what it must have."""

    def drop(self, name: str) -> None:
        with suppress(CannotCheck, sa.exc.DBAPIError), self.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}{self.force}")

    def drop_leftovers(self) -> None:
        with self.connect() as connection:
            for name in connection.exec_driver_sql(self.listing).scalars().all():
                if abandoned(name):
                    with suppress(sa.exc.DBAPIError):  # another user's
                        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}")


class PostgreSQL(Server):
    missing = "ALTER ROLE {user} CREATEDB"
    listing = (
        "SELECT datname FROM pg_database d WHERE starts_with(datname, 'migration_guard_')"
        " AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)"
    )
    force = " WITH (FORCE)"

    def options(self, template: str) -> tuple[str, ...]:
        # template1 can't be copied while somebody is connected to it.
        return (f" TEMPLATE {template}",) if template else ("", " TEMPLATE template0")

    def maintenance(self) -> tuple[URL, ...]:
        return tuple(
            self.url.set(database=name)
            for name in ("postgres", "template1")
            if name != self.url.database
        )

    def arguments(self) -> dict[str, Any]:
        # psycopg would deallocate the statements that the snapshot prepares with its own.
        return {"prepare_threshold": None} if self.url.get_driver_name() == "psycopg" else {}

    def prepare(self, connection: Connection, engine: Engine) -> None:
        # Queries of the catalogs read one table each: with indexes, and planned once.
        for setting in (
            "synchronous_commit = off",
            "plan_cache_mode = force_generic_plan",
            "enable_seqscan = off",
            "enable_hashjoin = off",
            "enable_mergejoin = off",
            "jit = off",
        ):
            connection.exec_driver_sql(f"ALTER DATABASE {engine.url.database} SET {setting}")
        names = sa.text("SELECT name FROM pg_available_extensions WHERE name = ANY(:names)")
        if connection.execute(names, {"names": [*EXTENSIONS]}).first() is not None:
            self.extend(engine)

    def extend(self, engine: Engine) -> None:
        """Create those of EXTENSIONS that the configured database has, which this only reads."""
        names = sa.text("SELECT extname FROM pg_extension WHERE extname = ANY(:names)")
        with suppress(sa.exc.OperationalError), maintenance_engine(self.url).connect() as there:
            for name in there.scalars(names, {"names": [*EXTENSIONS]}).all():
                with engine.begin() as connection:
                    connection.exec_driver_sql(f"CREATE EXTENSION IF NOT EXISTS {name}")


class MySQL(Server):
    missing = "GRANT ALL ON `migration\\_guard\\_%`.* TO {user}"
    listing = (
        "SELECT schema_name FROM information_schema.schemata"
        " WHERE schema_name LIKE 'migration\\_guard\\_%%'"
        " AND NOT EXISTS (SELECT 1 FROM information_schema.processlist WHERE db = schema_name)"
    )

    def engine(self, name: str) -> Engine:
        engine = super().engine(name)
        event.listen(engine, "before_execute", stay_inside)
        return engine

    def user(self, connection: Connection) -> str:
        name, _, host = str(connection.scalar(sa.select(sa.func.current_user()))).rpartition("@")
        return f"'{name}'@'{host}'"

    def maintenance(self) -> tuple[URL, ...]:
        return (self.url.set(database=""),)

    def options(self, template: str) -> tuple[str, ...]:
        """Return the character set of the configured database: lengths and UNIQUE depend on it."""
        with self.connect() as connection:
            query = (
                "SELECT default_character_set_name, default_collation_name"
                " FROM information_schema.schemata WHERE schema_name = :name"
            )
            found = connection.execute(sa.text(query), {"name": self.url.database or ""}).first()
        return (f" CHARACTER SET {found[0]} COLLATE {found[1]}" if found else "",)


def stay_inside(connection: Connection, statement: Any, *_: object) -> None:
    """Raise CannotCheck for a statement that would change another database: that is a real one."""
    if not isinstance(statement, sa.schema.DDLElement | sa.Insert | sa.Update | sa.Delete):
        return
    translated = connection.get_execution_options().get("schema_translate_map", {})
    for owner in (statement, getattr(statement, "element", None)):
        schema = getattr(getattr(owner, "table", owner), "schema", None)
        if schema and translated.get(schema, schema):
            raise CannotCheck(
                f"schema={schema!r} is the database {schema} here, which no check may change: leave"
                " it out for MySQL and MariaDB, or check with --static."
            )


SERVERS: dict[str, Any] = {"sqlite": SQLite, "postgresql": PostgreSQL}
SERVERS |= dict.fromkeys(("mysql", "mariadb"), MySQL)


def machine() -> str:
    """Return an identifier of this machine, container and boot, where process ids are unique."""
    parts = [os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")]
    with suppress(OSError):
        parts += [
            Path("/proc/sys/kernel/random/boot_id").read_text(),
            os.readlink("/proc/self/ns/pid"),
        ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def started(pid: int) -> int:
    """Return when the process started, in ticks, or 0. Process ids are used again."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def abandoned(name: str) -> bool:
    """Return whether a process of this machine that has ended created this scratch database."""
    match = re.fullmatch(SCRATCH, name)
    if match is None or match["machine"] != machine():
        return False
    pid, start = int(match["pid"]), int(match["start"])
    if start:
        return started(pid) != start
    if os.name == "nt":  # there os.kill() would end it
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False
