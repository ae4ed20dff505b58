"""A PgBouncer on a loopback port before the tests' PostgreSQL, gone when the test ends."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from lib.galera import free_port

PATH = f"{os.environ['PATH']}:/usr/sbin"


def missing() -> str | None:
    """Return what a pooler needs and this machine lacks."""
    return None if shutil.which("pgbouncer", path=PATH) else "pgbouncer"


@contextmanager
def pooler(url: str, mode: str, size: int = 5) -> Iterator[str]:
    """Yield a URL that leads to the database of ``url`` through a pooler in this mode."""
    server, port = sa.make_url(url), free_port()
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    password = f" password={server.password}" if server.password else ""
    (folder / "ini").write_text(
        f"""[databases]
* = host={server.host} port={server.port or 5432} user={server.username}{password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
"""
    )
    command = ["pgbouncer", "--quiet", str(folder / "ini")]
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        shutil.chown(folder / "ini", "postgres")
        command[1:1] = ["--user", "postgres"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command, env={**os.environ, "PATH": PATH}, stdout=log, stderr=log
        )
    try:
        for _ in range(100):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            raise AssertionError((folder / "log").read_text())
        yield server.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)
