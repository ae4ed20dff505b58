"""A MariaDB Galera cluster of three nodes on loopback ports, deleted when the tests end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")


def missing() -> str | None:
    """Return what a cluster needs and this machine lacks."""
    for program in ("mariadbd", "mariadb-install-db", "rsync", "socat"):
        if not shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin"):
            return program
    if not PROVIDER.is_file():
        return "galera-4"
    return (
        None if os.geteuid() == 0 or shutil.which("mariadbd") else "root, to run as the user mysql"
    )


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Cluster:
    def __init__(self, nodes: int = 3) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="galera-"))
        self.user = ["--user=mysql"] if os.geteuid() == 0 else []
        if self.user:
            shutil.chown(self.folder, "mysql", "mysql")
        self.ports = [free_port() for _ in range(nodes)]
        self.group = [free_port() for _ in range(nodes)]
        self.nodes: list[subprocess.Popen[bytes]] = []
        try:
            for number in range(nodes):
                self._install(number)
                self.nodes.append(self._start(number))
                self._wait(number)
        except BaseException:
            self.stop()
            raise

    def _data(self, number: int) -> Path:
        return self.folder / f"node{number}"

    def _install(self, number: int) -> None:
        if number:
            shutil.copytree(self.folder / "empty", self._data(number))
            if self.user:
                subprocess.run(["chown", "-R", "mysql:mysql", self._data(number)], check=True)
            return
        install = [
            "mariadb-install-db",
            "--no-defaults",
            *self.user,
            "--auth-root-authentication-method=normal",
        ]
        subprocess.run(
            [*install, f"--datadir={self._data(0)}"], check=True, stdout=subprocess.DEVNULL
        )
        shutil.copytree(self._data(0), self.folder / "empty")

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        data, group = self._data(number), self.group[number]
        transfer = free_port()
        options = {
            "datadir": data,
            "socket": data / "socket",
            "pid-file": data / "pid",
            "log-error": data / "log.err",
            "port": self.ports[number],
            "bind-address": "127.0.0.1",
            "binlog-format": "ROW",
            "innodb-autoinc-lock-mode": 2,
            "innodb-buffer-pool-size": "32M",
            "innodb-flush-log-at-trx-commit": 0,
            "wsrep-on": "ON",
            "wsrep-provider": PROVIDER,
            "wsrep-cluster-name": self.folder.name,
            "wsrep-cluster-address": "gcomm://"
            + ",".join(f"127.0.0.1:{port}" for port in self.group[:number]),
            "wsrep-node-name": f"node{number}",
            "wsrep-node-address": f"127.0.0.1:{group}",
            "wsrep-sst-method": "rsync",
            "wsrep-sst-receive-address": f"127.0.0.1:{transfer}",
            "wsrep-provider-options": f"base_port={group};gmcast.listen_addr=tcp://127.0.0.1:{group};"
            f"ist.recv_addr=127.0.0.1:{free_port()};gcache.size=16M;evs.keepalive_period=PT0.5S;evs.suspect_timeout=PT2S;evs.inactive_timeout=PT4S",
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
        server = shutil.which("mariadbd", path=environment["PATH"])
        assert server
        return subprocess.Popen(
            [server, "--no-defaults", *self.user, *words],
            env=environment,
            stderr=subprocess.DEVNULL,
        )

    def _wait(self, number: int) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self.nodes[number].poll() is not None:
                break
            if self.status(number, "wsrep_local_state_comment") == "Synced":
                return
            time.sleep(0.3)
        log = (self._data(number) / "log.err").read_text(errors="replace").splitlines()
        raise RuntimeError(f"node {number} did not join:\n" + "\n".join(log[-30:]))

    def status(self, number: int, name: str) -> str | None:
        try:
            with sa.create_engine(
                self.url(number, ""), poolclass=sa.pool.NullPool
            ).connect() as connection:
                row = connection.exec_driver_sql(f"SHOW GLOBAL STATUS LIKE '{name}'").first()
                return str(row[1]) if row else None
        except sa.exc.DBAPIError:  # a server that starts may answer with half a handshake
            return None

    def url(self, number: int, database: str = "test") -> str:
        return f"mariadb+pymysql://root@127.0.0.1:{self.ports[number]}/{database}"

    def kill(self, number: int) -> None:
        self.nodes[number].send_signal(signal.SIGKILL)
        self.nodes[number].wait()

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()
            node.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
