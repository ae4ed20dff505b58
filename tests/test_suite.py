"""What the other tests rely on: the markers, and the URLs of the test servers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from lib.projects import ROOT, Project, preloaded, run_new_process
from lib.servers import DEFAULTS, VARIABLES

GALERA = "tests/deploying/test_galera.py"


def collected(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What pytest collects of the tests of Galera, which are all fault tests."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--collect-only", "-n0", *options, GALERA],
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTEST_ADDOPTS": "", **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "start",
    [lambda: subprocess.run(["true"], check=True), lambda: os.system("true"), os.fork],
    ids=["subprocess", "system", "fork"],
)
def test_only_a_slow_test_may_start_a_process(start: Callable[[], object]) -> None:
    with pytest.raises(pytest.fail.Exception, match="mark the test slow"):
        start()


def test_baking_makes_a_test_slow(
    bake: Callable[..., Project], request: pytest.FixtureRequest
) -> None:
    assert request.node.get_closest_marker("slow")


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("-m", "not slow")])
def test_fault_tests_are_left_out(options: tuple[str, ...]) -> None:
    assert collected(*options).returncode == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.slow
def test_fault_tests_run_where_they_are_named() -> None:
    done = collected("-m", "fault")
    assert (done.returncode, done.stdout.count(f"{GALERA}::test_")) == (0, 5), done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database", "url", "cause"),
    [
        ("mariadb", "mysql+mysqldb://root@127.0.0.1/", "No module named 'MySQLdb'"),
        ("mariadb", "mariadb+nothing://root@127.0.0.1/", "Can't load plugin"),
        ("postgresql", "127.0.0.1", "Could not parse"),
    ],
)
def test_a_url_that_no_driver_can_use_is_refused_in_one_line(
    database: str, url: str, cause: str
) -> None:
    done = collected(**{VARIABLES[database]: url})
    assert (done.returncode, done.stdout) == (pytest.ExitCode.USAGE_ERROR, "")
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"ERROR: {VARIABLES[database]}: ")
    assert cause in line
    assert "write a URL like" in line


@pytest.mark.slow
@pytest.mark.parametrize("database", VARIABLES)
def test_ci_leaves_no_database_out(database: str) -> None:
    closed = {VARIABLES[database]: DEFAULTS[database].partition("@")[0] + "@127.0.0.1:1/postgres"}
    done = collected("-m", "fault", CI="true", **closed)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("ERROR: CI leaves nothing out: ")
    assert f"{database}: " in line
    assert collected("-m", "fault", **closed, CI="").returncode == 0


SCRIPT = """\
import atexit, os, sys
atexit.register(print, "the end")
print(sys.argv, sys.path[0], __name__, __file__, os.getcwd(), os.environ["DATABASE_URL"])
print("error", file=sys.stderr, flush=True)
print(sys.stdin.read(), sys.stdout.encoding, sys.stderr.encoding, sys.stdout.isatty())
"""


@pytest.mark.parametrize(
    ("command", "end"),
    [
        (("alembic", "upgrade", "head", "--sql"), ""),
        (("alembic", "history"), ""),
        (("alembic", "nonsense"), ""),
        (("python", "scripts/check_migrations.py", "--static"), ""),
        (("python", "-m", "migration_guard", "--nonsense"), ""),
        (("python", "scripts/script.py", "a", "b c"), ""),
        (("python", "scripts/script.py"), "sys.exit('why')"),
        (("python", "scripts/script.py"), "os.kill(os.getpid(), 9)"),
        (("python", "scripts/script.py"), "os._exit(3)"),
    ],
)
def test_a_command_runs_in_a_preloaded_process_as_in_a_new_one(
    bake: Callable[..., Project], command: tuple[str, ...], end: str
) -> None:
    project = bake("sqlite:///some.db")
    (project.path / "scripts" / "script.py").write_text(SCRIPT + end, encoding="utf-8")
    variables = project.environment
    assert preloaded().takes(command, variables)
    done = preloaded().run(command, project.path, variables)
    real = run_new_process(command, project.path, variables)
    assert (done.returncode, done.stdout) == (real.returncode, real.stdout)


@pytest.mark.parametrize(
    ("command", "environment"),
    [
        (("python", "-c", "pass"), {}),
        (("python", "-m", "pytest"), {}),
        (("nox", "-s", "check"), {}),
        (("alembic", "current"), {"PATH": "/bin"}),
        (("alembic", "current"), {"PYTHONPATH": "elsewhere"}),
        (("alembic", "current"), {"TMPDIR": "/elsewhere"}),
    ],
)
def test_other_commands_run_in_a_new_process(
    bake: Callable[..., Project], command: tuple[str, ...], environment: dict[str, str]
) -> None:
    assert not preloaded().takes(command, {**bake().environment, **environment})
