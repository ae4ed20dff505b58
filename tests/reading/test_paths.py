"""Under which conditions an operation runs, and how two operations stand to each other."""

from __future__ import annotations

import textwrap

import pytest
from migration_guard.reading.migration import Operation
from migration_guard.reading.reader import read_migration

HEADER = """\
import sqlalchemy as sa
from alembic import op
from app import flag
revision = "1a"
def helper(t):
    if flag():
        op.drop_table(t)
    else:
        op.drop_table(f"no_{t}")
"""


def read(body: str) -> dict[str, Operation]:
    """The operations of an upgrade() with this body, by their tables."""
    source = f"{HEADER}def upgrade():\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"
    operations = read_migration("m.py", source=source).operations
    assert len({each.table for each in operations}) == len(operations)
    return {each.table or "?": each for each in operations}


def drop(table: str) -> str:
    return f"op.drop_table('{table}')"


EXCLUSIVE = {
    # name: (body, pairs of tables of which no execution drops both); the others are not exclusive
    "if": (f"if flag():\n    {drop('a')}\nelse:\n    {drop('b')}\n{drop('c')}", {"ab"}),
    "two ifs": (f"if flag():\n    {drop('a')}\nif flag():\n    {drop('b')}", set()),
    "elif": (
        f"if flag(1):\n    {drop('a')}\nelif flag(2):\n    {drop('b')}\nelse:\n    {drop('c')}",
        {"ab", "ac", "bc"},
    ),
    "match": (
        f"match flag():\n    case 1:\n        {drop('a')}\n    case 2:\n        {drop('b')}\n"
        f"    case _:\n        {drop('c')}\n{drop('d')}",
        {"ab", "ac", "bc"},
    ),
    "dialects": (
        "name = op.get_bind().dialect.name\n"
        f"if name == 'sqlite':\n    {drop('a')}\nelif name == 'mysql':\n    {drop('b')}\n"
        f"{drop('c')}",
        {"ab"},
    ),
    "dialect and more": (
        "pg = op.get_bind().dialect.name == 'postgresql'\n"
        f"if pg and flag():\n    {drop('a')}\nelse:\n    {drop('b')}",
        {"ab"},
    ),
    "try": (
        f"try:\n    {drop('a')}\nexcept ValueError:\n    {drop('b')}\nexcept KeyError:\n"
        f"    {drop('c')}\nelse:\n    {drop('d')}\nfinally:\n    {drop('e')}\n{drop('f')}",
        {"ab", "ac", "bc", "bd", "cd"},
    ),
    "try that returns": (
        f"try:\n    {drop('a')}\n    return\nexcept ValueError:\n    pass\n{drop('b')}",
        {"ab"},
    ),
    "early return": (f"if flag():\n    {drop('a')}\n    return\n{drop('b')}", {"ab"}),
    "nested early return": (
        (
            f"if flag(1):\n    if flag(2):\n        {drop('a')}\n        return\n"
            f"    {drop('b')}\n{drop('c')}"
        ),
        {"ab", "ac"},
    ),
    "early return on a dialect": (
        f"if op.get_bind().dialect.name == 'sqlite':\n    {drop('a')}\n    return\n{drop('b')}",
        {"ab"},
    ),
    "conditional expression": (f"{drop('a')} if flag() else {drop('b')}\n{drop('c')}", {"ab"}),
    "and": (f"flag() and {drop('a')}\n{drop('b')}", set()),
    "a value of each branch": (
        "t = 'a' if flag() else 'b'\nif flag():\n    u = 'c'\nelse:\n    u = 'd'\n"
        "op.drop_table(t)\nop.drop_table(u)",
        {"ab", "cd"},
    ),
    "a value that was chosen": (
        "if flag():\n    t, u = 'a', 'b'\nelse:\n    t, u = 'c', 'd'\n"
        "op.drop_table(t)\nop.drop_table(u)",
        {"ac", "ad", "bc", "bd"},
    ),
    "helper": ("helper('a')\nhelper('b')", {"a+no_a", "b+no_b"}),
    "loop": (
        "for t in ('a', 'b'):\n    if flag(t):\n        op.drop_table(t)\n    else:\n"
        "        op.drop_table('no_' + t)\n",
        {"a+no_a", "b+no_b"},
    ),
    "loop over unknown values": (
        f"for t in flag():\n    if t:\n        {drop('a')}\n    else:\n        {drop('b')}",
        set(),
    ),
    "continue": (
        f"for t in ('a', 'b'):\n    if flag(t):\n        op.drop_table(t)\n        continue\n"
        f"    op.drop_table('no_' + t)\n{drop('c')}",
        {"a+no_a", "b+no_b"},
    ),
    "break": (
        f"for t in ('a', 'b'):\n    if flag(t):\n        op.drop_table(t)\n        break\n"
        f"    op.drop_table('no_' + t)\n{drop('c')}",
        {"a+no_a", "a+b", "a+no_b", "b+no_b"},
    ),
    "return in a loop": (
        (
            "for t in ('a', 'b'):\n    if flag(t):\n        op.drop_table(t)\n"
            f"        return\n{drop('c')}"
        ),
        {"a+b", "a+c", "b+c"},
    ),
}


@pytest.mark.parametrize(("body", "pairs"), EXCLUSIVE.values(), ids=EXCLUSIVE)
def test_operations_that_exclude_each_other(body: str, pairs: set[str]) -> None:
    operations = read(body)
    found = {
        frozenset((a, b))
        for a in operations
        for b in operations
        if operations[a].excludes(operations[b])
    }
    assert found == {frozenset(pair.split("+") if "+" in pair else pair) for pair in pairs}


SURE = {
    # name: (body, "ab" for: a ran whenever b runs)
    "straight": (f"{drop('a')}\n{drop('b')}", {"ab", "ba"}),
    "if": (f"{drop('a')}\nif flag():\n    {drop('b')}\n    {drop('c')}", {"ab", "ac", "bc", "cb"}),
    "early return": (f"{drop('a')}\nif flag():\n    return\n{drop('b')}", {"ab"}),
    "raise": (f"{drop('a')}\nif flag():\n    raise ValueError\n{drop('b')}", {"ab", "ba"}),
    "try": (f"try:\n    {drop('a')}\nexcept ValueError:\n    pass\n{drop('b')}", {"ba"}),
    "try that must succeed": (
        f"try:\n    {drop('a')}\nexcept ValueError:\n    raise\n{drop('b')}",
        {"ab", "ba"},
    ),
    "finally": (f"try:\n    {drop('a')}\nfinally:\n    {drop('b')}", {"ab", "ba"}),
    "dialect": (f"{drop('a')}\nif op.get_bind().dialect.name == 'mysql':\n    {drop('b')}", {"ab"}),
    "loop": (f"for t in flag():\n    {drop('a')}\n{drop('b')}", {"ba"}),
    "loop over known values": ("for t in 'ab':\n    op.drop_table(t)", {"ab", "ba"}),
    "branches of one turn": (
        f"for t in flag():\n    if t:\n        {drop('a')}\n        continue\n    {drop('b')}",
        set(),
    ),
    "while": (f"while flag():\n    {drop('a')}\n{drop('b')}", {"ba"}),
    "helper": (f"{drop('a')}\nhelper('b')", {"a+b", "a+no_b"}),
    "comprehension": (f"[op.drop_table(t) for t in 'ab' if flag(t)]\n{drop('c')}", {"ca", "cb"}),
    "both branches": (f"if flag():\n    {drop('a')}\nelse:\n    pass\n{drop('b')}", {"ba"}),
}


@pytest.mark.parametrize(("body", "pairs"), SURE.values(), ids=SURE)
def test_what_surely_ran(body: str, pairs: set[str]) -> None:
    operations = read(body)
    found = {
        (a, b)
        for a in operations
        for b in operations
        if a != b and operations[a].runs_whenever(operations[b])
    }
    assert found == {tuple(pair.split("+") if "+" in pair else pair) for pair in pairs}


def test_what_surely_ran_on_some_databases() -> None:
    body = f"if op.get_bind().dialect.name != 'sqlite':\n    {drop('a')}\n{drop('b')}"
    a, b = read(body).values()
    assert not a.runs_whenever(b)
    assert a.runs_whenever(b, {"postgresql", "mysql"})
    assert not a.runs_whenever(b, {"postgresql", "sqlite"})
    assert a.excludes(b, {"sqlite"})
    assert not a.excludes(b)


def test_a_block_in_sql_has_a_path_of_its_own() -> None:
    body = """
    op.execute("DO $$ BEGIN IF x THEN DROP TABLE a; ELSE DROP TABLE b; END IF; END $$")
    op.drop_table('c')
    """
    source = f"{HEADER}def upgrade():\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"
    _, a, b, c = read_migration("m.py", source=source).operations
    assert a.conditional
    assert b.conditional
    assert c.runs_whenever(a)
    assert not a.runs_whenever(c)
    assert not a.runs_whenever(b)
    assert not a.excludes(b)


def test_many_conditions_never_make_an_operation_sure() -> None:
    body = """
    for i in range(300):
        if flag(i):
            return
        op.drop_table(f't{i}')
    """
    operations = read(body)
    assert max(len(each.path) for each in operations.values()) <= 50
    assert operations["t0"].runs_whenever(operations["t1"])
    assert not operations["t299"].runs_whenever(operations["t0"])
    assert not operations["t200"].excludes(operations["t0"])
