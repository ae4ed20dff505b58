"""SIGTERM and Ctrl-C: the running revision is finished; the second signal stops at once."""

from __future__ import annotations

import os
import signal
import time

import pytest
from lib.migrators import alembic, at, fork, result, write_history, write_migration, wrong
from lib.projects import Project
from lib.servers import database_of

ONE = 'op.execute("UPDATE t SET n = n + 1")'
LONG = {
    "sqlite": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 900000000)"
    " SELECT max(x) FROM c",
    "postgresql": "SELECT pg_sleep(120)",
    "mariadb": "SELECT sleep(120)",
}


def start(project: Project, **environment: str) -> int:
    """Start a migrator and wait until it is in revision 3."""
    child = fork(project, "upgrade", "head", **environment)
    wait_until(project, child, "-> r003")
    time.sleep(0.3)
    return child


def wait_until(project: Project, child: int, text: str) -> None:
    """Wait until a migrator has written a text into its log."""
    log = project.path / f"{child}.log"
    deadline = time.monotonic() + 60
    while not (log.exists() and text in log.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_running_revision_is_finished_and_no_other_begins(
    project: Project, number: signal.Signals
) -> None:
    write_history(project, "data", 2)
    write_migration(project, 3, f"import time; time.sleep(2)\n    {ONE}")
    write_migration(project, 4, ONE)
    child = start(project)
    os.kill(child, number)
    status, output = result(project, child)
    assert status == 1
    line = f"{number.name}: stopped. The database is at r003, and 1 revision is left to run"
    assert output.splitlines()[-1] == f"FAILED: {line}"
    assert "Traceback" not in output
    assert alembic(project, "upgrade", "head")[0] == 0
    assert wrong(project.environment["DATABASE_URL"], "data", 4) is None


@pytest.mark.parametrize("grace", ["", "0.5"], ids=["second signal", "grace period"])
@pytest.mark.parametrize("where", ["in Python", "in the server"])
def test_a_second_signal_or_the_end_of_the_grace_period_stops_at_once(
    project: Project, where: str, grace: str
) -> None:
    url = project.environment["DATABASE_URL"]
    write_history(project, "data", 2)
    wait = f'op.execute("{LONG[database_of(url)]}")'
    write_migration(
        project, 3, f"{ONE}\n    {'import time; time.sleep(120)' if where == 'in Python' else wait}"
    )
    child = start(project, MIGRATION_STOP_GRACE_PERIOD=grace or "60")
    os.kill(child, signal.SIGTERM)
    if not grace:
        time.sleep(0.3)
        os.kill(child, signal.SIGTERM)
    begun = time.monotonic()
    status, output = result(project, child)
    assert status == 1
    assert time.monotonic() - begun < 10
    assert "SIGTERM: stopped in r003" in output.splitlines()[-1]
    assert output.splitlines()[-1].endswith("; it was rolled back")
    assert "Traceback" not in output
    write_migration(project, 3, ONE)
    assert alembic(project, "upgrade", "head")[0] == 0
    assert wrong(url, "data", 3) is None


def test_waiting_for_another_migrator_ends_at_once(project: Project) -> None:
    write_history(project, "data", 2)
    write_migration(project, 3, f"import time; time.sleep(6)\n    {ONE}")
    child = start(project)
    waiting = fork(project, "upgrade", "head")
    wait_until(project, waiting, "Waiting for another migrator")
    os.kill(waiting, signal.SIGTERM)
    status, output = result(project, waiting)
    assert status == 1
    assert "SIGTERM: stopped waiting for another migrator" in output.splitlines()[-1]
    assert result(project, child)[0] == 0
    assert at(project.environment["DATABASE_URL"]) == 3
