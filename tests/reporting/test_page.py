"""The page that ``nox -s docs -- --html`` writes, in a headless browser without a network."""

from __future__ import annotations

import html
import itertools
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa
from lib import faults
from lib.faults import BASE, History, Revision
from lib.projects import Project
from lib.servers import fresh_database, require
from migration_guard.reporting.pictures.write_page import grouped, verdict

WRITE = ("python", "-m", "migration_guard.reporting.pictures.write_page", "--html")
FIRST, SECOND = "4c1f0f6a52d3", "b9532a7d8c7a"

Open = Callable[[Project], str]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Return a function that gives the page's document after the browser has run everything."""
    require("chromium")

    def open_page(project: Project) -> str:
        page = project.path / "docs" / "schema.html"
        options = (
            "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
        )
        options += (
            " --disable-component-update --disable-sync --disable-dev-shm-usage "
            "--enable-logging=stderr"
        )
        options += f" --user-data-dir={tmp_path / 'browser'} --dump-dom"
        command = [
            "chromium",
            *options.split(),
            "--host-resolver-rules=MAP * ~NOTFOUND",
            page.as_uri(),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        # The page's policy refuses what is not in the page: loading it is an error on the console.
        console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        return done.stdout + "".join(f"\nconsole: {line}" for line in console)

    return open_page


def text(document: str) -> str:
    return re.sub(
        r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<style>.*?</style>", "", document))
    )


def test_the_page_has_schema_graph_findings_and_what_is_pending(
    project: Project, opened: Open
) -> None:
    project.run("alembic", "upgrade", FIRST)
    project.sh("git init -q && git add alembic/versions/4* && git config user.email a@example.org")
    project.sh(
        "git config user.name 'Ada & Bo' && git commit -qm First --date 2026-02-03T12:00:00Z"
    )
    project.run(*WRITE)
    document = opened(project)
    assert "console:" not in document
    assert not re.findall(r'(?:src|href)="(?!#)|url\((?!#)|@import', document)
    for anchor in re.findall(r'href="#([^"]+)"', document):
        assert f'id="{anchor}"' in document
    tables = ["audio_fingerprints", "channels", "match_results", "processing_jobs", "videos"]
    assert sorted(re.findall(r'id="table-(\w+)"', document)) == tables
    assert 'href="#table-channels">channels.id</a>' in document
    assert re.findall(r'id="pending-(\w+)"', document) == [SECOND]
    assert len(re.findall("<circle class=", document)) == 2
    assert len(re.findall(r'<path class="follows"', document)) == 1
    output = text(document)
    assert f"now at {FIRST}" in output
    assert "1 pending migration 0 findings" in output
    assert "The check finds nothing" in output
    assert f"{FIRST} Initial schema. 2026-02-03, Ada &amp; Bo the database is here" in output
    assert "performance. not committed pending" in output
    assert "idx_fingerprints_hash_video on audio_fingerprints" in output
    assert "CREATE INDEX " in output
    assert "CONSTRAINT uq_channels_external_id UNIQUE (external_id)" in output
    assert "CHECK (confidence BETWEEN 0 AND 1)" in output
    assert "Database of soundhash" in output
    lock = {"sqlite": "write lock on the database", "mariadb": "INPLACE on audio_fingerprints"}
    backend = project.environment["DATABASE_URL"].partition(":")[0].partition("+")[0]
    assert lock.get(backend, "SHARE") in output


def test_nothing_is_pending_once_all_is_migrated(
    bake: Callable[..., Project], opened: Open
) -> None:
    project = bake(starter="blank")
    project.run("alembic", "upgrade", "head")
    project.run("nox", "-s", "docs", "--", "--html")
    output = text(opened(project))
    assert "Nothing to deploy. Its schema is what revision" in output
    assert "There is nothing to run." in output
    assert "docs/schema.html" in (project.path / ".gitignore").read_text()


INDEX = "op.create_index('ix_users_bio', 'users', ['bio']"
SAFE = f"with op.get_context().autocommit_block():\n    {INDEX}, postgresql_concurrently=True)"


@pytest.mark.parametrize("safe", [False, True])
def test_a_pending_migration_shows_its_lock_and_finding(
    bake: Callable[..., Project], tmp_path: Path, opened: Open, safe: bool
) -> None:
    for url in fresh_database("postgresql", tmp_path):
        project = bake(url, starter="blank", database="postgresql")
        up = SAFE if safe else f"{INDEX})"
        faults.write(
            History((BASE, Revision(up, "op.drop_index('ix_users_bio', 'users')"))),
            project.versions,
        )
        project.run("alembic", "upgrade", "r0")
        with sa.create_engine(url, poolclass=sa.pool.NullPool).begin() as connection:
            connection.exec_driver_sql("INSERT INTO users (email) VALUES ('a'), ('b')")
            connection.exec_driver_sql("ANALYZE users")
        project.run(*WRITE)
        document = opened(project)
        (card,) = re.findall(r'(?s)id="pending-r1".*?</article>', document)
        lock = "SHARE UPDATE EXCLUSIVE on users nobody" if safe else "SHARE on users writes"
        assert f"create_index ix_users_bio on users {lock} about 2 rows, 0.1 MB" in text(card)
        assert ('<tr class="waits">' in card) is not safe
        assert ("<li>blocking-index: " in document) is not safe
        assert ("blocking-index" in text(card)) is not safe


def lock(blocks: str, rows: int | None) -> dict[str, Any]:
    return {"table": "users", "mode": "SHARE", "blocks": blocks, "rows": rows, "megabytes": 1.0}


def planned(*locks: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """A plan of one revision, with one operation for each of these locks."""
    operations = [
        {"operation": "create_index", "about": "i", "locks": each and [each]} for each in locks
    ]
    revisions = [{"operations": operations, "findings": more.pop("found", [])}] if locks else []
    return {"revisions": revisions, "findings": [], "not_checked": [], **more}


FOUND = {"rule": "drop-table", "message": "x is dropped.", "severity": "error"}


@pytest.mark.parametrize(
    ("plan", "colour", "says"),
    [
        (planned(), "safe", "Nothing to deploy."),
        (planned(lock("nobody", 9)), "safe", "Safe to deploy"),
        (planned(lock("writes", 0)), "safe", "Safe to deploy"),
        (planned(lock("writes", 9)), "wait", "Deploying makes others wait."),
        (planned(lock("writes", None)), "wait", "Deploying makes others wait."),
        (planned(None), "wait", "Not known to be safe"),
        (planned(not_checked=["its schema"]), "wait", "Not known to be safe"),
        (planned(lock("nobody", 9), found=[FOUND]), "stop", "Not safe to deploy"),
        (planned(lock("nobody", 9), found=[{**FOUND, "severity": "warning"}]), "safe", "Safe"),
    ],
)
def test_the_verdict(plan: dict[str, Any], colour: str, says: str) -> None:
    found, sentence, reasons = verdict(plan, [])
    assert found == colour
    assert sentence.startswith(says)
    assert bool(reasons) is (colour != "safe")


def test_equal_rows_are_one() -> None:
    operations = planned(lock("writes", 9), lock("writes", 9), lock("writes", 8), None)
    groups = grouped(operations["revisions"][0]["operations"], "operation", "locks")
    assert [len(group) for group in groups] == [2, 1, 1]


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float
    rows: dict[str, float]  # the y of each column


class Line(NamedTuple):
    key: str
    referred: str
    referring: str
    path: str


def drawn(document: str) -> tuple[dict[str, Box], list[Line]]:
    """The boxes and the lines of the picture in a document."""
    svg = ElementTree.fromstring(re.findall(r"(?s)<svg viewBox.*?</svg>", document)[0])
    boxes = {}
    for link in svg.iter("a"):
        (x, y) = map(float, re.findall(r"[\d.]+", link.attrib["transform"]))
        rectangle = link.find("rect").attrib
        rows = {
            text.text: y + float(text.attrib["y"])
            for text in link.iter("text")
            if "class" not in text.attrib
        }
        right, bottom = x + float(rectangle["width"]), y + float(rectangle["height"])
        boxes[link.attrib["href"].removeprefix("#table-")] = Box(x, y, right, bottom, rows)
    lines = []
    for group in svg.iter("g"):
        _, path = group.iter("path")
        feet = (path.attrib[end][len("url(#") : -1] for end in ("marker-start", "marker-end"))
        lines.append(Line(group.find("title").text, *feet, path.attrib["d"]))
    return boxes, lines


def of_schema(
    bake: Callable[..., Project], opened: Open, models: str
) -> tuple[dict[str, Box], list[Line]]:
    """The picture of these models."""
    project = bake(starter="blank")
    faults.write(History((BASE,), models), project.versions, project.models)
    project.run(*WRITE)
    return drawn(opened(project))


def test_no_two_boxes_overlap_and_each_line_joins_its_columns(
    bake: Callable[..., Project], opened: Open
) -> None:
    """A tree with a cycle, tables that refer to themselves, and some that nothing refers to."""
    keys: dict[str, dict[str, str]] = {f"t{number}": {} for number in range(48)}
    for number in range(1, 40):
        keys[f"t{number}"]["above"] = f"t{number // 2}"
        if number % 3 == 0:
            keys[f"t{number}"]["beside"] = f"t{number * 7 % 40}"
        if number % 5 == 0:
            keys[f"t{number // 2}"][f"back_{number}"] = f"t{number}"
    for number in range(0, 48, 9):
        keys[f"t{number}"]["same"] = f"t{number}"
    tables = []
    for number, (table, columns) in enumerate(keys.items()):
        names = [f"column_{other}" for other in range(number % 8)]
        plain = "".join(f"sa.Column({name!r}, sa.String(80))," for name in names)
        foreign = "".join(
            (
                f"sa.Column({name!r}, sa.ForeignKey('{to}.id', use_alter=True, "
                f"name='fk_{table}_{name}')),"
            )
            for name, to in columns.items()
        )
        tables.append(
            f"sa.Table('{table}', metadata, sa.Column('id', sa.Integer, "
            f"primary_key=True), {plain} {foreign})"
        )
    boxes, lines = of_schema(bake, opened, "\n".join(tables))
    assert boxes.keys() == keys.keys()
    for one, other in itertools.combinations(boxes.values(), 2):
        assert (
            one.right < other.left
            or other.right < one.left
            or one.bottom < other.top
            or other.bottom < one.top
        )
    wanted = {
        f"{here} ({name}) refers to {there} (id)"
        for here, columns in keys.items()
        for name, there in columns.items()
    }
    assert {line.key for line in lines} == wanted
    assert len(lines) == len(wanted)
    for line in lines:
        here, name, there = re.fullmatch(
            r"(\w+) \((\w+)\) refers to (\w+) \(id\)", line.key
        ).groups()
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", line.path)]
        for table, column, x, y in (
            (there, "id", *numbers[:2]),
            (here, name, numbers[-1], numbers[-2]),
        ):
            assert x in (boxes[table].left, boxes[table].right)
            assert y == pytest.approx(boxes[table].rows[column], abs=1)


ENDS = {
    "nullable=False": ("one", "many"),
    "nullable=True": ("maybe", "many"),
    "nullable=False, unique=True": ("one", "maybe"),
    "primary_key=True": ("one", "maybe"),
    "nullable=False), sa.Column('b', sa.Integer), sa.UniqueConstraint('a', 'b'": ("one", "many"),
    "nullable=False), sa.Index('ix', 'a', unique=True": ("one", "maybe"),
    "nullable=False), sa.Index('ix', 'a', unique=True, sqlite_where=sa.text('a > 1')": (
        "one",
        "many",
    ),
}


def test_a_line_says_how_many_rows_there_may_be(bake: Callable[..., Project], opened: Open) -> None:
    models = [
        (
            "sa.Table('top', metadata, sa.Column('id', sa.Integer, primary_key=True), "
            "sa.Column('n', sa.Integer), sa.UniqueConstraint('id', 'n'))"
        )
    ]
    for number, column in enumerate(ENDS):
        models.append(
            (
                f"sa.Table('t{number}', metadata, sa.Column('a', sa.ForeignKey('top.id'), "
                f"{column}))"
            ).replace("'ix'", f"'ix{number}'")
        )
    pair = (
        "sa.Column('id', sa.Integer), sa.Column('n', sa.Integer), "
        "sa.ForeignKeyConstraint(['id', 'n'], ['top.id', 'top.n'])"
    )
    models.append(f"sa.Table('pair', metadata, {pair}, sa.UniqueConstraint('id', 'n'))")
    _, lines = of_schema(bake, opened, "\n".join(models))
    found = {line.key: line[1:3] for line in lines}
    wanted = {
        f"t{number} (a) refers to top (id)": feet for number, feet in enumerate(ENDS.values())
    }
    assert found == wanted | {"pair (id, n) refers to top (id, n)": ("maybe", "maybe")}


def test_a_large_table_shows_its_keys_and_says_what_it_leaves_out(
    bake: Callable[..., Project], opened: Open
) -> None:
    many = "".join(f"sa.Column('c{number}', sa.Integer)," for number in range(20))
    long = "名" * 40
    boxes, _ = of_schema(
        bake,
        opened,
        f"sa.Table('large', metadata, {many} sa.Column('id', sa.Integer, primary_key=True),"
        f"sa.Column('up', sa.ForeignKey('large.id')), sa.Column({long!r}, "
        "sa.ForeignKey('large.id')))",
    )
    assert list(boxes["large"].rows) == [
        *(f"c{number}" for number in range(12)),
        "id",
        "up",
        "名" * 29 + "…",
        "… 8 more",
    ]
    assert boxes["large"].right - boxes["large"].left > 29 * 12


def test_no_tables_no_picture(bake: Callable[..., Project], opened: Open) -> None:
    project = bake(starter="blank")
    faults.write(History((Revision("pass"),)), project.versions, project.models)
    project.run(*WRITE)
    document = opened(project)
    assert "The models have no tables." in document
    assert "<svg viewBox" not in document


ATTACK = "<script>document.title = 'owned'</script><img src=x onerror=console.log(1)>"
NAME = f"{ATTACK} ${{lost}} </%text>"
TITLE = f"<title>Database of {html.escape(NAME, quote=False)}</title>"


@pytest.fixture
def attacked(bake: Callable[..., Project]) -> Project:
    """A project with markup wherever a name or a text may be."""
    project = bake(starter="blank", project_slug="shop")
    project.edit("pyproject.toml", 'name = "shop"', f"name = {json.dumps(NAME)}")
    columns = f"sa.Column({ATTACK!r}, sa.Integer(), primary_key=True, comment={ATTACK!r})"
    models = f"attacked = sa.Table({ATTACK!r}, metadata, {columns}, comment={ATTACK!r})\n"
    models += (
        f"sa.Table('other', metadata, sa.Column({ATTACK!r}, "
        "sa.ForeignKey(attacked.columns[0]), primary_key=True),"
    )
    models += f"sa.CheckConstraint({ATTACK!r}), sa.UniqueConstraint({ATTACK!r}, name={ATTACK!r}))"
    faults.write(
        History((Revision(f"op.create_table({ATTACK!r}, {columns})"),), models),
        project.versions,
        project.models,
    )
    (file,) = project.versions.glob("*.py")
    file.write_text(f'"""{ATTACK}"""\n{file.read_text()}')
    return project


def test_markup_in_a_name_is_text(attacked: Project, opened: Open) -> None:
    attacked.run(*WRITE)
    document = opened(attacked)
    assert "console:" not in document
    assert TITLE in document
    assert document.count("<script") == 1, "the filter's own"
    assert "<img" not in document
    assert document.count("&lt;script&gt;document.title") >= 4
    boxes, lines = drawn(document)
    assert boxes.keys() == {ATTACK, "other"}
    assert [line.key for line in lines] == [f"other ({ATTACK}) refers to {ATTACK} ({ATTACK})"]


def test_the_browser_would_tell_and_the_policy_holds(attacked: Project, opened: Open) -> None:
    """Without escapes the text of the test above is in the page, and the page's policy stops it."""
    attacked.edit(
        "migration_guard/reporting/pictures/write_page.py",
        'default_filters=["h"]',
        'default_filters=["str"]',
    )
    attacked.run(*WRITE)
    document = opened(attacked)
    assert "console:" in document
    assert "<img" in document
    assert TITLE in document
    attacked.edit(
        "migration_guard/reporting/pictures/page.html.mako",
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${digest}'",
        "",
    )
    attacked.run(*WRITE)
    assert "<title>owned</title>" in opened(attacked)


def test_branches_have_lanes_of_their_own(bake: Callable[..., Project], opened: Open) -> None:
    project = bake()
    project.run(
        "alembic",
        "revision",
        "-m",
        "other",
        "--rev-id",
        "c1",
        "--head",
        FIRST,
        "--splice",
        "--depends-on",
        SECOND,
    )
    project.run("alembic", "merge", "-m", "both", "--rev-id", "d1", "c1", SECOND)
    project.run(*WRITE)
    document = opened(project)
    places = re.findall(r'<circle class="pending" cx="(\d+)" cy="(\d+)"', document)
    assert len({x for x, _ in places}) == 2
    assert len({y for _, y in places}) == 4
    assert len(re.findall(r'<path class="follows"', document)) == 4
    assert len(re.findall(r'<path class="depends"', document)) == 1


@pytest.mark.parametrize("fault", ["folder", "server", "url", "database", "option", "models"])
def test_what_can_not_be_written_is_one_line_and_no_page(
    bake: Callable[..., Project], fault: str
) -> None:
    urls = {
        "server": "postgresql://127.0.0.1:1/lost",
        "url": "nonsense",
        "database": "oracle://localhost/lost",
    }
    project = bake(urls.get(fault))
    if fault == "models":
        project.models.write_text(project.models.read_text() + "\nclass Broken(\n")
    extra = {"folder": ["lost/page.html"], "option": ["docs/page.html", "--lost"]}.get(fault, [])
    done = project.run(*WRITE, *extra, ok=None)
    assert done.returncode == 2
    assert "Traceback" not in done.stdout
    assert done.stdout.splitlines()[-1].partition("error: ")[2]
    assert not list(project.path.rglob("*.html"))
