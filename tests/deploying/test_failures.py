"""Changed histories, downgrades, failing databases: one line, non-zero, nothing half-written."""

from __future__ import annotations

import os
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from lib.migrators import alembic, at, engine, revision, write_history, write_migration
from lib.projects import Project
from lib.servers import database_of, fresh_database

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def failure(project: Project, *arguments: str, **environment: str) -> str:
    """Run ``alembic``, which must fail in one line; return that line."""
    status, output = alembic(project, *arguments, **environment)
    assert status, output
    assert "Traceback" not in output
    (line,) = [line for line in output.splitlines() if line.startswith("FAILED: ")]
    assert line == output.splitlines()[-1]
    return line


@pytest.fixture
def migrated(project: Project) -> Project:
    """A project whose database is at revision 3, with a revision 4 to come."""
    write_history(project, "data", 3)
    assert alembic(project, "upgrade", "head")[0] == 0
    write_migration(project, 4, 'op.execute("UPDATE t SET n = 99")')
    return project


def n(project: Project) -> int | None:
    with engine(project.environment["DATABASE_URL"]).connect() as connection:
        return connection.scalar(sa.text("SELECT n FROM t"))


# --- histories


def test_an_edited_migration_stops_the_upgrade(migrated: Project) -> None:
    path = migrated.versions / f"{revision(2)}.py"
    good = path.read_text()
    path.write_text(good.replace("n + 1", "n + 2"))
    assert f"{path.relative_to(migrated.path)} was edited after it was applied" in failure(
        migrated, "upgrade", "head"
    )
    assert n(migrated) == 2
    other = migrated.versions / f"{revision(3)}.py"
    good_too = other.read_text()
    other.write_text(good_too.replace("n + 1", "n + 3"))
    both = (
        f"{path.relative_to(migrated.path)}, {other.relative_to(migrated.path)} were edited "
        "after they were applied"
    )
    assert both in failure(migrated, "upgrade", "head")
    other.write_text(good_too)
    path.write_text("# reformatted, and commented on\n" + good.replace('"', "'"))
    assert alembic(migrated, "upgrade", "head")[0] == 0
    assert n(migrated) == 99


@on_sqlite
def test_back_one_step_from_a_merge_names_the_remedy(migrated: Project) -> None:
    for name, parents in (("left", '"r003"'), ("right", '"r003"'), ("merged", '("left", "right")')):
        (migrated.versions / f"{name}.py").write_text(
            f'revision = "{name}"\ndown_revision = {parents}\n\n\ndef upgrade():\n'
            "    pass\n\n\ndef downgrade():\n    pass\n"
        )
    (migrated.versions / "r004.py").unlink()
    assert alembic(migrated, "upgrade", "head")[0] == 0
    assert "Name the revision: alembic downgrade <revision>" in failure(
        migrated, "-x", "yes", "downgrade", "-1"
    )
    assert alembic(migrated, "-x", "yes", "downgrade", "r003")[0] == 0


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
@pytest.mark.parametrize(
    ("upgrade", "remedy"),
    [
        ('op.alter_column("t", "n", nullable=True)', "pass existing_type= and existing_nullable="),
        (
            'op.execute("CREATE TABLE u (t_id INTEGER, KEY k (t_id), '
            'FOREIGN KEY (t_id) REFERENCES t (id))")\n'
            '    op.drop_index("k", "u")',
            "need this index for a foreign key. Drop the foreign key first",
        ),
    ],
)
def test_what_mariadb_refuses_comes_with_a_remedy(
    migrated: Project, upgrade: str, remedy: str
) -> None:
    write_migration(migrated, 4, upgrade)
    assert remedy in failure(migrated, "upgrade", "head")


@on_sqlite
def test_a_downgrade_from_which_there_is_no_way_back_is_asked_about(migrated: Project) -> None:
    path = migrated.versions / f"{revision(3)}.py"
    path.write_text(path.read_text() + "\nirreversible = 'the rows are gone'\n")
    assert "no way back from r003 (the rows are gone)" in failure(migrated, "downgrade", "-1")
    assert n(migrated) == 2
    assert alembic(migrated, "-x", "yes", "downgrade", "-1")[0] == 0


@on_sqlite
def test_an_edit_can_be_declared_right(migrated: Project) -> None:
    path = migrated.versions / f"{revision(2)}.py"
    path.write_text(path.read_text().replace("n + 1", "n + 2"))
    assert alembic(migrated, "-x", "edited", "upgrade", "head")[0] == 0
    assert alembic(migrated, "upgrade", "head")[0] == 0
    path.write_text(path.read_text().replace("n + 2", "n + 3"))
    assert "r002.py was edited after it was applied" in failure(migrated, "upgrade", "head")


@on_sqlite
def test_an_edit_after_a_downgrade_is_no_edit(migrated: Project) -> None:
    path = migrated.versions / f"{revision(3)}.py"
    assert alembic(migrated, "-x", "yes", "downgrade", "-1")[0] == 0
    path.write_text(path.read_text().replace("n + 1", "n + 2"))
    assert alembic(migrated, "upgrade", "head")[0] == 0


@on_sqlite
def test_a_migration_that_is_gone_stops_the_upgrade(migrated: Project) -> None:
    (migrated.versions / f"{revision(3)}.py").unlink()
    assert revision(3) in failure(migrated, "upgrade", "head")
    assert n(migrated) == 2


@on_sqlite
def test_a_migration_that_is_gone_and_passed_over_stops_the_upgrade(migrated: Project) -> None:
    (migrated.versions / f"{revision(2)}.py").unlink()
    path = migrated.versions / f"{revision(3)}.py"
    path.write_text(path.read_text().replace("'r002'", "'r001'"))
    assert "Can't locate revision r002" in failure(migrated, "upgrade", "head")
    assert n(migrated) == 2


@on_sqlite
def test_a_deleted_migration_that_was_undone_manually_can_be_forgotten(migrated: Project) -> None:
    (migrated.versions / f"{revision(3)}.py").unlink()
    (migrated.versions / f"{revision(4)}.py").unlink()
    remedy = " (or, if it is undone: alembic -x edited upgrade head)"
    output = failure(migrated, "-x", "edited", "upgrade", "head")
    assert output.endswith("deploy the release before the squash first"), (
        "alembic_version has it still"
    )
    with engine(migrated.environment["DATABASE_URL"]).begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision(2)}'")
    assert failure(migrated, "upgrade", "head") == output + remedy
    assert alembic(migrated, "-x", "edited", "upgrade", "head")[0] == 0
    assert alembic(migrated, "upgrade", "head")[0] == 0


@on_sqlite
def test_a_database_ahead_of_the_code_stops_the_upgrade(migrated: Project) -> None:
    for number in (3, 4):
        (migrated.versions / f"{revision(number)}.py").unlink()
    assert "Can't locate revision" in failure(migrated, "upgrade", "head")


@on_sqlite
def test_two_heads_stop_the_upgrade(migrated: Project) -> None:
    fourth = (migrated.versions / f"{revision(4)}.py").read_text()
    (migrated.versions / "other.py").write_text(fourth.replace('"r004"', '"other"'))
    assert "2 heads: other, r004; " in failure(migrated, "upgrade", "head")
    assert n(migrated) == 2


@on_sqlite
def test_a_syntax_error_stops_the_upgrade(migrated: Project) -> None:
    path = migrated.versions / f"{revision(4)}.py"
    path.write_text(path.read_text() + "def oops(:\n")
    assert "r004.py:" in failure(migrated, "upgrade", "head")


@on_sqlite
def test_a_bug_in_a_migration_stops_the_upgrade(migrated: Project) -> None:
    write_migration(migrated, 4, "op.execute(nothing_of_that_name)")
    assert "alembic/versions/r004.py:9: NameError: name 'nothing_of_that_name'" in failure(
        migrated, "upgrade", "head"
    )
    assert n(migrated) == 2
    done = migrated.run("alembic", "--raiseerr", "upgrade", "head", ok=False)
    assert "Traceback" in done.stdout, "for who wants all of it"


@on_sqlite
def test_a_parent_that_is_nowhere_is_named(migrated: Project) -> None:
    path = migrated.versions / f"{revision(4)}.py"
    path.write_text(path.read_text().replace("'r003'", "'lost'"))
    expected = (
        "Can't locate revision 'lost', which another one follows: restore its file, "
        "or name the right parent"
    )
    for command in (
        ("upgrade", "head"),
        ("current",),
        ("upgrade", "head", "--sql"),
        ("revision", "--autogenerate"),
    ):
        assert failure(migrated, *command) == f"FAILED: {expected}"
    assert migrated.run(
        "python", "-m", "migration_guard.reporting.pictures.write_schema", ok=False
    ).stdout.endswith(f"error: {expected}\n")


MODELS = {
    "syntax": (
        "class Base(",
        "def oops(:\n\n\nclass Base(",
        "{models}:{line}: SyntaxError: invalid syntax",
    ),
    "import": (
        "import enum",
        "import enum\nimport lost",
        "{models}:{line}: ModuleNotFoundError: No module named 'lost'",
    ),
}


@pytest.mark.parametrize("fault", MODELS)
@on_sqlite
def test_broken_models_are_one_line_wherever_they_are_read(project: Project, fault: str) -> None:
    old, new, expected = MODELS[fault]
    project.edit(project.models, old, new)
    text, broken = project.models.read_text(), new.removeprefix("import enum\n").splitlines()[0]
    line = text[: text.index(broken)].count("\n") + 1
    expected = expected.format(models=project.models.relative_to(project.path), line=line)
    for command in (
        ("upgrade", "head"),
        ("current",),
        ("upgrade", "head", "--sql"),
        ("revision", "--autogenerate"),
    ):
        assert failure(project, *command) == f"FAILED: {expected}"
    for script in (
        ("scripts/check_migrations.py",),
        ("scripts/check_migrations.py", "--plan"),
        ("-m", "migration_guard.reporting.pictures.write_schema"),
    ):
        done = project.run("python", *script, ok=False)
        assert (done.returncode, done.stdout) == (2, f"error: {expected}\n")


@pytest.mark.parametrize(
    ("target", "nearest"),
    [("video.id", "could not find table 'video'"), ("videos.idd", "no column named 'idd'")],
)
@on_sqlite
def test_a_foreign_key_that_leads_nowhere_is_named_in_the_models(
    project: Project, target: str, nearest: str
) -> None:
    project.edit(project.models, 'ForeignKey("videos.id"', f'ForeignKey("{target}"')
    lines = project.models.read_text().splitlines()
    line = next(i for i, text in enumerate(lines, 1) if target in text)
    place = f"{project.models.relative_to(project.path)}:{line}: "
    assert alembic(project, "upgrade", "head")[0] == 0, "what the models say does not matter to it"
    for output in (
        failure(project, "revision", "--autogenerate"),
        project.run("python", "scripts/check_migrations.py", ok=False).stdout,
        project.run(
            "python", "-m", "migration_guard.reporting.pictures.write_schema", ok=False
        ).stdout,
    ):
        assert place in output
        assert nearest in output
        assert f"did you mean '{'videos' if target == 'video.id' else 'id'}'" in output


@on_sqlite
def test_who_stamps_says_where_the_database_stands(migrated: Project) -> None:
    path = migrated.versions / f"{revision(2)}.py"
    path.write_text(path.read_text().replace("n + 1", "n + 2"))
    status, output = alembic(migrated, "stamp", revision(4))
    assert status == 0, output
    assert alembic(migrated, "upgrade", "head")[0] == 0
    assert n(migrated) == 2
    path.write_text(path.read_text().replace("n + 2", "n + 3"))
    assert "r002.py was edited after it was applied" in failure(migrated, "upgrade", "head"), (
        "since it was stamped"
    )
    assert alembic(migrated, "stamp", revision(1))[0] == 0
    assert alembic(migrated, "upgrade", "head")[0] == 0, "what is no longer applied may be edited"


@on_sqlite
def test_a_misspelled_answer_is_no_answer(migrated: Project) -> None:
    assert "-x resum: did you mean resume?" in failure(migrated, "-x", "resum", "upgrade", "head")
    assert n(migrated) == 2
    own = ("-x", "reset", "-x", "edit=yes")  # env.py's
    assert alembic(migrated, *own, "upgrade", "head")[0] == 0


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_statements_that_a_second_run_skips_are_reported(migrated: Project) -> None:
    add = 'op.add_column("t", sa.Column("x", sa.String(2)), if_not_exists=True)\n    '
    hint = (
        "what it did before is done, and left out when it runs again: undo that before you edit it"
    )
    path = write_migration(migrated, 4, add + "op.execute(\"UPDATE t SET x = 'long'\")")
    assert hint in failure(migrated, "upgrade", "head")
    path.write_text(path.read_text().replace(add, ""))
    with engine(migrated.environment["DATABASE_URL"]).begin() as connection:
        connection.exec_driver_sql("UPDATE t SET n = 2")
    assert hint not in failure(migrated, "upgrade", "head")


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
@pytest.mark.parametrize("words", ["CREATE OR REPLACE", "CREATE"])
def test_what_replaces_itself_just_runs_again(migrated: Project, words: str) -> None:
    view, wrong = (
        f'op.execute("{words} VIEW seen AS SELECT n FROM t")',
        'op.execute("UPDATE t SET nobody = 1")',
    )
    path = write_migration(migrated, 4, f"{view}\n    {wrong}")
    assert ("-x resume" in failure(migrated, "upgrade", "head")) == (words == "CREATE")
    path.write_text(path.read_text().replace(wrong, "pass"))
    assert (alembic(migrated, "upgrade", "head")[0] == 0) == (words != "CREATE")


WRONG_SYNTAX = {
    'op.execute("CRATE TABLE a (n INT)")': None,
    (
        'op.execute("CREATE TABLE a (n INT)")\n    op.execute("CRATE TABLE b (n INT)")'
    ): "CREATE TABLE a",
    # The procedure has committed something before its own wrong syntax.
    'op.execute("CREATE OR REPLACE PROCEDURE p() BEGIN UPDATE t SET n = n + 1; COMMIT;'
    ' EXECUTE IMMEDIATE \'CRATE\'; END")\n    op.execute("CALL p()")': "CALL p()",
    # A refusal that the migration caught must not hide what came after it.
    'try:\n        op.execute("CREATE TABLE IF NOT EXISTS a AS SELECT * FROM nowhere")\n'
    '    except Exception:\n        pass\n    op.execute("CREATE TABLE b (n INT)")\n'
    "    raise RuntimeError": "CREATE TABLE b",
}


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
@pytest.mark.parametrize("upgrade", WRONG_SYNTAX)
def test_a_statement_that_was_not_parsed_did_nothing(migrated: Project, upgrade: str) -> None:
    done = WRONG_SYNTAX[upgrade]
    write_migration(migrated, 4, upgrade)
    message = failure(migrated, "upgrade", "head")
    write_migration(migrated, 4, "pass")
    if done is None:
        assert "-x resume" not in message
        assert alembic(migrated, "upgrade", "head")[0] == 0
    else:
        assert f"can't be repeated: {done}" in message
        assert f"can't be repeated: {done}" in failure(migrated, "upgrade", "head")


@on_sqlite
def test_a_batch_migration_of_a_parent_keeps_its_children(project: Project) -> None:
    write_history(project, "data", 1)
    child = """parent = sa.ForeignKey("t.id", ondelete="CASCADE")
    op.create_table("child", sa.Column("t_id", sa.Integer, parent))
    op.execute("INSERT INTO child VALUES (1)")"""
    write_migration(project, 2, child)
    write_migration(
        project,
        3,
        'with op.batch_alter_table("t", recreate="always") as t:\n        t.drop_column("n")',
    )
    status, output = alembic(project, "upgrade", "head")
    assert status == 0, output
    with engine(project.environment["DATABASE_URL"]).connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM child")) == 1


# --- downgrades


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_a_downgrade_of_what_is_deployed_asks(migrated: Project) -> None:
    url = migrated.environment["DATABASE_URL"]
    assert alembic(migrated, "upgrade", "head")[0] == 0
    remedy = "alembic -x yes downgrade ... (or: nox -s migrate -- downgrade ... --yes)"
    assert remedy in failure(migrated, "downgrade", "-1"), (
        "without git, this is where it is deployed"
    )
    migrated.sh(
        "git init -q -b main && git config user.name T && git config user.email t@example.org"
    )
    migrated.sh("git add . && git commit -qm Start && git update-ref refs/remotes/origin/main main")
    assert "-x yes" in failure(migrated, "downgrade", "-1")
    assert at(url) == 4
    migrated.sh("git rm -q --cached alembic/versions/r004.py && git commit -qm Without")
    migrated.sh("git update-ref refs/remotes/origin/main main")
    assert alembic(migrated, "downgrade", "-1")[0] == 0, (
        "what the remote does not have is deployed nowhere"
    )
    assert "-x yes" in failure(migrated, "downgrade", "base")
    assert at(url) == 3
    assert alembic(migrated, "-x", "yes", "downgrade", "base")[0] == 0
    assert at(url) == 0


@on_sqlite
def test_a_file_of_ones_own_is_downgraded_without_asking(migrated: Project) -> None:
    assert alembic(migrated, "downgrade", "base")[0] == 0
    assert at(migrated.environment["DATABASE_URL"]) == 0


@on_sqlite
def test_the_session_hands_the_answers_on(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, ...]] = []

    class Session:
        posargs = ["downgrade", "base", "--yes", "--resume", "--edited"]  # noqa: RUF012
        run = staticmethod(lambda *words: ran.append(words))

    monkeypatch.chdir(project.path)
    migrate = runpy.run_path("noxfile.py")["migrate"].func
    migrate.__globals__["install"] = lambda *_: None
    migrate(Session())
    assert ran[0] == ("alembic", "-x", "yes", "-x", "resume", "-x", "edited", "downgrade", "base")
    assert alembic(project, *ran[0][1:])[0] == 0


# --- settings


WRONG = {
    "lock-timeout = 'soon'": "must be a number of seconds",
    "lock-timout = 1": "did you mean 'lock-timeout'",
}


@pytest.mark.parametrize("setting", WRONG)
@on_sqlite
def test_a_wrong_setting_is_named(migrated: Project, setting: str) -> None:
    table = "[tool.migration-guard]"
    migrated.edit("pyproject.toml", table, f"[tool.migration-guard.lock]\n{setting}\n\n{table}")
    assert WRONG[setting] in failure(migrated, "upgrade", "head")
    assert (
        WRONG[setting]
        in migrated.run("python", "scripts/check_migrations.py", "--static", ok=False).stdout
    )
    migrated.edit("pyproject.toml", setting, "lock-timeout = 1")
    assert alembic(migrated, "upgrade", "head")[0] == 0


@on_sqlite
def test_a_wrong_variable_is_named(migrated: Project) -> None:
    output = failure(migrated, "upgrade", "head", MIGRATION_LOCK_TIMEOUT="soon")
    assert "FAILED: MIGRATION_LOCK_TIMEOUT: could not convert string to float: 'soon'" in output
    assert alembic(migrated, "upgrade", "head", MIGRATION_LOCK_TIMEOUT="2")[0] == 0


@on_sqlite
def test_what_is_deployed_needs_no_pyproject(migrated: Project) -> None:
    (migrated.path / "pyproject.toml").unlink()
    assert alembic(migrated, "upgrade", "head")[0] == 0


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_it_does_not_try_without_end(migrated: Project) -> None:
    write_migration(migrated, 4, 'op.add_column("t", sa.Column("x", sa.Integer))')
    url = migrated.environment["DATABASE_URL"]
    with engine(url).connect() as blocker, engine(url).connect() as bystander:
        blocker.execute(sa.text("SELECT n FROM t"))
        bystander.execute(sa.text("SELECT 1"))
        ask = sa.func.pg_backend_pid() if url.startswith("postgresql") else sa.func.connection_id()
        number, other = (connection.scalar(sa.select(ask)) for connection in (blocker, bystander))
        line = failure(migrated, "upgrade", "head", MIGRATION_RETRY="0.5")
    assert f"tried for 0.5 s: end what holds the lock (session {number} (" in line
    assert f"session {other} " not in line
    assert "resume" not in line, "what was refused needs no repair"
    assert alembic(migrated, "upgrade", "head")[0] == 0


# --- databases that fail

GONE = {
    "postgresql": 'op.execute("SELECT pg_terminate_backend(pg_backend_pid())")',
    "mariadb": 'op.get_bind().exec_driver_sql("KILL CONNECTION_ID()")',
}


@pytest.mark.parametrize("database_url", GONE, indirect=True)
def test_a_server_that_goes_away_in_the_middle(migrated: Project) -> None:
    gone = GONE[database_of(migrated.environment["DATABASE_URL"])]
    path = write_migration(migrated, 4, f'op.execute("UPDATE t SET n = 98")\n    {gone}')
    assert f"{revision(4)} failed: " in failure(migrated, "upgrade", "head")
    assert n(migrated) == 2
    path.write_text(path.read_text().replace(gone, "pass"))
    alembic(migrated, "-x", "resume", "upgrade", "head")
    assert n(migrated) == 98


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_a_resume_that_fails_forgets_nothing(migrated: Project) -> None:
    steps = [f'op.add_column("t", sa.Column("{name}", sa.Integer))' for name in "xy"]
    steps.append('op.create_check_constraint("positive", "t", "n > 1000")')
    path = write_migration(migrated, 4, "\n    ".join(steps))
    resume = ("-x", "resume", "upgrade", "head")
    remedy = (
        "; undo what the revision did so far, then run: alembic -x resume upgrade head (or: nox -s"
    )
    url = migrated.environment["DATABASE_URL"]

    def note(line: str) -> str:
        assert remedy in line
        return line[: line.index(remedy)].split("can't be repeated: ")[1]

    half = note(failure(migrated, "upgrade", "head"))
    assert "COLUMN y" in half, "the constraint was refused"
    again = failure(migrated, *resume)
    assert "Duplicate column name 'x'" in again
    died = failure(migrated, "upgrade", "head")
    assert f"{revision(4)} stopped in the middle" in died
    assert note(again) == note(died) == half
    with engine(url).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE t DROP COLUMN x")
    assert "COLUMN y" in note(failure(migrated, *resume)), "a later statement than the first"
    assert "COLUMN y" in note(failure(migrated, "upgrade", "head"))
    with engine(url).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE t DROP COLUMN x, DROP COLUMN y")
    path.rename(path.with_suffix(".away"))
    assert alembic(migrated, *resume)[0] == 0
    path.with_suffix(".away").rename(path)
    line = failure(migrated, "upgrade", "head")
    assert "stopped" not in line, "what a resume does not come to is put right"
    with engine(url).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE t DROP COLUMN x, DROP COLUMN y")
        connection.exec_driver_sql("UPDATE t SET n = 1001")
    assert alembic(migrated, *resume)[0] == 0
    assert alembic(migrated, "upgrade", "head")[0] == 0


@on_sqlite
def test_a_full_disk_writes_nothing_by_half(migrated: Project) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n    "
    rows = (
        'op.execute("UPDATE t SET n = 5")\n'
        '    op.execute("CREATE TABLE big AS SELECT zeroblob(999999) AS b")'
    )
    path = write_migration(migrated, 4, limit + rows)
    assert f"{revision(4)} failed: " in failure(migrated, "upgrade", "head")
    assert n(migrated) == 2
    path.write_text(path.read_text().replace(limit, ""))
    assert alembic(migrated, "upgrade", "head")[0] == 0
    assert n(migrated) == 5


FULL = {  # the server's own errors, without filling a real disk
    "postgresql": """op.execute("DO $$ BEGIN RAISE 'no space left on device'"
        " USING ERRCODE = 'disk_full'; END $$")""",
    "mariadb": """op.execute("SET SESSION max_heap_table_size = 16384")
    op.execute("CREATE TABLE big (a VARCHAR(255)) ENGINE = MEMORY")
    op.execute("INSERT INTO big SELECT REPEAT('a', 255) FROM information_schema.columns")""",
}


@pytest.mark.parametrize("database_url", FULL, indirect=True)
def test_a_full_server_is_named_at_once(migrated: Project) -> None:
    url = migrated.environment["DATABASE_URL"]
    full = FULL[database_of(url)]
    write_migration(migrated, 4, f'op.execute("UPDATE t SET n = 98")\n    {full}')
    line = failure(migrated, "upgrade", "head")
    assert f"{revision(4)} failed: " in line
    assert "no space left" in line or "is full" in line
    assert at(url) == 3
    if (
        database_of(url) == "mariadb"
    ):  # CREATE TABLE has committed: the next run says so, and does not go on
        assert f"{revision(4)} stopped in the middle" in failure(migrated, "upgrade", "head")
    else:
        assert n(migrated) == 2


@on_sqlite
def test_a_read_only_file(migrated: Project) -> None:
    file = sa.make_url(migrated.environment["DATABASE_URL"]).database
    assert "readonly" in failure(
        migrated, "upgrade", "head", DATABASE_URL=f"sqlite:///file:{file}?mode=ro&uri=true"
    )
    assert n(migrated) == 2


@pytest.fixture(params=["postgresql", "mariadb"])
def canary(
    request: pytest.FixtureRequest, bake: Callable[..., Project], tmp_path: Path
) -> Iterator[Project]:
    """A project at revision 3 of 3, and in its URL a user with a password who may only read."""
    name = f"canary_{os.getpid()}"
    for url in fresh_database(request.param, tmp_path):
        project, parsed = bake(url), sa.make_url(url)
        write_history(project, "data", 3)
        assert alembic(project, "upgrade", "head")[0] == 0
        with engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if request.param == "postgresql":
                connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN PASSWORD 'Canary!pw'")
                connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
            else:
                connection.exec_driver_sql(f"CREATE USER {name} IDENTIFIED BY 'Canary!pw'")
                connection.exec_driver_sql(f"GRANT SELECT ON {parsed.database}.* TO {name}")
        restricted = parsed.set(username=name, password="Canary!pw")
        project.environment["DATABASE_URL"] = restricted.render_as_string(hide_password=False)
        project.environment["ADMIN_URL"] = url
        yield project
        with engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if request.param == "postgresql":
                connection.exec_driver_sql(f"DROP OWNED BY {name}")
                connection.exec_driver_sql(f"DROP ROLE {name}")
            else:
                connection.exec_driver_sql(f"DROP USER {name}")


def test_the_password_is_nowhere_when_things_fail(canary: Project) -> None:
    url = canary.environment["DATABASE_URL"]
    address = url.split("@")[1].split("/")[0]
    write_migration(canary, 4, 'op.execute("UPDATE t SET n = 5")')
    urls = {
        "no rights": url,
        "wrong database": f"{url}_not_there",
        "no server": url.replace(address, "127.0.0.1:9"),
        "no port": url.replace(address, "127.0.0.1:port"),
        "unknown driver": url.replace("://", "nosuch://"),
        "unknown database": f"oracool{url[url.index(':') :]}",
        "in the query": f"{url}?password=Canary",
        "no URL": url.replace("://", ":/"),
    }
    if database_of(url) == "mariadb":  # a PostgreSQL for tests may trust everybody
        urls["wrong password"] = url.replace("@", "x@")
    for case, bad in urls.items():
        line = failure(canary, "upgrade", "head", DATABASE_URL=bad)
        assert "Canary" not in line, case
    write_migration(canary, 4, "raise RuntimeError('a bug in the migration')")
    for command in (
        ["upgrade", "head"],
        ["current", "--verbose"],
        ["history", "--indicate-current"],
        ["check"],
    ):
        for case in (url, urls["no server"]):
            assert "Canary" not in alembic(canary, *command, DATABASE_URL=case)[1], command
    with engine(canary.environment["ADMIN_URL"]).connect() as connection:
        assert connection.scalar(sa.text("SELECT n FROM t")) == 2
