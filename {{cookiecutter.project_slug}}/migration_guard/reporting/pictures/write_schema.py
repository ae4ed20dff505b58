"""Draw tables and revisions into docs/SCHEMA.md; ``--check`` only tests whether it is current."""

import re
import sys
from pathlib import Path

from alembic.script import ScriptDirectory
from alembic.util import to_tuple

from ...error_messages import in_one_line
from ...exceptions import CannotCheck
from .draw_tables import draw as draw_tables
from .project import read_project


def draw_history(scripts: ScriptDirectory) -> str:
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
    """Write each drawing between its two marks, report faults of the models; return the status."""
    document = root / "docs" / "SCHEMA.md"
    try:
        before = current = document.read_text(encoding="utf-8")
        project = read_project(root)
        with in_one_line():
            history = draw_history(project.scripts)
    except (CannotCheck, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    drawings = {"SQLALCHEMY_DOCS": draw_tables(project.tables), "REVISION_GRAPH": history}
    for name, drawing in drawings.items():
        begin, end = f"<!-- BEGIN_{name} -->", f"<!-- END_{name} -->"
        marked = f"{begin}\n{drawing}\n{end}"
        current, found = re.subn(f"(?s){begin}.*?{end}", lambda _, marked=marked: marked, current)
        if not found:
            print(f"error: docs/SCHEMA.md lacks its marks: add {begin} and {end}", file=sys.stderr)
            return 2
    if "--check" in sys.argv[1:]:
        if current != before:
            print("error: docs/SCHEMA.md is out of date: run nox -s docs", file=sys.stderr)
        return int(current != before)
    if current != before:
        document.write_text(current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
