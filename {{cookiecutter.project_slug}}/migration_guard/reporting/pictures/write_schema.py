"""Draw tables and revisions into docs/SCHEMA.md; ``--check`` only tests whether it is current."""

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
        drawings = {"SQLALCHEMY_DOCS": draw_tables(project.tables), "REVISION_GRAPH": history}
        for name, drawing in drawings.items():
            begin, end = f"<!-- BEGIN_{name} -->", f"<!-- END_{name} -->"
            above, found, rest = current.partition(begin)
            _, closed, below = rest.partition(end)
            if not found or not closed:
                raise CannotCheck(
                    f"docs/SCHEMA.md lacks marks for a drawing: add {begin} and {end}"
                )
            current = f"{above}{begin}\n{drawing}\n{end}{below}"
    except (CannotCheck, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if "--check" not in sys.argv[1:]:
        document.write_text(current, encoding="utf-8")
    elif current != before:
        print("error: docs/SCHEMA.md is out of date: run nox -s docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
