"""docs/DEPLOYMENT.md: its snippets run as far as this machine can, and its messages are ours."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from lib.projects import PROJECT_TEMPLATE, Project

pytestmark = pytest.mark.slow


@pytest.fixture
def page(bake: Callable[..., Project]) -> tuple[Project, str]:
    project = bake()
    return project, (project.path / "docs" / "DEPLOYMENT.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", text)


def documents(text: str) -> list[dict[str, Any]]:
    return [yaml.safe_load(block) for block in blocks(text, "yaml")]


def test_the_yaml_is_what_its_reader_takes(page: tuple[Project, str]) -> None:
    compose, job, init, *workflows = documents(page[1])
    migrate = compose["services"]["migrate"]
    assert shlex.split(migrate["command"]) == ["alembic", "upgrade", "head"]
    condition = compose["services"]["app"]["depends_on"]["migrate"]["condition"]
    assert condition == "service_completed_successfully"
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["command"] == shlex.split(migrate["command"])
    assert init["spec"]["initContainers"] == [
        {key: container[key] for key in ("name", "image", "command", "envFrom")}
    ]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert [each["name"] for each in workflows] == ["deploy", "plan"]
    for workflow in workflows:
        assert workflow[True], "on: is true to YAML 1.1"
        for each in workflow["jobs"].values():
            for step in each["steps"]:
                assert ("run" in step) != ("uses" in step)
    assert "${{ secrets.READ_ONLY_URL }}" in page[1]


def test_docker_takes_the_compose_file(page: tuple[Project, str]) -> None:
    project, text = page
    works = shutil.which("docker") and project.run("docker", "compose", "version", ok=None)
    if not works or works.returncode != 0:
        pytest.skip("docker compose: not installed")
    (project.path / "deploy.yaml").write_text(blocks(text, "yaml")[0])
    done = project.run(
        "docker", "compose", "-f", "deploy.yaml", "config", ok=None, DATABASE_URL="sqlite:///x.db"
    )
    assert done.returncode == 0, done.stdout


def test_the_commands_of_the_workflows_run(page: tuple[Project, str]) -> None:
    project, text = page
    project.environment["DATABASE_URL"] = f"sqlite:///{project.path / 'live.db'}"
    project.environment["SCRATCH_URL"] = "sqlite://"
    ran = []
    for workflow in documents(text)[3:]:
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                command = step.get("run", "")
                if command.startswith(("python scripts", "alembic")):
                    project.sh(command)
                    ran.append(command)
    assert len(ran) == 3
    assert (project.path / "plan.md").read_text().startswith("## Migration plan")
    (rollback,) = (block for block in blocks(text, "bash") if "downgrade" in block)
    project.sh(rollback)


def test_the_dockerfile_migrates_in_a_fresh_environment(page: tuple[Project, str]) -> None:
    """Its commands, with folders of the test in the place of the image's."""
    project, text = page
    (dockerfile,) = blocks(text, "dockerfile")
    environment = project.path.parent / "venv"
    run = re.search(r"(?m)^RUN (.*)$", dockerfile)
    command = re.search(r"(?m)^CMD (\[.*\])$", dockerfile)
    assert run
    assert command
    project.sh(run[1].replace("/opt/venv", shlex.quote(str(environment))))
    words = [str(word) for word in yaml.safe_load(command[1])]
    url = f"sqlite:///{project.path / 'live.db'}"
    path = f"{environment / 'bin'}:/usr/bin:/bin"
    project.run(str(environment / "bin" / words[0]), *words[1:], DATABASE_URL=url, PATH=path)
    done = project.run(str(environment / "bin" / "alembic"), "current", DATABASE_URL=url, PATH=path)
    assert "(head)" in done.stdout


SERVERS = {  # what the servers and drivers say themselves
    "Connection refused",
    "permission denied",
    "command denied",
    "canceling statement due to lock timeout",
    "Lock wait timeout",
}


VARYING = {  # the part of a message that is the same each time
    "waited 600 s for another migrator": " s for another migrator (",
    "was edited after it was applied": "was edited after it was",
    "2 heads": " heads: ",
}


def test_each_message_stands_once_and_is_one_of_ours(page: tuple[Project, str]) -> None:
    table = page[1].partition("## What failed")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    messages = [text for row in rows for text in re.findall("`([^`]+)`", row.split("|")[1])]
    assert len(messages) == len(set(messages)) > 12
    sources = [
        *PROJECT_TEMPLATE.glob("migration_guard/**/*.py"),
        *PROJECT_TEMPLATE.glob("src/**/*.py"),
    ]
    code = " ".join(path.read_text(encoding="utf-8") for path in sources)
    for message in set(messages) - SERVERS:
        known = VARYING.get(message, message)
        assert known in code, message


def test_its_links_lead_somewhere(page: tuple[Project, str]) -> None:
    project, text = page
    anchors = {
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")
        for title in re.findall(r"(?m)^##+ (.*)$", text)
    }
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert target.removeprefix("#") in anchors, target
    for document in ("README.md", "alembic/README.md"):
        assert "docs/DEPLOYMENT.md" in (project.path / document).read_text(encoding="utf-8")
    assert not (project.path / "docs" / "CLUSTERS.md").exists()
