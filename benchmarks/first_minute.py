"""Measures the time to the first passing check of a new project.

    python benchmarks/first_minute.py [--peer NAME TEMPLATE COMMAND] [--runs 5]

A project is baked, and its check runs until it passes: in a new environment (downloads are in uv's
cache), and again. Then ``nox -s check``, its script, and ``alembic check`` on a migrated database
take turns, so that their ratios come from the same time. A peer is another template (a path, or
``gh:owner/name``) and the command that passes in its fresh project; one that can't be downloaded is
left out. The figures go into first_minute.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common

ROOT = Path(__file__).resolve().parents[1]
CHECK = "nox -s check"
SCRIPT = ".nox/project/bin/python scripts/check_migrations.py"
ALEMBIC = ".nox/project/bin/alembic check"
PEERS = [
    ("cookiecutter-uv", "gh:fpgmaas/cookiecutter-uv", "uv run pytest"),
    ("scientific-python/cookie", "gh:scientific-python/cookie", "nox -s tests"),
]
GREEN = "| template | command | bake | first green, new environment | again |"
WARM = "| warm | median | beside the script |"


def seconds(command: str, folder: Path) -> float:
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    unset = {"DATABASE_URL", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"}
    environment = {name: value for name, value in os.environ.items() if name not in unset} | {
        "PATH": programs
    }
    start = time.perf_counter()
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stdout.decode()}{done.stderr.decode()}")
    return time.perf_counter() - start


def bake(template: str) -> tuple[Path, float]:
    folder = Path(tempfile.mkdtemp(prefix="first-minute-"))
    spent = seconds(f"cookiecutter --no-input -o {folder} {template}", folder)
    (project,) = folder.iterdir()
    seconds("git init -q && git add -A", project)  # as a user has it; some hooks ask git
    return project, spent


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", nargs=3, action="append", metavar=("NAME", "TEMPLATE", "COMMAND"))
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    print(GREEN)
    for name, template, command in [("this one", str(ROOT), CHECK), *(options.peer or PEERS)]:
        try:
            times = [first_green(template, command) for _ in range(max(options.runs // 2, 1))]
        except RuntimeError as error:
            if template == str(ROOT):
                raise
            print(f"left out: {name}: {str(error).splitlines()[-1]}", file=sys.stderr)
            continue
        figures = " | ".join(
            f"{statistics.median(column):.1f} s" for column in zip(*times, strict=True)
        )
        common.keep("first_minute.md", GREEN, f"| {name} | `{command}` | {figures} |", key=1)
    project, _ = bake(str(ROOT))
    seconds(
        f"{CHECK} && .nox/project/bin/alembic upgrade head && {ALEMBIC}", project
    )  # installed and compiled
    rounds = [
        [seconds(command, project) for command in (CHECK, SCRIPT, ALEMBIC)]
        for _ in range(options.runs)
    ]
    shutil.rmtree(project.parent)
    print(WARM)
    for number, command in enumerate((CHECK, SCRIPT, ALEMBIC)):
        spent = statistics.median(each[number] for each in rounds)
        beside = statistics.median(each[number] - each[1] for each in rounds)
        common.keep(
            "first_minute.md", WARM, f"| `{command}` | {spent:.2f} s | {beside:+.2f} s |", key=1
        )


def first_green(template: str, command: str) -> tuple[float, float, float]:
    """The seconds to bake, to the first green and to the second."""
    project, baking = bake(template)
    times = baking, seconds(command, project), seconds(command, project)
    shutil.rmtree(project.parent)
    return times


if __name__ == "__main__":
    main()
