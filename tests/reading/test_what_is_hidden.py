"""What the reader finds where operations hide, and what it says where it finds nothing."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from migration_guard.reading.migration import UNKNOWN, Migration
from migration_guard.reading.reader import read_migration

HEADER = """\
import sqlalchemy as sa
from alembic import context, op
from app import flag, helper
revision = "1a"
"""


def read(body: str, signature: str = "def upgrade():", rest: str = "") -> Migration:
    code = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    return read_migration("m.py", source=f"{HEADER}{signature}\n{code}\n{rest}\n")


HANDED_IN = {
    "def upgrade(op):": "op.drop_table('t')",
    "def upgrade(op, tables, tester):": "op.drop_table('t')",
    "def upgrade(*, op):": "op.drop_table('t')",
    "def upgrade(operations):": "operations.drop_table('t')",
    "def upgrade(**kw):": "kw['op'].drop_table('t')",
    "def upgrade(connection):": "connection.execute(sa.text('DROP TABLE t'))",
}


@pytest.mark.parametrize("signature", HANDED_IN)
def test_what_env_py_hands_in_is_alembics_own(signature: str) -> None:
    migration = read(HANDED_IN[signature], signature)
    assert [o.table for o in migration.operations if o.operation == "drop_table"] == ["t"]
    assert migration.unread == []


def test_a_downgrade_takes_op_as_well() -> None:
    migration = read("pass", rest="def downgrade(op):\n    op.drop_table('t')")
    assert [(o.function, o.table) for o in migration.operations] == [("downgrade", "t")]


@pytest.mark.parametrize("execute", ["context.execute", "context.get_context().execute"])
def test_the_context_executes_too(execute: str) -> None:
    migration = read(f"{execute}('DROP TABLE t')")
    assert [o.table for o in migration.operations if o.via] == ["t"]


UNREAD = {
    "helper()": True,
    "x = helper()": True,
    "return helper()": True,
    "helper.Step().run()": True,
    "op.execute(open('x.sql').read())": True,
    "import somebody\nsomebody.migrate('t')": True,
    "import requests\nrequests.delete('http://x')": False,
    "if sa.inspect(op.get_bind()).has_table('t'):\n    helper()": True,
    "exec('op.drop_table(\\'t\\')')": True,
    "import subprocess\nsubprocess.run(['psql', '-f', 'x.sql'])": True,
    "import os\nos.system('psql -f x.sql')": True,
    "import threading\nthreading.Thread(target=lambda: op.drop_table('t')).start()": True,
    "globals()['step']()": True,
    "import os\nos.getcwd()": False,
    "op.drop_table(helper.NAME)": False,
    "helper()\nop.drop_table('t')": False,
    "op.execute(f'UPDATE {helper.NAME} SET a = 1')": False,
    "print('nothing')": False,
    "import logging\nlogging.getLogger(__name__).info('nothing')": False,
    "x = 5": False,
    "pass": False,
    "raise NotImplementedError": False,
    "op.get_bind().execute(sa.text('SELECT 1'))": False,
    "sa.inspect(op.get_bind()).get_table_names()": False,
    "if op.get_bind().dialect.name == 'clickhouse':\n    helper()": False,
}


@pytest.mark.parametrize("body", UNREAD)
def test_a_function_of_which_nothing_could_be_read(body: str) -> None:
    assert bool(read(body).unread) is UNREAD[body]


BODIES = {
    "op.get_bind().execute(sa.text('SELECT 1'))": "reads",
    (
        "rows = op.get_bind().execute('SELECT a FROM t').fetchall()\nfor row in rows:\n"
        "    print(row.a)"
    ): "reads",
    "sa.inspect(op.get_bind()).get_table_names()": "reads",
    "op.execute('SHOW TABLES')": "reads",
    "op.execute('SELECT 1; DELETE FROM t')": "code",
    "op.execute('SELECT count(*) FROM t')": "reads",
    "op.execute(\"SELECT create_hypertable('t', 'at')\")": "code",
    "op.execute('GRANT SELECT ON t TO u')": "code",
    "op.execute('COMMIT')": "code",
    "op.drop_table('t')": "code",
    "op.get_bind().execute(sa.text('SELECT 1'))\nop.drop_table('t')": "code",
    "op.execute(helper.SQL)": "code",
}


@pytest.mark.parametrize("body", BODIES)
def test_an_upgrade_that_only_reads(body: str) -> None:
    assert read(body).bodies["upgrade"] == BODIES[body]


@pytest.mark.parametrize("module", ["requests", "somebody"])
def test_a_method_of_a_foreign_module_is_no_operation(module: str) -> None:
    assert read(f"import {module}\n{module}.delete('http://x')").operations == []


@pytest.mark.parametrize("row", ["row", "Session(bind=op.get_bind()).get(Row, 1)"])
def test_session_delete_deletes_one_row(row: str) -> None:
    body = f"from sqlalchemy.orm import Session\ns = Session(bind=op.get_bind())\ns.delete({row})"
    (operation,) = read(body).operations
    assert (operation.operation, operation.kwargs) == ("delete", {"where": "row"})


WHERE = {
    "t.update().where(t.c.c.is_(None))": "c IS NULL",
    "sa.update(t).where(t.c.c == None)": "c IS NULL",
    "sa.update(t).where(sa.column('c') == sa.null())": "c IS NULL",
    "sa.update(t).where(t.c['c'].isnot(None))": "c IS NOT NULL",
    "sa.update(t).where(t.c.c != None)": "c IS NOT NULL",
    "sa.update(t).filter_by(c=None)": "c IS NULL",
    "sa.update(t).where(t.c.id > 1).where(t.c.c.is_(None))": "t.c.id > 1 AND c IS NULL",
    "sa.update(t).where(t.c.id > 1, t.c.c == 1)": "t.c.id > 1 AND t.c.c == 1",
    "sa.update(t).where(t.c.a.in_([1]))": "t.c.a.in_([1])",
    "sa.update(t)": None,
}


@pytest.mark.parametrize("statement", WHERE)
def test_a_condition_on_null_reads_as_in_sql(statement: str) -> None:
    (operation,) = read(f"t = sa.table('t')\nop.execute({statement}.values(c=1))").operations
    assert operation.kwargs["where"] == WHERE[statement]


def test_types_of_python_alone() -> None:
    body = """
    import sqlmodel
    op.add_column('t', sa.Column('a', sqlmodel.sql.sqltypes.AutoString(length=3)))
    op.alter_column('t', 'b', existing_type=sa.UUID(as_uuid=False), type_=sa.UUID(as_uuid=True))
    op.add_column('t', sa.Column('c', sa.Text(), server_default=sa.null()))
    """
    added, altered, null = read(body).operations
    assert added.definitions[0].type is not None
    assert (added.definitions[0].type.name, added.definitions[0].type.args) == ("varchar", (3,))
    assert altered.kwargs["type_"] == altered.kwargs["existing_type"]
    assert null.definitions[0].server_default is None


def test_an_index_is_dropped_from_the_table_on_which_it_was_created() -> None:
    body = "op.create_index('ix', 't', ['a'], schema='s')"
    rest = "def downgrade():\n    op.drop_index('ix')\n    op.execute('DROP INDEX iy')"
    _, dropped, _, other = read(body, rest=rest).operations
    assert (dropped.qualified_table, dropped.certain) == ("s.t", True)
    assert (other.qualified_table, other.certain) == (None, True)


@pytest.mark.parametrize("items", ["['a', x]", "('a', x)", "{'a': 1, **x}"])
def test_a_joined_text_has_a_hole_where_an_item_is_unknown(items: str) -> None:
    body = f"x = flag()\nop.execute('DROP TABLE ' + ', '.join({items}))"
    a, unknown = (o for o in read(body).operations if o.via)
    assert (a.table, a.certain, unknown.certain) == ("a", True, False)


@pytest.mark.parametrize(
    "loops", ["for a in flag() for c in ('x', 'y')", "for c in ('x', 'y') for a in flag()"]
)
def test_one_unknown_loop_makes_the_whole_list_unknown(loops: str) -> None:
    (operation,) = read(f"op.create_index('ix', 't', [c {loops}])").operations
    assert (operation.columns, operation.certain) == ((), False)
    (operation,) = read("op.create_index('ix', 't', [c for a in 'p' for c in 'xy'])").operations
    assert (operation.columns, operation.certain) == (("x", "y"), True)


NESTED = """
s, t, d = ["a"], ("a",), {"x": 1}
for i in range(60):
    s, t, d = [s, s], (t, t), {"a": d, "b": d}
"""
USES = [
    "str(s)",
    "f'{s}{t}{d}'",
    "'%s' % (t,)",
    "'{}'.format(s)",
    "', '.join(s)",
    "{t: 1}, {t}, dict([(t, 1)]), {k: 1 for k in t}, d.get(t)",
    "s in [t], s == [s, s], s.index(t)",
    "x = s if flag() else [s, s]",
    "op.bulk_insert(sa.table('t'), s)",
    "op.drop_column('t', 'a', s, key=t)",
    "op.add_column('t', sa.Column('x', sa.Enum(*t, name=s), server_default=str(s)))",
    "set(t), sorted(s), list(t), sum(s, [])",
]


@pytest.mark.parametrize("use", USES)
def test_values_nested_sixty_times_are_no_hang(use: str) -> None:
    migration = read(f"{NESTED}\n{use}\nop.drop_table('q')")
    assert migration.operations[-1].table == "q"
    assert UNKNOWN not in [o.operation for o in migration.operations]


FILES = [
    "from pathlib import Path\nop.execute((Path(__file__).parent / 'sql' / 'x.sql').read_text())",
    (
        "import pathlib\np = pathlib.Path(__file__).resolve().parent\n"
        "op.execute(p.joinpath('sql', 'x.sql').read_text())"
    ),
    (
        "import os\n"
        "with open(os.path.join(os.path.dirname(__file__), 'sql', 'x.sql')) as file:\n"
        "    op.execute(file.read())"
    ),
    (
        "import os\n"
        "op.execute(sa.text(open(f'{os.path.dirname(__file__)}/sql/x.sql', "
        "encoding='utf-8').read()))"
    ),
    "op.execute(open('migrations/sql/x.sql').read())",
    (
        "import importlib.resources\n"
        "op.execute(importlib.resources.read_text('app.migrations.sql', 'x.sql'))"
    ),
    (
        "from importlib.resources import files\n"
        "op.execute(files('migrations').joinpath('sql/x.sql').read_text())"
    ),
]


@pytest.mark.parametrize("body", FILES)
def test_sql_in_a_file_of_the_project_is_read(body: str, tmp_path: Path) -> None:
    folder = tmp_path / "app" / "migrations"
    (folder / "sql").mkdir(parents=True)
    (folder / "sql" / "x.sql").write_text("DROP TABLE t;\n")
    code = textwrap.indent(body, "    ")
    (folder / "m.py").write_text(f"{HEADER}def upgrade():\n{code}\n")
    migration = read_migration(folder / "m.py")
    assert [(o.operation, o.table) for o in migration.operations if o.via] == [("drop_table", "t")]
    assert migration.unread == []
    (folder / "sql" / "x.sql").unlink()
    assert read_migration(folder / "m.py").unread == ["upgrade"]


def test_only_sql_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("DROP TABLE t")
    (tmp_path / "m.py").write_text(
        f"{HEADER}def upgrade():\n    op.execute(open('secret.txt').read())\n"
    )
    migration = read_migration(tmp_path / "m.py")
    assert [(o.operation, o.certain) for o in migration.operations] == [("execute", False)]
