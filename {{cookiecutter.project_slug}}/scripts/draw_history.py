"""Draw the revision graph into docs/SCHEMA.md, as Mermaid; ``--check`` only says whether it is current."""

from __future__ import annotations

import sys
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import to_tuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from {{ cookiecutter.__package_name }}.database.migration_guard.errors import in_one_line
from {{ cookiecutter.__package_name }}.database.migration_guard.findings import CannotCheck

DOCUMENT = ROOT / "docs" / "SCHEMA.md"
BEGIN, END = "<!-- BEGIN_REVISION_GRAPH -->", "<!-- END_REVISION_GRAPH -->"


def draw(scripts: ScriptDirectory) -> str:
    """Return the graph, oldest revision first: an arrow to each revision that follows, a dotted one for depends_on."""
    nodes, arrows = [], []
    for script in reversed(list(scripts.walk_revisions())):
        title = script.doc.rstrip(".").replace('"', "#quot;")
        nodes.append(f'  {script.revision}["{script.revision}<br>{title}"]')
        arrows += [f"  {parent} --> {script.revision}" for parent in to_tuple(script.down_revision, ())]
        arrows += [f"  {other} -.-> {script.revision}" for other in to_tuple(script.dependencies, ())]
    return "\n".join(["```mermaid", "flowchart TD", *nodes, *arrows, "```"])


def main() -> int:
    """Write the graph between its two marks; return the exit status. What is wrong with the models is said too."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        print(f"error: docs/SCHEMA.md has lost its marks: put {BEGIN} and {END} back", file=sys.stderr)
        return 2
    try:
        with in_one_line():
            from {{ cookiecutter.__package_name }}.database.models import Base

            _ = Base.metadata.sorted_tables  # which follows every foreign key
            graph = draw(ScriptDirectory.from_config(Config(ROOT / "alembic.ini")))
    except CannotCheck as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    current = f"{before}{BEGIN}\n{graph}\n{END}{after}"
    if "--check" in sys.argv[1:]:
        if current != text:
            print("error: docs/SCHEMA.md is out of date: run nox -s docs", file=sys.stderr)
        return int(current != text)
    if current != text:
        DOCUMENT.write_text(current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
