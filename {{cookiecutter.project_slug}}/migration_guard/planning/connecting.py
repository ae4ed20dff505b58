"""Read-only connections to the configured database, and whether its server is this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from ..error_messages import one_line
from ..exceptions import CannotCheck
from ..no_connection import why_no_connection

# A plan must not queue behind a migration that is running, nor hold up what queues behind the plan.
LOCK_TIMEOUT = 2  # seconds


def shown(url: URL) -> str:
    """Return the URL for a report: without the password, and without the query."""
    return url.set(query={}).render_as_string()


@contextmanager
def read_only(url: URL) -> Iterator[sa.Connection | None]:
    """Yield a connection whose transactions can't write; None for an SQLite file that is missing.

    Raises CannotCheck if the database can't be reached or read.
    """
    address = existing_file(url) if url.get_backend_name() == "sqlite" else url
    if address is None:
        yield None
        return
    try:
        with sa.create_engine(address, poolclass=NullPool).connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(postgresql_readonly=True)
                limit = f"SET SESSION lock_timeout = '{LOCK_TIMEOUT}s'"
                connection.exec_driver_sql(limit)
                connection.commit()
            elif connection.dialect.name != "sqlite":
                connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
                connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {LOCK_TIMEOUT}")
            yield connection
    except sa.exc.DBAPIError as error:
        operational = isinstance(error, sa.exc.OperationalError)
        why = why_no_connection(error) if operational else one_line(error)
        raise CannotCheck(f"{shown(url)} can't be read: {why}.") from None


def existing_file(url: URL) -> URL | None:
    """Return the URL that opens the SQLite file read-only, or None if there is no file.

    Raises CannotCheck.
    """
    file = url.database or ""
    if file.startswith("file:"):
        return url.update_query_dict({"mode": "ro"})
    path = Path(file)
    if not path.parent.is_dir():
        raise CannotCheck(f"The folder {path.parent} is missing: create it, or fix DATABASE_URL.")
    if not path.is_file():
        return None
    uri = f"file:{quote(str(path.absolute()))}"
    return url.set(database=uri, query={"mode": "ro", "uri": "true"})


def is_this_machine(url: URL) -> bool:
    """Return whether the server of ``url`` is this machine, according to its address."""
    backend = url.get_backend_name()
    if backend == "sqlite":
        return True
    # These options name a file that contains the host.
    if {"service", "read_default_file", "read_default_group"} & url.query.keys():
        return False
    named = [url.host, url.query.get("host"), url.query.get("hostaddr")]
    if backend == "postgresql" and not any(named):
        if "PGSERVICE" in os.environ:
            return False
        named = [os.environ.get("PGHOSTADDR"), os.environ.get("PGHOST")]
    texts = [",".join(each) if isinstance(each, tuple) else each for each in named]
    return all(is_loopback(host) for host in ",".join(filter(None, texts)).split(",") if host)


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.startswith(("/", "@")):  # a socket's folder
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
