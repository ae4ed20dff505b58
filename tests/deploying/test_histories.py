"""Rebased, squashed and edited histories, and several histories in one database."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from lib.migrators import alembic, at, engine, write_history, write_migration, wrong
from lib.projects import Project

ONE = 'op.execute("UPDATE t SET n = n + 1")'
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def rows(project: Project, table: str = "alembic_journal") -> set[str]:
    with engine(project.environment["DATABASE_URL"]).connect() as connection:
        return set(connection.scalars(sa.text(f"SELECT revision FROM {table}")))


def last_line(project: Project, *arguments: str) -> str:
    """Run ``alembic``, which must fail in one line; return that line."""
    status, output = alembic(project, *arguments)
    assert status, output
    assert "Traceback" not in output
    return output.splitlines()[-1]


@pytest.fixture
def rebased(project: Project) -> Project:
    """A database at r003 on r001; r002 came in between afterwards."""
    write_history(project, "data", 2)
    third = write_migration(project, 3, ONE)
    second = (project.versions / "r002.py").rename(project.path / "r002.away")
    third.write_text(third.read_text().replace("'r002'", "'r001'"))
    assert alembic(project, "upgrade", "head")[0] == 0
    second.rename(project.versions / "r002.py")
    write_migration(project, 3, ONE)
    return project


def test_a_revision_below_the_current_one_that_never_ran_is_reported(rebased: Project) -> None:
    message = "r002 never ran on this database, and a later revision did (a rebase?)"
    for arguments in (
        ("upgrade", "head"),
        ("-x", "edited", "upgrade", "head"),
        ("-x", "yes", "downgrade", "-1"),
    ):
        assert message in last_line(rebased, *arguments)
    plan = rebased.run("python", "scripts/check_migrations.py", "--plan", ok=False)
    assert (plan.returncode, message in plan.stdout) == (2, True)
    assert message in alembic(rebased, "stamp", "r003")[1]


def test_the_remedy_of_a_rebase_ends_right(rebased: Project) -> None:
    remedy = last_line(rebased, "upgrade", "head")
    assert "run alembic -x yes downgrade r001, then alembic upgrade head" in remedy
    write_migration(rebased, 2, ONE, 'op.execute("this would fail: it never ran")')
    write_migration(rebased, 3, ONE, 'op.execute("UPDATE t SET n = n - 1")')
    assert alembic(rebased, "-x", "yes", "downgrade", "r001")[0] == 0
    assert alembic(rebased, "upgrade", "head")[0] == 0
    assert wrong(rebased.environment["DATABASE_URL"], "data", 3) is None


@on_sqlite
def test_a_history_that_was_there_before_the_journal_is_no_rebase(project: Project) -> None:
    write_history(project, "data", 3)
    assert alembic(project, "upgrade", "head")[0] == 0
    with engine(project.environment["DATABASE_URL"]).begin() as connection:
        connection.execute(sa.text("DELETE FROM alembic_journal WHERE revision <> 'r003'"))
    write_migration(project, 4, ONE)
    assert alembic(project, "upgrade", "head")[0] == 0


@on_sqlite
def test_only_a_changed_downgrade_is_accepted(project: Project) -> None:
    write_history(project, "data", 3)
    assert alembic(project, "upgrade", "head")[0] == 0
    write_migration(project, 3, ONE, 'op.execute("UPDATE t SET n = n - 1")')
    assert alembic(project, "upgrade", "head")[0] == 0
    write_migration(project, 3, 'op.execute("UPDATE t SET n = n + 2")')
    assert "r003.py was edited after it was applied" in last_line(project, "upgrade", "head")


@on_postgresql
def test_what_is_not_deployed_may_be_edited_by_the_commands_that_are_named(
    project: Project,
) -> None:
    write_history(project, "data", 3)
    write_migration(project, 3, ONE, 'op.execute("UPDATE t SET n = n - 1")')
    assert alembic(project, "upgrade", "head")[0] == 0
    write_migration(project, 3, f"{ONE}  # and\n    {ONE}", 'op.execute("UPDATE t SET n = n - 1")')
    assert "restore what was applied" in last_line(project, "upgrade", "head"), "there is no git"
    project.sh("git init -q -b main")
    message = last_line(project, "upgrade", "head")
    assert "it is not deployed: alembic downgrade r002, then alembic upgrade head" in message
    assert alembic(project, "downgrade", "r002")[0] == 0, "in a project without a remote"
    assert alembic(project, "upgrade", "head")[0] == 0
    with engine(project.environment["DATABASE_URL"]).connect() as connection:
        assert connection.scalar(sa.text("SELECT n FROM t")) == 3


def squash(project: Project) -> None:
    """Make r001 to r003 one file with the identifier of the last."""
    first = (project.versions / "r001.py").read_text()
    one = first.replace("'r001'", "'r003'").replace('"r001"', '"r003"')
    for number in (1, 2):
        (project.versions / f"r00{number}.py").unlink()
    (project.versions / "r003.py").write_text(one.replace("(1, 0)", "(1, 2)"))


def test_a_squash_is_accepted_where_its_last_revision_has_run(project: Project) -> None:
    write_history(project, "data", 3)
    assert alembic(project, "upgrade", "head")[0] == 0
    squash(project)
    write_migration(project, 4, ONE)
    status, output = alembic(project, "upgrade", "head")
    assert status == 0, output
    assert rows(project) == {"r003", "r004"}
    assert wrong(project.environment["DATABASE_URL"], "data", 4) is None
    assert alembic(project, "upgrade", "head")[0] == 0


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_revision_that_is_gone_and_not_part_of_the_squash_stops_the_upgrade(
    project: Project,
) -> None:
    write_history(project, "data", 5)
    assert alembic(project, "upgrade", "head")[0] == 0
    squash(project)
    fourth, fifth = project.versions / "r004.py", project.versions / "r005.py"
    fourth.rename(project.path / "r004.away")
    fifth.write_text(fifth.read_text().replace("'r004'", "'r003'"))
    assert "Can't locate revision r004" in last_line(project, "upgrade", "head")
    (project.path / "r004.away").rename(fourth)
    fifth.write_text(fifth.read_text().replace("'r003'", "'r004'"))
    text = fourth.read_text()
    fourth.write_text(text.replace("n + 1", "n + 2"))
    assert "r004.py was edited after it was applied" in last_line(project, "upgrade", "head")
    fourth.write_text(text)
    assert alembic(project, "upgrade", "head")[0] == 0
    assert rows(project) == {"r003", "r004", "r005"}


@on_sqlite
def test_a_squash_stops_where_its_last_revision_has_not_run(project: Project) -> None:
    write_history(project, "data", 3)
    assert alembic(project, "upgrade", "r002")[0] == 0
    squash(project)
    assert "deploy the release before the squash first" in last_line(project, "upgrade", "head")
    assert at(project.environment["DATABASE_URL"]) == 2


def second_history(project: Project) -> Path:
    """Give the project a second configuration, with a version table and migrations of its own."""
    text = (project.path / "alembic.ini").read_text()
    other = project.path / "second.ini"
    other.write_text(text.replace("%(here)s/alembic\n", "%(here)s/second\n"))
    project.sh("cp -r alembic second && rm -f second/versions/*.py")
    for folder, table in (("alembic", "alembic_version_a"), ("second", "alembic_version_b")):
        project.edit(
            f"{folder}/env.py",
            '        "transaction_per_migration": True,',
            f'        "version_table": "{table}",\n        "transaction_per_migration": True,',
        )
    return project.path / "second" / "versions"


def test_two_histories_in_one_database_do_not_meet(project: Project) -> None:
    write_history(project, "data", 2)
    versions = second_history(project)
    migration = "from alembic import op\n\nrevision = 's001'\ndown_revision = None\n\n\n"
    bodies = "def upgrade():\n    {}\n\n\ndef downgrade():\n    pass\n"
    (versions / "s001.py").write_text(migration + bodies.format("op.execute('UPDATE t SET n = 9')"))
    second = ("-c", "second.ini")
    for arguments in (("upgrade", "head"), (*second, "upgrade", "head"), ("upgrade", "head")):
        status, output = alembic(project, *arguments)
        assert status == 0, output
    assert rows(project, "alembic_version_a_journal") == {"r001", "r002"}
    assert rows(project, "alembic_version_b_journal") == {"s001"}
    assert alembic(project, *second, "stamp", "s001")[0] == 0
    assert rows(project, "alembic_version_a_journal") == {"r001", "r002"}


@on_postgresql
def test_the_journal_of_an_older_version_is_taken_over(project: Project) -> None:
    write_history(project, "data", 2)
    assert alembic(project, "upgrade", "head")[0] == 0
    with engine(project.environment["DATABASE_URL"]).begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA app"))
        connection.execute(sa.text("ALTER TABLE alembic_version SET SCHEMA app"))
        connection.execute(
            sa.text("UPDATE alembic_journal SET statement = 'x' WHERE revision = 'r002'")
        )
    project.edit(
        "alembic/env.py",
        '        "transaction_per_migration": True,',
        '        "version_table_schema": "app",\n        "transaction_per_migration": True,',
    )
    write_migration(project, 3, ONE)
    assert "r002 stopped in the middle" in last_line(project, "upgrade", "head")
    assert alembic(project, "-x", "resume", "upgrade", "head")[0] == 0
    assert rows(project, "app.alembic_journal") == {"r001", "r002", "r003"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_message_of_a_migration_is_escaped_in_the_log(project: Project) -> None:
    write_history(project, "data", 1)
    path = write_migration(project, 2, "pass")
    text = path.read_text()
    path.write_text(f'"""Red \x1b[31m and 100 % déjà"""\n{text}')
    status, output = alembic(project, "upgrade", "head")
    assert status == 0
    assert "Running upgrade r001 -> r002, Red \\x1b[31m and 100 % déjà" in output
    assert "\x1b" not in output
