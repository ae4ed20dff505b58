"""Names that a project can't have, because they belong to something that is installed beside it."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from collections.abc import Callable

import nox.project
from lib.projects import ROOT, Project


def names_of(requirements: list[str]) -> set[str]:
    """Return the distributions that these requirements install, and the names of their modules."""
    names: set[str] = set()
    todo = [re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in requirements]
    while todo:
        name = re.sub(r"[-_.]+", "_", todo.pop()).lower()
        if name in names:
            continue
        names.add(name)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # of another system, or an extra that is not installed
        todo += [
            re.split(r"[^\w.-]", required, maxsplit=1)[0]
            for required in distribution.requires or ()
            if "extra ==" not in required
        ]
        for file in distribution.files or ():
            top = file.parts[0].removesuffix(".py")
            if top.isidentifier() and (file.suffix == ".py"):
                names.add(top.lower())
    return names


def test_no_slug_hides_what_is_installed(bake: Callable[..., Project]) -> None:
    pyproject = tomllib.loads((bake(database="postgresql").path / "pyproject.toml").read_text())
    requirements = [
        *pyproject["project"]["dependencies"],
        *nox.project.dependency_groups(pyproject, "dev"),
    ]
    hook = (ROOT / "hooks" / "pre_gen_project.py").read_text()
    refused = set(re.findall(r'"(\w+)"', hook[hook.index("TAKEN = ") : hook.index("def problem")]))
    names = names_of(requirements)
    assert {"mako", "markupsafe", "typing_extensions", "pluggy", "psycopg", "sqlglot"} <= names
    assert sorted(names - refused) == []
