"""The plan of a deployment: what would run on the configured database and what it would lock."""

from __future__ import annotations

import io
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from lib import faults
from lib.faults import BASE, History, Revision
from lib.migrators import use_stock
from lib.projects import Project
from lib.servers import fresh_database
from migration_guard.cli import main
from migration_guard.planning.table_locks import locks_of
from migration_guard.reading.reader import read_migration

CHECK = ("python", "scripts/check_migrations.py")
PLAN = (*CHECK, "--plan")
FIRST, SECOND = "4c1f0f6a52d3", "b9532a7d8c7a"


def plan(project: Project, *options: str) -> dict[str, Any]:
    """The plan as JSON, with all of it checked, and the exit status that its findings give."""
    done = project.run(*PLAN, "--format", "json", "--output", "plan.json", *options, ok=None)
    made = json.loads((project.path / "plan.json").read_text(encoding="utf-8"))
    assert made["version"] == 1
    assert made["not_checked"] == [], done.stdout
    every = [*made["findings"], *(each for step in made["revisions"] for each in step["findings"])]
    assert done.returncode == any(each["severity"] == "error" for each in every), done.stdout
    return dict(made)


def show(project: Project, form: str = "text") -> str:
    """The plan as people read it, whatever it finds."""
    done = project.run(*PLAN, "--format", form, ok=None)
    assert done.returncode in (0, 1), done.stdout
    return done.stdout


def refused(project: Project) -> str:
    """The one line with which no plan can be made."""
    done = project.run(*PLAN, ok=None)
    assert done.returncode == 2, done.stdout
    assert done.stdout.startswith("error: ")
    assert done.stdout.count("\n") == 1
    return done.stdout


def state(url: str) -> list[object]:
    """All tables and what is in them."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    metadata = sa.MetaData()
    with engine.connect() as connection:
        metadata.reflect(connection)
        return [
            (table.name, connection.execute(table.select()).all())
            for table in metadata.sorted_tables
        ]


# --- what would run


def test_the_sql_is_what_alembic_prints_and_what_is_done_is_left_out(project: Project) -> None:
    whole = plan(project)
    assert whole["current"] == []
    assert [(each["revision"], each["message"]) for each in whole["revisions"]] == [
        (FIRST, "Initial schema."),
        (SECOND, "Add composite indexes for performance."),
    ]
    printed = project.sh("alembic upgrade head --sql 2>/dev/null").stdout
    assert "\n\n".join(each["sql"] for each in whole["revisions"]) == printed.strip()
    project.run("alembic", "upgrade", FIRST)
    (rest,) = plan(project)["revisions"]
    assert rest["sql"] == whole["revisions"][1]["sql"]
    text = show(project)
    assert f"now at {FIRST}: 1 revision to run." in text
    assert (
        f"{SECOND} Add composite indexes for performance. (alembic/versions/{SECOND}_add_composite"
        in text
    )
    assert "create_index idx_fingerprints_hash_video on audio_fingerprints" in text
    assert "    CREATE INDEX " in text
    project.run("alembic", "upgrade", "head")
    assert f"now at {SECOND}: nothing to run." in show(project)
    assert plan(project)["revisions"] == []


def test_the_database_stays_as_it_is(project: Project) -> None:
    project.run("alembic", "upgrade", FIRST)
    url = project.environment["DATABASE_URL"]
    before = state(url)
    assert plan(project)["revisions"]
    assert state(url) == before


def test_an_sqlite_database_that_is_not_there_is_not_made(bake: Callable[..., Project]) -> None:
    project = bake()
    assert len(plan(project)["revisions"]) == 2
    assert not list(project.path.glob("*.db*"))


def test_an_sqlite_file_is_not_touched(bake: Callable[..., Project]) -> None:
    project = bake()
    project.run("alembic", "upgrade", FIRST)
    before = {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in project.path.glob("*.db*")
    }
    assert plan(project)["current"] == [FIRST]
    assert {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in project.path.glob("*.db*")
    } == before


@pytest.fixture(params=["postgresql", "mariadb"])
def reader(
    request: pytest.FixtureRequest, bake: Callable[..., Project], tmp_path: Path
) -> Iterator[Project]:
    """A project at its first revision, whose user may read the version tables and nothing else."""
    for url in fresh_database(request.param, tmp_path):
        project = bake(url)
        project.run("alembic", "upgrade", FIRST)
        made = sa.make_url(url)
        user = f"{made.database}_reader"[-32:]  # no longer for MySQL
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            if request.param == "postgresql":
                connection.exec_driver_sql(f"CREATE ROLE {user} LOGIN PASSWORD 's3cr3t-word'")
                user_at = user
            else:
                user_at = f"'{user}'@'%%'"
                connection.exec_driver_sql(f"CREATE USER {user_at} IDENTIFIED BY 's3cr3t-word'")
            for table in ("alembic_version", "alembic_journal"):
                connection.exec_driver_sql(f"GRANT SELECT ON {table} TO {user_at}")
            project.environment["DATABASE_URL"] = made.set(
                username=user, password="s3cr3t-word"
            ).render_as_string(hide_password=False)
            yield project
            if request.param == "postgresql":
                connection.exec_driver_sql(f"DROP OWNED BY {user}")
            connection.exec_driver_sql(f"DROP USER {user_at}")


def test_a_user_who_may_only_read_can_plan_and_no_output_holds_the_password(
    reader: Project,
) -> None:
    reader.run(*PLAN, "--format", "json", "--output", "plan.json", ok=None)
    made = json.loads((reader.path / "plan.json").read_text(encoding="utf-8"))
    assert [each["revision"] for each in made["revisions"]] == [SECOND]
    output = "".join(
        reader.run(*PLAN, "--format", name, ok=None).stdout for name in ("text", "json", "markdown")
    )
    reader.environment["DATABASE_URL"] += "_lost"
    assert "can't be read" in (error := refused(reader))
    assert "s3cr3t" not in output + error
    assert "***" in error


def test_a_migrator_at_work_is_not_waited_for(bake: Callable[..., Project], tmp_path: Path) -> None:
    for url in fresh_database("postgresql", tmp_path):
        project = bake(url)
        with sa.create_engine(url, poolclass=sa.pool.NullPool).connect() as connection:
            assert connection.exec_driver_sql(
                "SELECT pg_try_advisory_lock(1835624306, 1635017076)"
            ).scalar()
            assert len(plan(project)["revisions"]) == 2


READS = "rows = op.get_bind().execute(sa.text('SELECT 1')).all()\nop.execute(f'SELECT {len(rows)}')"
BATCH = (
    "with op.batch_alter_table('users') as users:\n"
    "    users.alter_column('name', existing_type=sa.String(50), type_=sa.Text())"
)


def text_of(project: Project, name: str) -> list[str]:
    (path,) = project.versions.glob(f"{name}*")
    return path.read_text().splitlines()


def test_what_can_not_be_printed_says_so_and_the_others_are(
    bake: Callable[..., Project], database_url: str
) -> None:
    project = bake(database_url, starter="blank")
    faults.write(
        History((BASE, Revision(READS), Revision("op.drop_table('orders')"))), project.versions
    )
    first, second, third = plan(project)["revisions"]
    assert first["problem"] is None
    assert second["sql"] is None
    reads = next(
        i for i, line in enumerate(text_of(project, "001_r1"), 1) if "op.get_bind()" in line
    )
    where = f"alembic/versions/001_r1.py:{reads}"
    assert (
        second["problem"]
        == f"this revision reads the database ({where}), so its SQL is unknown before it runs"
    )
    assert [each["line"] for each in second["operations"]] == [reads, reads + 1]
    assert [found["rule"] for found in second["findings"]][:1] == ["offline-unsafe"]
    assert "DROP TABLE orders" in third["sql"]
    text = show(project)
    assert "SQL: this revision reads the database" in text
    assert "Traceback" not in text


def test_what_asks_for_offline_mode_may_run_more_than_is_printed(
    bake: Callable[..., Project],
) -> None:
    project = bake(starter="blank")
    more = "op.execute('SELECT 1')\nif not op.get_context().as_sql:\n    op.execute('SELECT 2')"
    faults.write(History((BASE, Revision(more))), project.versions)
    first, second = plan(project)["revisions"]
    assert first["problem"] is None
    assert ("SELECT 1" in second["sql"], "SELECT 2" in second["sql"]) == (True, False)
    says = "001_r1.py checks for offline mode: on a database it may run more than this"
    assert second["problem"].endswith(says)
    for form in ("text", "markdown"):
        text = show(project, form)
        assert text.index("SELECT 1") < text.index("checks for offline mode")


def test_a_batch_that_copies_a_table_of_sqlite_is_shown_without_sql(
    bake: Callable[..., Project],
) -> None:
    project = bake(starter="blank")
    faults.write(History((BASE, Revision(BATCH))), project.versions)
    last = plan(project)["revisions"][1]
    where = next(
        i for i, line in enumerate(text_of(project, "001_r1"), 1) if "with op.batch" in line
    )
    problem = (
        f"this revision copies a table (alembic/versions/001_r1.py:{where}), "
        "so its SQL is unknown before it runs"
    )
    assert last["problem"].startswith(problem)
    (operation,) = last["operations"]
    assert operation["operation"] == "alter_column"
    assert operation["locks"] == [
        {
            "table": "the database",
            "mode": "write lock, table copied",
            "blocks": "writes",
            "rows": None,
            "megabytes": None,
        }
    ]


def test_branches_and_the_empty_revision_that_merges_them(
    bake: Callable[..., Project], database_url: str
) -> None:
    project = bake(database_url)
    project.run("alembic", "revision", "-m", "other", "--rev-id", "c1", "--head", FIRST, "--splice")
    project.run("alembic", "merge", "-m", "both", "--rev-id", "d1", "c1", SECOND)
    project.run("alembic", "upgrade", "c1")
    made = plan(project)
    assert made["current"] == ["c1"]
    assert [(each["revision"], each["problem"]) for each in made["revisions"]] == [
        (SECOND, None),
        ("d1", None),
    ]
    assert made["revisions"][1]["operations"] == []
    assert "DELETE FROM alembic_version" in made["revisions"][1]["sql"]


def test_the_table_that_the_first_migration_makes_beside_them_is_shown(project: Project) -> None:
    first = plan(project)["first"]
    assert "CREATE TABLE alembic_journal" in first
    assert first.replace("\n", "\n    ") in show(project)
    assert first in show(project, "markdown")
    project.run("alembic", "upgrade", FIRST)
    assert plan(project)["first"] is None, "it is there"
    project.run("alembic", "upgrade", "head")
    assert "alembic_journal" not in show(project)


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_the_table_of_a_lease_is_shown_where_the_lock_is_one(project: Project) -> None:
    assert "alembic_lease" not in plan(project)["first"]
    project.environment["MIGRATION_LEASE_ONLY"] = "1"
    first = plan(project)["first"]
    assert first.index("CREATE TABLE alembic_lease") < first.index("CREATE TABLE alembic_journal")
    project.run("alembic", "upgrade", FIRST)
    assert plan(project)["first"] is None


def test_no_table_is_shown_that_env_py_does_not_create(
    bake: Callable[..., Project], tmp_path: Path
) -> None:
    project = bake(f"sqlite:///{tmp_path / 'plain.db'}")
    assert "alembic_journal" in plan(project)["first"]
    assert plan(use_stock(project))["first"] is None


# --- what can not be planned


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "mongodb://host/name",
            (
                "DATABASE_URL: unknown database or driver mongodb; use sqlite, postgresql, "
                "mariadb or mysql."
            ),
        ),
        (
            "postgresql+nosuch://host/name",
            "DATABASE_URL: unknown database or driver postgresql+nosuch; use sqlite",
        ),
        (
            "oracle://host/name",
            "The driver oracledb is not installed: add it to the project's dependencies.",
        ),
    ],
)
def test_an_unknown_database_gives_the_same_line_as_the_check(
    bake: Callable[..., Project], url: str, expected: str
) -> None:
    project = bake(url)
    line = refused(project)
    assert expected in line
    assert project.run("python", "scripts/check_migrations.py", ok=False).stdout == line


def test_a_folder_that_is_not_there_is_one_line(bake: Callable[..., Project]) -> None:
    assert (
        refused(bake("sqlite:////nowhere/x.db"))
        == "error: The folder /nowhere is missing: create it, or fix DATABASE_URL.\n"
    )


@pytest.mark.parametrize(
    "typo", ["op.ad_column('orders', sa.Column('n', sa.Integer()))", "opp.drop_table('orders')"]
)
def test_a_name_that_is_not_there_stops_the_plan(bake: Callable[..., Project], typo: str) -> None:
    project = bake(starter="blank")
    faults.write(History((BASE, Revision(typo))), project.versions)
    line = next(i for i, line in enumerate(text_of(project, "001_r1"), 1) if typo in line)
    assert refused(project).startswith(
        f"error: alembic/versions/001_r1.py:{line}: upgrade() of r1 fails: "
    )


def test_a_duplicate_revision_does_not_ask_for_a_merge(
    bake: Callable[..., Project],
) -> None:
    project = bake()
    (file,) = project.versions.glob(f"{SECOND}*.py")
    (project.versions / "copy.py").write_text(file.read_text())
    output = project.run("alembic", "upgrade", "head", ok=False).stdout
    message = f"Revision {SECOND} is in several files: give each file its own identifier"
    assert f"FAILED: {message}" in output


def test_a_revision_that_the_code_has_not_is_one_line(project: Project) -> None:
    project.run("alembic", "upgrade", "head")
    (file,) = project.versions.glob(f"{SECOND}*.py")
    file.unlink()
    message = refused(project).removeprefix("error: ")
    assert message.startswith(
        f"Can't locate revision {SECOND}: no migration in this checkout has it. Pull the "
        "latest code"
    )
    for command in (("upgrade", "head"), ("current",), ("downgrade", "-1")):
        assert project.run("alembic", *command, ok=False).stdout.endswith(f"FAILED: {message}")


def test_what_would_stop_the_upgrade_stops_the_plan(bake: Callable[..., Project]) -> None:
    project = bake()
    project.run("alembic", "upgrade", FIRST)
    (file,) = project.versions.glob(f"{FIRST}*.py")
    project.edit(file, "sa.String(500)", "sa.String(400)")
    assert "was edited after it was applied" in refused(project)


def test_two_heads_are_one_line_with_the_remedy(bake: Callable[..., Project]) -> None:
    project = bake()
    project.run("alembic", "revision", "-m", "other", "--head", FIRST, "--splice")
    remedy = re.search(r"2 heads: .*alembic merge -m .*\n", refused(project))
    assert remedy
    for command in (
        "upgrade head",
        "upgrade head --sql",
        "stamp head",
        "revision --autogenerate -m x",
    ):
        assert project.run("alembic", *command.split(), ok=False).stdout.endswith(
            f"FAILED: {remedy[0]}"
        ), command
    project.run("alembic", "upgrade", "heads")
    project.run("alembic", "revision", "--autogenerate", "-m", "x", "--head", SECOND)


SQLITE_CANNOT = (
    "SQLite has no ALTER TABLE for this: use op.batch_alter_table(), which copies the table"
)


@pytest.mark.parametrize(
    ("upgrade", "why"),
    [
        (
            "op.alter_column('users', 'name', existing_type=sa.String(50), type_=sa.Text())",
            SQLITE_CANNOT,
        ),
        ("op.create_unique_constraint('uq_users_name', 'users', ['name'])", SQLITE_CANNOT),
        ("op.execute('ALTER TABEL users ADD x INTEGER')", 'near "TABEL": syntax error'),
        ("op.alter_column('users', 'name', new_column_name='title')", None),
    ],
    ids=["type", "constraint", "syntax", "rename"],
)
def test_what_sqlite_cannot_run_is_one_line_with_its_place(
    bake: Callable[..., Project], upgrade: str, why: str | None
) -> None:
    project = bake(starter="blank")
    faults.write(History((BASE, Revision(upgrade))), project.versions)
    if why is None:
        assert plan(project)["revisions"][1]["sql"]
        project.run("alembic", "upgrade", "head")
        return
    line = next(i for i, text in enumerate(text_of(project, "001_r1"), 1) if upgrade in text)
    message = f"alembic/versions/001_r1.py:{line}: upgrade() of r1 fails: {why}\n"
    assert refused(project) == f"error: {message}"
    assert f"error: {message}" in project.run(*CHECK, ok=False).stdout
    assert ("with op.batch" in project.run(*CHECK, "--roundtrip", ok=False).stdout) is (
        why == SQLITE_CANNOT
    )
    failed = project.run("alembic", "upgrade", "head", ok=False).stdout.splitlines()[-1]
    assert failed.startswith(f"FAILED: alembic/versions/001_r1.py:{line}: ")
    assert failed.endswith(why)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--static"], "--plan can't run with --static, --roundtrip or --write-baseline."),
        (["--roundtrip"], "--plan can't run with --static, --roundtrip or --write-baseline."),
        (["--format", "sarif"], "--format sarif: with --plan use text, json or markdown."),
    ],
)
def test_options_that_do_not_go_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    assert main(tmp_path, ["--plan", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert expected in error


def test_a_check_is_not_markdown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(tmp_path, ["--format", "markdown"]) == 2
    error = "error: --format markdown needs --plan.\n"
    assert capsys.readouterr() == ("", error)


# --- what it locks, and what the rules say

INDEX = "op.create_index('ix_users_bio', 'users', ['bio'])"
SAFE = """
with op.get_context().autocommit_block():
    op.create_index('ix_users_bio', 'users', ['bio'], postgresql_concurrently=True)
"""


@pytest.mark.parametrize(
    ("upgrade", "mode", "blocks", "rules"),
    [
        (INDEX, "SHARE", "writes", ["blocking-index"]),
        (SAFE, "SHARE UPDATE EXCLUSIVE", "nobody", []),
    ],
    ids=["blocking", "safe"],
)
def test_an_index_that_blocks_and_one_that_does_not(
    bake: Callable[..., Project],
    tmp_path: Path,
    upgrade: str,
    mode: str,
    blocks: str,
    rules: list[str],
) -> None:
    for url in fresh_database("postgresql", tmp_path):
        project = bake(
            url, starter="blank"
        )  # on SQLite by its settings: the plan is of the database that is configured
        faults.write(
            History((BASE, Revision(upgrade, "op.drop_index('ix_users_bio', 'users')"))),
            project.versions,
        )
        (operation,) = plan(project)["revisions"][1]["operations"]
        assert operation["locks"] == [], "nobody uses a table that is to come"
        project.run("alembic", "upgrade", "r0")
        (last,) = plan(project)["revisions"]
        (operation,) = last["operations"]
        (lock,) = operation["locks"]
        assert (lock["table"], lock["mode"], lock["blocks"]) == ("users", mode, blocks)
        assert [
            found["rule"] for found in last["findings"] if found["function"] == "upgrade"
        ] == rules
        text = show(project)
        assert (
            f"create_index ix_users_bio on users: {mode} on users (blocks {blocks}; about "
            "0 rows, 0.0 MB)"
        ) in text
        assert ("error blocking-index" in text) is bool(rules)


def test_a_suppressed_finding_is_shown_as_such(
    bake: Callable[..., Project], tmp_path: Path
) -> None:
    for url in fresh_database("postgresql", tmp_path):
        project = bake(url, starter="blank")
        line = f"{INDEX}  # migration-guard: ignore[blocking-index] ten rows"
        faults.write(
            History((BASE, Revision(line, "op.drop_index('ix_users_bio', 'users')"))),
            project.versions,
        )
        last = plan(project)["revisions"][1]
        assert last["findings"] == []
        assert [found["rule"] for found in last["suppressed"]] == ["blocking-index"]
        assert "suppressed: blocking-index" in show(project)


def test_markdown_holds_no_markup_of_a_name(bake: Callable[..., Project]) -> None:
    project = bake()
    name = "a|b`<img src=x onerror=alert(1)>"
    select = f'SELECT 1 AS "{name}"'
    up = (
        f"op.execute({select!r})\n"
        f"op.create_table({name!r}, sa.Column('id', sa.Integer(), primary_key=True))"
    )
    faults.write(History((Revision(up),)), project.versions)
    (file,) = project.versions.glob("*.py")
    file.write_text(f'"""<b>bold</b> | [x](y)"""\n{file.read_text()}')
    made = show(project, "markdown")
    assert made.startswith("## Migration plan\n")
    table = [line for line in made.splitlines() if line.startswith("| ") and "create_table" in line]
    assert [line.count("|") for line in table] == [4]
    outside = re.sub(r"(?ms)^(`{3,})sql\n.*?^\1$", "", made)
    assert "<img" not in outside
    assert "<b>" not in outside
    assert "````sql" in made.replace("```sql", "````sql")


@pytest.mark.parametrize("fits", [True, False])
def test_markdown_is_cut_between_revisions_to_what_a_comment_may_hold(
    bake: Callable[..., Project], fits: bool
) -> None:
    project = bake(starter="blank")
    column = "sa.Column('id', sa.Integer(), primary_key=True)"
    long = [
        f"op.create_table('t{i}', {column}, comment={'c' * 9000!r})"
        for i in range(2 if fits else 4)
    ]
    wide = [f"op.execute(\"UPDATE t SET a = '{'é' * 18000}'\")" for _ in long]
    faults.write(
        History(tuple(map(Revision, [f"{a}\n{b}" for a, b in zip(long, wide, strict=True)]))),
        project.versions,
    )
    made = show(project, "markdown")
    assert len(made) <= 65536
    shown = made.count("\n### ")
    left = f"{len(long) - shown} of {len(long)} revisions are left out"
    assert shown == 2 if fits else 0 < shown < 4
    assert (left in made) is not fits
    assert (made.count("<details>"), made.count("</details>")) == (shown, shown)
    assert fits or "--plan --format text" in made.splitlines()[-1]


def operations(text: str, dialect: str) -> list[Any]:
    lines = "\n".join(f"    {line}" for line in text.splitlines())
    source = (
        "import sqlalchemy as sa\nfrom alembic import op\nrevision = 'a'\n"
        f"down_revision = None\ndef upgrade():\n{lines}"
    )
    return read_migration("a.py", source=source, dialects=(dialect,)).operations


def locks(text: str, dialect: str) -> dict[str, str]:
    found = locks_of(operations(text, dialect)[-1], dialect, set())
    assert found is not None
    return {lock.table: lock.mode for lock in found}


def run(text: str, context: MigrationContext) -> None:
    with Operations.context(context) as op:
        exec(text, {"op": op, "sa": sa})


POSTGRESQL_MODES = (
    "AccessShare",
    "RowShare",
    "RowExclusive",
    "ShareUpdateExclusive",
    "Share",
    "ShareRowExclusive",
)
POSTGRESQL_MODES += ("Exclusive", "AccessExclusive")
ON_POSTGRESQL = (
    "op.add_column('a', sa.Column('n', sa.Integer()))",
    "op.add_column('a', sa.Column('n', sa.Integer(), sa.ForeignKey('b.id')))",
    "op.drop_column('a', 'x')",
    "op.alter_column('a', 'x', nullable=False)",
    "op.alter_column('a', 'x', type_=sa.BigInteger())",
    "op.alter_column('a', 'x', server_default='3')",
    "op.alter_column('a', 'x', new_column_name='z')",
    "op.alter_column('a', 'x', comment='what it is')",
    "op.create_table_comment('a', 'what it is')",
    "op.create_index('i', 'a', ['x'])",
    "op.drop_index('ix_a_x', 'a')",
    "op.create_foreign_key('f', 'a', 'b', ['x'], ['id'])",
    "op.create_foreign_key('f', 'a', 'b', ['x'], ['id'], postgresql_not_valid=True)",
    "op.execute('ALTER TABLE a VALIDATE CONSTRAINT c')",
    "op.create_check_constraint('k', 'a', 'x > 0')",
    "op.create_unique_constraint('u', 'a', ['x'])",
    "op.drop_constraint('c', 'a')",
    "op.create_table('n', sa.Column('id', sa.Integer(), primary_key=True))",
    "op.create_table('n', sa.Column('b_id', sa.Integer(), sa.ForeignKey('b.id')))",
    "op.execute('UPDATE a SET x = 1 WHERE id = 3')",
    "op.execute('INSERT INTO a (id) VALUES (9)')",
    "op.execute('TRUNCATE a')",
    "op.drop_table('a')",
)


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    for url in fresh_database("postgresql", tmp_path_factory.mktemp("locks")):
        yield sa.create_engine(url, poolclass=sa.pool.NullPool)


@pytest.mark.parametrize("text", ON_POSTGRESQL)
def test_postgresql_takes_the_predicted_lock(postgresql: sa.Engine, text: str) -> None:
    with postgresql.connect() as connection:
        for sql in (
            "CREATE TABLE IF NOT EXISTS b (id int PRIMARY KEY)",
            (
                "CREATE TABLE IF NOT EXISTS a (id int PRIMARY KEY, x int, "
                "CONSTRAINT c CHECK (x > 0) NOT VALID)"
            ),
            "CREATE INDEX IF NOT EXISTS ix_a_x ON a (x)",
        ):
            connection.exec_driver_sql(sql)
        connection.commit()
        oids = dict(
            connection.execute(
                sa.text("SELECT oid, relname FROM pg_class WHERE relname IN ('a', 'b')")
            ).all()
        )
        connection.commit()
        run(text, MigrationContext.configure(connection))
        query = (
            "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation IS "
            "NOT NULL"
        )
        held: dict[str, str] = {}
        for oid, mode in connection.exec_driver_sql(query):
            name, mode = oids.get(oid), mode.removesuffix("Lock")
            if name and POSTGRESQL_MODES.index(mode) > POSTGRESQL_MODES.index(
                held.get(name, "AccessShare")
            ):
                held[name] = mode
        connection.rollback()
    predicted = {
        table: mode.title().replace(" ", "") for table, mode in locks(text, "postgresql").items()
    }
    assert predicted == {
        table: mode for table, mode in held.items() if mode != "RowShare"
    }  # RowShare blocks nobody


ON_MARIADB = {
    (
        "op.add_column('a', sa.Column('n', sa.Integer(), nullable=False, server_default='3'))"
    ): "INSTANT",
    "op.drop_column('a', 'y')": "INPLACE",
    "op.alter_column('a', 'y', existing_type=sa.Integer(), nullable=False)": "INPLACE",
    "op.alter_column('a', 'y', existing_type=sa.Integer(), server_default='3')": "INPLACE",
    "op.alter_column('a', 'y', existing_type=sa.Integer(), new_column_name='z')": "INPLACE",
    "op.alter_column('a', 's', existing_type=sa.String(20), type_=sa.String(30))": "INPLACE",
    "op.alter_column('a', 's', existing_type=sa.String(20), type_=sa.String(10))": "COPY",
    "op.alter_column('a', 'y', existing_type=sa.Integer(), type_=sa.BigInteger())": "COPY",
    "op.create_index('i', 'a', ['y'])": "INPLACE",
    "op.drop_index('ix_a_y', 'a')": "INPLACE",
    "op.create_unique_constraint('u', 'a', ['y'])": "INPLACE",
    "op.drop_constraint('c', 'a', type_='check')": "INPLACE",
    "op.drop_constraint('f', 'a', type_='foreignkey')": "INPLACE",
    "op.create_foreign_key('g', 'a', 'b', ['y'], ['id'])": "COPY",
    "op.create_check_constraint('k', 'a', 'y > 0')": "COPY",
    "op.drop_constraint('PRIMARY', 'a', type_='primary')": "COPY",
    "op.create_table_comment('a', 'what it is')": "INPLACE",
}


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    for url in fresh_database("mariadb", tmp_path_factory.mktemp("locks")):
        yield sa.create_engine(url, poolclass=sa.pool.NullPool)


@pytest.mark.parametrize(("text", "mode"), ON_MARIADB.items())
def test_mariadb_alters_as_predicted(mariadb: sa.Engine, text: str, mode: str) -> None:
    assert locks(text, "mariadb") == {"a": mode}
    printed = io.StringIO()
    run(
        text,
        MigrationContext.configure(
            dialect_name="mariadb", opts={"as_sql": True, "output_buffer": printed}
        ),
    )
    statement = printed.getvalue().strip().rstrip(";")
    if statement.startswith("DROP INDEX"):
        statement = f"ALTER TABLE a {statement.removesuffix(' ON a')}"
    comma = "" if statement.startswith("CREATE") else ","
    with mariadb.connect() as connection:
        for sql in (
            "DROP TABLE IF EXISTS a, b",
            "CREATE TABLE b (id int PRIMARY KEY)",
            "CREATE TABLE a (id int PRIMARY KEY, x int, y int, s varchar(20), KEY ix_a_y (y), "
            "KEY (x),"
            " CONSTRAINT c CHECK (x > 0), CONSTRAINT f FOREIGN KEY (x) REFERENCES b (id))",
        ):
            connection.exec_driver_sql(sql)
        if mode == "COPY":
            with pytest.raises(sa.exc.DBAPIError, match=r"(?i)not supported|try algorithm=copy"):
                connection.exec_driver_sql(f"{statement}{comma} ALGORITHM=INPLACE")
            connection.exec_driver_sql(statement)
        else:
            lock = (
                "" if mode == "INSTANT" else f"{comma} LOCK=NONE"
            )  # MySQL does not know this word
            connection.exec_driver_sql(f"{statement}{comma} ALGORITHM={mode}{lock}")


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        (
            "op.add_column('a', sa.Column('n', sa.Uuid(), server_default=sa.text('uuid()')))",
            "mariadb",
        ),
        ("op.alter_column('a', 'x', type_=sa.Text())", "mariadb"),
        ("op.execute('ALTER TABLE a SET (fillfactor = 50)')", "postgresql"),
        ("import os\nop.drop_table(os.environ['TABLE'])", "postgresql"),
        ("op.execute('GRANT SELECT ON a TO b')", "sqlite"),
    ],
)
def test_what_is_not_known_is_not_guessed(text: str, dialect: str) -> None:
    assert locks_of(operations(text, dialect)[-1], dialect, set()) is None


def test_a_table_of_the_same_migration_is_locked_for_nobody() -> None:
    column = "sa.Column('id', sa.Integer(), primary_key=True)"
    index = operations(
        f"op.create_table('n', {column})\nop.create_index('i', 'n', ['id'])", "postgresql"
    )[-1]
    assert locks_of(index, "postgresql", {"n"}) == []
    key = operations("op.create_foreign_key('f', 'n', 'a', ['id'], ['id'])", "postgresql")[-1]
    assert [lock.table for lock in locks_of(key, "postgresql", {"n"}) or []] == ["a"]


def test_a_write_of_sqlite_blocks_other_writers(tmp_path: Path) -> None:
    assert locks("op.create_index('i', 'a', ['x'])", "sqlite") == {"the database": "write lock"}
    one, other = (
        sqlite3.connect(tmp_path / "a.db", isolation_level=None, timeout=0) for _ in range(2)
    )
    one.execute("CREATE TABLE a (x)")
    one.execute("BEGIN")
    one.execute("CREATE INDEX i ON a (x)")
    assert other.execute("SELECT * FROM a").fetchall() == []
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("INSERT INTO a VALUES (1)")
    one.close()
    other.close()


def test_nox_plan_is_the_short_way(bake: Callable[..., Project]) -> None:
    project = bake()
    assert "2 revisions to run" in project.run("nox", "-s", "plan").stdout
    assert not list(project.path.glob("*.db*"))
