"""The documents of the template and its projects: every link has a target, every table is true."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lib.projects import ROOT, Project

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(folder: Path) -> list[str]:
    """Return the relative links in a folder's documents that lead nowhere."""
    broken = []
    for document in folder.rglob("*.md"):
        if ".nox" in document.parts or ".venv" in document.parts:
            continue
        for link in LINK.findall(
            re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
        ):
            if link.startswith(("https://", "http://", "mailto:")):
                continue
            path, _, anchor = link.partition("#")
            target = (document.parent / path) if path else document
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{document.relative_to(folder)}: {link}")
    return broken


@pytest.mark.parametrize("starter", ["soundhash", "blank"])
@pytest.mark.parametrize("database", ["sqlite", "postgresql", "mariadb"])
def test_every_link_of_a_project_leads_somewhere(
    bake: Callable[..., Project], starter: str, database: str
) -> None:
    assert broken_links(bake(starter=starter, database=database).path) == []


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_link_of_the_template_leads_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for link in LINK.findall(text):
        path, _, anchor = link.partition("#")
        if not link.startswith("https://"):
            assert (ROOT / path).exists() if path else anchor in anchors(ROOT / document), link


def test_a_broken_link_is_found(bake: Callable[..., Project]) -> None:
    project = bake()
    project.edit("README.md", "(INSTALL.md)", "(INSTALLATION.md)")
    project.edit(
        "INSTALL.md",
        "(docs/DATABASE_MIGRATIONS.md)",
        "(docs/DATABASE_MIGRATIONS.md#no-such-heading)",
    )
    assert sorted(broken_links(project.path)) == [
        "INSTALL.md: docs/DATABASE_MIGRATIONS.md#no-such-heading",
        "README.md: INSTALLATION.md",
    ]


def test_the_readme_names_every_prompt() -> None:
    prompts = [
        name
        for name in json.loads((ROOT / "cookiecutter.json").read_text())
        if not name.startswith("_")
    ]
    rows = "\n".join(
        line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| `")
    )
    assert [name for name in prompts if f"`{name}`" not in rows] == []


def test_the_pull_request_template_holds_the_checklist_of_the_guide(
    bake: Callable[..., Project],
) -> None:
    project = bake()
    guide = (project.path / "docs/DATABASE_MIGRATIONS.md").read_text()
    checklist = re.findall(r"^- \[ \] .*$", guide, re.MULTILINE)
    assert len(checklist) == 5
    template = (project.path / ".github/pull_request_template.md").read_text()
    assert [line for line in checklist if line not in template] == []


def test_the_guide_keeps_the_headings_that_were_promised(bake: Callable[..., Project]) -> None:
    guide = (bake().path / "docs/DATABASE_MIGRATIONS.md").read_text()
    for heading in (
        "# Database Migrations Guide for Developers",
        "## Overview",
        "## Quick Start",
        "## Common Scenarios",
        "## Useful Commands",
        "## CI/CD Integration",
        "## Best Practices",
        "## Troubleshooting",
        "## Example Workflow",
        "## Migration Validation",
        "## More Information",
    ):
        assert f"\n{heading}\n" in "\n" + guide
