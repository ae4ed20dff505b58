"""What a user sees of `nox -s roundtrip`: nothing on a new project, one line where it can't run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from lib import faults
from lib.faults import BASE, History, Revision, sql
from lib.projects import Project
from lib.servers import fresh_database, mariadb_only
from migration_guard.running.schema.snapshots import snapshot_of

GUARD = ("python", "scripts/check_migrations.py", "--roundtrip")


def write(project: Project, *revisions: Revision) -> None:
    faults.write(History(revisions), project.versions)


def roundtrip(project: Project, *options: str, **environment: str) -> list[dict[str, Any]]:
    done = project.run(
        *GUARD, "--format", "json", "--output", "report.json", *options, ok=None, **environment
    )
    assert done.returncode in (0, 1), done.stdout
    return list(json.loads((project.path / "report.json").read_text())["findings"])


@pytest.fixture
def blank(bake: Callable[..., Project]) -> Project:
    return bake(starter="blank")


@pytest.mark.parametrize("starter", ["soundhash", "blank"])
def test_a_new_project_is_clean(
    bake: Callable[..., Project], database_url: str, starter: str
) -> None:
    project = bake(database_url, starter=starter)
    assert roundtrip(project) == []
    assert "Clean" in project.run("python", "scripts/check_migrations.py").stdout


def test_the_configured_database_is_left_alone(
    bake: Callable[..., Project], tmp_path: Path
) -> None:
    database = tmp_path / "mine.db"
    project = bake(f"sqlite:///{database}")
    assert roundtrip(project) == []
    assert not database.exists()


FORGOTTEN = Revision("op.create_index('ix_note', 'orders', ['note'])")
OTHER = Revision("op.create_index('ix_status', 'users', ['status'])")


def test_each_fault_is_named_once_at_its_own_revision(blank: Project) -> None:
    write(blank, BASE, FORGOTTEN, OTHER)
    assert [(found["revision"], found["rule"]) for found in roundtrip(blank)] == [
        ("r1", "downgrade-differs"),
        ("r2", "downgrade-differs"),
    ]


def test_only_one_revision(blank: Project) -> None:
    write(blank, BASE, FORGOTTEN, OTHER)
    assert {found["revision"] for found in roundtrip(blank, "-k", "r2")} == {"r2"}


def test_a_revision_that_is_not_there_is_one_line(blank: Project) -> None:
    done = blank.run(*GUARD, "-k", "nothing", ok=None)
    assert done.returncode == 2
    assert done.stdout.startswith("error: -k nothing: 0 revisions match: ")
    assert len(done.stdout.splitlines()) == 1


def test_only_what_is_new_since_a_commit(blank: Project) -> None:
    write(blank, BASE, FORGOTTEN)
    blank.sh("git init -q && git add . && git -c user.name=a -c user.email=a@b commit -qm old")
    assert roundtrip(blank, "--since", "HEAD") == []
    write(blank, BASE, FORGOTTEN, OTHER)
    assert {found["revision"] for found in roundtrip(blank, "--since", "HEAD")} == {"r2"}
    done = blank.run(*GUARD, "--since", "nowhere", ok=None)
    assert done.returncode == 2
    assert "--since nowhere" in done.stdout
    assert "Traceback" not in done.stdout
    hook = {
        "GIT_DIR": "/nowhere/.git",
        "GIT_INDEX_FILE": "/nowhere/index",
    }  # as git sets them, for another repository
    assert {found["revision"] for found in roundtrip(blank, "--since", "HEAD", **hook)} == {"r2"}


def test_since_a_commit_without_git_is_one_line(blank: Project) -> None:
    done = blank.run(sys.executable, *GUARD[1:], "--since", "HEAD", ok=None, PATH="/nowhere")
    assert done.returncode == 2
    assert done.stdout.startswith("error: --since HEAD: ")
    assert len(done.stdout.splitlines()) == 1


def test_a_finding_is_suppressed_at_the_function(blank: Project) -> None:
    write(blank, BASE, FORGOTTEN)
    blank.edit(
        "alembic/versions/001_r1.py",
        "def downgrade",
        "# migration-guard: ignore[downgrade-differs] kept on purpose\ndef downgrade",
    )
    assert roundtrip(blank) == []


POSTS = Revision(
    """op.create_table(
        'posts',
        sa.Column('id', sa.Integer, primary_key=True),
        sa.Column('title', sa.String(80)),
        sa.Column('user_id', sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name='fk_user'),
    )""",
    "op.drop_table('posts')",
)


@pytest.mark.parametrize(
    ("table", "column", "before"), [("users", "name", []), ("posts", "title", [POSTS])]
)
def test_it_says_how_to_reproduce_a_failure(
    blank: Project, table: str, column: str, before: list[Revision]
) -> None:
    unique = f"op.create_index('ix', '{table}', ['{column}'], unique=True)"
    write(blank, BASE, *before, Revision(unique, f"op.drop_index('ix', '{table}')"))
    (found,) = roundtrip(blank)
    assert found["rule"] == "upgrade-fails"
    assert f"CREATE UNIQUE INDEX ix ON {table} ({column})" in found["message"]
    commands = found["fix"].partition("To reproduce, in an empty database:\n")[2].splitlines()
    for command in commands:
        assert f"\n    {command}\n" in blank.run(*GUARD, ok=False).stdout, (
            "one a line, to be copied"
        )
    assert all(command.endswith(";") for command in commands if not command.startswith("alembic "))
    assert commands[0] == "alembic upgrade r0"
    assert commands[-1] == f"alembic upgrade r{1 + len(before)}"
    assert "x" * 30 not in found["fix"], "a function stands for values of full length"
    insert = "python insert.py <<'END'\n{}\nEND"
    script = "\n".join(
        command if command.startswith("alembic") else insert.format(command) for command in commands
    )
    (blank.path / "insert.py").write_text(
        "import sqlite3, sys\nwith sqlite3.connect('again.db') as connection:\n"
        "    connection.execute('PRAGMA foreign_keys = ON')\n"
        "    connection.execute(sys.stdin.read())\n"
    )
    done = blank.sh(script, ok=None, DATABASE_URL=f"sqlite:///{blank.path / 'again.db'}")
    assert f"UNIQUE constraint failed: {table}.{column}" in done.stdout
    assert "insert.py" not in done.stdout


@pytest.mark.parametrize(
    ("upgrade", "remedy"),
    [
        (
            "op.add_column('user', sa.Column('x', sa.Integer))",
            "the schema that the revisions before it create",
        ),
        (
            "op.add_column('users', sa.Column('x', sa.Integer, nullable=False))",
            "The test rows include",
        ),
        ("op.create_index('ix', 'users', ['name'], unique=True)", "The test rows include"),
    ],
)
def test_the_fix_mentions_rows_if_they_are_the_cause(
    blank: Project, upgrade: str, remedy: str
) -> None:
    write(blank, BASE, Revision(upgrade, "raise NotImplementedError"))
    assert remedy in next(
        each["fix"] for each in roundtrip(blank) if each["rule"] == "upgrade-fails"
    )


def test_only_the_beginning_of_a_long_statement_is_reported(blank: Project) -> None:
    write(
        blank,
        BASE,
        Revision(f"op.execute('INSERT INTO lost VALUES {', '.join('(1)' for _ in range(999))}')"),
    )
    (found,) = roundtrip(blank)
    assert "in: INSERT INTO lost VALUES (1), (1)" in found["message"]
    assert found["message"].endswith(" ...")
    assert len(found["message"]) < 500


def test_the_scratch_database_of_a_failure_is_kept_where_that_is_asked(
    blank: Project, tmp_path: Path
) -> None:
    write(blank, BASE, FORGOTTEN)
    folder = tmp_path / "temporary"
    folder.mkdir()
    blank.run(*GUARD, ok=False, TMPDIR=str(folder))
    assert list(folder.iterdir()) == []
    done = blank.run(*GUARD, "--keep", ok=False, TMPDIR=str(folder))
    (kept,) = folder.glob("migration_guard_*/scratch.db")
    assert str(kept) in done.stdout


def test_a_table_for_which_no_row_can_be_made_is_named(blank: Project) -> None:
    for condition, named in (
        ("length(code) = 32 AND code LIKE 'zq%zq%q'", True),
        ("length(code) = 32", False),
    ):
        made = (
            "sa.Column('code', sa.String(40), nullable=False), "
            f"sa.CheckConstraint({condition!r}, name='ck_t')"
        )
        write(
            blank,
            Revision(
                f"op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), {made})",
                "op.drop_table('t')",
            ),
        )
        findings = roundtrip(blank)
        assert [(found["rule"], found["severity"]) for found in findings] == [
            ("table-without-rows", "note")
        ] * named
        assert all("table t" in found["message"] for found in findings)


ROWS = """
op.create_table(
    "kinds",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("name", sa.String(8), unique=True),
)
op.create_table(
    "things",
    sa.Column("tenant", sa.SmallInteger(), primary_key=True, autoincrement=False),
    sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Integer(), sa.ForeignKey("kinds.id", name="fk_kind"), nullable=False),
    sa.Column("parent_tenant", sa.SmallInteger()),
    sa.Column("parent_id", sa.BigInteger()),
    sa.Column("flag", sa.Boolean(), nullable=False),
    sa.Column("day", sa.Date(), nullable=False),
    sa.Column("hour", sa.Time(), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("price", sa.Numeric(8, 3), nullable=False),
    sa.Column("ratio", sa.Float(), nullable=False),
    sa.Column("blob", sa.LargeBinary(), nullable=False),
    sa.Column("data", sa.JSON(), nullable=False),
    sa.Column("key", sa.Uuid(), nullable=False, unique=True),
    sa.Column("mood", sa.Enum("sad", "glad", name="mood"), nullable=False),
    sa.Column("email", sa.String(60), nullable=False, unique=True),
    sa.Column("low", sa.Integer(), nullable=False),
    sa.Column("high", sa.Integer(), nullable=False),
    sa.Column("percent %", sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(
        ["parent_tenant", "parent_id"], ["things.tenant", "things.id"], name="fk_parent"
    ),
    sa.CheckConstraint("email LIKE '%@%'", name="ck_email"),
    sa.CheckConstraint("low >= 0 AND high > low AND high <= 100", name="ck_range"),
)
"""


def test_rows_are_made_for_every_type_key_and_check(
    bake: Callable[..., Project], database_url: str
) -> None:
    project = bake(database_url, starter="blank")
    drop = (
        "op.drop_table('things'); op.drop_table('kinds'); "
        "sa.Enum(name='mood').drop(op.get_bind(), checkfirst=True)"
    )
    count = (
        "assert op.get_bind().execute(sa.text('SELECT count(*) FROM things WHERE flag IS NOT "
        "NULL')).scalar() == 3"
    )
    write(project, Revision(ROWS, drop), Revision(count, "pass"))
    assert roundtrip(project) == []


# --- what a user can get wrong is one line, and no traceback


@pytest.mark.parametrize("options", [(), ("--roundtrip",)])
@pytest.mark.parametrize(
    ("file", "line", "expected"),
    [
        ("alembic/versions/000_r0.py", "import nothing_of_that_name", "nothing_of_that_name"),
        ("alembic/env.py", "raise RuntimeError('no settings here')", "no settings here"),
        ("src/soundhash/database/models.py", "import nothing_of_that_name", "nothing_of_that_name"),
    ],
)
def test_what_fails_on_import_is_one_line(
    blank: Project, options: tuple[str, ...], file: str, line: str, expected: str
) -> None:
    write(blank, BASE)
    path = blank.path / file
    before, future, after = path.read_text().rpartition("from __future__ import annotations\n")
    path.write_text(f"{before}{future}{line}\n{after}")
    done = blank.run("python", "scripts/check_migrations.py", *options, ok=None)
    assert done.returncode == 2, done.stdout
    assert expected in done.stdout
    assert "Traceback" not in done.stdout


def test_env_py_that_takes_no_connection_never_reaches_the_configured_database(
    bake: Callable[..., Project], tmp_path: Path
) -> None:
    database = tmp_path / "mine.db"
    project = bake(f"sqlite:///{database}", starter="blank")
    project.edit("alembic/env.py", 'given := config.attributes.get("connection")', "given := None")
    done = project.run(*GUARD, ok=None)
    assert "Traceback" not in done.stdout
    assert not database.exists()
    assert os.path.basename(str(database)) not in done.stdout


@pytest.mark.parametrize(
    ("where", "rules"), [("", []), (" WHERE name IS NULL", ["upgrade-fails"])], ids=["all", "some"]
)
def test_a_column_is_added_filled_and_tightened_in_three_revisions(
    bake: Callable[..., Project], database_url: str, where: str, rules: list[str]
) -> None:
    blank = bake(database_url, starter="blank")
    add = Revision(
        "op.add_column('users', sa.Column('plan', sa.String(9)))", "op.drop_column('users', 'plan')"
    )
    fill = Revision(sql(f"UPDATE users SET plan = 'free'{where}"), module='lossy = "filled again"')
    column = "'users', 'plan', existing_type=sa.String(9), nullable"
    if database_url.startswith("sqlite"):
        column = "'plan', existing_type=sa.String(9), nullable"
        up, down = (
            f"with op.batch_alter_table('users') as b:\n    b.alter_column({column}={to})"
            for to in (False, True)
        )
    else:
        up, down = (f"op.alter_column({column}={to})" for to in (False, True))
    write(blank, BASE, add, fill, Revision(up, down))
    assert [finding["rule"] for finding in roundtrip(blank)] == rules


@pytest.mark.parametrize(
    ("end", "rules"), [("id > 0", ["upgrade-fails"]), ("id = 0", [])], ids=["never", "at last"]
)
def test_a_loop_that_never_ends_is_a_failure(blank: Project, end: str, rules: list[str]) -> None:
    loop = (
        "while op.get_bind().execute(sa.text('UPDATE users SET status = status WHERE "
        f"{end}')).rowcount > 0:\n    pass"
    )
    write(blank, BASE, Revision(loop, "pass"))
    found = roundtrip(blank)
    assert [finding["rule"] for finding in found] == rules
    assert all("stopped after 10,000 statements" in finding["message"] for finding in found)
    assert all("makes its WHERE false" in finding["fix"] for finding in found)


RENAMES = {
    "ALTER TABLE users RENAME TO people": {"table pieces", "table people", "view authors"},
    "ALTER TABLE users RENAME COLUMN id TO number": {"table pieces", "table users", "view authors"},
    "ALTER TABLE users ADD COLUMN age integer": {"table users"},
}


@pytest.mark.parametrize("statement", RENAMES)
def test_what_names_a_renamed_table_or_column_is_looked_at_again(
    tmp_path: Path, statement: str
) -> None:
    for url in fresh_database("postgresql", tmp_path):
        with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
            connection.exec_driver_sql("CREATE TABLE users (id integer PRIMARY KEY)")
            connection.exec_driver_sql("CREATE TABLE pieces (author integer REFERENCES users (id))")
            connection.exec_driver_sql("CREATE VIEW authors AS SELECT id FROM users")
            connection.commit()
            snapshot = snapshot_of(connection)
            snapshot.refresh(everything=True)
            connection.exec_driver_sql(statement)
            snapshot.note([statement], atomic=True)
            assert {after.name for _, after in snapshot.refresh().values() if after} == RENAMES[
                statement
            ]
            assert snapshot.refresh(everything=True) == {}


POSTS = """op.create_table("posts", sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("n", sa.Integer(), nullable=False, server_default="0"))
op.create_table("comments", sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("post", sa.Integer(), sa.ForeignKey("posts.id", name="fk"), nullable=False))
op.create_table("log", sa.Column("id", sa.Integer()))
"""
GONE = 'op.drop_table("comments")\nop.drop_table("posts")\nop.drop_table("log")\n'
NOTES = tuple(
    Revision(
        f"op.add_column({table!r}, sa.Column('a', sa.Text()))", f"op.drop_column({table!r}, 'a')"
    )
    for table in ("posts", "comments")
)


def with_trigger(database_url: str, action: str) -> Revision:
    """Posts and comments, and what is to be done when a comment comes."""
    body = f"FOR EACH ROW {action}"
    dialect = sa.make_url(database_url).get_backend_name()
    if dialect == "sqlite":
        body = f"BEGIN {action}; END"
    elif dialect == "postgresql":
        made = (
            f"CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {action}; "
            "RETURN NULL; END $$"
        )
        body = "FOR EACH ROW EXECUTE FUNCTION act()"
        trigger = sql(f"CREATE TRIGGER acting AFTER INSERT ON comments {body}")
        return Revision(f"{POSTS}{sql(made)}\n{trigger}", f"{GONE}{sql('DROP FUNCTION act()')}")
    return Revision(POSTS + sql(f"CREATE TRIGGER acting AFTER INSERT ON comments {body}"), GONE)


def test_rows_that_a_trigger_changes_as_ours_are_inserted_are_not_lost(
    bake: Callable[..., Project], database_url: str
) -> None:
    project = bake(database_url, starter="blank")
    made = with_trigger(database_url, "UPDATE posts SET n = n + 1 WHERE id = NEW.post")
    write(project, made, *NOTES)
    assert roundtrip(project) == []
    write(project, made, *NOTES, Revision(sql("UPDATE posts SET n = 0 WHERE n > 0")))
    assert [(found["revision"], found["rule"]) for found in roundtrip(project)] == [
        ("r3", "data-not-restored")
    ]


def test_what_depends_on_what_is_dropped_is_named(
    bake: Callable[..., Project], tmp_path: Path
) -> None:
    for url in fresh_database("postgresql", tmp_path):
        project = bake(url, starter="blank")
        view, dropped = (
            sql("CREATE VIEW names AS SELECT name FROM users"),
            "op.drop_column('users', 'name')",
        )
        write(
            project,
            BASE,
            Revision(view, sql("DROP VIEW names")),
            Revision(dropped, module="lossy = 'x'"),
        )
        (found,) = roundtrip(project)
        assert "depend on it: view names depends on column name" in found["message"]
        assert found["fix"].startswith("Correct it")


def test_a_difference_from_nothing_is_reported(
    bake: Callable[..., Project], tmp_path: Path
) -> None:
    for url in fresh_database("postgresql", tmp_path):
        project = bake(url, starter="blank")
        write(
            project,
            BASE,
            Revision(sql("ALTER TABLE users ENABLE ROW LEVEL SECURITY"), sql("SELECT 1")),
        )
        (found,) = roundtrip(project)
        assert "security of table users is left behind: row level security" in found["message"]


def test_a_trigger_that_uses_what_is_gone_is_found(
    bake: Callable[..., Project], database_url: str
) -> None:
    project = bake(database_url, starter="blank")
    made = with_trigger(database_url, "INSERT INTO log (id) VALUES (NEW.id)")
    log = "op.create_table('log', sa.Column('id', sa.Integer()))"
    gone = Revision("op.drop_table('log')", log, module='lossy = "nobody reads it"')
    write(project, made, *NOTES, gone)
    (found,) = roundtrip(project)
    assert (found["revision"], found["rule"]) == ("r3", "upgrade-fails")
    assert "Table comments accepts no more rows" in found["message"]
    replaced = Revision(
        f"{sql('DROP TABLE comments')}\n{gone.upgrade}", "pass", module='irreversible = "merged"'
    )
    write(project, made, *NOTES, replaced)
    assert roundtrip(project) == []


@pytest.mark.parametrize(
    ("statement", "expected", "fix"),
    [
        (
            "CREATE TABLE c (id integer AS (1) NOT NULL)",
            "If the column is computed, set nullable=True here",
            "Correct it",
        ),
        ("ALTER TABLE users ADD UNIQUE uq (bio)", "1834", "The test rows include"),
        ("ALTER TABLE users MODIFY age integer NOT NULL", "NULL", "The test rows include"),
    ],
)
def test_what_mariadb_refuses_is_laid_to_the_rows_or_to_the_statement(
    bake: Callable[..., Project], tmp_path: Path, statement: str, expected: str, fix: str
) -> None:
    for url in fresh_database("mariadb", tmp_path):
        project = bake(url, starter="blank")
        write(project, BASE, Revision(sql(statement)))
        (found,) = roundtrip(project)
        assert expected in found["message"]
        assert found["fix"].startswith(fix)


# What of MariaDB's is found to be new or changed after each.
SEEN: dict[str, set[str]] = {
    "ALTER TABLE users RENAME TO people": {"table people", "table pieces"},
    "RENAME TABLE users TO people": {"table people", "table pieces"},
    "/* why */ CREATE TABLE people (id integer) COMMENT ' SEQUENCE=1'": {"table people"},
    "CREATE OR REPLACE VIEW authors AS SELECT 1": {"view authors"},
    "CREATE OR REPLACE TABLE pieces (`a\n) b` integer, PRIMARY KEY (`a\n) b`))": {"table pieces"},
    "CALL make_people()": {"table people"},
    "ALTER TABLE parts CONVERT PARTITION low TO TABLE people": {"table people", "table parts"},
    "CREATE SEQUENCE people": {"sequence people"},
    "CREATE TRIGGER first BEFORE INSERT ON users FOR EACH ROW SET NEW.id = 1": {"table users"},
    "DROP TRIGGER counting": {"table pieces"},
    "ALTER TABLE users ADD COLUMN age integer": {"table users"},
    "drop index ix_size on pieces": {"table pieces"},
    "INSERT INTO users VALUES (1)": set(),
}
OWN = ("CONVERT", "SEQUENCE", "OR REPLACE TABLE")  # what MySQL has not


@pytest.mark.parametrize("seen", [True, False], ids=["seen", "unseen"])
@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(each, marks=mariadb_only if any(own in each for own in OWN) else ())
        for each in SEEN
    ],
)
def test_mariadb_is_asked_for_what_a_statement_may_have_changed(
    tmp_path: Path, statement: str, seen: bool
) -> None:
    """New and dropped tables are read again even if a cursor of the driver ran the statement."""
    for url in fresh_database("mariadb", tmp_path):
        with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
            for made in (
                "TABLE users (id integer PRIMARY KEY)",
                (
                    "TABLE pieces (author integer REFERENCES users (id), size integer, "
                    "INDEX ix_size (size))"
                ),
                "TABLE parts (id integer) PARTITION BY RANGE (id)"
                " (PARTITION low VALUES LESS THAN (9), PARTITION high VALUES LESS THAN MAXVALUE)",
                "VIEW authors AS SELECT 2",
                "PROCEDURE make_people() CREATE TABLE people (id integer)",
                *(
                    ["TRIGGER counting BEFORE INSERT ON pieces FOR EACH ROW SET NEW.size = 1"]
                    if "DROP" in statement
                    else []
                ),
            ):
                connection.exec_driver_sql(f"CREATE {made}")
            snapshot = snapshot_of(connection)
            before = snapshot.refresh(everything=True)
            tables = {thing.name for _, thing in before.values() if thing}
            connection.exec_driver_sql(statement)
            if seen:
                snapshot.note([statement], atomic=False)
            changed = {after.name for _, after in snapshot.refresh().values() if after}
            new = SEEN[statement] - tables
            assert changed == SEEN[statement] if seen else changed >= new
            assert seen is False or snapshot.refresh(everything=True) == {}


# psycopg prepares the statement, and forgets all prepared statements at an ALTER.
AGAIN = "for _ in range(8):\n    op.get_bind().exec_driver_sql('SELECT 1')"


@pytest.mark.parametrize(
    ("given", "forget"),
    [
        ('config.attributes.get("connection")', sql("DEALLOCATE ALL")),
        ("None", f"{AGAIN}\nop.execute('ALTER TABLE users SET (fillfactor = 100)')"),
    ],
    ids=["given", "engine of its own"],
)
def test_what_the_server_has_prepared_for_the_guard_may_go_at_any_time(
    bake: Callable[..., Project], tmp_path: Path, given: str, forget: str
) -> None:
    for url in fresh_database("postgresql", tmp_path):
        project = bake(url, starter="blank")
        project.edit(
            "alembic/env.py", 'given := config.attributes.get("connection")', f"given := {given}"
        )
        write(
            project,
            BASE,
            OTHER,
            Revision(forget, sql("ALTER TABLE users RESET (fillfactor)")),
            FORGOTTEN,
        )
        assert [found["revision"] for found in roundtrip(project)] == ["r1", "r3"]


def test_what_env_py_does_afterwards_is_no_matter(blank: Project) -> None:
    write(blank, BASE, FORGOTTEN)
    env = blank.path / "alembic" / "env.py"
    env.write_text(env.read_text() + "\nraise RuntimeError('no transaction is active')\n")
    assert [found["revision"] for found in roundtrip(blank)] == ["r1"]
