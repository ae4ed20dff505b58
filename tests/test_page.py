"""The page that ``nox -s docs -- --html`` writes, opened in a headless browser without a network."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import faults
import pytest
from conftest import Project, fresh_database, require
from faults import BASE, History, Revision

WRITE = ("python", "scripts/write_page.py", "--html")
FIRST, SECOND = "4c1f0f6a52d3", "b9532a7d8c7a"

Open = Callable[[Project], str]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Return a function that gives the page's document as the browser has it once everything has run."""
    require("chromium")

    def open_page(project: Project) -> str:
        page = project.path / "docs" / "schema.html"
        options = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
        options += " --disable-component-update --disable-sync --disable-dev-shm-usage --enable-logging=stderr"
        options += f" --user-data-dir={tmp_path / 'browser'} --dump-dom"
        command = ["chromium", *options.split(), "--host-resolver-rules=MAP * ~NOTFOUND", page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        # Its policy refuses whatever is not in the page: what the page would load or run is an error on the console.
        console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        return done.stdout + "".join(f"\nconsole: {line}" for line in console)

    return open_page


def text(document: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<style>.*?</style>", "", document)))


def test_the_page_has_schema_graph_findings_and_what_is_pending(project: Project, opened: Open) -> None:
    project.run("alembic", "upgrade", FIRST)
    project.run(*WRITE)
    document = opened(project)
    assert "console:" not in document
    assert not re.findall(r'(?:src|href)="(?!#)|url\(|@import', document)
    for anchor in re.findall(r'href="#([^"]+)"', document):
        assert f'id="{anchor}"' in document
    tables = ["audio_fingerprints", "channels", "match_results", "processing_jobs", "videos"]
    assert sorted(re.findall(r'id="table-(\w+)"', document)) == tables
    assert 'href="#table-channels">channels.id</a>' in document
    assert re.findall(r'id="pending-(\w+)"', document) == [SECOND]
    assert len(re.findall("<circle", document)) == 2
    assert len(re.findall(r'<path class="follows"', document)) == 1
    said = text(document)
    assert f"now at {FIRST}" in said
    assert "1 pending migration 0 findings" in said
    assert "The check finds nothing" in said
    assert f"{FIRST} Initial schema. the database is here" in said
    assert "create_index idx_fingerprints_hash_video on audio_fingerprints" in said
    assert "CREATE INDEX " in said
    lock = {"sqlite": "write lock on the database", "mariadb": "INPLACE on audio_fingerprints"}
    backend = project.environment["DATABASE_URL"].partition(":")[0].partition("+")[0]
    assert lock.get(backend, "SHARE") in said


def test_nothing_is_pending_once_all_is_migrated(bake: Callable[..., Project], opened: Open) -> None:
    project = bake(starter="blank")
    project.run("alembic", "upgrade", "head")
    project.run("nox", "-s", "docs", "--", "--html")
    assert "The database is up to date: there is nothing to run." in text(opened(project))
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
        faults.write(History((BASE, Revision(up, "op.drop_index('ix_users_bio', 'users')"))), project.versions)
        project.run(*WRITE)
        (card,) = re.findall(r'(?s)id="pending-r1".*?</article>', opened(project))
        lock = "SHARE UPDATE EXCLUSIVE on users nobody" if safe else "SHARE on users writes"
        assert f"create_index ix_users_bio on users {lock}" in text(card)
        assert ("blocking-index" in text(card)) is not safe


ATTACK = "<script>document.title = 'owned'</script><img src=x onerror=console.log(1)>"


@pytest.fixture
def attacked(bake: Callable[..., Project]) -> Project:
    """A project with markup wherever a name or a text may be."""
    project = bake(starter="blank")
    columns = f"sa.Column({ATTACK!r}, sa.Integer(), primary_key=True, comment={ATTACK!r})"
    models = f"sa.Table({ATTACK!r}, metadata, {columns}, comment={ATTACK!r})"
    faults.write(
        History((Revision(f"op.create_table({ATTACK!r}, {columns})"),), models), project.versions, project.models
    )
    (file,) = project.versions.glob("*.py")
    file.write_text(f'"""{ATTACK}"""\n{file.read_text()}')
    return project


def test_markup_in_a_name_is_text(attacked: Project, opened: Open) -> None:
    attacked.run(*WRITE)
    document = opened(attacked)
    assert "console:" not in document
    assert "<title>Database of soundhash</title>" in document
    assert "<script" not in document
    assert "<img" not in document
    assert document.count("&lt;script&gt;document.title") >= 4


def test_the_browser_would_tell_and_the_policy_holds(attacked: Project, opened: Open) -> None:
    """What the test above looks for is there when names are not escaped; the page's policy still stops it."""
    attacked.edit("scripts/write_page.py", 'default_filters=["h"]', 'default_filters=["str"]')
    attacked.run(*WRITE)
    document = opened(attacked)
    assert "console:" in document
    assert "<img" in document
    assert "<title>Database of soundhash</title>" in document
    attacked.edit("scripts/page.html.mako", "default-src 'none'; style-src 'unsafe-inline'", "")
    attacked.run(*WRITE)
    assert "<title>owned</title>" in opened(attacked)


def test_branches_have_lanes_of_their_own(bake: Callable[..., Project], opened: Open) -> None:
    project = bake()
    project.run(
        "alembic", "revision", "-m", "other", "--rev-id", "c1", "--head", FIRST, "--splice", "--depends-on", SECOND
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
def test_what_can_not_be_written_is_one_line_and_no_page(bake: Callable[..., Project], fault: str) -> None:
    urls = {"server": "postgresql://127.0.0.1:1/lost", "url": "nonsense", "database": "oracle://localhost/lost"}
    project = bake(urls.get(fault))
    if fault == "models":
        project.models.write_text(project.models.read_text() + "\nclass Broken(\n")
    extra = {"folder": ["lost/page.html"], "option": ["docs/page.html", "--lost"]}.get(fault, [])
    done = project.run(*WRITE, *extra, ok=None)
    assert done.returncode == 2
    assert "Traceback" not in done.stdout
    assert done.stdout.splitlines()[-1].partition("error: ")[2]
    assert not list(project.path.rglob("*.html"))
