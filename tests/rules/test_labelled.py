"""The rules on labelled migrations, with the revision before: no miss and no false alarm."""

from __future__ import annotations

import textwrap

import pytest
from migration_guard.databases import dialects_of
from migration_guard.reading.migration import Migration
from migration_guard.reading.reader import read_migration
from migration_guard.rules import RULES
from migration_guard.rules.judge import judge
from migration_guard.rules.past import AllRevisions, Past
from rules.labelled import CASES, Case

HEAD = "import sqlalchemy as sa\nfrom alembic import context, op\n"
BACK = "\n\ndef downgrade():\n    raise NotImplementedError('no way back')\n"


def migration(revision: str, parent: str | None, top: str, body: str, database: str) -> Migration:
    names = f"revision = {revision!r}\ndown_revision = {parent!r}\n"
    upgrade = "\n\ndef upgrade():\n" + textwrap.indent(body or "pass", "    ")
    back = "\n\ndef downgrade():\n    pass\n" if top == "#pass" else BACK
    source = f"{HEAD}{names}{top}{upgrade}{back}"
    return read_migration(f"{revision}.py", dialects=dialects_of([database]), source=source)


def rules_found(case: Case, undeployed: bool = False) -> list[str]:
    _, database, _, _, body, top, before = case
    first = migration("a1", None, "", before, database)
    second = migration("b1", "a1", top, body, database)
    past = Past(AllRevisions(lambda: [first]), {"a1"}, [first] if undeployed else [])
    found = judge(second, {database: ""}, lambda module: False, RULES, past)
    return [each.rule for each in found]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}: {case[4][:60]}")
def test_what_must_be_found_and_what_must_not(case: Case) -> None:
    found = rules_found(case)
    assert set(case[2]) - set(found) == set(), "missed"
    assert set(case[3]) & set(found) == set(), "a false alarm"


@pytest.mark.parametrize(
    ("database", "body", "message"),
    [
        (
            "mysql",
            "op.create_unique_constraint(None, 't', ['a'])\nop.drop_index('i', 't')",
            "t: a second run after a failure repeats this create_unique_constraint.",
        ),
        (
            "mysql",
            "op.create_unique_constraint('u', 't', ['a'])\nop.drop_index('i', 't')",
            "u on t: a second run after a failure stops at this create_unique_constraint.",
        ),
        (
            "mysql",
            "op.alter_column('t', 'a', nullable=False, existing_type=sa.Text())",
            "t.a: NOT NULL rebuilds the table, and one NULL makes it fail.",
        ),
        (
            "postgresql",
            "op.alter_column('t', 'a', nullable=False, existing_type=sa.Text())",
            "t.a: SET NOT NULL reads the whole table under a lock.",
        ),
        (
            "mysql",
            "from sqlalchemy.dialects import mysql\n"
            "op.alter_column('t', 'a', existing_type=sa.Text(), "
            "type_=sa.String(99999).with_variant(mysql.MEDIUMTEXT, 'mysql'))",
            "t.a: text to mediumtext rewrites the table on mysql.",
        ),
        (
            "mysql",
            "from sqlalchemy.dialects.mysql import TIMESTAMP\n"
            "op.alter_column('t', 'a', existing_type=TIMESTAMP(), type_=TIMESTAMP(fsp=3))",
            "t.a: timestamp to timestamp(3) rewrites the table on mysql.",
        ),
        (
            "postgresql",
            "op.add_column(table, sa.Column('a', sa.Integer(), nullable=False))",
            "?.a is NOT NULL, and existing rows get no value: it has no server default.",
        ),
        (
            "postgresql",
            "op.alter_column('t', 'a', existing_type=sa.Text(), type_=sa.Text(collation='C'))",
            "t.a: text to text COLLATE C rewrites the table on postgresql.",
        ),
        (
            "mysql",
            "from app import NEW\n"
            "op.alter_column('t', 'a', existing_type=sa.Enum(NEW), type_=sa.Enum('a', 'b'))",
            "t.a: the values of an enum type are not known;"
            " most changes to enum rewrite the table.",
        ),
    ],
)
def test_a_message_tells_what_happens_on_this_database(
    database: str, body: str, message: str
) -> None:
    second = migration("b1", "a1", "", body, database)
    found = judge(second, {database: ""}, lambda module: False, RULES, Past())
    assert message in [each.message for each in found]


NEW_TABLE = "op.create_table('t', sa.Column('id', sa.Integer()), sa.Column('c', sa.Text()))"
NEW_COLUMN = "op.add_column('t', sa.Column('c', sa.Text()))"
RENAME = "op.rename_table('t', 'u')"
FILL = "op.execute('UPDATE u SET c = 1 WHERE c IS NULL')"


@pytest.mark.parametrize(
    ("before", "body", "rule", "found_if_deployed", "found_if_not"),
    [
        (NEW_TABLE, "op.create_index('i', 't', ['c'])", "blocking-index", True, False),
        (NEW_TABLE, "op.alter_column('t', 'c', nullable=False)", "set-not-null", True, False),
        (NEW_TABLE, "op.drop_table('t')", "drop-table", True, False),
        (NEW_COLUMN, "op.drop_column('t', 'c')", "drop-column", True, False),
        (NEW_COLUMN, "op.create_index('i', 't', ['c'])", "blocking-index", True, True),
        (NEW_COLUMN, "op.alter_column('t', 'c', nullable=False)", "set-not-null", True, True),
        (
            NEW_COLUMN,
            "op.execute('UPDATE t SET c = 1 WHERE c IS NULL')",
            "unbatched-update",
            False,
            True,
        ),
        (NEW_COLUMN, "op.execute('UPDATE t SET c = 1')", "unbatched-update", True, True),
        ("pass", "op.create_index('i', 't', ['c'])", "blocking-index", True, True),
        (
            f"{NEW_TABLE}\n{RENAME}",
            "op.create_index('i', 'u', ['c'])",
            "blocking-index",
            True,
            False,
        ),
        (NEW_TABLE, f"{RENAME}\nop.create_index('i', 'u', ['c'])", "blocking-index", True, False),
        (NEW_TABLE, f"{RENAME}\nop.create_index('i', 't', ['c'])", "blocking-index", True, True),
        (NEW_COLUMN, f"{RENAME}\nop.drop_column('u', 'c')", "drop-column", True, False),
        (NEW_COLUMN, f"{RENAME}\n{FILL}", "unbatched-update", False, True),
        (f"{NEW_COLUMN}\n{RENAME}", FILL, "unbatched-update", False, True),
    ],
)
def test_what_is_not_deployed_yet_is_new(
    before: str, body: str, rule: str, found_if_deployed: bool, found_if_not: bool
) -> None:
    case: Case = ("", "postgresql", [], [], body, "", before)
    assert (rule in rules_found(case)) is found_if_deployed
    assert (rule in rules_found(case, undeployed=True)) is found_if_not


def test_if_not_exists_may_meet_a_table_unless_it_is_there_to_run_again() -> None:
    table = "op.create_table('t', sa.Column('id', sa.Integer()), if_not_exists=True)"
    body = f"{table}\nop.create_index('i', 't', ['id'])"

    def found(parent: str | None, *databases: str) -> bool:
        one = migration("b1", parent, "", body, "postgresql")
        declared = dict.fromkeys(("postgresql", *databases), "")
        return any(
            each.rule == "blocking-index"
            for each in judge(one, declared, lambda module: False, RULES, Past())
        )

    assert found("a1")
    assert found("a1", "sqlite")
    assert not found("a1", "mariadb"), "autogenerate writes it for MariaDB"
    assert not found(None), "nothing comes before"


def test_the_fix_names_the_objects_of_its_finding() -> None:
    second = migration("b1", "a1", "", "op.create_index('ix_m_a', 'm', ['a'])", "postgresql")
    partitioned = "op.execute('CREATE TABLE m (a int, d date) PARTITION BY RANGE (d)')"
    first = migration("a1", None, "", partitioned, "postgresql")
    past = Past(AllRevisions(lambda: [first]), {"a1"})
    (found,) = judge(second, {"postgresql": ""}, lambda module: False, RULES, past)
    assert "CREATE INDEX ix_m_a ON ONLY m (a)" in found.fix
    assert "ATTACH PARTITION" in found.fix


def test_a_check_excuses_nothing_before_postgresql_12() -> None:
    validated = "op.create_check_constraint('ck', 't', 'c IS NOT NULL')"
    body = f"{validated}\nop.alter_column('t', 'c', nullable=False)"
    second = migration("b1", "a1", "", body, "postgresql")
    for lowest, found in {"11": True, "12": False, "": False}.items():
        rules = judge(second, {"postgresql": lowest}, lambda module: False, RULES, Past())
        assert ("set-not-null" in {each.rule for each in rules}) is found


@pytest.mark.parametrize(("later", "found"), [("['o_id', 'x']", False), ("['x', 'o_id']", True)])
def test_a_later_revision_may_build_the_index_of_a_foreign_key(later: str, found: bool) -> None:
    key = "op.create_foreign_key('fk', 't', 'o', ['o_id'], ['id'], postgresql_not_valid=True)"
    body = f"op.add_column('t', sa.Column('o_id', sa.Integer()))\n{key}"
    index = (
        "with op.get_context().autocommit_block():\n"
        f"    op.create_index('ix', 't', {later}, postgresql_concurrently=True)"
    )
    first = migration("a1", None, "", body, "postgresql")
    second = migration("b1", "a1", "", index, "postgresql")
    past = Past(AllRevisions(lambda: [first, second]))
    rules = judge(first, {"postgresql": ""}, lambda module: False, RULES, past)
    assert ("foreign-key-without-index" in [each.rule for each in rules]) is found


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("", True),
        ("e.create(op.get_bind())", False),
        ("op.create_table('o', sa.Column('a', e))", False),
        ("e.create(op.get_bind())\nop.execute('DROP TYPE e')", True),
        ("e.create(op.get_bind())\nop.execute('ALTER TYPE e RENAME TO f')", True),
        ("e.create(op.get_bind())\nop.execute(\"ALTER TYPE e ADD VALUE 'b'\")", False),
    ],
)
def test_the_enum_type_of_a_revision_before_stays(before: str, found: bool) -> None:
    enum = "e = sa.Enum('a', name='e')"
    first = migration("a1", None, enum, before, "postgresql")
    second = read_migration(
        "b1.py",
        dialects=("postgresql",),
        source=f"{HEAD}revision = 'b1'\ndown_revision = 'a1'\n{enum}\n\ndef upgrade():\n"
        "    e.create(op.get_bind())\n    op.add_column('t', sa.Column('a', e))\n\n"
        "def downgrade():\n    op.drop_column('t', 'a')\n",
    )
    past = Past(AllRevisions(lambda: [first]), {"a1"})
    rules = judge(second, {"postgresql": ""}, lambda module: False, RULES, past)
    assert ("enum-left-behind" in [each.rule for each in rules]) is found
