"""Write one page that opens offline: what is pending, the findings, the revision graph and the schema."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from alembic.util import to_tuple
from mako.template import Template

from ...cli import main as check
from ...exceptions import CannotCheck
from . import draw_schema
from .project import read_project

PAGE = Path("docs", "schema.html")
LANE, ROW = 18, 36  # pixels


def report(root: Path, *options: str) -> dict[str, Any]:
    """Return what the check reports as JSON; exit as it does where it can't check, after its own message."""
    with TemporaryDirectory() as folder:
        output = Path(folder) / "report.json"
        if check(root, [*options, "--format", "json", "--output", str(output)]) not in (0, 1):
            sys.exit(2)
        return dict(json.loads(output.read_text(encoding="utf-8")))


def graph(scripts: ScriptDirectory) -> dict[str, Any]:
    """Return the revisions, newest first, and the paths between them: each line of descent in a lane of its own."""
    revisions = list(scripts.walk_revisions())
    at = {script.revision: row * ROW + ROW // 2 for row, script in enumerate(revisions)}
    lanes: list[str | None] = []  # the revision to which each lane leads down
    place: dict[str, int] = {}

    def lane_to(revision: str, wanted: int) -> int:
        if revision not in lanes:
            free = [lane for lane, other in enumerate(lanes) if other is None]
            lane = wanted if wanted in free else min(free, default=len(lanes))
            lanes[lane : lane + 1] = [revision]
        return lanes.index(revision) * LANE + LANE // 2

    paths = []
    for script in revisions:
        x, y = lane_to(script.revision, 0), at[script.revision]
        place[script.revision] = x
        lanes[lanes.index(script.revision)] = None
        for parent in to_tuple(script.down_revision, ()):
            below = lane_to(parent, x // LANE)
            paths.append(
                (f"M{x} {y}C{x} {y + ROW} {below} {y} {below} {y + ROW}V{at[parent]}", "follows")
            )
    width = len(lanes) * LANE
    for script in revisions:
        for other in to_tuple(script.dependencies, ()):
            if other in at:  # and not a branch's label
                here, there = (f"{place[end]} {at[end]}" for end in (script.revision, other))
                paths.append(
                    (
                        f"M{here}C{width} {at[script.revision]} {width} {at[other]} {there}",
                        "depends",
                    )
                )
    return {"revisions": revisions, "paths": paths, "place": place, "at": at, "width": width}


def type_of(column: sa.Column[Any], dialect: sa.Dialect) -> str:
    """Return the column's type as the configured database has it, or as the models say it where that has none."""
    try:
        return column.type.compile(dialect)
    except sa.exc.CompileError:
        return repr(column.type)


def constraints_of(table: sa.Table, dialect: sa.Dialect) -> list[str]:
    """Return what its columns don't say already: the constraints but the primary key and foreign keys of one column."""
    said = []
    for constraint in table.constraints - {table.primary_key}:
        if not isinstance(constraint, sa.ForeignKeyConstraint) or len(constraint.columns) > 1:
            try:
                compiler = dialect.ddl_compiler(dialect, None)  # type: ignore[arg-type]
                said.append(compiler.process(constraint))
            except sa.exc.CompileError:
                said.append(repr(constraint))
    return sorted(said)


def default_of(column: sa.Column[Any]) -> str:
    """Return the default that the database gives."""
    default = column.server_default
    return (
        str(default.arg)
        if isinstance(default, sa.DefaultClause)
        else type(default).__name__
        if default
        else ""
    )


def main(root: Path) -> int:
    """Write the page; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--html", metavar="FILE", type=Path, nargs="?", help=f"default: {PAGE}")
    page = parser.parse_args().html or root / PAGE
    template = Template(
        filename=str(Path(__file__).with_name("page.html.mako")), default_filters=["h"]
    )
    findings, plan = (
        report(root)["findings"],
        report(root, "--plan"),
    )  # first: they say what is wrong with URL and models
    try:
        project = read_project(root)
    except CannotCheck as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    tables, dialect = project.tables, project.dialect
    keys = [key for table in tables for key in table.foreign_keys]
    made = template.render_unicode(
        name=project.name,
        findings=findings,
        plan=plan,
        draw_schema=draw_schema,
        graph=graph(project.scripts),
        tables=tables,
        picture=draw_schema.draw(tables, lambda column: type_of(column, dialect)),
        referring=lambda table: sorted(
            {key.parent.table.key for key in keys if key.column.table is table}
        ),
        type_of=lambda column: type_of(column, dialect),
        default_of=default_of,
        constraints_of=lambda table: constraints_of(table, dialect),
    )
    try:
        page.write_text(made, encoding="utf-8")
    except OSError as error:
        print(f"error: --html {page}: {error.strerror}", file=sys.stderr)
        return 2
    print(f"Wrote {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
