"""What the roundtrip prints as a fix makes it green, and its rows are like real ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lib import faults
from lib.checks import check
from lib.faults import BASE, History, Revision, sql
from lib.projects import Project
from lib.servers import require

Roundtrip = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def roundtrip(bake: Callable[..., Project], monkeypatch: pytest.MonkeyPatch) -> Roundtrip:
    """Run the roundtrip over a history."""
    project = bake(starter="blank")
    monkeypatch.chdir(project.path)

    def run(database: str, *revisions: Revision) -> list[dict[str, Any]]:
        require(database)
        faults.write(History(revisions), project.versions, project.models)
        return check(project.path, database, "--roundtrip")

    return run


KEY = "sa.Column('id', sa.Integer(), primary_key=True)"
MOODS = f"op.create_table('moods', {KEY}, sa.Column('m', sa.Enum('sad', name='mood')))"
FORGOTTEN = {
    # database, upgrade, a downgrade that forgets something
    "index": (
        "postgresql",
        "op.create_index('ix_users_bio', 'users', ['bio']); " + sql("SELECT 1"),
        "pass",
    ),
    "column": ("mariadb", "op.add_column('users', sa.Column('x', sa.Integer()))", "pass"),
    "column on SQLite": ("sqlite", "op.add_column('users', sa.Column('x', sa.Integer()))", "pass"),
    "table": ("sqlite", f"op.create_table('more', {KEY})", "pass"),
    "constraint": (
        "postgresql",
        "op.create_check_constraint('ck_users_bio', 'users', \"bio <> ''\")",
        "pass",
    ),
    "type": ("postgresql", MOODS, "op.drop_table('moods')"),
    "index that is dropped": ("mariadb", "op.drop_index('ix_users_name', 'users')", "pass"),
    "index that is dropped, on SQLite": (
        "sqlite",
        "op.drop_index('ix_users_name', 'users')",
        "pass",
    ),
    "column's type": (
        "postgresql",
        "op.alter_column('users', 'name', type_=sa.String(80))",
        "pass",
    ),
    "column's default": (
        "mariadb",
        "op.alter_column('users', 'status', existing_type=sa.String(20), existing_nullable=False,"
        " server_default='old')",
        "pass",
    ),
}


@pytest.mark.parametrize("kind", FORGOTTEN)
def test_what_downgrade_forgets_is_printed_to_be_pasted(roundtrip: Roundtrip, kind: str) -> None:
    database, upgrade, downgrade = FORGOTTEN[kind]
    (found,) = roundtrip(database, BASE, Revision(upgrade, downgrade))
    assert found["rule"] == "downgrade-differs"
    fix = found["fix"].partition("Add to downgrade():\n")[2].partition("\nIf there is no")[0]
    assert roundtrip(database, BASE, Revision(upgrade, f"{downgrade}\n{fix}")) == []


@pytest.mark.parametrize("database", ["postgresql", "mariadb"])
@pytest.mark.parametrize(
    ("statement", "remedy"),
    [
        ("ALTER TABLE users ADD CONSTRAINT ck CHECK (name IN ('a'))", "The test rows include"),
        ("ALTER TABLE users ADD CONSTRAINT ck CHECK (nam IN ('a'))", "Correct it"),
    ],
)
def test_rows_that_a_check_refuses_are_the_cause(
    roundtrip: Roundtrip, database: str, statement: str, remedy: str
) -> None:
    found = roundtrip(database, BASE, Revision(sql(statement), "pass"))
    assert found[0]["rule"] == "upgrade-fails"
    assert found[0]["fix"].startswith(remedy)


@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
def test_what_undoes_an_upgrade_runs_in_the_printed_order(
    roundtrip: Roundtrip, database: str
) -> None:
    """A downgrade that fails gets all of it; the tables of a key, a type and a sequence in it."""
    parts = "op.create_table('a', sa.Column('id', sa.Integer(), primary_key=True){})"
    key = ", sa.Column('b', sa.Integer(), sa.ForeignKey('b.id', name='fk_a_b')), {}"
    mood = "sa.Column('m', sa.Enum('sad', name='mood'), server_default='sad')"
    new = parts.replace("'a'", "'b'").format(""), parts.format(key.format(mood))
    upgrade = "\n".join([*new, "op.add_column('users', sa.Column('x', sa.Integer()))"])
    (found,) = roundtrip(database, BASE, Revision(upgrade, "op.drop_table('c')"))
    assert found["rule"] == "downgrade-fails"
    fix = found["fix"].partition("in place of the body of downgrade():\n")[2]
    fix = fix.partition("\nUndo in")[0]
    assert roundtrip(database, BASE, Revision(upgrade, fix)) == []


def test_there_is_no_way_back_from_an_enum_value_and_from_validate(roundtrip: Roundtrip) -> None:
    moods = Revision(MOODS, f"op.drop_table('moods')\n{sql('DROP TYPE mood')}")
    value = Revision(sql("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'glad'"))
    add = "ALTER TABLE users ADD CONSTRAINT ck_bio CHECK (bio <> '') NOT VALID"
    check_ = Revision(sql(add), sql("ALTER TABLE users DROP CONSTRAINT ck_bio"))
    validate = Revision(sql("ALTER TABLE users VALIDATE CONSTRAINT ck_bio"))
    assert roundtrip("postgresql", BASE, moods, value, check_, validate) == []


ADD = Revision(
    "op.add_column('users', sa.Column('plan', sa.String(20)))",
    faults.batch("users", "batch.drop_column('plan')"),
)


@pytest.mark.parametrize(
    ("statement", "rules"),
    [
        ("UPDATE users SET plan = 'free' WHERE plan IS NULL", []),
        ("UPDATE users SET plan = 'free'", ["data-not-restored"]),
        ("UPDATE users SET bio = 'none' WHERE bio IS NULL", ["data-not-restored"]),
    ],
    ids=["only NULLs", "every row", "NULLs that mean something"],
)
def test_a_backfill_of_a_new_column_loses_nothing(
    roundtrip: Roundtrip, statement: str, rules: list[str]
) -> None:
    found = roundtrip("sqlite", BASE, ADD, Revision(sql(statement)))
    assert [each["rule"] for each in found] == rules
    if found:
        assert '`lossy = "<why>"`' in found[0]["fix"]
        lossy = Revision(sql(statement), module='lossy = "reason"')
        assert roundtrip("sqlite", BASE, ADD, lossy) == []


@pytest.mark.parametrize(("column", "rules"), [("bio", []), ("name", ["data-not-restored"])])
def test_one_suppression_of_a_dropped_column_is_enough(
    roundtrip: Roundtrip, column: str, rules: list[str]
) -> None:
    """The other column is dropped without one."""
    ignore = "# migration-guard: ignore[drop-column] not read since 2.3"
    marked = f"op.drop_column('users', 'bio')  {ignore}"
    upgrade = marked if column == "bio" else f"{marked}\nop.drop_column('users', 'age2')"
    add = Revision(
        "op.add_column('users', sa.Column('age2', sa.Integer()))\n"
        + sql("UPDATE users SET age2 = id"),
        "op.drop_column('users', 'age2')",
    )
    downgrade = "op.add_column('users', sa.Column('bio', sa.Text()))"
    if column != "bio":
        downgrade += "\nop.add_column('users', sa.Column('age2', sa.Integer()))"
    found = roundtrip("postgresql", BASE, add, Revision(upgrade, downgrade))
    assert [each["rule"] for each in found] == rules


def test_rows_share_what_they_refer_to(roundtrip: Roundtrip) -> None:
    unique = Revision(
        "op.create_index('uq', 'orders', ['user_id'], unique=True)",
        "op.drop_index('uq', 'orders')",
    )
    (found,) = roundtrip("sqlite", BASE, unique)
    assert found["rule"] == "upgrade-fails"
    both = unique.upgrade.replace("['user_id']", "['user_id', 'id']")
    assert roundtrip("sqlite", BASE, Revision(both, unique.downgrade)) == []


@pytest.mark.parametrize("database", faults.SERVERS)
@pytest.mark.parametrize("type_", ["SmallInteger", "Integer", "BigInteger"])
def test_integers_leave_room(roundtrip: Roundtrip, database: str, type_: str) -> None:
    table = f"op.create_table('accounts', {KEY}, sa.Column('amount', sa.{type_}()))"
    cents = Revision(
        sql("UPDATE accounts SET amount = amount * 100"),
        sql("UPDATE accounts SET amount = amount / 100"),
    )
    assert roundtrip(database, Revision(table, "op.drop_table('accounts')"), cents) == []


TYPES = {
    "postgresql": (
        "int4range",
        "int8range",
        "tstzrange",
        "int4multirange",
        "datemultirange",
        "bit varying(12)",
        "oid",
        "macaddr8",
        "box",
        "line",
        "path",
        "polygon",
        "circle",
        "interval day to second(3)",
        "jsonpath",
        "email",
        "small",
    ),
    "mariadb": ("SET('a', 'b')", "POINT", "INET6", "POLYGON", "MULTIPOINT", "UUID", "BIT(8)"),
}
DOMAINS = (
    "CREATE DOMAIN email AS varchar(30) CHECK (VALUE LIKE '%@%')",
    "CREATE DOMAIN small AS integer NOT NULL CHECK (VALUE < 5)",
)


@pytest.mark.parametrize("database", TYPES)
def test_every_type_gets_rows(roundtrip: Roundtrip, database: str) -> None:
    statements = list(DOMAINS) if database == "postgresql" else []
    statements += [
        f"CREATE TABLE t{number} (id integer PRIMARY KEY, v {type_} NOT NULL)"
        for number, type_ in enumerate(TYPES[database])
    ]
    upgrade = "\n".join(map(sql, statements))
    assert roundtrip(database, Revision(upgrade, module="irreversible = 'x'")) == []


@pytest.mark.parametrize("database", faults.ALL)
def test_a_table_may_have_a_dot_in_its_name(roundtrip: Roundtrip, database: str) -> None:
    table = f"op.create_table('a.b', {KEY}, sa.Column('n', sa.Integer()))"
    add = Revision(
        "op.add_column('a.b', sa.Column('m', sa.Integer()))",
        faults.batch("a.b", "batch.drop_column('m')"),
    )
    assert roundtrip(database, Revision(table, "op.drop_table('a.b')"), add) == []


def test_a_loop_over_what_stays_null_names_its_rows(roundtrip: Roundtrip) -> None:
    loop = (
        "while op.get_bind().execute(sa.text('UPDATE users SET bio = name WHERE bio IS NULL'))"
        ".rowcount > 0:\n    pass"
    )
    (found,) = roundtrip("sqlite", BASE, Revision(loop))
    assert found["rule"] == "upgrade-fails"
    assert "stopped after 10,000 statements" in found["message"]
    assert "where the source is NULL" in found["fix"]
    assert "INSERT INTO" in found["fix"]
    done = loop.replace("bio = name", "bio = coalesce(name, 1)")
    lossy = Revision(done, module="lossy = 'x'")
    assert roundtrip("sqlite", BASE, lossy) == []


@pytest.mark.parametrize("database", faults.ALL)
def test_rows_that_refer_to_their_own_table_stay(roundtrip: Roundtrip, database: str) -> None:
    table = (
        "op.create_table('replies', sa.Column('id', sa.Integer(), primary_key=True),"
        " sa.Column('to', sa.Integer(), sa.ForeignKey('replies.id', name='fk_to'), index=True))"
    )
    columns = [
        Revision(
            f"op.add_column('replies', sa.Column('c{number}', sa.Integer()))",
            f"with op.batch_alter_table('replies') as batch: batch.drop_column('c{number}')",
        )
        for number in range(5)
    ]
    assert roundtrip(database, Revision(table, "op.drop_table('replies')"), *columns) == []
