"""What was green is not run again, and the cache is exactly as strict as running all: it refuses what could differ."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import faults
import pytest
import sqlalchemy as sa
from conftest import SERVERS, Project, fresh_database, mariadb_only, require
from faults import BASE, History, Revision
from migration_guard import cli, dump, stores
from migration_guard.cache import digest
from migration_guard.snapshot import words

RAN = "models-out-of-sync,upgrade-fails,downgrade-fails,upgrade-not-repeatable,downgrade-differs,data-not-restored,table-without-rows"
ONE = Revision("op.create_index('ix_note', 'orders', ['note'])", "op.drop_index('ix_note', 'orders')")
TWO = Revision("op.create_index('ix_status', 'users', ['status'])", "op.drop_index('ix_status', 'users')")
NEW = Revision("op.create_index('ix_bio', 'users', ['age'])", "op.drop_index('ix_bio', 'users')")
FORGOTTEN = replace(ONE, downgrade="pass")
KINDS = ("check", "roundtrip")


def databases_of(project: Project) -> list[str]:
    """The databases that are kept for the project on PostgreSQL."""
    engine = sa.create_engine(SERVERS["postgresql"], poolclass=sa.pool.NullPool)
    prefix = f"migration_guard_kept_{digest(project.path)[:8]}_"
    with engine.connect() as connection:
        query = sa.text("SELECT datname FROM pg_database WHERE starts_with(datname, :prefix)")
        return list(connection.execute(query, {"prefix": prefix}).scalars())


@pytest.fixture(params=faults.ALL)
def server(request: pytest.FixtureRequest) -> str:
    require(request.param)
    return str(request.param)


@pytest.fixture
def blank(bake: Callable[..., Project], monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project with three revisions, in which things are kept."""
    project = bake(starter="blank")
    del project.environment["CI"]
    monkeypatch.delenv("CI")
    monkeypatch.chdir(project.path)
    write(project, BASE, ONE, TWO)
    yield project
    if "postgresql" in project.environment.get("USED", "") and (names := databases_of(project)):
        engine = sa.create_engine(SERVERS["postgresql"], isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            for name in names:
                connection.exec_driver_sql(f"DROP DATABASE {name}")


def write(project: Project, *revisions: Revision, models: Path | None = None) -> None:
    faults.write(History(revisions), project.versions, models)


def run(project: Project, kind: str, server: str, *options: str) -> tuple[list[dict[str, Any]], int]:
    """Run the guard in this process: what it finds by running, and how many revisions it did not run again."""
    project.environment["USED"] = server
    for name in [name for name in sys.modules if name.partition(".")[0] == project.package]:
        del sys.modules[name]
    before, written = sys.path[:], sys.dont_write_bytecode
    arguments = [*options, *(["--roundtrip"] if kind == "roundtrip" else []), "--select", RAN]
    arguments += ["--database-url", SERVERS.get(server, "sqlite://"), "--format", "json", "--output", "report.json"]
    sys.path.insert(0, str(project.path / "src"))
    try:
        status = cli.main(project.path, arguments)
    finally:
        sys.path[:], sys.dont_write_bytecode = before, written
    assert status in (0, 1)
    report = json.loads((project.path / "report.json").read_text())
    return report["findings"], report["checked"].get("cached", 0)


def test_a_user_sees_what_was_taken(blank: Project) -> None:
    for options in ([], ["--roundtrip"]):
        command = ("python", "scripts/check_migrations.py", "--select", "drop-table,downgrade-differs", *options)
        assert "3 revisions checked." in blank.run(*command).stdout
        assert "3 revisions (3 from the cache) checked." in blank.run(*command).stdout
        assert "3 revisions checked." in blank.run(*command, "--no-cache").stdout
    blank.edit("src/soundhash/database/migration_guard/rows.py", "ENOUGH = 60", "ENOUGH = 61")
    assert "3 revisions checked." in blank.run(*command).stdout
    assert blank.sh("git init -q && git status --porcelain .migration-cache").stdout == ""


def add(project: Project, path: str | Path, text: str) -> None:
    file = project.path / path
    file.write_text(file.read_text() + text)


def add_module(project: Project, text: str) -> None:
    (project.models.parent / "more.py").write_text(text)
    add(project, MODELS, "from . import more\n")


def rename(project: Project) -> None:
    (project.versions / "001_r1.py").rename(project.versions / "001.py")


MODELS = "src/soundhash/database/models.py"
MORE = "class More(Base):\n    __tablename__ = 'more'\n    id: Mapped[int] = mapped_column(primary_key=True)\n"
CHANGES: dict[str, tuple[Callable[[Project], None], int]] = {
    "nothing": (lambda project: None, 3),
    "a new revision": (lambda project: write(project, BASE, ONE, TWO, NEW), 3),
    "an old revision changed": (lambda project: write(project, BASE, NEW, TWO), 1),
    "a comment in an old revision": (lambda project: add(project, "alembic/versions/001_r1.py", "# x\n"), 1),
    "the first revision changed": (lambda project: add(project, "alembic/versions/000_r0.py", "# x\n"), 0),
    "two revisions swapped": (
        lambda project: write(
            project, BASE, replace(TWO, revises=("r2",), name="r1"), replace(ONE, revises=("r0",), name="r2")
        ),
        1,
    ),
    "a revision removed": (lambda project: write(project, BASE, replace(TWO, name="r2")), 1),
    "a file renamed": (rename, 1),
    "env.py": (lambda project: add(project, "alembic/env.py", "# x\n"), 0),
    "alembic.ini": (lambda project: add(project, "alembic.ini", "# x\n"), 0),
    "the settings": (lambda project: add(project, "pyproject.toml", "# x\n"), 0),
    "a table of the models": (lambda project: add(project, MODELS, MORE), 3),
    "a table in a new module": (lambda project: add_module(project, "from .models import Base\n"), 3),
    "a new module that does more": (lambda project: add_module(project, "import sqlalchemy\nsqlalchemy.x = 1\n"), 0),
    "another statement of the models": (lambda project: add(project, MODELS, "x = 1\n"), 0),
    "the names of constraints": (lambda project: project.edit(MODELS, "MetaData(", "MetaData(schema=None, "), 0),
}


ON_SERVERS = ("nothing", "two revisions swapped", "another statement of the models")
CHANGED = [("sqlite", change) for change in CHANGES]
CHANGED += [(database, change) for database in faults.ALL[1:] for change in ON_SERVERS]


@pytest.mark.parametrize(("database", "change"), CHANGED)
def test_what_changed_is_run_again(blank: Project, database: str, change: str) -> None:
    """The history of one revision and that of three are kept; which of them is taken?"""
    require(database)
    made, expected = CHANGES[change]
    kind, server = KINDS[len(change) % 2], database
    write(blank, BASE)
    assert run(blank, kind, server)[1] == 0
    write(blank, BASE, ONE, TWO)
    first, taken = run(blank, kind, server)
    assert taken == 1
    made(blank)
    found, taken = run(blank, kind, server)
    assert taken == expected
    assert found == run(blank, kind, server, "--no-cache")[0]
    assert change != "nothing" or found == first


READS = "from pathlib import Path\nTEXT = Path(__file__).with_name('it.sql').read_text()\n"
USES = {
    "imports the application": "from soundhash.database.models import Base",
    "imports what imports it": "from soundhash.database import connection",
    "gets at the models": "NAME = 'target_metadata'",
    "reads a file": READS,
}


@pytest.mark.parametrize("use", USES)
def test_a_revision_is_served_as_long_as_what_it_uses_is_the_same(blank: Project, use: str) -> None:
    (blank.versions / "it.sql").write_text("SELECT 1")
    write(blank, BASE, replace(ONE, module=USES[use]))
    assert [run(blank, "roundtrip", "sqlite")[1] for _ in range(2)] == [0, 2]
    add(blank, MODELS, MORE)
    assert run(blank, "roundtrip", "sqlite")[1] == (2 if use == "reads a file" else 0)
    (blank.versions / "it.sql").write_text("SELECT 2")
    assert run(blank, "roundtrip", "sqlite")[1] == (0 if use == "reads a file" else 2)


def test_what_nobody_sees_is_not_kept(blank: Project) -> None:
    write(blank, BASE, replace(ONE, module="import os\nX = os.environ.get('X')"))
    assert [run(blank, "roundtrip", "sqlite")[1] for _ in range(2)] == [0, 0]


def test_another_server_or_library_is_another_cache(
    blank: Project, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [run(blank, "check", server)[1] for _ in range(2)] == [0, 3]
    with monkeypatch.context() as patched:
        patched.setattr(stores.sqlite3, "sqlite_version", "1.2.3")
        patched.setattr(stores, "SERVER", stores.SERVER.replace("version()", "'1.2.3'"))
        patched.setattr(stores, "VARIABLES", stores.VARIABLES.replace("version$", "hostname"))
        assert run(blank, "check", server)[1] == 0
    (tmp_path / "libraries" / "SQLAlchemy-99.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "libraries")
    assert run(blank, "check", server)[1] == 0


@pytest.mark.parametrize("database", faults.ALL)
def test_a_fault_put_into_an_old_revision_is_found_at_once(blank: Project, database: str) -> None:
    require(database)
    for kind in KINDS:
        write(blank, BASE, ONE, TWO)
        clean, _ = run(blank, kind, database)
        assert run(blank, kind, database) == (clean, 3)
        write(blank, BASE, FORGOTTEN if kind == "roundtrip" else NEW, TWO)
        found, taken = run(blank, kind, database)
        assert taken == 0
        assert found == run(blank, kind, database, "--no-cache")[0]
        assert kind == "check" or [(each["rule"], each["revision"]) for each in found] == [("downgrade-differs", "r1")]


def some(database: str) -> list[faults.Pair]:
    """Pairs with one fault after a green start, of each rule the first ones."""
    chosen: dict[str, list[faults.Pair]] = {}
    for pair in faults.cases(database):
        if pair.kind == "roundtrip" and pair.at is not None and len(pair.fault.revisions) + pair.at != 0:
            at = pair.at % len(pair.fault.revisions)
            if at and not pair.fault.foreign_keys_on and all(not each.name for each in pair.fault.revisions):
                chosen.setdefault(pair.rule, []).append(pair)
    return [pair for pairs in chosen.values() for pair in pairs[: 3 if database == "sqlite" else 1]]


CASES = [pytest.param(name, pair, id=f"{name}-{pair.name}") for name in faults.ALL for pair in some(name)]


@pytest.mark.filterwarnings("ignore:Unnamed CHECK")
@pytest.mark.parametrize(("database", "pair"), CASES)
def test_a_fault_after_a_kept_history_is_found_as_without(blank: Project, database: str, pair: faults.Pair) -> None:
    require(database)
    assert pair.at is not None
    at = pair.at % len(pair.fault.revisions)
    for history, faulty in ((pair.fault, True), (pair.twin, False)):
        faults.write(replace(history, revisions=history.revisions[:at]), blank.versions, blank.models)
        assert run(blank, "roundtrip", database)[0] == []
        faults.write(history, blank.versions, blank.models)
        found, taken = run(blank, "roundtrip", database)
        assert taken == at or (
            faulty and taken == 0
        )  # that from which a step was not seen runs once more, from nothing
        assert {each["rule"] for each in found} == ({pair.rule} if faulty else set())
        assert found == run(blank, "roundtrip", database, "--no-cache")[0]


def test_what_is_not_green_runs_again_and_notes_are_said_again(blank: Project) -> None:
    write(blank, BASE, FORGOTTEN)
    assert [run(blank, "roundtrip", "sqlite")[1] for _ in range(2)] == [0, 0]
    blank.edit(
        "alembic/versions/001_r1.py",
        "def downgrade",
        "# migration-guard: ignore[downgrade-differs] kept on purpose\ndef downgrade",
    )
    assert [run(blank, "roundtrip", "sqlite") for _ in range(2)] == [([], 0), ([], 2)]
    blank.edit("alembic/versions/001_r1.py", "downgrade-differs]", "upgrade-fails]")
    assert [len(run(blank, "roundtrip", "sqlite")[0]) for _ in range(2)] == [1, 1]
    column = "sa.Column('code', sa.String(40), nullable=False)"
    check = "sa.CheckConstraint(\"length(code) = 32 AND code LIKE 'zq%zq%q'\", name='ck_t')"
    table = Revision(f"op.create_table('t', {column}, {check})", "op.drop_table('t')")
    write(blank, BASE, table)
    (first, none), (second, all_) = (run(blank, "roundtrip", "sqlite") for _ in range(2))
    assert first == second
    assert ([each["severity"] for each in first], none, all_) == (["note"], 0, 2)
    write(blank, BASE, table, ONE)
    found, taken = run(blank, "roundtrip", "sqlite")
    assert (found, taken) == (first, 2)


def test_what_a_revision_sets_for_the_session_is_set_again(blank: Project, server: str) -> None:
    ask, say, value = {
        "sqlite": ("PRAGMA recursive_triggers", "PRAGMA recursive_triggers = 1", 1),
        "postgresql": ("SHOW lock_timeout", "SET lock_timeout = '7s'", "7s"),
        "mariadb": ("SELECT @@group_concat_max_len", "SET group_concat_max_len = 7777", 7777),
    }[server]
    write(blank, BASE, Revision(f"op.execute({say!r})"))
    assert run(blank, "roundtrip", server) == ([], 0)
    asks = f"assert op.get_bind().exec_driver_sql({ask!r}).scalar() == {value!r}"
    write(blank, BASE, Revision(f"op.execute({say!r})"), Revision(asks))
    assert run(blank, "roundtrip", server) == ([], 2)


@pytest.mark.parametrize("what", ["SET @x = 1", "SELECT 1 INTO @x", "CREATE TEMPORARY TABLE x (n INT)"])
def test_what_lives_in_a_session_of_mariadb_is_not_kept(blank: Project, what: str) -> None:
    require("mariadb")
    write(blank, BASE, Revision(f"op.execute({what!r})", "op.execute('DROP TEMPORARY TABLE IF EXISTS x')"))
    assert [run(blank, "check", "mariadb")[1] for _ in range(2)] == [0, 0]


def test_a_foreign_key_that_is_gone_is_not_forgotten(blank: Project) -> None:
    """Whose index MariaDB may keep; a revision that drops it is seen alike with and without the cache."""
    require("mariadb")
    key = "KEY fk (p), CONSTRAINT fk FOREIGN KEY (p) REFERENCES users (id)"
    made = Revision(f"op.execute('CREATE TABLE c (id INT PRIMARY KEY, p INT, {key})')", "op.drop_table('c')")
    dropped = Revision(
        "op.drop_constraint('fk', 'c', type_='foreignkey')", "op.create_foreign_key('fk', 'c', 'users', ['p'], ['id'])"
    )
    write(blank, BASE, made, dropped)
    assert run(blank, "roundtrip", "mariadb")[0] == []
    write(blank, BASE, made, dropped, Revision("op.drop_index('fk', 'c')", "op.create_index('fk', 'c', ['p', 'id'])"))
    found, taken = run(blank, "roundtrip", "mariadb")
    assert taken == 3
    assert found == run(blank, "roundtrip", "mariadb", "--no-cache")[0]


def kept_things(project: Project) -> list[str]:
    folder = project.path / ".migration-cache"
    return sorted(path.name for path in folder.glob("*.image")) if folder.is_dir() else []


@pytest.mark.parametrize("data", [b"", b"nonsense", b"[1]", None])
def test_a_damaged_cache_is_as_none(blank: Project, data: bytes | None) -> None:
    run(blank, "roundtrip", "sqlite")
    (image,) = (blank.path / ".migration-cache").glob("*.image")
    for path in (image, image.with_name("readings.json")):
        path.write_bytes(path.read_bytes()[:-20] if data is None else data)
    assert [run(blank, "roundtrip", "sqlite") for _ in range(2)] == [([], 0), ([], 3)]


@pytest.mark.parametrize("damage", [(b"CREATE TABLE", b"CRATE TABLE"), (b"INSERT INTO", b"DELETE FROM")])
def test_a_dump_that_gives_something_else_is_as_none(
    blank: Project, damage: tuple[bytes, bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    require("mariadb")
    clean, _ = run(blank, "check", "mariadb")
    (image,) = (blank.path / ".migration-cache").glob("*.image")
    image.write_bytes(zlib.compress(zlib.decompress(image.read_bytes()).replace(*damage)))
    assert [run(blank, "check", "mariadb") for _ in range(2)] == [(clean, 0), (clean, 3)]
    assert "Traceback" not in "".join(capfd.readouterr())


def test_a_kept_database_that_is_in_use_or_gone_is_as_none(blank: Project) -> None:
    require("postgresql")
    run(blank, "check", "postgresql")
    (name,) = databases_of(blank)
    clean, taken = run(blank, "check", "postgresql")
    assert taken == 3
    url = sa.make_url(SERVERS["postgresql"]).set(database=name)
    with sa.create_engine(url, poolclass=sa.pool.NullPool).connect():
        assert run(blank, "check", "postgresql") == (clean, 0)
    assert run(blank, "check", "postgresql") == (clean, 3)


VALUES = {
    "f FLOAT": [3.4028234e38, 0.1, -16777217],
    "d DOUBLE": [1.7976931348623157e308, 5e-324, 0.1 + 0.2],
    "n DECIMAL(30, 10)": ["12345678901234567890.0123456789", "-0.0000000001", None],
    "b BIT(64)": [2**64 - 1, 0, 5],
    "t TIMESTAMP(6) NULL": ["2020-02-29 12:00:00.123456", None, "1970-01-02 00:00:00"],
    "at TIME(2)": ["-838:59:59.00", "00:00:00.01", None],
    "e ENUM('it''s', 'é')": ["it's", "é", None],
    "l VARCHAR(20) CHARACTER SET latin1": ["é", "", None],
    "u TEXT": ["\U0001f600\\'\"`%\n\0", "x" * 5000, ""],
    "bin BLOB": [bytes(range(256)), b"", None],
    "j JSON": ['{"a": [1, "é\'"]}', "null", None],
}


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[sa.Connection, sa.Connection]]:
    """Connections to two new databases."""
    fresh = contextmanager(fresh_database)
    with fresh("mariadb", tmp_path) as first, fresh("mariadb", tmp_path) as second, ExitStack() as stack:
        engines = [sa.create_engine(url, poolclass=sa.pool.NullPool) for url in (first, second)]
        one, other = (stack.enter_context(engine.connect()) for engine in engines)
        yield one.execution_options(no_parameters=True), other.execution_options(no_parameters=True)


def ask(connection: sa.Connection, *statements: str) -> list[Any]:
    result = [connection.exec_driver_sql(statement) for statement in statements][-1]
    return list(result) if result.returns_rows else []


PARENT = "CREATE TABLE `a%b` (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, x INT, y INT, UNIQUE (x, y))"


def test_a_dump_gives_again_the_very_same(two: tuple[sa.Connection, sa.Connection]) -> None:
    """Of each type the values at its ends."""
    one, other = two
    ask(one, f"CREATE TABLE t (id INT PRIMARY KEY, {', '.join(VALUES)}, g INT AS (length(u)) STORED)")
    for row in zip(range(1, 4), *VALUES.values(), strict=True):
        names = ", ".join(["id", *(column.partition(" ")[0] for column in VALUES)])
        statement = f"INSERT INTO t ({names}) VALUES ({', '.join(['%s'] * len(row))})"
        one.connection.cursor().execute(statement, row)
    ask(one, PARENT, "INSERT INTO `a%b` (id) VALUES (7)", "COMMIT")
    sums = ask(one, "CHECKSUM TABLE t, `a%b`")
    made = dump.dump(one, {}, set())
    assert made is not None
    assert dump.restore(other, made)
    assert [row[1] for row in ask(other, "CHECKSUM TABLE t, `a%b`")] == [row[1] for row in sums]
    ask(other, "DROP TABLE t, `a%b`")
    made["t"]["statements"].append("UPDATE t SET f = 1")
    assert not dump.restore(other, made)


# Columns and a key of a table, the columns of an index made later, and the index that goes then, or stays as one's own.
TO_PARENT = "CONSTRAINT fk FOREIGN KEY (p) REFERENCES `a%b` (id)"
INDEXES = {
    "the server's": (f"p BIGINT UNSIGNED, {TO_PARENT}", "p, id", "fk", True),
    "of the same name": (f"p BIGINT UNSIGNED, KEY fk (p), {TO_PARENT}", "p, id", "fk", False),
    "of two columns": (
        "p INT, n INT, CONSTRAINT fk FOREIGN KEY (p, n) REFERENCES `a%b` (x, y)",
        "p, n, id",
        "fk",
        True,
    ),
    "of no name": ("p BIGINT UNSIGNED, FOREIGN KEY (p) REFERENCES `a%b` (id)", "p, id", "p", True),
    "of no name, and one's own": (
        "p BIGINT UNSIGNED, KEY own (p), FOREIGN KEY (p) REFERENCES `a%b` (id)",
        "p, id",
        "own",
        False,
    ),
}


@pytest.mark.parametrize("case", INDEXES)
def test_an_index_of_the_server_stays_its_own(two: tuple[sa.Connection, sa.Connection], case: str) -> None:
    columns, later, name, goes = INDEXES[case]
    one, other = two
    ask(one, PARENT, f"CREATE TABLE c (id INT PRIMARY KEY, {columns})")
    made = dump.dump(one, {}, set())
    assert made is not None
    assert dump.restore(other, made)
    ask(other, f"CREATE INDEX more ON c ({later})")
    assert (f"KEY `{name}`" not in ask(other, "SHOW CREATE TABLE c")[0][1]) is goes


@pytest.mark.parametrize(
    ("statements", "probed"),
    [
        (
            ["ALTER TABLE c DROP FOREIGN KEY fk, DROP INDEX fk", f"ALTER TABLE c ADD INDEX fk (p), ADD {TO_PARENT}"],
            True,
        ),
        (["INSERT INTO c (id) VALUES (1)"], True),
        (["INSERT INTO `a%b` (id) VALUES (1)"], False),
    ],
    ids=["of the same text", "rows", "another's"],
)
def test_what_no_statement_names_is_not_looked_at_again(
    two: tuple[sa.Connection, sa.Connection], statements: list[str], probed: bool
) -> None:
    """The first gives a table of the same text, with another index: the server's is one's own now."""
    one, other = two
    ask(one, PARENT, f"CREATE TABLE c (id INT PRIMARY KEY, p BIGINT UNSIGNED, {TO_PARENT})")
    made = dump.dump(one, {}, set())
    assert made is not None
    assert dump.restore(other, made)
    text = ask(other, "SHOW CREATE TABLE c")
    ask(other, *statements, "COMMIT")
    assert ask(other, "SHOW CREATE TABLE c") == text
    asked: list[str] = []
    sa.event.listen(other, "before_cursor_execute", lambda _c, _u, said, *_: asked.append(said))
    again = dump.dump(other, made, words(statements))
    assert again is not None
    assert any(said.startswith("ALTER TABLE `c`") for said in asked) is probed
    assert ("KEY `fk`" in again["c"]["statements"][0]) is ("ADD INDEX" in statements[-1])


UNSEEN = {
    "a cursor of the driver's": "run = op.get_bind().connection.cursor().execute",
    "a parameter": "run = lambda text: op.get_bind().execute(sa.text('EXECUTE IMMEDIATE :text'), {'text': text})",
}


@mariadb_only  # MySQL has no EXECUTE IMMEDIATE
@pytest.mark.parametrize("way", UNSEEN)
def test_what_a_revision_runs_unseen_is_looked_at_again(blank: Project, way: str) -> None:
    columns = "sa.Column('id', sa.Integer(), primary_key=True), sa.Column('p', sa.Integer())"
    key = "sa.ForeignKeyConstraint(['p'], ['users.id'], name='fk')"
    child = Revision(f"op.create_table('child', {columns}, {key})", "op.drop_table('child')")
    alter = "run('ALTER TABLE child {}')"
    drop = alter.format("DROP FOREIGN KEY fk, DROP INDEX fk")
    again = alter.format("ADD INDEX fk (p), ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES users (id)")
    write(blank, BASE, child)
    assert run(blank, "check", "mariadb")[1] == 0  # which puts no rows into the table
    for revisions, own in (
        ((BASE, child), False),
        ((BASE, child, Revision("\n".join([UNSEEN[way], drop, again]))), True),
    ):
        write(blank, *revisions)
        assert run(blank, "check", "mariadb")[1] == 2
        newest = max((blank.path / ".migration-cache").glob("*.image"), key=lambda path: path.stat().st_mtime_ns)
        kept = json.loads(zlib.decompress(newest.read_bytes()).partition(b"\n")[2])
        assert ("KEY `fk`" in kept["child"]["statements"][0]) is own


NO_DUMP = {
    "a view": ["CREATE VIEW v AS SELECT 1"],
    "a trigger": ["CREATE TABLE t (id INT)", "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.id = 1"],
    "a routine": ["CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1"],
    "a type": ["CREATE TABLE t (at POINT)"],
    "an index left of a foreign key": [
        PARENT,
        "CREATE TABLE t (p BIGINT UNSIGNED, CONSTRAINT fk FOREIGN KEY (p) REFERENCES `a%b` (id))",
        "ALTER TABLE t DROP FOREIGN KEY fk",
    ],
    "a long value": ["CREATE TABLE t (x LONGTEXT)", "INSERT INTO t VALUES (repeat('x', @@max_allowed_packet - 99))"],
}


@pytest.mark.parametrize("what", NO_DUMP)
def test_what_can_not_be_made_again_is_not_dumped(two: tuple[sa.Connection, sa.Connection], what: str) -> None:
    ask(two[0], *NO_DUMP[what], "COMMIT")
    assert dump.dump(two[0], {}, set()) is None


@mariadb_only
def test_history_that_a_table_keeps_is_not_dumped(two: tuple[sa.Connection, sa.Connection]) -> None:
    ask(two[0], "CREATE TABLE t (x INT) WITH SYSTEM VERSIONING")
    assert dump.dump(two[0], {}, set()) is None


def test_what_was_computed_otherwise_is_not_taken(two: tuple[sa.Connection, sa.Connection]) -> None:
    """A stored column that depends on the time zone of the session in which it was written."""
    one, other = two
    ask(one, "SET time_zone = '+05:00'", "CREATE TABLE t (at TIMESTAMP NULL, d DATE AS (cast(at AS date)) STORED)")
    ask(one, "INSERT INTO t (at) VALUES ('2026-01-02 01:00:00')", "COMMIT")
    made = dump.dump(one, {}, set())
    assert made is not None
    assert not dump.restore(other, made)


def test_a_folder_that_cannot_be_written_is_no_error(blank: Project) -> None:
    (blank.path / ".migration-cache").write_text("a file, where the folder would be")
    assert [run(blank, "roundtrip", "sqlite") for _ in range(2)] == [([], 0), ([], 0)]


def test_two_runs_at_once(blank: Project, server: str) -> None:
    url = SERVERS.get(server, "sqlite://")
    blank.environment["USED"] = server
    command = [sys.executable, "scripts/check_migrations.py", "--roundtrip", "--database-url", url]
    for expected in ("3 revisions checked", "3 from the cache"):
        both = [
            subprocess.Popen(command, cwd=blank.path, env=blank.environment, stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        said = [process.communicate(timeout=120)[0] for process in both]
        assert [process.returncode for process in both] == [0, 0], said
        assert any(expected in text for text in said), said


def test_the_least_used_goes_first(blank: Project, server: str) -> None:
    count = databases_of if server == "postgresql" else kept_things
    run(blank, "check", server)
    assert len(count(blank)) == 1
    write(blank, BASE, ONE, TWO, NEW)
    run(blank, "check", server)
    assert len(count(blank)) == 2
    blank.edit("pyproject.toml", "[tool.migration-guard]\n", "[tool.migration-guard]\ncache-size = 0\n")
    run(blank, "check", server)
    assert count(blank) == []


@pytest.mark.parametrize("how", ["--no-cache", "cache = false", "CI"])
def test_where_it_is_off_nothing_is_left(blank: Project, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "CI":
        monkeypatch.setenv("CI", "true")
    elif how == "cache = false":
        blank.edit("pyproject.toml", "[tool.migration-guard]\n", "[tool.migration-guard]\ncache = false\n")
    run(blank, "roundtrip", "sqlite", *(["--no-cache"] if how == "--no-cache" else []))
    assert not (blank.path / ".migration-cache").exists()
