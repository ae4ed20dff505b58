"""Runs Python programs in processes that have SQLAlchemy and Alembic loaded already.

To import them takes most of the time of a command, and the tests run over a thousand commands.
So one process imports them and forks for each command. The command itself runs as in a process of
its own: with its own environment, working directory and output, and it ends as Python ends.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MODULES = (
    "alembic.autogenerate",
    "alembic.command",
    "alembic.config",
    "psycopg",
    "pymysql",
    "sqlalchemy.dialects.mysql",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.orm",
    "sqlglot",
)
PROGRAMS = ("alembic", "python")
# What Python and these modules read when they start: it must be the same for each command.
READ_AT_START = ("PYTHON", "PATH", "LANG", "LC_", "TMPDIR", "HOME", "COLUMNS")
SECONDS = 600


class Preloaded:
    """The process that forks, and what to ask of it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._control, its_end = socket.socketpair()
        with its_end:
            self._process = subprocess.Popen(
                [sys.executable, __file__],
                env=self._environment,
                stdin=its_end,
                stdout=subprocess.DEVNULL,  # no terminal: Python would write each line at once
            )
        atexit.register(self.close)

    def close(self) -> None:
        """End the process; it ends by itself when this one is killed."""
        self._control.close()
        self._process.wait()

    def takes(self, command: Sequence[str], environment: Mapping[str, str]) -> bool:
        """Return whether the command runs here as if Python had started for it."""
        program, *arguments = command
        here = Path(sys.executable).parent
        name = Path(program).name
        if name not in PROGRAMS or shutil.which(program, path=environment["PATH"]) != str(
            here / name
        ):
            return False
        if name == "python" and not (
            arguments[:2] == ["-m", "migration_guard"] or arguments[0].endswith(".py")
        ):
            return False
        return self._start(environment) == self._start(self._environment)

    def _start(self, environment: Mapping[str, str]) -> dict[str, str]:
        return {name: environment[name] for name in environment if name.startswith(READ_AT_START)}

    def run(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run the command; its result has stderr in stdout, in the order in which they came."""
        request = {"command": command, "folder": str(folder), "environment": dict(environment)}
        asking, its_end = socket.socketpair()
        with tempfile.TemporaryFile() as output, asking:
            with its_end:
                socket.send_fds(self._control, [b"."], [its_end.fileno(), output.fileno()])
            asking.settimeout(SECONDS)
            asking.sendall(json.dumps(request).encode())
            asking.shutdown(socket.SHUT_WR)
            status = asking.makefile().read()
            output.seek(0)
            printed = output.read().decode("utf-8").replace("\r\n", "\n")
        return subprocess.CompletedProcess(list(command), int(status), printed)


def serve(control: socket.socket) -> tuple[dict[str, Any], int]:
    """Fork for each request; return it and the file for its output in the process that runs it."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that answer
    while True:
        message, files, _, _ = socket.recv_fds(control, 1, 2)
        if not message:
            sys.exit()
        if os.fork():
            for file in files:
                os.close(file)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        asking, output = socket.socket(fileno=files[0]), files[1]
        request = json.loads(asking.makefile().read())
        if child := os.fork():
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            with contextlib.suppress(BrokenPipeError):
                asking.sendall(str(status).encode())
            os._exit(0)
        asking.close()
        return request, output


def become(request: dict[str, Any], output: int) -> None:
    """Turn this process into one that was started for the command."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)  # sys.stdout stays as it is: Alembic kept it when it was imported


def run(program: str, *arguments: str) -> None:
    """Run what the command names."""
    if Path(program).name == "python" and arguments[0] == "-m":
        sys.argv = list(arguments[1:])
        sys.path[0] = os.getcwd()
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return
    if Path(program).name != "python":
        arguments = (str(shutil.which(program)), *arguments)
    path = Path(arguments[0]).resolve()
    sys.argv = list(arguments)
    sys.path[0] = str(path.parent)
    sys.modules["__main__"] = main = types.ModuleType("__main__")
    main.__file__ = str(path)
    exec(compile(path.read_bytes(), path, "exec"), main.__dict__)


if __name__ == "__main__":
    for module in MODULES:
        importlib.import_module(module)
    gc.freeze()
    request, output = serve(socket.socket(fileno=os.dup(0)))
    become(request, output)
    run(*request["command"])
