"""Draw the revision graph into docs/SCHEMA.md; ``--check`` only tests whether it is current."""

from __future__ import annotations

import sys
from pathlib import Path

from alembic.script import ScriptDirectory
from alembic.util import to_tuple

from ...error_messages import in_one_line
from ...exceptions import CannotCheck
from .project import read_project

BEGIN, END = "<!-- BEGIN_REVISION_GRAPH -->", "<!-- END_REVISION_GRAPH -->"


def draw(scripts: ScriptDirectory) -> str:
    """Return the graph, oldest revision first.

    An arrow leads to each revision that follows, a dotted one to each that depends on another.
    """
    nodes, arrows = [], []
    for script in reversed(list(scripts.walk_revisions())):
        title = script.doc.rstrip(".").replace('"', "#quot;")
        nodes.append(f'  {script.revision}["{script.revision}<br>{title}"]')
        arrows += [
            f"  {parent} --> {script.revision}" for parent in to_tuple(script.down_revision, ())
        ]
        arrows += [
            f"  {other} -.-> {script.revision}" for other in to_tuple(script.dependencies, ())
        ]
    return "\n".join(["```mermaid", "flowchart TD", *nodes, *arrows, "```"])


def main(root: Path) -> int:
    """Write the graph between its two marks, report faults of the models; return the status."""
    document = root / "docs" / "SCHEMA.md"
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        message = f"docs/SCHEMA.md lacks the marks of the graph: add {BEGIN} and {END}"
        print(f"error: {message}", file=sys.stderr)
        return 2
    try:
        project = read_project(root)
        with in_one_line():
            graph = draw(project.scripts)
    except CannotCheck as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    current = f"{before}{BEGIN}\n{graph}\n{END}{after}"
    if "--check" in sys.argv[1:]:
        if current != text:
            print("error: docs/SCHEMA.md is out of date: run nox -s docs", file=sys.stderr)
        return int(current != text)
    if current != text:
        document.write_text(current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
