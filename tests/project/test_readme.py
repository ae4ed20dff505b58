"""The README's command that bakes, on a machine with Python, pip and git; CI runs the other one."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
from lib.projects import ROOT, Project
from lib.write_readme import COMMAND, with_example

pytestmark = pytest.mark.slow


def test_the_bake_command_works_from_a_clean_clone_in_an_empty_home(tmp_path: Path) -> None:
    commands = re.findall(r"```sh\n(.*)\n```", (ROOT / "README.md").read_text())
    (command,) = [line for line in commands if line.endswith("nox -s bake")]
    home, clone, programs = tmp_path / "home", tmp_path / "clone", tmp_path / "bin"
    home.mkdir()
    programs.mkdir()
    # Nothing of this environment, and no uv: a Python, git and what every system has.
    (programs / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    for program in ("bash", "sh", "git", "uname", "env"):
        (programs / program).symlink_to(shutil.which(program) or program)
    project = Project(tmp_path, "")
    project.sh(f"git clone -q {ROOT} {clone}")
    project.path = clone
    project.environment |= {"HOME": str(home), "PATH": str(programs), "TMPDIR": str(tmp_path)}
    output = project.sh(command).stdout
    for session in ("check", "migrate", "roundtrip", "lint"):
        assert f"* {session}: success" in output
    assert "Migrated from base to b9532a7d8c7a" in output
    assert "uv sync" not in output


def test_the_example_is_what_a_run_says() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"$ {COMMAND}\nalembic/versions/" in readme
    assert with_example(readme) == readme, "write it again: python -m lib.write_readme, in tests/"
