"""Does a live database have the schema of its revision, and do its rows fit the pending migrations?

Each fault has a harmless twin beside it, and each fix is followed to the letter.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from lib import faults
from lib.faults import BASE, History, Revision
from lib.projects import Project
from lib.servers import SERVERS, database_of, fresh_database
from migration_guard.planning.connecting import is_this_machine
from migration_guard.planning.live_schema import server_for

PLAN = ("python", "scripts/check_migrations.py", "--plan")
pytestmark = pytest.mark.slow


def statements(url: str, *texts: str) -> None:
    """Run these, each for itself."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    if engine.dialect.name == "sqlite":
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        for text in texts:
            connection.exec_driver_sql(text.replace("%", "%%"))
            if engine.dialect.name == "sqlite":
                connection.commit()


def plan(project: Project, *options: str, status: int = 0) -> dict[str, Any]:
    done = project.run(*PLAN, "--format", "json", "--output", "plan.json", *options, ok=None)
    assert done.returncode == status, done.stdout
    return dict(json.loads((project.path / "plan.json").read_text(encoding="utf-8")))


def targets(made: dict[str, Any]) -> dict[str, str]:
    return {each["operation"]: each["rule"] for each in made["findings"]}


@pytest.fixture
def blank(bake: Callable[..., Project], database_url: str) -> Project:
    """A project with tables of its own, whose database is at its newest revision."""
    return migrated(bake, database_url)


def migrated(bake: Callable[..., Project], url: str, *more: Revision) -> Project:
    """The same with more revisions, which are pending."""
    project = bake(url, starter="blank")
    faults.write(History((BASE,)), project.versions)
    project.run("alembic", "upgrade", "head")
    faults.write(History((BASE, *more)), project.versions)
    return project


DRIFT = {
    "postgresql": (
        "ALTER TABLE users ADD COLUMN stray integer",
        "CREATE INDEX ix_stray ON users (age)",
        "DROP INDEX ix_users_name",
        "ALTER TABLE users DROP CONSTRAINT uq_users_email",
        "ALTER TABLE orders DROP CONSTRAINT fk_orders_user",
        "ALTER TABLE orders DROP COLUMN note",
        "ALTER TABLE users ALTER COLUMN bio TYPE varchar(10)",
        "CREATE TABLE stray (id integer)",
        "ALTER TABLE users ADD CONSTRAINT ck_stray CHECK (age < 200)",
    ),
    "mariadb": (
        "ALTER TABLE users ADD COLUMN stray integer",
        "CREATE INDEX ix_stray ON users (age)",
        "DROP INDEX ix_users_name ON users",
        "DROP INDEX uq_users_email ON users",
        "ALTER TABLE orders DROP FOREIGN KEY fk_orders_user",
        "ALTER TABLE orders DROP COLUMN note",
        "ALTER TABLE users MODIFY bio varchar(10)",
        "CREATE TABLE stray (id integer)",
        "ALTER TABLE users ADD CONSTRAINT ck_stray CHECK (age < 200)",
    ),
    "sqlite": (
        "ALTER TABLE users ADD COLUMN stray integer",
        "CREATE INDEX ix_stray ON users (age)",
        "DROP INDEX ix_users_name",
        "ALTER TABLE orders DROP COLUMN note",
        "CREATE TABLE stray (id integer)",
    ),
}


def test_each_difference_is_found_and_gone_after_its_fix(blank: Project) -> None:
    url = blank.environment["DATABASE_URL"]
    database = database_of(url)
    clean = plan(blank)
    assert (clean["findings"], clean["compared"]) == ([], True)
    assert clean["schema"] == "Its schema is what revision r0 should be."
    statements(url, *DRIFT[database])
    made = plan(blank)
    unique = "index" if database == "mariadb" else "constraint"
    expected = {
        "column users.stray",
        "index users.ix_stray",
        "index users.ix_users_name",
        "column orders.note",
        "table stray",
        f"{unique} users.uq_users_email",
        "constraint orders.fk_orders_user",
        "column users.bio",
        "constraint users.ck_stray",
    }
    if database == "sqlite":
        expected = {each for each in expected if not each.startswith("constraint")} - {
            "column users.bio"
        }
    assert targets(made) == dict.fromkeys(expected, "database-drift")
    assert all(each["severity"] == "warning" for each in made["findings"])
    assert made["schema"] == f"Its schema differs from revision r0 in {len(expected)} places."
    # Each fix is followed to the letter, but for the type, which a person decides.
    fixes = {each["operation"]: each["fix"] for each in made["findings"]}
    assert fixes.pop("column users.bio", "Change it back").startswith("Change it back")
    for fix in fixes.values():
        statements(url, fix.rpartition(": ")[2])
    assert set(targets(plan(blank))) <= {"column users.bio"}


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_what_harms_nobody_is_no_difference(blank: Project) -> None:
    url = blank.environment["DATABASE_URL"]
    harmless = ["CREATE VIEW names AS SELECT name FROM users", "ANALYZE TABLE users"]
    if database_of(url) == "postgresql":
        harmless = [
            "CREATE VIEW names AS SELECT name FROM users",
            "ALTER TABLE users SET (fillfactor = 80)",
            "COMMENT ON TABLE users IS 'who buys'",
            "CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            "ANALYZE users",
        ]
    statements(url, *harmless)
    assert plan(blank)["findings"] == []


PARTITIONED = Revision(
    "op.execute('CREATE TABLE log (id int, day date) PARTITION BY RANGE (day)')",
    "op.execute('DROP TABLE log')",
)


def test_a_partition_that_a_job_creates_is_no_difference_and_counts_for_its_table(
    bake: Callable[..., Project], tmp_path: Path
) -> None:
    for url in fresh_database("postgresql", tmp_path):
        project = bake(url, starter="blank")
        faults.write(History((BASE, PARTITIONED)), project.versions)
        project.run("alembic", "upgrade", "head")
        statements(
            url,
            "CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
            "INSERT INTO log SELECT n, '2026-05-05' FROM generate_series(1, 700) n",
            "ANALYZE log_1",
        )
        faults.write(
            History((BASE, PARTITIONED, Revision("op.drop_table('log')"))), project.versions
        )
        made = json.loads(project.run(*PLAN, "--format", "json", ok=None).stdout)
        assert made["findings"] == []
        (lock,) = made["revisions"][0]["operations"][0]["locks"]
        assert lock["rows"] == 700


CREATES = {
    "sqlite": (
        "CREATE VIEW names AS SELECT name FROM users",
        "CREATE TRIGGER once AFTER INSERT ON orders BEGIN DELETE FROM users WHERE id < 0; END",
    ),
    "postgresql": (
        "CREATE OR REPLACE VIEW names AS SELECT name FROM users",
        "CREATE OR REPLACE FUNCTION one() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER once BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION one()",
    ),
}
CHANGES = {
    "sqlite": ("DROP VIEW names", "DROP TRIGGER once"),
    "postgresql": (
        "CREATE OR REPLACE VIEW names AS SELECT upper(name)::varchar(50) AS name FROM users",
        "CREATE OR REPLACE FUNCTION one() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RETURN NULL; END'",
        "DROP TRIGGER once ON orders",
    ),
}


@pytest.mark.parametrize("database_url", CREATES, indirect=True)
def test_a_view_a_function_and_a_trigger_of_the_migrations_are_compared(
    bake: Callable[..., Project], database_url: str
) -> None:
    database = database_of(database_url)
    project = bake(database_url, starter="blank")
    upgrade = "\n".join(f"op.execute({text!r})" for text in CREATES[database])
    faults.write(History((BASE, Revision(upgrade))), project.versions)
    project.run("alembic", "upgrade", "head")
    assert plan(project)["findings"] == []
    statements(database_url, *CHANGES[database])
    made = plan(project)
    expected = {"view names", "trigger orders.once"}
    expected |= {"function one()"} if database == "postgresql" else set()
    assert targets(made) == dict.fromkeys(expected, "database-drift")
    # The fix is followed to the letter.
    printed = project.run("alembic", "upgrade", "base:r1", "--sql").stdout
    for each in made["findings"]:
        assert each["fix"].endswith("they are in: alembic upgrade base:r1 --sql")
    assert all(text in printed for text in CREATES[database])
    statements(database_url, *CREATES[database])
    assert plan(project)["findings"] == []


@pytest.fixture
def on_postgresql(bake: Callable[..., Project], tmp_path: Path) -> Iterator[Project]:
    for url in fresh_database("postgresql", tmp_path):
        yield migrated(bake, url)


def test_an_invalid_index_is_found_and_reindexed(on_postgresql: Project) -> None:
    url = on_postgresql.environment["DATABASE_URL"]
    valid = "CREATE UNIQUE INDEX CONCURRENTLY ux ON users (name)"
    statements(
        url,
        "INSERT INTO users (email, name) VALUES ('a', 'same'), ('b', 'same')",
        "CREATE INDEX CONCURRENTLY twin ON users (name)",
    )
    with pytest.raises(sa.exc.IntegrityError):
        statements(url, valid)
    made = plan(on_postgresql)
    assert sorted((each["rule"], each["operation"]) for each in made["findings"]) == [
        ("database-drift", "index users.twin"),
        ("database-drift", "index users.ux"),
        ("invalid-index", "index users.ux"),
    ]
    (invalid,) = (each for each in made["findings"] if each["rule"] == "invalid-index")
    statements(url, "DELETE FROM users", invalid["fix"].partition(";")[0])
    assert "invalid-index" not in targets(plan(on_postgresql)).values()


NOT_VALID = Revision(
    "op.create_check_constraint(op.f('ck_total'), 'orders', 'total < 9', postgresql_not_valid=True)"
)
VALIDATE = Revision("op.execute('ALTER TABLE orders VALIDATE CONSTRAINT ck_total')")


def test_a_constraint_is_found_that_no_revision_validates(
    bake: Callable[..., Project], tmp_path: Path
) -> None:
    for url in fresh_database("postgresql", tmp_path):
        project = bake(url, starter="blank")
        faults.write(History((BASE, NOT_VALID)), project.versions)
        project.run("alembic", "upgrade", "head")
        (found,) = plan(project)["findings"]
        assert (found["rule"], found["operation"]) == (
            "not-validated",
            "constraint orders.ck_total",
        )
        faults.write(History((BASE, NOT_VALID, VALIDATE)), project.versions)
        assert plan(project)["findings"] == [], "a pending revision validates it"
        statements(url, found["fix"])
        faults.write(History((BASE, NOT_VALID)), project.versions)
        assert plan(project)["findings"] == [], "validated is no difference"


# --- where the scratch database may be


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("sqlite:///a.db", True),
        ("postgresql://u@localhost/a", True),
        ("postgresql://u@127.0.0.1:6432/a", True),
        ("postgresql://u@[::1]/a", True),
        ("postgresql:///a?host=/run/postgresql", True),
        ("mysql+pymysql://u@/a?unix_socket=/run/mysqld/mysqld.sock", True),
        ("postgresql:///a", True),
        ("postgresql://u@db.example.org/a", False),
        ("postgresql:///a?host=db.example.org", False),
        ("postgresql:///a?host=localhost&host=db.example.org", False),
        ("postgresql://u@localhost/a?hostaddr=192.0.2.7", False),
        ("postgresql:///a?service=live", False),
        ("mariadb+pymysql://u@/a?read_default_file=/etc/live.cnf", False),
        ("mariadb+pymysql://u@192.0.2.7/a", False),
    ],
)
def test_only_this_machine_gets_a_scratch_database_unasked(
    url: str, here: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    planned = sa.make_url(url)
    assert is_this_machine(planned) is here
    if here:
        assert server_for(planned, None) == planned
        return
    with pytest.raises(Exception, match=r"is not on this machine.*--database-url"):
        server_for(planned, None)
    with pytest.raises(Exception, match=r"--plan creates nothing there"):
        server_for(planned, planned)
    other = planned.set(host="127.0.0.1", query={})
    assert server_for(planned, other) == other


def test_the_environment_may_name_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PGHOST", "db.example.org"), ("PGSERVICE", "live")):
        monkeypatch.setenv(name, value)
        assert not is_this_machine(sa.make_url("postgresql:///a"))
        monkeypatch.delenv(name)
    assert is_this_machine(sa.make_url("postgresql:///a"))


def test_a_plan_that_was_not_compared_is_not_clean(on_postgresql: Project) -> None:
    project = on_postgresql
    url = sa.make_url(project.environment["DATABASE_URL"])
    elsewhere = url.set(host=socket.gethostbyname(socket.gethostname()))
    if elsewhere.host is None or elsewhere.host.startswith("127."):
        elsewhere = sa.URL.create(
            url.drivername, url.username, database=url.database, query={"service": "live"}
        )
        service = project.path / "service.conf"
        service.write_text(f"[live]\nhost={url.host}\nport={url.port}\nuser={url.username}\n")
        project.environment["PGSERVICEFILE"] = str(service)
    project.environment["DATABASE_URL"] = elsewhere.render_as_string(hide_password=False)
    made = plan(project, status=2)
    assert made["compared"] is False
    assert made["summary"].endswith("nothing to run.")
    assert made["schema"] == "Its schema was not compared with what its revision should be."
    (why,) = made["not_checked"]
    assert "--database-url" in why
    for form in ("text", "markdown"):
        text = project.run(*PLAN, "--format", form, ok=None).stdout
        assert "was not compared" in text
        assert "Its schema is what" not in text
    assert plan(project, "--ignore", "database-drift")["not_checked"] == []
    made = plan(project, "--database-url", SERVERS["postgresql"])
    assert (made["compared"], made["findings"], made["not_checked"]) == (True, [], [])
    assert plan(project, "--database-url", "sqlite://", status=2)["compared"] is False


# --- a role that may only read


@pytest.fixture(params=["postgresql", "mariadb"])
def reader(
    request: pytest.FixtureRequest, bake: Callable[..., Project], tmp_path: Path
) -> Iterator[tuple[Project, str]]:
    """A project at its newest revision that connects with SELECT only, and the URL of its owner."""
    for url in fresh_database(request.param, tmp_path):
        project = migrated(bake, url)
        owner = sa.make_url(url)
        user = f"{owner.database}_r"[-32:]
        postgresql = request.param == "postgresql"
        at = user if postgresql else f"'{user}'@'%'"
        password = "PASSWORD" if postgresql else "IDENTIFIED BY"
        what = "ALL TABLES IN SCHEMA public" if postgresql else f"{owner.database}.*"
        statements(
            url,
            f"CREATE {'ROLE' if postgresql else 'USER'} {at} {'LOGIN' * postgresql} {password} 'x'",
            f"GRANT SELECT ON {what} TO {at}",
        )
        read = owner.set(username=user, password="x").render_as_string(hide_password=False)
        project.environment["DATABASE_URL"] = read
        yield project, url
        if postgresql:
            statements(url, f"DROP OWNED BY {user}")
        statements(url, f"DROP USER {at}")


def test_select_suffices(reader: tuple[Project, str]) -> None:
    project, url = reader
    server = SERVERS[database_of(url)]
    made = plan(project, "--database-url", server)
    assert (made["compared"], made["findings"], made["not_checked"]) == (True, [], [])
    statements(url, "CREATE INDEX ix_stray ON users (age)", "CREATE VIEW v AS SELECT 1 AS one")
    assert targets(plan(project, "--database-url", server)) == {
        "index users.ix_stray": "database-drift"
    }


def test_what_mariadb_hides_from_a_role_is_not_called_missing(
    bake: Callable[..., Project], tmp_path: Path
) -> None:
    for url in fresh_database("mariadb", tmp_path):
        project = migrated(bake, url)
        owner = sa.make_url(url)
        user = f"{owner.database}_s"[-32:]
        statements(url, f"CREATE USER '{user}'@'%' IDENTIFIED BY 'x'")
        try:
            for table in ("alembic_version", "alembic_journal", "users"):
                statements(url, f"GRANT SELECT ON {owner.database}.{table} TO '{user}'@'%'")
            project.environment["DATABASE_URL"] = owner.set(
                username=user, password="x"
            ).render_as_string(hide_password=False)
            made = plan(project, "--database-url", SERVERS["mariadb"], status=2)
            assert made["findings"] == []
            assert made["not_checked"] == [
                "table orders is not visible: it is missing, or this role needs SELECT on it"
            ]
        finally:
            statements(url, f"DROP USER '{user}'@'%'")


# --- rows

ROWS = (
    "INSERT INTO users (id, email, name, age, bio) VALUES (1, 'a', 'long name', 1, 'x'),"
    " (2, 'b', 'long name', 2, NULL), (3, 'c', NULL, 3, NULL)",
)
BATCH_NULL = """
with op.batch_alter_table('users') as users:
    users.alter_column('bio', existing_type=sa.Text(), nullable=False)
"""
BATCH_UNIQUE = """
with op.batch_alter_table('users') as users:
    users.create_unique_constraint('uq_users_name', ['name'])
"""


def found_rows(made: dict[str, Any], severity: str = "warning") -> list[str]:
    return [
        each["message"]
        for step in made["revisions"]
        for each in step["findings"]
        if each["rule"] == "rows-do-not-fit" and each["severity"] == severity
    ]


def fixes_of(made: dict[str, Any]) -> list[str]:
    return [
        each["fix"].partition("To list them, run: ")[2]
        for step in made["revisions"]
        for each in step["findings"]
        if each["rule"] == "rows-do-not-fit"
    ]


def probed(project: Project) -> dict[str, Any]:
    done = project.run(*PLAN, "--probe", "--format", "json", "--output", "plan.json", ok=None)
    assert done.returncode in (0, 1), done.stdout
    made = dict(json.loads((project.path / "plan.json").read_text(encoding="utf-8")))
    assert made["probed"] is True
    assert made["not_checked"] == []
    return made


@pytest.mark.parametrize(
    ("upgrade", "number", "message"),
    [
        (BATCH_NULL, 2, "Rows of users (bio) with NULL: 2."),
        (BATCH_UNIQUE, 1, "Values of users (name) in several rows: 1."),
    ],
    ids=["null", "unique"],
)
def test_rows_that_do_not_fit_on_each_database(
    bake: Callable[..., Project], database_url: str, upgrade: str, number: int, message: str
) -> None:
    project = migrated(bake, database_url, Revision(upgrade))
    assert found_rows(probed(project)) == [], "an empty table fits"
    statements(database_url, *ROWS)
    made = probed(project)
    assert found_rows(made) == [message]
    (query,) = fixes_of(made)
    with sa.create_engine(database_url, poolclass=sa.pool.NullPool).connect() as connection:
        assert len(connection.exec_driver_sql(query).all()) == number
    assert found_rows(plan_again(project)) == [], "without --probe no row is read"
    statements(database_url, "UPDATE users SET bio = 'x', name = email")
    assert found_rows(probed(project)) == []


def plan_again(project: Project) -> dict[str, Any]:
    return dict(json.loads(project.run(*PLAN, "--format", "json", ok=None).stdout))


KEY = "op.create_foreign_key('fk_users_orders', 'users', 'orders', ['age'], ['id'])"
SHORT = "op.alter_column('users', 'name', existing_type=sa.String(50), type_=sa.String(5))"
LONG = "op.alter_column('users', 'name', existing_type=sa.String(50), type_=sa.String(9))"
FILLED = "op.execute(\"UPDATE users SET bio = '' WHERE bio IS NULL\")"
NOT_NULL = "op.alter_column('users', 'bio', existing_type=sa.Text(), nullable=False)"
CHECK = "op.create_check_constraint('ck', 'users', 'age > 1')"
NEW = (
    "op.add_column('users', sa.Column('nick', sa.String(9)))\n"
    "op.create_unique_constraint('u', 'users', ['nick'])"
)


@pytest.mark.parametrize(
    ("upgrade", "warnings", "notes"),
    [
        (KEY, ["Rows of users (age) that refer to no row of orders: 3."], 0),
        (SHORT, ["Rows of users (name) with more than 5 characters: 2."], 0),
        (LONG, [], 0),
        (f"{FILLED}\n{NOT_NULL}", [], 1),
        (NEW, [], 0),
        (CHECK, ["Rows of users that don't meet ck: 1."], 0),
        (CHECK.replace("> 1", "> 0"), [], 0),
        (f"op.create_table('n', sa.Column('a', sa.Text()))\n{NEW.replace('users', 'n')}", [], 0),
    ],
    ids=[
        "orphans",
        "too long",
        "long enough",
        "filled before",
        "new column",
        "check",
        "check fits",
        "new table",
    ],
)
@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_rows_that_do_not_fit_on_servers(
    bake: Callable[..., Project], database_url: str, upgrade: str, warnings: list[str], notes: int
) -> None:
    project = migrated(bake, database_url, Revision(upgrade))
    statements(database_url, *ROWS)
    made = probed(project)
    assert found_rows(made) == warnings
    assert len(found_rows(made, "note")) == notes
    for query in fixes_of(made):
        statements(database_url, query)


CHECKED = """
op.create_foreign_key('fk', 'users', 'orders', ['age'], ['id'], postgresql_not_valid=True)
"""
UNCHECKED = CHECK.replace(")", ", postgresql_not_valid=True)")
REQUIRED = "op.add_column('users', sa.Column('k', sa.Integer(), nullable=False))"
PARTIAL = """
op.create_index('ux', 'users', ['name'], unique=True, postgresql_where=sa.text("age > 1"))
"""


@pytest.mark.parametrize(
    ("upgrade", "number"),
    [
        (CHECKED, 0),
        (f"{CHECKED}op.execute('ALTER TABLE users VALIDATE CONSTRAINT fk')", 1),
        (PARTIAL, 0),
        (PARTIAL.replace("age > 1", "age >= 1"), 1),
        (UNCHECKED, 0),
        (f"{UNCHECKED}\nop.execute('ALTER TABLE users VALIDATE CONSTRAINT ck')", 1),
        ("op.execute('ALTER TABLE users VALIDATE CONSTRAINT old')", 1),
        (REQUIRED, 1),
        (REQUIRED.replace("nullable=False", "nullable=False, server_default='1'"), 0),
        (f"{REQUIRED.replace('False', 'True')}\n{CHECK.replace('age', 'k')}", 0),
    ],
)
def test_only_what_the_server_would_check_is_counted(
    bake: Callable[..., Project], tmp_path: Path, upgrade: str, number: int
) -> None:
    for url in fresh_database("postgresql", tmp_path):
        project = migrated(bake, url, Revision(upgrade))
        old = "ALTER TABLE users ADD CONSTRAINT old CHECK (age > 2) NOT VALID"
        statements(url, *ROWS, old)
        made = probed(project)
        assert len(found_rows(made)) == number
        for query in fixes_of(made):
            statements(url, query)


def test_a_condition_that_can_not_be_read_is_not_checked(
    bake: Callable[..., Project], tmp_path: Path
) -> None:
    for url in fresh_database("postgresql", tmp_path):
        unknown = CHECK.replace("'age > 1'", "sa.column('age') > 1")
        project = migrated(bake, url, Revision(unknown))
        (why,) = plan(project, "--probe", status=2)["not_checked"]
        assert why == "whether the rows meet ck, whose condition is not text"


def test_a_suppression_is_kept_to(bake: Callable[..., Project], database_url: str) -> None:
    lines = BATCH_UNIQUE.strip().split("\n")
    upgrade = (
        f"{lines[0]}\n    # migration-guard: ignore[rows-do-not-fit] deleted on Friday\n{lines[1]}"
    )
    project = migrated(bake, database_url, Revision(upgrade))
    statements(database_url, *ROWS)
    made = probed(project)
    assert found_rows(made) == []
    assert "rows-do-not-fit" in [each["rule"] for each in made["revisions"][0]["suppressed"]]


def test_a_role_that_may_not_read_the_rows_is_reported(reader: tuple[Project, str]) -> None:
    project, url = reader
    server = SERVERS[database_of(url)]
    faults.write(History((BASE, Revision(NOT_NULL))), project.versions)
    statements(url, *ROWS)
    options = ("--probe", "--database-url", server)
    assert found_rows(plan_with_errors(project, *options)) == ["Rows of users (bio) with NULL: 2."]
    if database_of(url) == "postgresql":
        user = sa.make_url(project.environment["DATABASE_URL"]).username
        statements(url, f"REVOKE SELECT ON users FROM {user}")
        made = plan(project, *options, status=2)
        (why,) = made["not_checked"]
        assert "permission denied for table users" in why
        assert "SELECT count(*)" in why


def plan_with_errors(project: Project, *options: str) -> dict[str, Any]:
    done = project.run(*PLAN, "--format", "json", "--output", "plan.json", *options, ok=None)
    assert done.returncode in (0, 1), done.stdout
    return dict(json.loads((project.path / "plan.json").read_text(encoding="utf-8")))


# --- how large


def test_each_lock_tells_how_large_its_table_is(
    bake: Callable[..., Project], database_url: str
) -> None:
    project = migrated(bake, database_url, Revision("op.create_index('i', 'users', ['bio'])"))
    rows = ", ".join(f"({n}, '{n}', '{'x' * 200}')" for n in range(1, 2001))
    analyze = "ANALYZE users"
    if database_of(database_url) == "mariadb":
        project = migrated_index(project)
        analyze = "ANALYZE TABLE users"
    statements(database_url, f"INSERT INTO users (id, email, bio) VALUES {rows}", analyze)
    made = plan_with_errors(project)
    (lock,) = made["revisions"][0]["operations"][0]["locks"]
    assert 1800 <= lock["rows"] <= 2200
    assert 0.2 <= lock["megabytes"] <= 5
    for form in ("text", "markdown"):
        text = project.run(*PLAN, "--format", form, ok=None).stdout
        assert f"about {lock['rows']:,} rows, {lock['megabytes']} MB" in text


def migrated_index(project: Project) -> Project:
    """An index of a text needs a length on MariaDB."""
    index = Revision("op.create_index('i', 'users', ['age'])")
    faults.write(History((BASE, index)), project.versions)
    return project


def test_a_version_table_of_its_own_is_no_difference(
    bake: Callable[..., Project], tmp_path: Path
) -> None:
    for url in fresh_database("postgresql", tmp_path):
        project = bake(url, starter="blank")
        metadata = '"target_metadata": models.Base.metadata,'
        own = f'{metadata}\n        "version_table": "own_version",'
        project.edit("alembic/env.py", metadata, own)
        faults.write(History((BASE,)), project.versions)
        project.run("alembic", "upgrade", "head")
        made = plan(project)
        assert (made["compared"], made["findings"]) == (True, [])
        # Nor does autogenerate drop the journal that belongs to it.
        names = sa.inspect(sa.create_engine(url, poolclass=sa.pool.NullPool)).get_table_names()
        assert "own_version_journal" in names
        assert "journal" not in project.run("alembic", "check", ok=None).stdout
