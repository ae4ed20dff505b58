"""Write a page that opens offline: verdict, pending migrations, findings, revisions, schema."""

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from alembic.util import to_tuple
from mako.template import Template

from ...cli import main as check
from ...exceptions import CannotCheck
from ...git import git
from . import draw_schema, draw_tables
from .project import read_project

PAGE = Path("docs", "schema.html")
LANE, ROW = 18, 36  # pixels
FILTER = """
const input = document.querySelector("#filter");
input.addEventListener("input", () => {
  for (const card of document.querySelectorAll("[data-table]"))
    card.hidden = !card.dataset.table.includes(input.value.toLowerCase());
});
"""


def report(root: Path, *options: str) -> dict[str, Any]:
    """Return the JSON report of the check. Exits if the check failed, after its message."""
    with TemporaryDirectory() as folder:
        output = Path(folder) / "report.json"
        check(root, [*options, "--format", "json", "--output", str(output)])
        if not output.is_file():
            sys.exit(2)
        return dict(json.loads(output.read_text(encoding="utf-8")))


def blocks(lock: dict[str, Any]) -> bool:
    """Return whether a lock makes others wait on a table with rows."""
    return bool(lock["blocks"] != "nobody" and lock["rows"] != 0)


def grouped(items: Iterable[dict[str, Any]], *keys: str) -> list[list[dict[str, Any]]]:
    """Return the items in groups that are equal in these keys, in the order of their first one."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        groups.setdefault(repr([item[key] for key in keys]), []).append(item)
    return list(groups.values())


def verdict(plan: dict[str, Any], findings: list[dict[str, Any]]) -> tuple[str, str, list[str]]:
    """Return whether it is safe to deploy: a word for its colour, a sentence, and the reasons."""
    operations = [op for each in plan["revisions"] for op in each["operations"]]
    found = [
        *findings,
        *plan["findings"],
        *(f for each in plan["revisions"] for f in each["findings"]),
    ]
    errors = {f"{each['rule']}: {each['message']}" for each in found if each["severity"] == "error"}
    waits = {
        f"{lock['mode']} on {lock['table']} blocks {lock['blocks']} ({size_of(lock)})"
        for op in operations
        for lock in op["locks"] or ()
        if blocks(lock)
    }
    unknown = {f"{op['operation']} {op['about']}" for op in operations if op["locks"] is None}
    if errors:
        return "stop", "Not safe to deploy: fix these errors first.", sorted(errors)
    if plan["not_checked"]:
        return "wait", "Not known to be safe: not everything was checked.", plan["not_checked"]
    if unknown:
        sentence = "Not known to be safe: nobody knows what these operations lock."
        return "wait", sentence, sorted(unknown)
    if waits:
        return "wait", "Deploying makes others wait.", sorted(waits)
    if not operations:
        return "safe", "Nothing to deploy.", []
    return "safe", "Safe to deploy: nothing that is pending blocks a table with rows.", []


def beside(plan: dict[str, Any], findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the findings that no pending migration shows already."""
    shown = [found for step in plan["revisions"] for found in step["findings"]]
    places = {(found["rule"], found["path"], found["line"]) for found in shown}
    return [each for each in findings if (each["rule"], each["path"], each["line"]) not in places]


def size_of(lock: dict[str, Any]) -> str:
    """Return how large the locked table is."""
    if lock["rows"] is None:
        return "size unknown"
    return f"about {lock['rows']:,} rows, {lock['megabytes']:,.1f} MB"


def where_from(root: Path, database: str) -> str:
    """Return the name of the database, the commit and the time."""
    url = sa.make_url(database)
    name = Path(url.database or "").name or "in memory"
    commit = "no commit"
    with suppress(CannotCheck):
        commit = f"commit {git(root, 'rev-parse', '--short', 'HEAD').decode().strip()}"
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return f"{url.get_backend_name()} database {name}, {commit}, {now}"


def graph(scripts: ScriptDirectory) -> dict[str, Any]:
    """Return the revisions, newest first, and the paths between them, each branch in a lane."""
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
                curve = f"C{width} {at[script.revision]} {width} {at[other]} {there}"
                paths.append((f"M{here}{curve}", "depends"))
    return {"revisions": revisions, "paths": paths, "place": place, "at": at, "width": width}


def added(root: Path) -> dict[str, str]:
    """Return the date and the author of the commit that added each file, by the file's name."""
    found: dict[str, str] = {}
    with suppress(CannotCheck, OSError):
        log = git(root, "log", "--diff-filter=A", "--name-only", "--format=%x00%as, %an", "--", ".")
        for commit in log.decode(errors="replace").split("\0")[1:]:
            about, *paths = commit.splitlines()
            for path in filter(None, paths):
                found.setdefault(Path(path).name, about)
    return found


def type_of(column: sa.Column[Any], dialect: sa.Dialect) -> str:
    """Return the column's type on the configured database, or in Python if it has none there."""
    try:
        return column.type.compile(dialect)
    except sa.exc.CompileError:
        return repr(column.type)


def constraints_of(table: sa.Table, dialect: sa.Dialect) -> list[str]:
    """Return the constraints, without the primary key and foreign keys of one column."""
    texts = []
    for constraint in table.constraints - {table.primary_key}:
        if not isinstance(constraint, sa.ForeignKeyConstraint) or len(constraint.columns) > 1:
            try:
                compiler = dialect.ddl_compiler(dialect, None)  # type: ignore[arg-type]
                texts.append(compiler.process(constraint))
            except sa.exc.CompileError:
                texts.append(repr(constraint))
    return sorted(texts)


def main(root: Path) -> int:
    """Write the page; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--html", metavar="FILE", type=Path, nargs="?", help=f"default: {PAGE}")
    page = parser.parse_args().html or root / PAGE
    file = Path(__file__).with_name("page.html.mako")
    template = Template(filename=str(file), default_filters=["h"])
    # These come first, because they report what is wrong with the URL and the models.
    findings, plan = report(root)["findings"], report(root, "--plan")
    try:
        project = read_project(root)
    except CannotCheck as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    tables, dialect = project.tables, project.dialect
    keys = [key for table in tables for key in table.foreign_keys]
    content = template.render_unicode(
        name=project.name,
        where=where_from(root, plan["database"]),
        verdict=verdict(plan, findings),
        filter_script=FILTER,
        digest=base64.b64encode(hashlib.sha256(FILTER.encode()).digest()).decode(),
        blocks=blocks,
        size_of=size_of,
        grouped=grouped,
        draw_tables=draw_tables,
        findings=plan["findings"] + beside(plan, findings),
        plan=plan,
        draw_schema=draw_schema,
        graph=graph(project.scripts),
        added=added(root),
        Path=Path,
        tables=tables,
        picture=draw_schema.draw(tables, lambda column: type_of(column, dialect)),
        referring=lambda table: sorted(
            {key.parent.table.key for key in keys if key.column.table is table}
        ),
        type_of=lambda column: type_of(column, dialect),
        constraints_of=lambda table: constraints_of(table, dialect),
    )
    try:
        page.write_text(content, encoding="utf-8")
    except OSError as error:
        print(f"error: --html {page}: {error.strerror}", file=sys.stderr)
        return 2
    print(f"Wrote {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
