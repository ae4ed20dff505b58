"""What a user sees of drift between models and migrations, beyond the fault set."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lib import faults
from lib.faults import History, Revision
from lib.projects import Project
from lib.servers import fresh_database
from migration_guard.running.schema.mysql import mysql_column

CHECK = ("python", "scripts/check_migrations.py", "--select", "models-out-of-sync,offline-unsafe")


def drift(project: Project) -> list[dict[str, Any]]:
    done = project.run(*CHECK, "--format", "json", "--output", "report.json", ok=None)
    assert done.returncode in (0, 1), done.stdout
    return list(json.loads((project.path / "report.json").read_text())["findings"])


@pytest.mark.parametrize(
    ("default", "read"),
    [
        ("(now())", "CURRENT_TIMESTAMP"),
        ("(now(6))", "CURRENT_TIMESTAMP(6)"),
        ("((now() + interval 1 day))", "((now() + interval 1 day))"),
    ],
)
def test_the_moment_has_one_name_where_mysql_keeps_two(default: str, read: str) -> None:
    assert str(mysql_column(f"datetime DEFAULT {default}")) == f"datetime DEFAULT {read}"


@pytest.fixture
def fresh(bake: Callable[..., Project], database_url: str) -> Project:
    return bake(database_url)


def test_a_model_that_changed_is_named_with_its_line_and_remedy(fresh: Project) -> None:
    fresh.edit(
        fresh.models,
        "title: Mapped[str] = mapped_column(String(500))",
        "title: Mapped[str] = mapped_column(String(600))",
    )
    (found,) = drift(fresh)
    assert found["message"].startswith("column videos.title: the models define ")
    assert "600" in found["message"].partition("the migrations create")[0]
    assert "500" in found["message"].partition("the migrations create")[2]
    assert 'alembic revision --autogenerate -m "Sync models"' in found["fix"]
    assert "Migrations are out of sync with models" in found["fix"]
    line = (fresh.path / found["path"]).read_text().splitlines()[found["line"] - 1]
    assert line == "    title: Mapped[str] = mapped_column(String(600))"


def test_the_remedy_remedies(fresh: Project) -> None:
    fresh.edit(
        fresh.models,
        "    url: Mapped[str | None]",
        "    tags: Mapped[str | None] = mapped_column(String(500))\n    url: Mapped[str | None]",
    )
    assert [found["operation"] for found in drift(fresh)] == ["column videos.tags"]
    fresh.run("alembic", "upgrade", "head")
    fresh.run("alembic", "revision", "--autogenerate", "-m", "Sync models")
    assert drift(fresh) == []


@pytest.mark.parametrize(
    ("column", "model", "remedy"),
    [
        ("", "", "Add it to the models"),
        ("server_default='0', nullable=False", "nullable=False", "Give the model the same default"),
        (
            "server_default='0', nullable=False",
            "server_default='1', nullable=False",
            "Migrations are out of sync",
        ),
        ("server_default='0', nullable=False", "nullable=True", "Migrations are out of sync"),
        ("nullable=False", "server_default='0', nullable=False", "Migrations are out of sync"),
    ],
)
def test_what_the_models_lack_is_not_for_autogenerate_to_drop(
    bake: Callable[..., Project], database_url: str, column: str, model: str, remedy: str
) -> None:
    project = bake(database_url, starter="blank")
    one = "sa.Column('id', sa.Integer(), primary_key=True)"
    made = f"sa.Column('n', sa.Integer(), {column})"
    up = f"op.create_table('t', {one})\nop.create_table('u', {one}, {made})"
    wanted = [one, f"sa.Column('n', sa.Integer(), {model})"] if model else [one]
    models = "\n".join(
        f"sa.Table('{name}', metadata, {', '.join(columns)})"
        for name, columns in (("t", [one]), ("u", wanted))
    )
    faults.write(History((Revision(up),), models), project.versions, project.models)
    (found,) = drift(project)
    assert found["operation"] == "column u.n"
    assert found["fix"].startswith(remedy)
    if "the same default" in found["fix"]:
        project.edit(project.models, "nullable=False", column)
        assert drift(project) == []


def test_drift_beside_an_edited_migration_is_fixed_by_its_restoration(
    bake: Callable[..., Project],
) -> None:
    project = bake()
    project.sh(
        "git init -q -b main && git add . && git -c user.name=T -c "
        "user.email=t@example.org commit -qm Start"
    )
    (initial,) = project.versions.glob("*_initial_schema.py")
    project.edit(initial, "sa.String(500)", "sa.String(400)")
    command = ("python", "scripts/check_migrations.py", "--against", "HEAD")
    output = project.run(*command, ok=False).stdout
    assert "error edited-migration" in output
    assert "error models-out-of-sync" in output
    assert "--autogenerate" not in output
    assert "fix: Restore the deployed migrations first" in output
    assert (
        "--autogenerate" in project.run(*command, "--ignore", "edited-migration", ok=False).stdout
    )
    project.sh("git checkout -q .")
    project.run(*command)


def test_a_suppression_at_the_class_only_hides_what_the_models_lack(
    bake: Callable[..., Project],
) -> None:
    project = bake()
    ignore = "# migration-guard: ignore[models-out-of-sync] url goes in 3.0\nclass Video(Base):"
    project.edit(project.models, "class Video(Base):", ignore)
    project.edit(project.models, "    url: Mapped[str | None]", "    added: Mapped[str | None]")
    assert [found["operation"] for found in drift(project)] == ["column videos.added"]


def test_a_suppression_at_the_class_hides_no_new_index_and_no_changed_check(
    bake: Callable[..., Project],
) -> None:
    """Each can be suppressed where the models have it: at its first column or in __table_args__."""
    project = bake()
    reason = "# migration-guard: ignore[models-out-of-sync] retry_count goes in 3.0"
    project.edit(
        project.models, "class ProcessingJob(Base):", f"{reason}\nclass ProcessingJob(Base):"
    )
    project.edit(
        project.models, '    retry_count: Mapped[int] = mapped_column(server_default="0")\n', ""
    )
    project.edit(project.models, "'done', 'failed')", "'done', 'failed', 'cancelled')")
    started = "    started_at: Mapped[datetime | None]"
    project.edit(project.models, started, f"{started} = mapped_column(index=True)")
    found = [each["operation"].rpartition(".")[2] for each in drift(project)]
    assert found == ["ck_processing_jobs_status", "ix_processing_jobs_started_at"]
    comment = f"    {reason.replace('retry_count goes', 'it comes')}\n"
    project.edit(project.models, started, f"{comment}{started}")
    table = '__tablename__ = "processing_jobs"\n'
    project.edit(project.models, table, f"{table}{comment}")
    assert drift(project) == []


@pytest.mark.parametrize(
    ("databases", "drops", "found"),
    [
        ('["sqlite"]', False, ["models-out-of-sync"]),
        ('["sqlite"]', True, []),
        ('["sqlite", "postgresql"]', False, []),
        ('["postgresql"]', False, []),
    ],
)
def test_a_suppression_of_drift_that_is_no_more_is_unused(
    bake: Callable[..., Project], databases: str, drops: bool, found: list[str]
) -> None:
    """Where the project is for other databases, too, it may be of use there."""
    project = bake()
    project.edit(
        project.path / "pyproject.toml", 'databases = ["sqlite"]', f"databases = {databases}"
    )
    ignore = "# migration-guard: ignore[models-out-of-sync] url goes in 3.0\nclass Video(Base):"
    project.edit(project.models, "class Video(Base):", ignore)
    if drops:
        project.edit(
            project.models, "    url: Mapped[str | None] = mapped_column(String(2048))\n", ""
        )
    check = (
        "python",
        "scripts/check_migrations.py",
        "--select",
        "models-out-of-sync,unused-ignore",
        "--format",
        "json",
        "--output",
        "report.json",
        "--database-url",
        "sqlite://",
    )
    project.run(*check, ok=None)
    report = project.path / "report.json"
    reported = json.loads(report.read_text())["findings"] if report.exists() else []
    assert [(each["rule"], each["operation"]) for each in reported] == [
        ("unused-ignore", name) for name in found
    ]
    assert not found or reported[0]["path"] == "src/soundhash/database/models.py"
    static = ("python", "scripts/check_migrations.py", "--static")
    assert "unused-ignore" not in project.run(*static).stdout


def test_the_projects_own_tests_let_a_column_go_in_two_steps(bake: Callable[..., Project]) -> None:
    """First it is unmapped, and only the next release drops it."""
    project = bake()
    tests = ("python", "-m", "pytest", "-q", "tests/database/test_migrations.py")
    project.edit(project.models, "    url: Mapped[str | None] = mapped_column(String(2048))\n", "")
    project.run(*tests)
    project.edit(
        project.models, "    title: Mapped", "    added: Mapped[str | None]\n    title: Mapped"
    )
    assert "test_upgrade_makes_what_the_models_need" in project.run(*tests, ok=False).stdout


ONE, TWO = (
    "sa.CheckConstraint(\"k in ('a')\", name='ck')",
    "sa.CheckConstraint(\"k in ('a', 'b')\", name='ck')",
)


FORMULA = (
    "sa.Column('n', sa.Integer()), sa.Column('k', sa.Integer(), sa.Computed('n * {}', "
    "persisted=True))"
)
COMPUTED = """op.drop_column("t", "k")
op.add_column("t", sa.Column("k", sa.Integer(), sa.Computed("n * {}", persisted=True)))"""


@pytest.mark.parametrize(
    ("migrated", "models", "expected", "repair"),
    [
        (
            f"sa.Column('k', sa.String(9)), {ONE}",
            f"sa.Column('k', sa.String(9)), {TWO}",
            "op.drop_constraint(op.f('ck'), 't', type_=\"check\")",
            """op.drop_constraint(op.f("ck"), "t", type_="check")
op.create_check_constraint(op.f("ck"), "t", "k in ('a', 'b')")""",
        ),
        (
            "sa.Column('k', sa.Enum('a', name='kind'))",
            "sa.Column('k', sa.Enum('a', 'b', name='kind'))",
            "op.execute",
            None,
        ),
        (
            "sa.Column('k', sa.Enum('a', 'b', name='kind'))",
            "sa.Column('k', sa.Enum('b', name='kind'))",
            "a new type",
            "",
        ),
        (FORMULA.format(2), FORMULA.format(3), "op.drop_column('t', 'k')", COMPUTED.format(3)),
        (
            "sa.Column('n', sa.Integer()), sa.Column('k', sa.Integer())",
            FORMULA.format(3),
            "op.drop",
            COMPUTED.format(3),
        ),
    ],
    ids=["check", "enum value", "enum value gone", "formula", "formula where there was none"],
)
def test_the_fix_of_what_alembic_does_not_compare_works(
    bake: Callable[..., Project], migrated: str, models: str, expected: str, repair: str | None
) -> None:
    database = fresh_database("postgresql", Path())
    project = bake(next(database), starter="blank")
    key = "sa.Column('id', sa.Integer(), primary_key=True)"
    up = Revision(f"op.create_table('t', {key}, {migrated})")
    tables = f"sa.Table('t', metadata, {key}, {models})"
    faults.write(History((up,), tables), project.versions, project.models)
    (found,) = drift(project)
    assert expected in found["fix"]
    if repair is None:
        repair = found["fix"].partition("has:\n")[2]
    if repair:
        faults.write(History((up, Revision(repair)), tables), project.versions, project.models)
        assert drift(project) == []
    next(database, None)


def test_each_difference_is_one_finding(fresh: Project) -> None:
    fresh.edit(
        fresh.models,
        "name: Mapped[str] = mapped_column(String(255))",
        "name: Mapped[str | None] = mapped_column(String(100))",
    )
    fresh.edit(
        fresh.models, 'Index("idx_match_results_query_fp"', 'Index("idx_match_results_query"'
    )
    named = sorted(found["operation"] for found in drift(fresh))
    assert named == [
        "column channels.name",
        "index match_results.idx_match_results_query",
        "index match_results.idx_match_results_query_fp",
    ]


def test_what_env_py_excludes_is_not_reported(bake: Callable[..., Project]) -> None:
    project = bake(starter="blank")
    made = "op.create_table('legacy', sa.Column('id', sa.Integer(), primary_key=True))"
    faults.write(History((Revision(made),)), project.versions, project.models)
    assert [found["operation"] for found in drift(project)] == ["table legacy"]
    env = project.path / "alembic" / "env.py"
    project.edit(env, "name not in own", "name not in {*own, 'legacy'}")
    assert drift(project) == []


MANUAL = {
    "mariadb": ["ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 2"],
    "postgresql": ["CREATE RULE once AS ON INSERT TO t WHERE NEW.id < 0 DO INSTEAD NOTHING"],
}


@pytest.mark.parametrize("database", MANUAL)
def test_manually_created_objects_are_no_drift_if_env_py_excludes_nothing(
    bake: Callable[..., Project], tmp_path: Path, database: str
) -> None:
    for url in fresh_database(database, tmp_path):
        project = bake(url, starter="blank")
        columns = "sa.Column('id', sa.Integer(), primary_key=True)"
        up = f"op.create_table('t', {columns})\n" + "\n".join(map(faults.sql, MANUAL[database]))
        faults.write(
            History((Revision(up),), f"sa.Table('t', metadata, {columns})"),
            project.versions,
            project.models,
        )
        filtering = re.compile(r'^ *"include_name": .*\n', re.MULTILINE)
        env = project.path / "alembic" / "env.py"
        env.write_text(filtering.sub("", env.read_text()))
        assert drift(project) == []
        project.edit(
            project.versions / "000_r0.py", "'t', sa", "'t', sa.Column('more', sa.Integer()), sa"
        )
        assert [found["operation"] for found in drift(project)] == ["column t.more"]


def test_models_of_the_servers_own_tables_are_no_drift(
    bake: Callable[..., Project], tmp_path: Path
) -> None:
    """Which can't be made, and which env.py leaves out."""
    for url in fresh_database("postgresql", tmp_path):
        project = bake(url, starter="blank")
        column = "sa.Column('id', sa.Integer(), primary_key=True)"
        own = f"sa.Table('pg_own', metadata, {column}, schema='pg_catalog')"
        models = f"sa.Table('t', metadata, {column})\n{own}"
        made = f"op.create_table('t', {column})"
        faults.write(History((Revision(made),), models), project.versions, project.models)
        filtering = '"include_object": lambda _, name, *__: name != "pg_own", "include_name":'
        project.edit(project.path / "alembic" / "env.py", '"include_name":', filtering)
        assert [found["severity"] for found in drift(project)] == ["note"]


def test_a_table_in_another_schema_is_made_once(
    bake: Callable[..., Project], tmp_path: Path
) -> None:
    for url in fresh_database("postgresql", tmp_path):
        project = bake(url, starter="blank")
        columns = [
            "sa.Column('id', sa.Integer(), primary_key=True)",
            "sa.Column('n', sa.Integer())",
        ]
        up = f"op.execute('CREATE SCHEMA sky')\nop.create_table('t', {columns[0]}, schema='sky')"
        table = "sa.Table('t', metadata, {}, schema='sky')"
        faults.write(
            History((Revision(up),), table.format(columns[0])), project.versions, project.models
        )
        assert drift(project) == []
        project.run("alembic", "upgrade", "head")
        project.edit(project.models, columns[0], ", ".join(columns))
        assert [found["operation"] for found in drift(project)] == ["column sky.t.n"]
        project.run("alembic", "revision", "--autogenerate", "-m", "Add n")
        (made,) = project.versions.glob("*_add_n.py")
        upgrade = made.read_text().partition("def downgrade")[0]
        assert upgrade.count("op.") == 1
        assert "op.add_column('t', sa.Column('n'" in upgrade.replace('"', "'")
        assert drift(project) == []


def test_a_partition_is_no_drift_and_not_for_autogenerate_to_drop(
    bake: Callable[..., Project], tmp_path: Path
) -> None:
    for url in fresh_database("postgresql", tmp_path):
        project = bake(url, starter="blank")
        column = "sa.Column('at', sa.Integer(), primary_key=True)"
        option, index = "postgresql_partition_by='RANGE (at)'", "sa.Index('ix_at', 'at')"
        up = f"op.create_table('t', {column}, {option})\nop.create_index('ix_at', 't', ['at'])\n"
        up += "op.execute('CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (1) TO (9)')"
        table = f"sa.Table('t', metadata, {column}, {index}, {option})"
        faults.write(History((Revision(up),), table), project.versions, project.models)
        assert drift(project) == []
        project.run("alembic", "upgrade", "head")
        assert "No new upgrade operations" in project.run("alembic", "check").stdout
        partition = up.partition("op.execute")[0] + f"op.create_table('t_1', {column})"
        faults.write(History((Revision(partition),), table), project.versions, project.models)
        assert [found["operation"] for found in drift(project)] == ["table t_1"]


def test_models_that_need_what_only_migrations_make(
    bake: Callable[..., Project], database_url: str
) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("functions in defaults are PostgreSQL's")
    project = bake(database_url, starter="blank")
    function = "CREATE FUNCTION ten() RETURNS integer LANGUAGE sql AS 'SELECT 10'"
    table = (
        "sa.Column('id', sa.Integer(), primary_key=True), sa.Column('n', sa.Integer(), "
        "server_default=sa.text('ten()'))"
    )
    up = f"op.execute({function!r})\nop.create_table('t', {table})"
    faults.write(
        History((Revision(up),), f"sa.Table('t', metadata, {table})"),
        project.versions,
        project.models,
    )
    assert drift(project) == []
    project.edit(project.models, "ten()", "0")
    assert [found["operation"] for found in drift(project)] == ["column t.n"]


def test_a_history_that_does_not_run_is_one_line(bake: Callable[..., Project]) -> None:
    project = bake(starter="blank")
    faults.write(History((Revision("op.drop_table('nothing')"),)), project.versions)
    done = project.run(*CHECK, ok=None)
    assert done.returncode == 2
    assert "alembic/versions/000_r0.py" in done.stdout
    assert "Traceback" not in done.stdout


READS = "for row in op.get_bind().execute(sa.text('SELECT 1')).all():\n    op.execute('SELECT 2')"


@pytest.mark.parametrize("offline", [True, False])
def test_offline_mode_must_print_the_history_where_the_project_says_so(
    bake: Callable[..., Project], offline: bool
) -> None:
    project = bake(starter="blank")
    faults.write(
        History((Revision("op.execute('SELECT 1')"), Revision(READS))),
        project.versions,
        project.models,
    )
    if offline:
        project.edit(
            "pyproject.toml", "[tool.migration-guard]\n", "[tool.migration-guard]\noffline = true\n"
        )
    findings = [
        found
        for found in drift(project)
        if found["message"].startswith("alembic upgrade --sql fails")
    ]
    assert [found["severity"] for found in findings] == ["error"] * offline
    assert all(found["path"] == "alembic/versions/001_r1.py" for found in findings)


@pytest.mark.parametrize(
    ("default", "same"), [("CURRENT_TIMESTAMP", True), ("'2020-01-01'", False)]
)
def test_two_words_for_now_are_no_drift(
    bake: Callable[..., Project], tmp_path: Path, default: str, same: bool
) -> None:
    """Autogenerate on SQLite writes it, PostgreSQL keeps it so, and it equals the models' now()."""
    for url in fresh_database("postgresql", tmp_path):
        project = bake(url, starter="blank")
        (initial,) = project.versions.glob("*_initial_schema.py")
        project.edit(
            initial, "server_default=sa.func.now()", f"server_default=sa.text({default!r})"
        )
        done = project.run("python", "scripts/check_migrations.py", ok=same)
        assert ("examples.created_at" in done.stdout) is not same


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ("n.asc(), m", []),
        ("n, m.asc()", []),
        ("n.desc(), m", ["index t.ix"]),
        ("n, m.desc()", ["index t.ix"]),
    ],
)
def test_ascending_is_how_an_index_is_anyway(
    bake: Callable[..., Project], database_url: str, columns: str, found: list[str]
) -> None:
    project = bake(database_url, starter="blank")
    table = ", ".join(
        f"sa.Column({name!r}, sa.Integer(), primary_key={name == 'id'})"
        for name in ("id", "n", "m")
    )
    up = f"op.create_table('t', {table})\nop.create_index('ix', 't', ['n', 'm'])"
    models = f"t = sa.Table('t', metadata, {table})\nn, m = t.c.n, t.c.m\nsa.Index('ix', {columns})"
    faults.write(History((Revision(up),), models), project.versions, project.models)
    assert [each["operation"] for each in drift(project)] == found


TWICE = """

class Twice(Base):
    __tablename__ = "twice"
    __table_args__ = (Index("ix_twice", "one"), Index("ix_twice", "two"))

    id: Mapped[int] = mapped_column(primary_key=True)
    one: Mapped[int]
    two: Mapped[int]
"""


def test_a_table_that_the_models_can_not_make_hides_no_other(fresh: Project) -> None:
    models = fresh.models.read_text().replace(
        "mapped_column(String(500))", "mapped_column(String(600))", 1
    )
    fresh.models.write_text(
        models.replace("import enum", "import enum\nfrom sqlalchemy import Index") + TWICE
    )
    found = {finding["operation"]: finding for finding in drift(fresh)}
    assert found.keys() >= {"table twice", "column videos.title"}
    assert (
        "type is" not in found["column videos.title"]["message"]
    )  # which are Alembic's words, not the server's


@pytest.mark.parametrize(("folder", "found"), [("tests", []), ("more", ["table lost"])])
def test_a_table_of_the_tests_is_not_one_of_the_application(
    bake: Callable[..., Project], folder: str, found: list[str]
) -> None:
    project = bake()
    module = project.models.parents[1] / folder / "models.py"
    module.parent.mkdir()
    module.write_text("class Lost(Base):\n    __tablename__ = 'lost'\n")
    assert [finding["operation"] for finding in drift(project)] == found
