"""What the guard reads from a migration: every way in which an operation can be written."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from migration_guard.reading.migration import (
    UNKNOWN,
    Call,
    Migration,
    Operation,
    Type,
    UnreadableMigration,
)
from migration_guard.reading.reader import read_migration

HEADER = """\
import sqlalchemy as sa
from alembic import context, op
revision = "1a"
down_revision = None
"""


def read(
    upgrade: str, module: str = "", header: str = HEADER, signature: str = "def upgrade():"
) -> Migration:
    """The migration whose ``upgrade()`` has this body."""
    body = textwrap.indent(textwrap.dedent(upgrade).strip(), "    ")
    return read_migration(
        "m.py", source=f"{header}{textwrap.dedent(module)}\n{signature}\n{body}\n"
    )


def brief(operation: Operation) -> str:
    """``create_index videos.ix (title, id)``; a question mark where it is not certain."""
    what = ".".join(filter(None, (operation.qualified_table, operation.name)))
    columns = f" ({', '.join(operation.columns)})" if operation.columns else ""
    return f"{operation.operation} {what}{columns}{'' if operation.certain else '?'}".strip()


def briefs(migration: Migration) -> list[str]:
    return [
        brief(operation) for operation in migration.operations if operation.operation != "execute"
    ]


IMPORTS = {
    "from alembic import op": ("from alembic import op", "op.drop_table('t')"),
    "alias": ("from alembic import op as o", "o.drop_table('t')"),
    "import alembic": ("import alembic", "alembic.op.drop_table('t')"),
    "import alembic.op": ("import alembic.op", "alembic.op.drop_table('t')"),
    "import alembic.op as": ("import alembic.op as operations", "operations.drop_table('t')"),
    "from alembic.op": ("from alembic.op import drop_table", "drop_table('t')"),
    "from alembic.op as": ("from alembic.op import drop_table as gone", "gone('t')"),
    "inside the function": ("", "from alembic import op\nop.drop_table('t')"),
    "invoke": (
        "from alembic import op\nfrom alembic.operations import ops",
        "op.invoke(ops.DropTableOp('t'))",
    ),
    "invoke a class": (
        "from alembic import op\nfrom alembic.operations.ops import DropTableOp",
        "op.invoke(DropTableOp(table_name='t'))",
    ),
    "Operations": (
        "from alembic import op\nfrom alembic.operations import Operations",
        "operations = Operations(op.get_context())\noperations.drop_table('t')",
    ),
}


@pytest.mark.parametrize(("imports", "body"), IMPORTS.values(), ids=IMPORTS)
def test_every_import_of_op(imports: str, body: str) -> None:
    assert briefs(read(body, header=f"revision = 'a'\ndown_revision = None\n{imports}\n")) == [
        "drop_table t"
    ]


def test_another_op_is_not_alembics() -> None:
    migration = read("op.drop_table('t')", header="revision = 'a'\nfrom operations import op\n")
    assert not [operation for operation in migration.operations if operation.certain]


OPERATIONS = {
    "op.create_index('ix', 't', ['a', 'b'], unique=True)": "create_index t.ix (a, b)",
    "op.create_index(index_name='ix', table_name='t', columns=['a'])": "create_index t.ix (a)",
    "op.create_index(op.f('ix'), 't', ['a'], schema='s')": "create_index s.t.ix (a)",
    "op.create_index('ix', 't', [sa.text('lower(a)'), 'b'])": "create_index t.ix (lower(a), b)",
    "op.drop_index('ix', 't')": "drop_index t.ix",
    "op.drop_index('ix', table_name='t')": "drop_index t.ix",
    "op.drop_index('ix')": "drop_index ix",
    "op.add_column('t', sa.Column('a', sa.Integer))": "add_column t (a)",
    "op.add_column(table_name='t', column=sa.Column(name='a', type_=sa.Integer()))": (
        "add_column t (a)"
    ),
    "op.add_column('t', sa.Column('a', sa.Integer), schema='s')": "add_column s.t (a)",
    "op.drop_column('t', 'a')": "drop_column t (a)",
    "op.drop_column(table_name='t', column_name='a')": "drop_column t (a)",
    "op.alter_column('t', 'a', nullable=False)": "alter_column t (a)",
    "op.create_table('t', sa.Column('a', sa.Integer), sa.Column('b', sa.Text), schema='s')": (
        "create_table s.t (a, b)"
    ),
    "op.drop_table('t', schema='s')": "drop_table s.t",
    "op.rename_table('t', 'u')": "rename_table t",
    "op.rename_table(old_table_name='t', new_table_name='u')": "rename_table t",
    "op.create_foreign_key('fk', 't', 'u', ['a'], ['id'])": "create_foreign_key t.fk (a)",
    "op.create_foreign_key(None, 't', 'u', ['a'], ['id'], source_schema='s')": (
        "create_foreign_key s.t (a)"
    ),
    "op.create_foreign_key(constraint_name='fk', source_table='t', referent_table='u', "
    "local_cols=['a'], "
    "remote_cols=['id'])": "create_foreign_key t.fk (a)",
    "op.create_unique_constraint('uq', 't', ['a'])": "create_unique_constraint t.uq (a)",
    "op.create_primary_key('pk', 't', ['a'])": "create_primary_key t.pk (a)",
    "op.create_check_constraint('ck', 't', sa.column('a') > 1)": "create_check_constraint t.ck",
    "op.create_exclude_constraint('ex', 't', ('a', '='))": "create_exclude_constraint t.ex",
    "op.drop_constraint('uq', 't', 'unique')": "drop_constraint t.uq",
    "op.create_table_comment('t', 'what it is')": "create_table_comment t",
    "op.drop_table_comment('t')": "drop_table_comment t",
    "op.bulk_insert(sa.table('t', sa.column('a')), [{'a': 1}])": "bulk_insert t",
}


@pytest.mark.parametrize("body", OPERATIONS)
def test_every_operation_positional_or_by_keyword(body: str) -> None:
    assert briefs(read(body)) == [OPERATIONS[body]]


FORMS = {
    # name: (module level, body of upgrade, what it does)
    "bound method": ("", "drop = op.drop_table\ndrop('t')", ["drop_table t"]),
    "module alias": ("drop = op.drop_table", "drop('t')", ["drop_table t"]),
    "getattr": ("", "getattr(op, 'drop_table')('t')", ["drop_table t"]),
    "partial": (
        "from functools import partial",
        "drop = partial(op.drop_column, 't')\ndrop('a')\ndrop('b')",
        ["drop_column t (a)", "drop_column t (b)"],
    ),
    "batch": (
        "",
        "with op.batch_alter_table('t') as b:\n    b.drop_column('a')",
        ["drop_column t (a)"],
    ),
    "batch with schema": (
        "",
        (
            "with op.batch_alter_table('t', schema='s') as whatever:\n"
            "    whatever.create_index('ix', ['a'])"
        ),
        ["create_index s.t.ix (a)"],
    ),
    "batches nested": (
        "",
        """
        with op.batch_alter_table('t') as b, op.batch_alter_table('u') as c:
            with op.batch_alter_table(table_name='v') as d:
                b.drop_column('a')
                c.drop_column('b')
                d.create_foreign_key('fk', 't', ['c'], ['id'])
        """,
        ["drop_column t (a)", "drop_column u (b)", "create_foreign_key v.fk (c)"],
    ),
    "batch passed on": (
        "def helper(batch, column):\n    batch.drop_column(column)",
        "with op.batch_alter_table('t') as b:\n    helper(b, 'a')\n    helper(column='b', batch=b)",
        ["drop_column t (a)", "drop_column t (b)"],
    ),
    "batch from a helper": (
        """
        from contextlib import contextmanager
        @contextmanager
        def batch(table):
            with op.batch_alter_table(table) as b:
                yield b
        """,
        "with batch('t') as b:\n    b.drop_column('a')",
        ["drop_column t (a)"],
    ),
    "op passed on": (
        "def helper(operations):\n    operations.drop_table('t')",
        "helper(op)",
        ["drop_table t"],
    ),
    "batch that is kept": (
        "",
        "b = op.batch_alter_table('t')\nwith b as c:\n    c.drop_column('a')",
        ["drop_column t (a)"],
    ),
    "module constant": ("TABLE = 't'", "op.drop_table(TABLE)", ["drop_table t"]),
    "local constant": ("", "table = 't'\nop.drop_table(table)", ["drop_table t"]),
    "class constant": (
        "class Names:\n    TABLE = 't'",
        "op.drop_table(Names.TABLE)",
        ["drop_table t"],
    ),
    "enumeration": (
        "import enum\nclass Kind(enum.Enum):\n    A = 'a'\n    B = 'b'",
        "for kind in Kind:\n    op.drop_table(kind.value)",
        ["drop_table a", "drop_table b"],
    ),
    "f-string": ("P = 'p'", "op.drop_table(f'{P}_t{1:02d}')", ["drop_table p_t01"]),
    "percent": ("P = 'p'", "op.drop_table('%s_%d' % (P, 1))", ["drop_table p_1"]),
    "percent with names": ("", "op.drop_table('%(a)s_t' % {'a': 'p'})", ["drop_table p_t"]),
    "plus": ("P = 'p'", "op.drop_table(P + '_' + 't')", ["drop_table p_t"]),
    "format": ("P = 'p'", "op.drop_table('{}_{x}'.format(P, x='t'))", ["drop_table p_t"]),
    "join": ("", "op.drop_table('_'.join(['p', 't']))", ["drop_table p_t"]),
    "string methods": ("", "op.drop_table(' T '.strip().lower())", ["drop_table t"]),
    "dict": ("T = {'a': 't'}", "op.drop_table(T['a'])", ["drop_table t"]),
    "list": ("T = ['a', 't']", "op.drop_table(T[-1])", ["drop_table t"]),
    "loop": ("", "for t in ('a', 'b'):\n    op.drop_table(t)", ["drop_table a", "drop_table b"]),
    "loop unpacked": (
        "",
        "for t, (c, *_) in [('t', ('a', 1)), ('u', ('b',))]:\n    op.drop_column(t, c)",
        ["drop_column t (a)", "drop_column u (b)"],
    ),
    "enumerate": (
        "",
        "for i, t in enumerate(['a', 'b'], 1):\n    op.drop_table(f'{t}{i}')",
        ["drop_table a1", "drop_table b2"],
    ),
    "zip": ("", "for t, c in zip(['t'], ['a']):\n    op.drop_column(t, c)", ["drop_column t (a)"]),
    "items": (
        "",
        "for t, c in {'t': 'a'}.items():\n    op.drop_column(t, c)",
        ["drop_column t (a)"],
    ),
    "range": (
        "",
        "for i in range(2):\n    op.drop_table(f't{i}')",
        ["drop_table t0", "drop_table t1"],
    ),
    "while": (
        "",
        "i = 0\nwhile i < 2:\n    op.drop_table(f't{i}')\n    i += 1",
        ["drop_table t0", "drop_table t1"],
    ),
    "break": (
        "",
        "for t in 'abc':\n    if t == 'b':\n        break\n    op.drop_table(t)",
        ["drop_table a"],
    ),
    "continue": (
        "",
        "for t in 'abc':\n    if t == 'b':\n        continue\n    op.drop_table(t)",
        ["drop_table a", "drop_table c"],
    ),
    "reversed and sorted": (
        "",
        "for t in reversed(sorted(['b', 'a'])):\n    op.drop_table(t)",
        ["drop_table b", "drop_table a"],
    ),
    "comprehension": ("", "[op.drop_table(t) for t in 'ab' if t != 'b']", ["drop_table a"]),
    "comprehension of values": (
        "",
        "op.create_index('ix', 't', [c for c in ('a', 'b')])",
        ["create_index t.ix (a, b)"],
    ),
    "dict comprehension": (
        "",
        "for t, c in {t: t * 2 for t in 'ab'}.items():\n    op.drop_column(t, c)",
        ["drop_column a (aa)", "drop_column b (bb)"],
    ),
    "starred": ("A = ('t', 'a')", "op.drop_column(*A)", ["drop_column t (a)"]),
    "double starred": (
        "",
        "op.drop_column(**{'table_name': 't', 'column_name': 'a'})",
        ["drop_column t (a)"],
    ),
    "columns starred": (
        "def columns():\n    return [sa.Column('a', sa.Integer), sa.Column('b', sa.Integer)]",
        "op.create_table('t', *columns(), sa.Column('c', sa.Text))",
        ["create_table t (a, b, c)"],
    ),
    "helper": (
        "def helper(t):\n    op.drop_table(t)",
        "helper('a')\nhelper(t='b')",
        ["drop_table a", "drop_table b"],
    ),
    "helper that follows": ("", "helper()", ["drop_table t"]),
    "helper with defaults": (
        (
            "def helper(t='t', *columns, **names):\n    for c in columns:\n"
            "        op.drop_column(t, c)"
        ),
        "helper('u', 'a', 'b')",
        ["drop_column u (a)", "drop_column u (b)"],
    ),
    "helper that returns": (
        "def name(p):\n    return p + '_t'",
        "op.drop_table(name('a'))",
        ["drop_table a_t"],
    ),
    "nested function": ("", "def inner(t):\n    op.drop_table(t)\ninner('t')", ["drop_table t"]),
    "lambda": ("drop = lambda t: op.drop_table(t)", "drop('t')", ["drop_table t"]),
    "decided if": (
        "ON = False",
        "if ON:\n    op.drop_table('a')\nelse:\n    op.drop_table('b')",
        ["drop_table b"],
    ),
    "undecided if": (
        "import os",
        "if os.environ.get('X'):\n    op.drop_table('a')\nelse:\n    op.drop_table('b')",
        ["drop_table a", "drop_table b"],
    ),
    "try": (
        "",
        (
            "try:\n    op.drop_table('a')\nexcept Exception:\n    op.drop_table('b')\n"
            "finally:\n    op.drop_table('c')"
        ),
        ["drop_table a", "drop_table b", "drop_table c"],
    ),
    "code after return": ("", "op.drop_table('a')\nreturn\nop.drop_table('b')", ["drop_table a"]),
    "list that grows": (
        "",
        "tables = []\ntables.append('a')\ntables += ['b']\nfor t in tables:\n    op.drop_table(t)",
        ["drop_table a", "drop_table b"],
    ),
    "global": (
        "def tables():\n    global TABLE\n    TABLE = 't'",
        "tables()\nop.drop_table(TABLE)",
        ["drop_table t"],
    ),
    "data class": (
        """
        from dataclasses import dataclass
        @dataclass
        class Spec:
            table: str
            column: str = "c"
            @property
            def name(self):
                return f"ix_{self.table}"
        """,
        "for spec in [Spec('t', 'a'), Spec(table='u', column='b')]:\n"
        "    op.create_index(spec.name, spec.table, [spec.column])",
        ["create_index t.ix_t (a)", "create_index u.ix_u (b)"],
    ),
    "classes": (
        """
        class Step:
            def __init__(self, table):
                self.table = table
            def run(self):
                return self.execute()
        class Drop(Step):
            def __init__(self, table, column):
                super().__init__(table)
                self.column = column
            def run(self):
                return super().run()
            def execute(self):
                op.drop_column(self.table, self.column)
        """,
        "Drop('t', 'a').run()",
        ["drop_column t (a)"],
    ),
    "exit stack": (
        "from contextlib import ExitStack",
        (
            "with ExitStack() as stack:\n"
            "    b = stack.enter_context(op.batch_alter_table('t'))\n    b.drop_column('a')"
        ),
        ["drop_column t (a)"],
    ),
    "metadata": (
        "",
        (
            "m = sa.MetaData()\nt = sa.Table('t', m, sa.Column('a', sa.Integer))\n"
            "m.create_all(op.get_bind(), tables=[t])"
        ),
        ["create_table t (a)"],
    ),
    "run_sync": (
        "",
        "op.get_bind().run_sync(lambda connection: op.drop_table('t'))",
        ["drop_table t"],
    ),
    "table object": (
        "",
        "t = op.create_table('t', sa.Column('a', sa.Integer))\nop.bulk_insert(t, [{'a': 1}])",
        ["create_table t (a)", "bulk_insert t"],
    ),
}


@pytest.mark.parametrize(("module", "body", "expected"), FORMS.values(), ids=FORMS)
def test_every_form(module: str, body: str, expected: list[str]) -> None:
    migration = read(body, module)
    if "helper()" in body:
        migration = read_migration(
            "m.py",
            source=f"{HEADER}def upgrade():\n    {body}\ndef helper():\n    op.drop_table('t')\n",
        )
    assert briefs(migration) == expected
    assert all(operation.certain for operation in migration.operations)


def test_async_upgrade_is_read() -> None:
    assert briefs(read("op.drop_table('t')", signature="async def upgrade():")) == ["drop_table t"]


def test_functions_of_the_multi_database_template_are_read() -> None:
    module = """
    def upgrade_engine1():
        op.drop_table('a')
    def upgrade_engine2():
        op.drop_table('b')
    """
    body = "globals()['upgrade_%s' % engine_name]()"
    migration = read(body, module, signature="def upgrade(engine_name):")
    assert briefs(migration) == ["drop_table a", "drop_table b"]
    assert (
        briefs(
            read("pass", "upgrade_engine1 = lambda: None", signature="def upgrade(engine_name):")
        )
        == []
    )


def test_a_conditional_expression_is_a_branch() -> None:
    [made] = read("t = sa.table('t') if flag() else op.create_table('t')").operations
    assert made.conditional
    [dropped] = read(
        "op.drop_table('t') if op.get_bind().dialect.name == 'sqlite' else None"
    ).operations
    assert (dropped.dialects, dropped.conditional) == ({"sqlite"}, False)


def test_no_operation_holds_what_is_the_readers_own() -> None:
    [added] = read(
        "op.add_column('t', sa.Column('a', sa.Enum(Kind, values_callable=lambda e: e)))"
    ).operations
    [column] = added.definitions
    assert isinstance(column.type, Type)
    assert column.type.kwargs["values_callable"] is UNKNOWN


def test_upgrade_and_downgrade_are_distinguished() -> None:
    source = (
        f"{HEADER}def upgrade():\n    op.drop_table('a')\ndef downgrade():\n"
        "    op.drop_table('b')\n"
    )
    assert [(o.function, o.table) for o in read_migration("m.py", source=source).operations] == [
        ("upgrade", "a"),
        ("downgrade", "b"),
    ]


def test_comments_and_strings_are_no_operations() -> None:
    assert (
        briefs(read("'''op.drop_table('t')'''\n# op.drop_table('t')\nx = \"op.drop_table('t')\""))
        == []
    )


def test_a_function_that_is_not_called_does_nothing() -> None:
    assert briefs(read("pass", "def helper():\n    op.drop_table('t')")) == []


UNRESOLVED = {
    "name from outside": ("from app import TABLE", "op.drop_table(TABLE)", "drop_table ?"),
    "environment": ("import os", "op.drop_table(os.environ['T'])", "drop_table ?"),
    "half a name": ("import os", "op.drop_table('t_' + os.environ['T'])", "drop_table ?"),
    "column": ("import os", "op.drop_column('t', os.environ['C'])", "drop_column t?"),
    "unknown keywords": ("import os", "op.drop_table(**os.environ)", "drop_table ?"),
    "op handed over": ("from app import helper", "helper(op)", "helper ?"),
    "bind handed over": ("from app import helper", "x = helper(op.get_bind())", "helper ?"),
    "helper from outside": (
        "from app.migrations import add_audit",
        "add_audit('t')",
        "add_audit ?",
    ),
    "custom operation": ("", "op.create_view('v')", "create_view ?"),
    "recursion": ("def f(n):\n    f(n + 1)", "f(1)", "f ?"),
    "index object": ("", "sa.Index('ix', 'a').create(op.get_bind())", "create_index ix (a)?"),
    "all of a metadata": ("", "sa.MetaData().drop_all(op.get_bind())", "drop_table ?"),
}


@pytest.mark.parametrize(("module", "body", "expected"), UNRESOLVED.values(), ids=UNRESOLVED)
def test_what_cannot_be_known_is_reported_and_not_guessed(
    module: str, body: str, expected: str
) -> None:
    assert briefs(read(body, module)) == [expected]


def test_a_helper_in_another_file_of_the_project_is_read(tmp_path: Path) -> None:
    versions = tmp_path / "alembic" / "versions"
    versions.mkdir(parents=True)
    helpers = tmp_path / "src" / "acme" / "helpers.py"
    helpers.parent.mkdir(parents=True)
    helpers.write_text(
        "from alembic import op\nT = 't'\n\n\ndef drop(*columns):\n    for c in columns:\n"
        "        op.drop_column(T, c)\n"
    )
    (versions / "near.py").write_text(
        "from alembic import op\ndef near():\n    op.drop_table('n')\n"
    )
    path = versions / "m.py"
    path.write_text(
        f"{HEADER}from acme import helpers\nfrom acme.helpers import T, drop\n"
        "from .near import near\n"
        "def upgrade():\n    drop('a', 'b')\n    helpers.drop('c')\n    op.drop_table(T)\n"
        "    near()\n"
    )
    operations = read_migration(path).operations
    assert [brief(operation) for operation in operations] == [
        "drop_column t (a)",
        "drop_column t (b)",
        "drop_column t (c)",
        "drop_table t",
        "drop_table n",
    ]
    assert [operation.line for operation in operations] == [9, 9, 10, 11, 12]


def test_what_a_helper_imports_is_imported_where_the_migration_calls_it(tmp_path: Path) -> None:
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "near.py").write_text(
        "\n" * 50 + "def near(bind):\n    from shop.models import Video\n"
    )
    path = versions / "m.py"
    path.write_text(
        f"{HEADER}from .near import near\ndef upgrade():\n    from shop import a\n"
        "    near(op.get_bind())\n"
    )
    imports = dict(read_migration(path).imports)
    assert (imports["shop"], imports["shop.models"]) == (7, 8)


def test_a_comprehension_keeps_its_names_and_its_conditions() -> None:
    (operation,) = read(
        "t = 'a'\n[0 for t in sa.inspect(op.get_bind()).get_table_names() if t]\nop.drop_table(t)"
    ).operations
    assert (operation.table, operation.conditional) == ("a", False)


def test_a_mapping_is_shown_with_its_values() -> None:
    (operation,) = read("op.drop_column('t', 'a', info={'b': helper, 'c': 1})").operations
    assert operation.kwargs["info"]["c"] == 1
    assert isinstance(operation.kwargs["info"]["b"], Call)


def test_a_read_after_a_helper_is_noted_at_its_own_line() -> None:
    module = "def helper():\n    x = 1\n    return x"
    migration = read("op.get_bind().execute(sa.text('SELECT 1'), helper()).scalar()", module)
    assert [line for _, line in migration.bind_reads] == [migration.operations[0].line]


def test_recursion_over_unknown_values_is_followed_once() -> None:
    module = "def f(x):\n    op.drop_table('t')\n    for y in x:\n        f(y)"
    assert briefs(read("f(sa.inspect(op.get_bind()))", module)) == ["drop_table t"]


@pytest.mark.parametrize(
    "endless",
    ["max(range(4_000_000_000))", "list(enumerate(range(2_000_000_000)))", "sorted(range(10**30))"],
)
def test_a_range_without_end_is_no_hang(endless: str) -> None:
    assert briefs(read(f"for n in [{endless}]:\n    op.drop_table('t')")) == ["drop_table t"]
    assert briefs(read("op.drop_table(f't{len(range(3))}{max(range(3))}')")) == ["drop_table t32"]


@pytest.mark.parametrize(
    "odd", ["sa.Computed('x', persisted=flag())", "sa.Computed('x', persisted=[1])"]
)
def test_an_unreadable_computed_column_is_no_crash(odd: str) -> None:
    (operation,) = read(
        f"op.add_column('t', sa.Column('a', sa.Text(), {odd}))", "from lib import flag"
    ).operations
    assert operation.definitions[0].computed == "default"


@pytest.mark.parametrize("odd", ["import_module()", "import_module(3)"])
def test_an_odd_import_is_no_crash(odd: str) -> None:
    assert briefs(read(f"from importlib import import_module\n{odd}\nop.drop_table('t')")) == [
        "drop_table t"
    ]


def test_what_follows_an_action_of_a_foreign_key_is_read() -> None:
    (_, operation) = read(
        'op.execute("ALTER TABLE t ADD a int REFERENCES u ON DELETE SET DEFAULT NOT NULL")'
    ).operations
    assert (operation.definitions[0].nullable, operation.definitions[0].server_default) == (
        False,
        None,
    )


def test_a_loop_over_unknown_values_is_followed_once() -> None:
    migration = read(
        "for t in sa.inspect(op.get_bind()).get_table_names():\n    op.drop_table(t)\n"
        "    op.drop_table('u')"
    )
    assert briefs(migration) == ["drop_table ?", "drop_table u"]
    assert all(operation.conditional for operation in migration.operations)


DIALECT_TESTS = {
    "op.get_bind().dialect.name == 'postgresql'": {"postgresql"},
    "op.get_context().dialect.name == 'postgresql'": {"postgresql"},
    "context.get_context().dialect.name == 'postgresql'": {"postgresql"},
    "op.get_bind().engine.name == 'postgresql'": {"postgresql"},
    "'postgresql' == op.get_bind().dialect.name": {"postgresql"},
    "op.get_bind().dialect.name in ('postgresql', 'sqlite')": {"postgresql", "sqlite"},
    "op.get_bind().dialect.name.startswith('postgres')": {"postgresql"},
    "op.get_bind().dialect.name == 'postgresql' or op.get_bind().dialect.name == 'sqlite'": {
        "postgresql",
        "sqlite",
    },
    "not op.get_bind().dialect.name != 'sqlite'": {"sqlite"},
    "is_sqlite()": {"sqlite"},
    "getattr(op.get_bind(), 'dialect').name == 'sqlite'": {"sqlite"},
}


@pytest.mark.parametrize("test", DIALECT_TESTS)
def test_a_branch_on_the_dialect_is_tagged_with_it(test: str) -> None:
    module = "def is_sqlite():\n    return op.get_bind().dialect.name == 'sqlite'"
    migration = read(
        f"if {test}:\n    op.drop_table('a')\nelse:\n    op.drop_table('b')\nop.drop_table('c')",
        module,
    )
    a, b, c = migration.operations
    assert a.dialects == DIALECT_TESTS[test]
    assert b.dialects is not None
    assert not b.dialects & a.dialects
    assert {"mysql", "mariadb"} <= b.dialects
    assert c.dialects is None
    assert not any(operation.conditional for operation in migration.operations)


def test_a_helper_variable_and_a_further_condition() -> None:
    body = """
    bind = op.get_bind()
    is_pg = bind.dialect.name == 'postgresql'
    if is_pg and flag():
        op.drop_table('a')
    else:
        op.drop_table('b')
    """
    a, b = read(body, "from app import flag").operations
    assert (a.dialects, a.conditional) == ({"postgresql"}, True)
    assert (b.dialects, b.conditional) == (None, True)


def test_an_early_return_leaves_the_other_dialects() -> None:
    body = "if op.get_bind().dialect.name != 'postgresql':\n    return\nop.drop_table('a')"
    (a,) = read(body).operations
    assert (a.dialects, a.conditional) == ({"postgresql"}, False)


@pytest.mark.parametrize(
    "test", ["found is None", "os.environ.get('SKIP') is None", "next(iter(found), None) is None"]
)
def test_what_may_be_none_decides_nothing(test: str) -> None:
    module = """
    import os

    def column(name):
        for column in sa.inspect(op.get_bind()).get_columns('t'):
            if column['name'] == name:
                return column
        return None
    """
    body = f"found = column('a')\nif {test}:\n    op.drop_table('a')\nelse:\n    op.drop_table('b')"
    assert [(o.table, o.conditional) for o in read(body, module).operations] == [
        ("a", True),
        ("b", True),
    ]


def test_a_helper_that_gives_none_on_one_dialect_decides_by_dialect() -> None:
    module = """
    def schema():
        return 'app' if op.get_bind().dialect.name == 'postgresql' else None
    """
    a, b = read(
        "if schema() is None:\n    op.drop_table('a')\nelse:\n    op.drop_table('b')", module
    ).operations
    assert a.dialects is not None
    assert "postgresql" not in a.dialects
    assert (b.dialects, a.conditional, b.conditional) == ({"postgresql"}, False, False)


def test_an_early_return_on_something_else_makes_the_rest_conditional() -> None:
    (a,) = read("if flag():\n    return\nop.drop_table('a')", "from app import flag").operations
    assert (a.dialects, a.conditional) == (None, True)


def test_match_on_the_dialect() -> None:
    body = """
    match op.get_bind().dialect.name:
        case 'postgresql':
            op.drop_table('a')
        case 'mysql' | 'mariadb':
            op.drop_table('b')
        case _:
            op.drop_table('c')
    """
    a, b, c = read(body).operations
    assert a.dialects == {"postgresql"}
    assert b.dialects == {"mysql", "mariadb"}
    assert c.dialects is not None
    assert "sqlite" in c.dialects
    assert not c.dialects & {"postgresql", "mysql", "mariadb"}


def test_branches_that_exclude_each_other_are_not_followed() -> None:
    body = """
    name = op.get_bind().dialect.name
    if name == 'sqlite':
        if name == 'postgresql':
            op.drop_table('a')
    """
    assert briefs(read(body)) == []


def test_columns_keep_what_they_say() -> None:
    body = """
    op.create_table(
        't',
        sa.Column('id', sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column('name', sa.String(length=40), nullable=False, server_default='x', unique=True,
                  index=True),
        sa.Column('at', sa.DateTime(timezone=True), server_default=sa.func.now(), default=now),
        sa.Column('u_id', sa.ForeignKey('u.id', ondelete='CASCADE'), nullable=True),
        sa.Column('both', sa.Integer, sa.Computed('a + b', persisted=True)),
        sa.Column('n', sa.Numeric(10, 2), server_default=sa.text('0')),
        sa.PrimaryKeyConstraint('id', name='pk'),
        sa.UniqueConstraint('a', 'b', name='uq'),
        sa.CheckConstraint('n > 0', name=op.f('ck')),
        sa.ForeignKeyConstraint(['a', 'b'], ['s.u.a', 's.u.b']),
    )
    """
    (table,) = read(body, "now = print").operations
    id_, name, at, u_id, both, n = table.definitions
    assert (id_.name, id_.type.name, id_.primary_key, id_.identity, id_.nullable) == (
        "id",
        "bigint",
        True,
        True,
        None,
    )
    assert (name.type.name, name.type.args) == ("varchar", (40,))
    assert (name.nullable, name.server_default, name.unique, name.index) == (
        False,
        "'x'",
        True,
        True,
    )
    assert (at.type.kwargs, at.default) == ({"timezone": True}, True)
    assert isinstance(at.server_default, Call)
    assert (at.server_default.name, name.default) == ("now", False)
    assert (u_id.references, u_id.type, u_id.nullable) == (("u.id",), None, True)
    assert both.computed == "stored"
    assert (n.type.name, n.type.args, n.server_default) == ("numeric", (10, 2), "0")
    assert [(c.kind, c.name, c.columns) for c in table.constraints] == [
        ("primary_key", "pk", ("id",)),
        ("unique", "uq", ("a", "b")),
        ("check", "ck", ()),
        ("foreign_key", None, ("a", "b")),
    ]
    assert table.constraints[2].expression == "n > 0"
    assert table.constraints[3].references == "s.u"


def test_alter_column_keeps_what_it_changes() -> None:
    body = """
    op.alter_column('t', 'a', type_=sa.Text(), existing_type=sa.String(40), nullable=False,
                    server_default=None, new_column_name='b')
    """
    (operation,) = read(body).operations
    assert operation.kwargs["type_"].name == "text"
    assert (operation.kwargs["existing_type"].name, operation.kwargs["existing_type"].args) == (
        "varchar",
        (40,),
    )
    assert operation.kwargs["nullable"] is False
    assert operation.kwargs["server_default"] is None
    assert operation.kwargs["new_column_name"] == "b"


def test_what_has_no_field_is_found_by_its_name() -> None:
    (key, gone) = read(
        "op.create_foreign_key('fk', 't', 'u', ['a'], ['id'])\n"
        "op.drop_constraint('fk', 't', 'foreignkey')"
    ).operations
    assert key.constraints[0].references == key.kwargs["referent_table"] == "u"
    assert gone.kwargs["type_"] == "foreignkey"


def test_constraints_of_their_own() -> None:
    body = """
    op.create_foreign_key('fk', 't', 'u', ['a'], ['id'], postgresql_not_valid=True)
    op.create_check_constraint('ck', 't', 'a > 0')
    """
    fk, ck = (operation.constraints[0] for operation in read(body).operations)
    assert (fk.kind, fk.name, fk.columns, fk.references, fk.not_valid) == (
        "foreign_key",
        "fk",
        ("a",),
        "u",
        True,
    )
    assert (ck.kind, ck.expression, ck.not_valid) == ("check", "a > 0", False)


def test_autocommit_blocks_and_batches_are_noted() -> None:
    body = """
    op.drop_table('a')
    with op.get_context().autocommit_block():
        op.drop_table('b')
    with op.batch_alter_table('t') as b:
        b.drop_column('c')
    """
    a, b, c = read(body).operations
    assert [o.autocommit for o in (a, b, c)] == [False, True, False]
    assert [o.batch for o in (a, b, c)] == [False, False, True]


def test_places_are_those_of_the_call() -> None:
    (operation,) = read("x = 'é'; op.drop_table('é')").operations
    assert (operation.line, operation.column, operation.end_column) == (7, 14, 32)


def test_the_args_and_kwargs_are_as_written() -> None:
    (operation,) = read("op.create_index('ix', 't', ['a'], unique=True)").operations
    assert operation["args"] == ["ix", "t", ["a"]]
    assert operation["kwargs"] == {"unique": True}


EXECUTED = {
    "op.execute": "op.execute('DROP TABLE t')",
    "keyword": "op.execute(sqltext='DROP TABLE t')",
    "text": "op.execute(sa.text('DROP TABLE t').execution_options(autocommit=True))",
    "bind": "op.get_bind().execute(sa.text('DROP TABLE t'))",
    "variable": "conn = op.get_bind()\nconn.execute('DROP TABLE t')",
    "exec_driver_sql": "op.get_bind().exec_driver_sql('DROP TABLE t')",
    "context": "op.get_context().bind.execute('DROP TABLE t')",
    "transaction": "with op.get_bind().begin_nested():\n    op.get_bind().execute('DROP TABLE t')",
    "connection": "with op.get_bind().connect() as c:\n    c.execute('DROP TABLE t')",
    "session": (
        "from sqlalchemy.orm import Session\n"
        "Session(bind=op.get_bind()).execute(sa.text('DROP TABLE t'))"
    ),
    "sessionmaker": (
        "from sqlalchemy import orm\ns = orm.sessionmaker(bind=op.get_bind())()\n"
        "s.execute('DROP TABLE t')"
    ),
    "batch": "with op.batch_alter_table('u') as b:\n    b.execute('DROP TABLE t')",
    "dedent": "import textwrap\nop.execute(textwrap.dedent('''\n        DROP TABLE t\n    '''))",
    "f-string": "t = 't'\nop.execute(f'DROP TABLE {t}')",
    "loop": "for s in ['DROP TABLE t']:\n    op.execute(s)",
    "run_async": (
        "async def go(connection):\n    await connection.execute('DROP TABLE t')\nop.run_async(go)"
    ),
    "DDL": "op.execute(sa.DDL('DROP TABLE t'))",
}


@pytest.mark.parametrize("body", EXECUTED.values(), ids=EXECUTED)
def test_sql_is_read_wherever_it_is_executed(body: str) -> None:
    migration = read(body)
    assert briefs(migration) == ["drop_table t"]
    assert migration.operations[-1].via == "execute"


CORE = {
    "op.execute(sa.table('t').update().values(a=1))": ("update t", None),
    "op.execute(sa.update(sa.table('t', sa.column('a'))).where(sa.column('a') > 1).values(a=1))": (
        "update t",
        "a > 1",
    ),
    "op.get_bind().execute(sa.delete(sa.table('t')))": ("delete t", None),
    "op.execute(sa.table('t', schema='s').delete().where(sa.column('a') == 1))": (
        "delete s.t",
        "a == 1",
    ),
    "op.execute(sa.insert(sa.table('t')).values(a=1))": ("bulk_insert t", None),
    "op.execute(sa.Table('t', sa.MetaData()).insert(), [{'a': 1}])": ("bulk_insert t", None),
}


@pytest.mark.parametrize("body", CORE)
def test_core_statements(body: str) -> None:
    (operation,) = read(body).operations
    expected, where = CORE[body]
    assert brief(operation) == expected
    assert operation.kwargs.get("where") == (where and f"sa.column('a'){where[1:]}")


def test_classes_mapped_in_the_file() -> None:
    module = """
    from sqlalchemy.orm import Session, declarative_base
    Base = declarative_base()
    class Video(Base):
        __tablename__ = 'videos'
        id = sa.Column(sa.Integer, primary_key=True)
        title = sa.Column(sa.String)
    """
    body = """
    session = Session(bind=op.get_bind())
    session.query(Video).filter(Video.id > 1).update({'title': 'x'})
    session.execute(sa.update(Video).values(title='x'))
    for video in session.query(Video).all():
        video.title = 'y'
    session.add(Video(title='z'))
    session.commit()
    """
    assert briefs(read(body, module)) == [
        "update videos",
        "update videos",
        "update videos (title)",
        "bulk_insert videos",
    ]


OFFLINE_UNSAFE = {
    "op.get_bind().execute(sa.text('SELECT 1')).fetchall()": True,
    "for row in op.get_bind().execute(sa.text('SELECT 1')):\n    pass": True,
    "result = op.get_bind().execute(sa.text('SELECT 1'))\nx = [r[0] for r in result]": True,
    "if op.get_bind().execute(sa.text('SELECT 1')):\n    pass": True,
    "sa.inspect(op.get_bind()).get_table_names()": True,
    (
        "from sqlalchemy.engine.reflection import Inspector\nInspector.from_engine(op.get_bind())"
    ): True,
    "op.get_bind().scalar(sa.text('SELECT 1')) == 1": True,
    (
        "from sqlalchemy.orm import Session\nSession(bind=op.get_bind()).query(sa.table('t')).all()"
    ): True,
    "op.get_bind().execute(sa.text('DROP TABLE t'))": False,
    "op.get_bind().dialect.name": False,
    "op.execute('SELECT 1')": False,
    "if not context.is_offline_mode():\n    sa.inspect(op.get_bind())": False,
}


@pytest.mark.parametrize("body", OFFLINE_UNSAFE)
def test_reads_from_the_bind(body: str) -> None:
    assert bool(read(body).bind_reads) is OFFLINE_UNSAFE[body]


def test_identifiers_come_from_literals() -> None:
    source = (
        "revision: str = 'b'\ndown_revision = ('a', 'c')\nbranch_labels = 'x'\n"
        "depends_on = ['d']\ndef upgrade(): ...\n"
    )
    migration = read_migration("m.py", source=source)
    assert (migration.revision, migration.down_revision) == ("b", ("a", "c"))
    assert (migration.branch_labels, migration.depends_on) == (("x",), ("d",))
    assert (migration.lines["down_revision"], migration.lines["upgrade"]) == (2, 5)
    assert not migration.problems


def test_a_computed_identifier_and_a_missing_upgrade_are_problems() -> None:
    migration = read_migration("m.py", source="revision = make()\ndown_revision = None\n")
    assert migration.revision is None
    assert migration.problems == [(1, "revision is computed"), (1, "no upgrade() function")]


def test_what_the_module_says_of_itself() -> None:
    migration = read_migration(
        "m.py", source="lossy = 'old titles'\nirreversible = 'rows' ' are gone'\n"
    )
    assert (migration.lossy, migration.irreversible) == ("old titles", "rows are gone")


def test_imports_are_noted_wherever_they_are() -> None:
    migration = read("from app.models import Video\nimport os.path")
    assert [name for name, _ in migration.imports] == [
        "sqlalchemy",
        "alembic",
        "app.models",
        "os.path",
    ]


BODIES = {
    "pass": "empty",
    '"""Nothing."""': "empty",
    "return None": "empty",
    "...": "empty",
    "op.f('x')": "code",
}


@pytest.mark.parametrize("body", [*BODIES, "raise NotImplementedError('gone')"])
def test_bodies(body: str) -> None:
    assert read(body).bodies["upgrade"] == BODIES.get(body, "raises")


UNREADABLE = {
    "syntax": (b"def upgrade(:\n", 1),
    "later line": (b"x = 1\n\nif x\n", 3),
    "null byte": (b"x = '\0'\n", 1),
    "no utf-8": (b"x = '\xff'\n", 1),
    "unknown encoding": (b"# coding: klingon\n", 1),
    "deep": (b"x = " + b"(" * 5000 + b")" * 5000, 1),
    "deep operators": (b"x = " + b"-" * 100_000 + b"1", 1),
    "deep calls": (b"def upgrade():\n    x" + b"()" * 20_000, 1),
}


@pytest.mark.parametrize(("data", "line"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_cannot_be_read_says_where_and_why(
    data: bytes, line: int, tmp_path: Path
) -> None:
    path = tmp_path / "m.py"
    path.write_bytes(data)
    with pytest.raises(UnreadableMigration) as caught:
        read_migration(path)
    assert (caught.value.path, caught.value.line) == (str(path), line)
    assert str(caught.value) == f"{path}:{line}: {caught.value.reason}"
    assert caught.value.reason


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMigration, match="No such file"):
        read_migration(tmp_path / "m.py")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_encodings_are_pythons_own(encoding: str, newline: str, tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    source = f"# coding: {encoding}\n{HEADER}def upgrade():\n    op.drop_table('é')\n"
    path.write_bytes(source.replace("\n", newline).encode(encoding))
    assert briefs(read_migration(path)) == ["drop_table é"]


def test_invalid_escapes_are_silent(recwarn: pytest.WarningsRecorder) -> None:
    assert briefs(read(r"op.drop_table('\d')")) == [r"drop_table \d"]
    assert not recwarn.list


BOUNDED = {
    "long loop": "for i in range(10 ** 9):\n    op.drop_table('t')",
    "endless loop": "while True:\n    op.drop_table('t')",
    "nested loops": "".join(f"{'    ' * i}for x{i} in range(1000):\n" for i in range(6))
    + "    " * 6
    + "op.drop_table('t')",
    "large string": "x = 'x' * 10 ** 12\nop.drop_table('t')",
    "doubling": "x = 'x'\nfor i in range(1000):\n    x = x + x\nop.drop_table('t')",
    "doubling list": "x = [1]\nfor i in range(1000):\n    x += x\nop.drop_table('t')",
    "large number": "x = 9\nfor i in range(1000):\n    x = x * x\nop.drop_table('t')",
    "wide": (
        "x = '%999999999999d' % 1\ny = f'{1:999999999999}'\nz = '{:999999999999}'.format(1)\n"
        "op.drop_table('t')"
    ),
    "replace": "x = ('a' * 10 ** 6).replace('a', 'b' * 10 ** 6)\nop.drop_table('t')",
    "power": "x = 10 ** 10 ** 10\nop.drop_table('t')",
    "range": "x = list(range(10 ** 12))\nop.drop_table('t')",
    "exponential helpers": "f(40)\nop.drop_table('t')",
    "product": (
        "x = [(a, b, c) for a in range(1000) for b in range(1000) for c in range(1000)]\n"
        "op.drop_table('t')"
    ),
    "long sum": "x = " + " + ".join(["'a'"] * 900) + "\nop.drop_table('t')",
}


@pytest.mark.parametrize("body", BOUNDED.values(), ids=BOUNDED)
def test_the_work_is_bounded(body: str) -> None:
    migration = read(body, "def f(n):\n    f(n - 1)\n    f(n - 2)\n    f(n - 3)\n")
    assert "drop_table t" in set(briefs(migration))


def test_ten_megabytes() -> None:
    rows = "".join(
        f"    {{'a': {i}, 'b': 'some text to fill the row, number {i}'}},\n" for i in range(20_000)
    )
    text = "x" * 8_000_000
    migration = read("op.bulk_insert(sa.table('t'), ROWS)", f"TEXT = '{text}'\nROWS = [\n{rows}]\n")
    assert briefs(migration) == ["bulk_insert t"]


PIECES = (
    [case[1] for case in FORMS.values()]
    + list(OPERATIONS)
    + list(EXECUTED.values())
    + list(BOUNDED.values())
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=3), data=st.data())
def test_mutated_migrations_raise_nothing_else(pieces: list[str], data: st.DataObject) -> None:
    source = HEADER + "def upgrade():\n" + textwrap.indent("\n".join(pieces), "    ")
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(source)))
        end = at + data.draw(st.integers(0, 12))
        source = (
            source[:at]
            + data.draw(
                st.sampled_from(
                    ["", "(", ")", "*", "**", "'", ", ", "op", ".", "0", "\n", "[", "{}"]
                )
            )
            + source[end:]
        )
    try:
        migration = read_migration("m.py", source=source)
    except UnreadableMigration:
        return
    for operation in migration.operations:
        assert operation.table is None or isinstance(operation.table, str)


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_raise_nothing_else(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.py"
    path.write_bytes(data)
    try:
        read_migration(path)
    except UnreadableMigration:
        return


SQL = {
    # statement: what it does
    "CREATE TABLE IF NOT EXISTS s.t (a serial PRIMARY KEY, b text)": ["create_table s.t (a, b)"],
    'CREATE TABLE "T" AS SELECT 1': ["create_table T"],
    "DROP TABLE IF EXISTS a, s.b CASCADE": ["drop_table a", "drop_table s.b"],
    "ALTER TABLE t RENAME TO u": ["rename_table t"],
    "RENAME TABLE a TO b, c TO d": ["rename_table a", "rename_table c"],
    "CREATE UNIQUE INDEX CONCURRENTLY ix ON ONLY t USING btree (a, lower(b) DESC) WHERE c > 1": [
        "create_index t.ix (a, lower(b) DESC)"
    ],
    "DROP INDEX CONCURRENTLY IF EXISTS ix": ["drop_index ix"],
    "DROP INDEX ix ON t": ["drop_index t.ix"],
    "ALTER TABLE IF EXISTS ONLY s.t ADD COLUMN IF NOT EXISTS a int NOT NULL DEFAULT 3, DROP b": [
        "add_column s.t (a)",
        "drop_column s.t (b)",
    ],
    "ALTER TABLE t ADD (a int, b varchar(10))": ["add_column t (a)", "add_column t (b)"],
    "ALTER TABLE t ALTER a TYPE text USING a::text, ALTER COLUMN b SET NOT NULL": [
        "alter_column t (a)",
        "alter_column t (b)",
    ],
    "ALTER TABLE `t` MODIFY COLUMN `a` varchar(20) NOT NULL": ["alter_column t (a)"],
    "ALTER TABLE t CHANGE a b int": ["alter_column t (a)"],
    "ALTER TABLE t RENAME COLUMN a TO b": ["alter_column t (a)"],
    "ALTER TABLE t RENAME CONSTRAINT a TO b": ["rename_constraint t.a"],
    (
        "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES u (id) ON DELETE CASCADE "
        "NOT VALID"
    ): ["create_foreign_key t.fk (a)"],
    "ALTER TABLE t ADD CONSTRAINT ck CHECK (a > 0)": ["create_check_constraint t.ck"],
    "ALTER TABLE t ADD CONSTRAINT uq UNIQUE (a, b)": ["create_unique_constraint t.uq (a, b)"],
    "ALTER TABLE t ADD CONSTRAINT uq UNIQUE USING INDEX ix": ["create_unique_constraint t.uq"],
    "ALTER TABLE t ADD PRIMARY KEY (a)": ["create_primary_key t (a)"],
    "ALTER TABLE t ADD CONSTRAINT ex EXCLUDE USING gist (a WITH =)": [
        "create_exclude_constraint t.ex"
    ],
    "ALTER TABLE t ADD INDEX ix (a)": ["create_index t.ix (a)"],
    "ALTER TABLE t DROP CONSTRAINT IF EXISTS ck": ["drop_constraint t.ck"],
    "ALTER TABLE t DROP FOREIGN KEY fk, DROP INDEX ix": ["drop_constraint t.fk", "drop_index t.ix"],
    "ALTER TABLE t VALIDATE CONSTRAINT ck": ["validate_constraint t.ck"],
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY": ["alter_table t"],
    "UPDATE ONLY t SET a = 1 FROM u WHERE t.id = u.id": ["update t"],
    "WITH x(a) AS NOT MATERIALIZED (INSERT INTO u VALUES (1) RETURNING a) SELECT * FROM x": [
        "bulk_insert u"
    ],
    "SELECT * INTO TEMP TABLE t FROM u": ["create_table_as t"],
    "SELECT a INTO @x FROM u": [],
    "COPY t TO STDOUT": [],
    "COPY t (a) FROM STDIN": ["bulk_insert t"],
    "LOAD DATA INFILE 'x' INTO TABLE t": ["bulk_insert t"],
    "INSERT IGNORE t VALUES (1)": ["bulk_insert t"],
    "UPDATE OR IGNORE t SET a = 1": ["update t"],
    "UPDATE LOW_PRIORITY IGNORE t SET a = 1": ["update t"],
    "UPDATE u x JOIN t y ON x.id = y.id SET y.a = 1": ["update t"],
    "UPDATE t x JOIN u y ON x.id = y.id SET x.a = 1, y.b = 2": ["update t", "update u"],
    "UPDATE t SET (a, b) = (SELECT 1, 2)": ["update t"],
    "DELETE x FROM u y JOIN t x ON x.id = y.id": ["delete t"],
    "DELETE x, y FROM t x, u y WHERE x.id = y.id": ["delete t", "delete u"],
    "DELETE FROM t USING u WHERE t.id = u.id": ["delete t"],
    "DELETE (x) FROM t": ["delete t"],
    "CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN END; IF a THEN DELETE "
    "FROM u; END IF; END;"
    "DROP TABLE t": ["create_procedure p", "drop_table t"],
    "CLUSTER VERBOSE t": ["cluster t"],
    "REINDEX (VERBOSE) INDEX CONCURRENTLY ix": ["reindex ix"],
    "DROP TYPE a, b": ["drop_type a", "drop_type b"],
    "CREATE TABLE t (a int, KEY ix (a))": ["create_table t (a)", "create_index t.ix (a)"],
    "CREATE OR REPLACE TABLE t (a int)": ["drop_table t", "create_table t (a)"],
    "ALTER TABLE t ADD CONSTRAINT FOREIGN KEY (a) REFERENCES u (id)": ["create_foreign_key t (a)"],
    "ALTER TABLE t ADD UNIQUE INDEX IF NOT EXISTS uq (a)": ["create_unique_constraint t.uq (a)"],
    "ALTER TABLE t ADD INDEX USING BTREE (a)": ["create_index t (a)"],
    "ALTER TABLE t ADD CONSTRAINT uq UNIQUE NULLS NOT DISTINCT (a)": [
        "create_unique_constraint t.uq (a)"
    ],
    "ALTER TABLE t WAIT 9 DROP COLUMN a": ["drop_column t (a)"],
    "ALTER TABLE t CHANGE COLUMN IF EXISTS a b int": ["alter_column t (a)"],
    "ALTER TABLE t DROP PARTITION p, q": ["drop_partition t.p", "drop_partition t.q"],
    "ALTER TABLE t DROP partition": ["drop_column t (partition)"],
    "ALTER TABLE t ADD PARTITION (PARTITION p VALUES LESS THAN (1))": ["alter_table t"],
    "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u": ["alter_table t", "alter_table u"],
    "ALTER TABLE t RENAME u": ["rename_table t"],
    "ALTER TABLE t ADD a int REFERENCES u ON DELETE SET DEFAULT NOT NULL": ["add_column t (a)"],
    "WITH x AS (SELECT 1), y AS (DELETE FROM u) UPDATE t SET a = 1": ["delete u", "update t"],
    "DELETE FROM s.t": ["delete s.t"],
    "DELETE a FROM t a JOIN u ON a.id = u.id": ["delete t"],
    "INSERT INTO t (a) SELECT b FROM u": ["bulk_insert t"],
    "INSERT OR IGNORE INTO t VALUES (1)": ["bulk_insert t"],
    "INSERT t VALUES (1)": ["bulk_insert t"],
    "COPY t FROM '/tmp/t.csv'": ["bulk_insert t"],
    "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE": ["merge t"],
    "TRUNCATE TABLE a, b RESTART IDENTITY CASCADE": ["truncate a", "truncate b"],
    "COMMENT ON TABLE t IS 'x'": ["create_table_comment t"],
    "COMMENT ON COLUMN s.t.a IS 'x'": ["alter_column s.t (a)"],
    "CREATE TYPE e AS ENUM ('a', 'b')": ["create_type e"],
    "ALTER TYPE e ADD VALUE IF NOT EXISTS 'c'": ["alter_type e"],
    "DROP TYPE IF EXISTS e": ["drop_type e"],
    "CREATE OR REPLACE VIEW v AS SELECT * FROM t": ["create_view v"],
    "DROP VIEW v": ["drop_view v"],
    "CREATE EXTENSION IF NOT EXISTS pgcrypto": ["create_extension pgcrypto"],
    "CREATE SEQUENCE s": ["create_sequence s"],
    "CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()": [
        "create_trigger t.tr"
    ],
    (
        "CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE u SET a = 1; DELETE FROM v; END; "
        "DROP TABLE w"
    ): [
        "create_trigger t.tr",
        "drop_table w",
    ],
    (
        "CREATE FUNCTION f() RETURNS void AS $body$ BEGIN UPDATE t SET a = 1; END; $body$ "
        "LANGUAGE plpgsql; DROP TABLE w"
    ): [
        "create_function f",
        "drop_table w",
    ],
    (
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1) THEN ALTER TABLE t DROP a; END IF; EXCEPTION "
        "WHEN others THEN NULL; END $$"
    ): ["drop_column t (a)"],
    "VACUUM FULL t": ["vacuum t"],
    "REINDEX TABLE CONCURRENTLY t": ["reindex t"],
    "CLUSTER t USING ix": ["cluster t"],
    "LOCK TABLE t IN SHARE MODE": ["lock_table t"],
    "REFRESH MATERIALIZED VIEW CONCURRENTLY v": ["refresh_materialized_view v"],
    "-- DROP TABLE a\n/* DROP TABLE b; */ SELECT 'DROP TABLE c;', \"DROP TABLE d\"": [],
    "UPDATE t SET a = 'it''s; DELETE FROM u' -- WHERE\n": ["update t"],
    "UPDATE t SET a = :a WHERE b = %(b)s AND c = ?": ["update t"],
    "SELECT 1; ; SHOW x; COMMIT;": ["transaction commit"],
    "FROBNICATE t": ["frobnicate ?"],
    "EXECUTE something": ["execute ?"],
    "DROP TABLE 'it": ["unparsed ?"],
}


@pytest.mark.parametrize("statement", SQL)
def test_every_statement(statement: str) -> None:
    (whole, *operations) = read(f"op.execute({statement!r})").operations
    assert (whole.operation, whole.sql) == ("execute", statement)
    assert [brief(operation) for operation in operations] == SQL[statement]
    assert all(operation.via == "execute" for operation in operations)


def sql(statement: str) -> Operation:
    return read(f"op.execute({statement!r})").operations[-1]


def test_a_column_in_sql_is_a_column_in_python() -> None:
    table = sql(
        "CREATE TABLE t (id bigserial PRIMARY KEY, a character varying(10) NOT NULL DEFAULT 'x', "
        "b int UNIQUE REFERENCES s.u (id), at timestamp with time zone DEFAULT now() NOT NULL, "
        "n numeric(10, 2), "
        "tags text[], total int GENERATED ALWAYS AS (a + b) STORED, "
        "k bigint GENERATED BY DEFAULT AS IDENTITY, "
        "CONSTRAINT ck CHECK (b > 1), UNIQUE (a, b), FOREIGN KEY (a) REFERENCES z)"
    )
    id_, a, b, at, n, tags, total, k = table.definitions
    assert (id_.type.name, id_.primary_key) == ("bigserial", True)
    assert (a.type.name, a.type.args, a.nullable, a.server_default) == (
        "varchar",
        (10,),
        False,
        "'x'",
    )
    assert (b.type.name, b.unique, b.references) == ("integer", True, ("s.u.id",))
    assert (at.type.name, at.type.kwargs, at.server_default, at.nullable) == (
        "timestamp",
        {"timezone": True},
        "now()",
        False,
    )
    assert (n.type.args, tags.type.name, tags.type.args[0].name) == ((10, 2), "array", "text")
    assert (total.computed, k.identity, k.server_default) == ("stored", True, None)
    assert [(c.kind, c.name, c.columns, c.expression, c.references) for c in table.constraints] == [
        ("check", "ck", (), "b > 1", None),
        ("unique", None, ("a", "b"), None, None),
        ("foreign_key", None, ("a",), None, "z"),
    ]


KWARGS = {
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON t (a)": {
        "postgresql_concurrently": True,
        "if_not_exists": True,
    },
    "CREATE UNIQUE INDEX ix ON t (a) WHERE b": {"unique": True, "postgresql_where": "b"},
    "DROP INDEX CONCURRENTLY ix": {"postgresql_concurrently": True},
    "ALTER TABLE t ALTER a SET NOT NULL": {"nullable": False},
    "ALTER TABLE t ALTER a DROP NOT NULL": {"nullable": True},
    "ALTER TABLE t ALTER a SET DEFAULT now()": {"server_default": "now()"},
    "ALTER TABLE t ALTER a DROP DEFAULT": {"server_default": None},
    "ALTER TABLE t RENAME a TO b": {"new_column_name": "b"},
    "ALTER TABLE t RENAME TO u": {"new_table_name": "u"},
    "ALTER TABLE t ADD CONSTRAINT ck CHECK (a > 0) NOT VALID": {"postgresql_not_valid": True},
    "ALTER TABLE t ADD CONSTRAINT uq UNIQUE USING INDEX ix": {"using_index": "ix"},
    "ALTER TYPE e ADD VALUE IF NOT EXISTS 'c' BEFORE 'b'": {"add_value": "c"},
    "ALTER TYPE e RENAME VALUE 'a' TO 'b'": {"rename_value": "a", "new_value": "b"},
    "ALTER TYPE e RENAME TO f": {"new_name": "f"},
    "UPDATE t SET a = 1": {"where": None},
    "UPDATE t SET a = (SELECT b FROM u WHERE c) WHERE d = 1 RETURNING e": {"where": "d = 1"},
    "DELETE FROM t WHERE a": {"where": "a"},
    "VACUUM (FULL) t": {"full": True},
}


@pytest.mark.parametrize("statement", KWARGS)
def test_what_a_statement_says_has_alembics_names(statement: str) -> None:
    assert sql(statement).kwargs == KWARGS[statement]


HOLES = {
    # in Python, where x is not known: the operation, its table, its WHERE
    "UPDATE t SET a = {x}": ("update t", None),
    "UPDATE t SET a = {x} WHERE b = {x}": ("update t", "b = ?"),
    "UPDATE {x} SET a = 1": ("update ?", None),
    "ALTER TABLE t_{x} DROP COLUMN a": ("drop_column  (a)?", None),
    "ALTER TABLE t DROP COLUMN {x}": ("drop_column t?", None),
    "{x} TABLE t": ("unparsed ?", None),
}


@pytest.mark.parametrize("statement", HOLES)
def test_sql_with_an_unknown_part_keeps_what_is_known(statement: str) -> None:
    operation = read(f"op.execute(f{statement!r})", "from app import x").operations[-1]
    assert (brief(operation), operation.kwargs.get("where")) == HOLES[statement]


def test_an_update_that_may_have_a_condition_is_not_reported_without_one() -> None:
    operation = read("op.execute(f'UPDATE t SET a = 1 {x}')", "from app import x").operations[-1]
    assert operation.kwargs["where"] is not None


def test_sql_is_read_as_the_database_of_its_branch_reads_it() -> None:
    body = """
    if op.get_bind().dialect.name == 'mysql':
        op.execute("UPDATE t SET a = 'it\\\\'s; DROP TABLE u'")
    """
    assert briefs(read(body)) == ["update t"]


@pytest.mark.slow
def test_sqlglot_is_loaded_only_where_there_is_sql(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(f"{HEADER}def upgrade():\n    op.drop_table('t')\n")
    code = (
        "import sys; from migration_guard.reading.reader import read_migration; "
        "read_migration(sys.argv[1]); print('sqlglot' in sys.modules)"
    )
    folder = str(Path(read_migration.__code__.co_filename).parents[2])
    run = [sys.executable, "-B", "-c", code, str(path)]
    assert subprocess.check_output(run, cwd=folder, text=True).strip() == "False"
    path.write_text(f"{HEADER}def upgrade():\n    op.execute('DROP TABLE t')\n")
    assert subprocess.check_output(run, cwd=folder, text=True).strip() == "True"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(statements=st.lists(st.sampled_from(sorted(SQL)), min_size=1, max_size=3), data=st.data())
def test_mutated_sql_raises_nothing(statements: list[str], data: st.DataObject) -> None:
    text = "; ".join(statements)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(text)))
        piece = data.draw(
            st.sampled_from(
                ["", "(", ")", "'", '"', "$$", ";", ",", ".", " ", "\ue000", "--", "/*"]
            )
        )
        text = text[:at] + piece + text[at + data.draw(st.integers(0, 12)) :]
    read(f"op.execute({text!r})")


MAYBE = {
    # what may be in a list is looped over; whether it is can't be asked
    "filtered": (
        "tables = [t for t in ('a', 'b') if flag(t)]\nfor t in tables:\n    op.drop_table(t)"
    ),
    "appended": (
        "tables = []\nif flag():\n    tables.append('a')\nif flag():\n    tables.append('b')\n"
        "for t in tables:\n    op.drop_table(t)"
    ),
    "skipped": (
        "skip = set()\nif flag():\n    skip.add('a')\nfor t in ('a', 'b'):\n"
        "    if t not in skip:\n        op.drop_table(t)"
    ),
    "set": "for t in {'b', 'a'}:\n    if flag():\n        op.drop_table(t)",
}


EITHER = {
    "t = 'a'\nif flag():\n    t = 'b'\nop.drop_table(t)": ["drop_table b", "drop_table a"],
    "t = 'a' if flag() else 'b'\nop.drop_table(t)": ["drop_table a", "drop_table b"],
    "op.drop_table(name())": ["drop_table a", "drop_table b"],
    "op.execute(sa.text('DROP TABLE a' if flag() else 'DROP TABLE b'))": [
        "drop_table a",
        "drop_table b",
    ],
}


@pytest.mark.parametrize("body", EITHER)
def test_either_of_two_values_is_two_conditional_operations(body: str) -> None:
    module = "from app import flag\ndef name():\n    if flag():\n        return 'a'\n    return 'b'"
    migration = read(body, module)
    assert briefs(migration) == EITHER[body]
    assert all(operation.conditional and operation.certain for operation in migration.operations)


def test_a_value_for_each_dialect_is_an_operation_for_each() -> None:
    body = """
    if op.get_bind().dialect.name == 'mysql':
        statement = 'UPDATE a SET `x` = 1'
    else:
        statement = 'UPDATE b SET "x" = 1'
    op.execute(statement)
    """
    a, b = (operation for operation in read(body).operations if operation.via)
    assert (a.table, a.dialects, a.conditional) == ("a", {"mysql"}, False)
    assert b.dialects is not None
    assert (b.table, "mysql" in b.dialects, "postgresql" in b.dialects) == ("b", False, True)


@pytest.mark.parametrize("body", MAYBE.values(), ids=MAYBE)
def test_what_may_be_in_a_list_is_conditional(body: str) -> None:
    migration = read(body, "from app import flag")
    assert briefs(migration) == ["drop_table a", "drop_table b"]
    assert all(operation.conditional for operation in migration.operations)


@pytest.mark.parametrize(
    "grow",
    ["tables.append('b')", "tables += ['b']", "tables.extend(['b'])", "tables = [*tables, 'b']"],
)
def test_a_list_that_may_grow_keeps_what_was_known(grow: str) -> None:
    body = f"tables = ['a']\nif flag():\n    {grow}\nfor t in tables:\n    op.drop_table(t)"
    dropped = [(o.table, o.certain) for o in read(body, "from app import flag").operations]
    assert set(dropped) == {("a", True), ("b", True)}


@pytest.mark.parametrize("test", ["tables", "len(tables) > 0", "'a' in tables", "tables == ['a']"])
def test_a_list_that_may_be_empty_decides_nothing(test: str) -> None:
    body = (
        f"tables = [t for t in ('a', 'b') if flag(t)]\nif {test}:\n    return\nop.drop_table('c')"
    )
    (operation,) = read(body, "from app import flag").operations
    assert operation.conditional


def test_a_list_that_grows_in_place_has_its_first_items_on_each_path() -> None:
    body = "s = ['a']\nif flag():\n    s += ['b']\nfor t in s:\n    op.drop_table(t)"
    a, b = read(body, "from app import flag").operations
    assert (a.table, a.conditional, b.table, b.conditional) == ("a", False, "b", True)


def test_everything_imported_from_op_is_an_operation() -> None:
    source = (
        "from alembic.op import *\n\nrevision = 'a'\n\ndef upgrade():\n    drop_table('t')\n"
        "    print('t')\n"
    )
    migration = read_migration("a.py", source=source)
    assert [(op.operation, op.table) for op in migration.operations] == [("drop_table", "t")]
    harmless = source.replace(
        "\n\ndef upgrade", "\n\ndef drop_table(name):\n    pass\n\ndef upgrade"
    )
    assert read_migration("a.py", source=harmless).operations == []


BOOLEANS = {
    "'a' or 'b'": ["a"],
    "'' or 'b'": ["b"],
    "'a' and 'b'": ["b"],
    "None or '' or 'c'": ["c"],
    "'a' and 'b' and 'c'": ["c"],
    "('a' + 'b') or flag()": ["ab"],
    "('a' * 2)[1:] + 'b'": ["ab"],
    "2 * 'a'": ["aa"],
}


@pytest.mark.parametrize("value", BOOLEANS)
def test_the_value_of_and_and_or_is_that_of_a_part(value: str) -> None:
    migration = read(f"op.drop_table({value})", "from app import flag")
    assert [operation.table for operation in migration.operations] == BOOLEANS[value]


def test_what_is_added_to_sql_text_stays_sql_text() -> None:
    body = "op.alter_column('t', 'a', server_default=sa.text('now') + '()')"
    (operation,) = read(body).operations
    assert operation.kwargs["server_default"] == "now()"


def test_what_is_invoked_has_the_arguments_of_op() -> None:
    body = (
        "op.invoke(ops.CreateTableOp('t', [sa.Column('a', sa.Integer())]))\n"
        "op.invoke(ops.AlterColumnOp('t', 'a', modify_name='b', modify_nullable=False))\n"
        "op.invoke(ops.AlterColumnOp('t', 'b', modify_type=sa.Text()))"
    )
    created, renamed, retyped = read(body, "from alembic.operations import ops").operations
    assert (created.table, [column.name for column in created.definitions]) == ("t", ["a"])
    assert (renamed.columns, renamed.kwargs["new_column_name"]) == (("a",), "b")
    assert renamed.kwargs["nullable"] is False
    assert retyped.kwargs["type_"].name == "text"


def test_sql_text_that_can_not_be_computed_is_unknown() -> None:
    body = "op.add_column('t', sa.Column('a', sa.Text(), server_default=sa.text('a') - 'b'))"
    (operation,) = read(body).operations
    assert operation.definitions[0].server_default is UNKNOWN
