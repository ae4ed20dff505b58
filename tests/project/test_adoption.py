"""The guard alone in a project that has Alembic: its README's commands after ``alembic init``."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from lib.migrators import race
from lib.projects import PROJECT_TEMPLATE, ROOT, Project
from lib.servers import fresh_database

pytestmark = pytest.mark.slow
README = (PROJECT_TEMPLATE / "migration_guard" / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## Adopt it in a project that has Alembic\n")[2]
MODELS = """\
import sqlalchemy as sa

metadata = sa.MetaData()
videos = sa.Table(
    "videos",
    metadata,
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("title", sa.String(80), nullable=False),
)
"""
FIRST = """\
import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    url = sa.Column("url", sa.String(80))
    op.create_table("videos", sa.Column("id", sa.Integer(), primary_key=True), url)


def downgrade():
    op.drop_table("videos")
"""
OLD = """\
import sqlalchemy as sa
from alembic import op

revision = "b1"
down_revision = "a1"


def upgrade():
    op.add_column("videos", sa.Column("title", sa.String(80), nullable=False))
    op.drop_column("videos", "url")


def downgrade():
    pass
"""


class Shop(Project):
    guard = "migration_guard"

    def check(self, command: str, ok: bool | None = True) -> str:
        """Run a command of the README, wherever the guard is."""
        return self.sh(command.replace("-m migration_guard", f"-m {self.guard}"), ok=ok).stdout


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)


def commands(word: str) -> list[str]:
    """The README's commands that have this word, with this repository in place of its address."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    found = [line.replace("gh:soundhash/template", str(ROOT)) for line in lines if word in line]
    assert found
    return found


@pytest.fixture(params=["cookiecutter", "copy", "in a package"])
def shop(tmp_path: Path, request: pytest.FixtureRequest) -> Shop:
    """A project of two migrations, of which the second has faults, with the guard in it."""
    project = Shop(tmp_path / "shop", "shop")
    project.path.mkdir()
    project.run("alembic", "init", "migrations")
    project.edit(
        "migrations/env.py",
        "target_metadata = None",
        "from models import metadata as target_metadata",
    )
    (project.path / "alembic.ini").rename(project.path / "migrations" / "alembic.ini")
    project.edit("migrations/alembic.ini", "%(here)s/migrations", "%(here)s")
    project.edit(
        "migrations/alembic.ini", "driver://user:pass@localhost/dbname", "sqlite:///shop.db"
    )
    (project.path / "models.py").write_text(MODELS)
    (project.path / "pyproject.toml").write_text(blocks("toml")[0])
    (project.path / "migrations" / "versions" / "a1.py").write_text(FIRST)
    (project.path / "migrations" / "versions" / "b1.py").write_text(OLD)
    (project.path / "README.md").write_text("Ours.\n")
    if request.param == "cookiecutter":
        before = contents(project.path)
        (command,) = commands("cookiecutter ")
        project.sh(command)
        after = contents(project.path)
        assert {path: after[path] for path in before} == before
        assert {path.split("/")[0] for path in after.keys() - before.keys()} == {"migration_guard"}
    else:
        target = project.path / "migration_guard"
        if request.param == "in a package":
            project.guard = "store.migration_guard"
            target = project.path / "store" / "migration_guard"
            target.parent.mkdir()
            (target.parent / "__init__.py").touch()
        shutil.copytree(
            PROJECT_TEMPLATE / "migration_guard",
            target,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    return project


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def rules(project: Shop) -> dict[str, set[str | None]]:
    """What every command of the README finds: the revisions by rule."""
    found: dict[str, set[str | None]] = {}
    for command in commands("-m migration_guard"):
        if "baseline" not in command:
            project.check(f"{command} --format json --output report.json", ok=None)
            for finding in json.loads((project.path / "report.json").read_text())["findings"]:
                found.setdefault(finding["rule"], set()).add(finding["revision"])
    return found


def test_the_command_works_where_git_has_no_symbolic_links(tmp_path: Path) -> None:
    # As on Windows: a checkout has a file with the link's target in its place.
    template = tmp_path / "template"
    skip = shutil.ignore_patterns(".git", ".nox", ".*_cache", "__pycache__", ".hypothesis")
    shutil.copytree(ROOT, template, symlinks=True, ignore=skip)
    (link,) = template.glob(".guard/*/migration_guard")
    target = link.readlink()
    link.unlink()
    link.write_text(str(target))
    project = Shop(tmp_path / "shop", "shop")
    project.path.mkdir()
    (command,) = commands("cookiecutter ")
    project.sh(command.replace(str(ROOT), str(template)))
    assert contents(project.path / "migration_guard") == contents(
        next(template.glob("*project_slug*/migration_guard"))
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import sqlalchemy.ext.asyncio as a; a.create_async_engine('sqlite://')", "not async"),
    ],
)
def test_an_env_py_with_a_command_or_driver_of_its_own_gets_a_fix(
    bake: Callable[..., Project], line: str, expected: str
) -> None:
    project = bake(starter="blank")
    env = project.path / "alembic" / "env.py"
    env.write_text(env.read_text().replace("from __future__ import annotations\n", f"{line}\n", 1))
    done = project.run("python", "scripts/check_migrations.py", ok=None)
    assert done.returncode == 2  # nothing was compared
    assert expected in done.stdout
    assert 'must run on config.attributes["connection"] if it is set' in done.stdout


def test_new_findings_are_reported_and_old_ones_are_not(shop: Shop) -> None:
    old = {
        "not-null-without-default",
        "drop-column",
        "empty-downgrade",
        "upgrade-fails",
        "downgrade-differs",
    }
    found = rules(shop)
    assert found.keys() <= old, found
    assert {"not-null-without-default", "drop-column", "empty-downgrade"} <= found.keys()
    assert {"b1"} == set().union(*found.values())
    for command in commands("--write-baseline"):
        shop.check(command)
    with (shop.path / "pyproject.toml").open("a") as file:
        file.write(blocks("toml")[1])
    assert rules(shop) == {}
    # lines may move
    migration = shop.path / "migrations" / "versions" / "b1.py"
    migration.write_text(migration.read_text().replace("def upgrade", "# moved\n\n\ndef upgrade"))
    assert rules(shop) == {}
    # the same rule on another operation, or in another migration, is new
    migration.write_text(OLD.replace('"url")', '"url")\n    op.drop_column("videos", "stars")'))
    output = shop.check(commands("--static")[0], ok=False)
    assert "videos.stars" in output
    assert "videos.url" not in output
    migration.write_text(OLD)
    (migration.parent / "c1.py").write_text(OLD.replace('"b1"', '"c1"').replace('"a1"', '"b1"'))
    output = shop.check(commands("--static")[0], ok=False)
    assert "(revision c1)" in output
    assert "(revision b1)" not in output


def test_the_lock_of_the_readme_fits_into_an_env_py_of_alembic_init(shop: Shop) -> None:
    env = shop.path / "migrations" / "env.py"
    mine = blocks("python")[0].replace("from migration_guard", f"from {shop.guard}")
    before, _, rest = env.read_text().partition("def run_migrations_online()")
    env.write_text(f"{before}{mine}\n\nif context.{rest.partition('if context.')[2]}")
    shop.edit("migrations/versions/b1.py", "nullable=False", "nullable=False, server_default=''")
    shop.edit("models.py", "nullable=False", "nullable=False, server_default=''")
    shop.run("alembic", "-c", "migrations/alembic.ini", "upgrade", "head")
    with sqlite3.connect(shop.path / "shop.db") as connection:
        applied = {row[0] for row in connection.execute("SELECT revision FROM alembic_journal")}
    assert applied == {"a1", "b1"}
    shop.run("alembic", "-c", "migrations/alembic.ini", "check")
    assert "models-out-of-sync" not in rules(shop)


def test_alembic_is_heard_where_it_is_asked_itself(shop: Shop) -> None:
    (shop.path / "migrations" / "versions" / "b1.py").unlink()
    shop.edit(
        "models.py",
        'sa.Column("title", sa.String(80), nullable=False)',
        'sa.Column("url", sa.String(80))',
    )
    first = FIRST.replace(
        'op.create_table("v',
        (
            'import logging\n    logging.getLogger("alembic.x").warning("Hear")\n'
            '    op.create_table("v'
        ),
    )
    (shop.path / "migrations" / "versions" / "a1.py").write_text(first)
    for option in ("", " --roundtrip", " --plan"):
        output = shop.check(f"python -m migration_guard{option}")
        assert "INFO" not in output
        assert "Hear" in output, "a warning is not ours to hide"
    assert "INFO" in shop.run("alembic", "-c", "migrations/alembic.ini", "upgrade", "head").stdout


def test_flask_style_config_has_no_script_location(shop: Shop) -> None:
    shop.edit("migrations/alembic.ini", "script_location = %(here)s", "")
    assert "models-out-of-sync" not in rules(shop)
    shop.edit("models.py", "sa.String(80)", "sa.String(99)")
    assert "models-out-of-sync" in rules(shop)


def test_cruft_updates_the_guard_alone(tmp_path: Path) -> None:
    template, shop = tmp_path / "template", Project(tmp_path / "shop", "shop")
    me = "-c user.name=me -c user.email=me@example.org"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(template)], check=True)
    shop.path.mkdir()
    (shop.path / "README.md").write_text("Ours.\n")
    shop.sh(
        f"git init -q && cruft create {template} --no-input --directory .guard "
        "--overwrite-if-exists"
    )
    shop.sh(f"git add -A && git {me} commit -qm Adopt")
    lock = next(template.glob("{{*/migration_guard/deploying/lock.py"))
    lock.write_text(lock.read_text() + "# newer\n")
    subprocess.run(["bash", "-c", f"git {me} commit -qam Newer"], cwd=template, check=True)
    shop.sh("cruft update -y")
    assert (
        (shop.path / "migration_guard" / "deploying" / "lock.py").read_text().endswith("# newer\n")
    )
    assert (shop.path / "README.md").read_text() == "Ours.\n"


def adopted(folder: Path, *init: str) -> Project:
    """What `alembic init` makes, with models, the guard and nothing else."""
    project = Project(folder / "shop", "shop")
    project.path.mkdir()
    project.run("alembic", "init", *init, "migrations")
    project.edit("alembic.ini", "level = INFO", "level = WARNING")
    guard = PROJECT_TEMPLATE / "migration_guard"
    shutil.copytree(
        guard, project.path / "migration_guard", ignore=shutil.ignore_patterns("__pycache__")
    )
    (project.path / "models.py").write_text(MODELS)
    (project.path / "pyproject.toml").write_text(
        '[tool.migration-guard]\ndatabases = ["sqlite", "postgresql"]\n'
        'versions = ["migrations/versions"]\n'
    )
    return project


def guard(project: Project, *options: str, ok: bool | None = True, **environment: str) -> str:
    return project.run("python", "-m", "migration_guard", *options, ok=ok, **environment).stdout


def refused(project: Project, *options: str, **environment: str) -> str:
    """The one line that says why not and what to do."""
    done = project.run("python", "-m", "migration_guard", *options, ok=None, **environment)
    assert done.returncode == 2, done.stdout
    (line,) = done.stdout.splitlines()
    assert "migration_guard/README.md" in line
    return line


def block(word: str) -> str:
    (found,) = (text for text in blocks("python") if word in text)
    return found


def two_databases(folder: Path, *urls: str) -> Project:
    """What Alembic's `multidb` makes, and a first migration of both."""
    project = adopted(folder, "-t", "multidb")
    for number, url in zip(("2", ""), urls, strict=True):
        project.edit(
            "alembic.ini", f"driver://user:pass@localhost/dbname{number}", url.replace("%", "%%")
        )
    with (project.path / "models.py").open("a") as file:
        file.write(
            "metadata2 = sa.MetaData()\n"
            'orders = sa.Table("orders", metadata2, sa.Column("id", sa.Integer(), '
            "primary_key=True))\n"
        )
    targets = (
        'import models\ntarget_metadata = {"engine1": models.metadata, "engine2": models.metadata2}'
    )
    project.edit("migrations/env.py", "target_metadata = {}", targets)
    project.run("alembic", "revision", "--autogenerate", "-m", "first", "--rev-id", "a1")
    return project


def lock_each(project: Project) -> None:
    """Paste what the README has for `multidb`."""
    env = project.path / "migrations" / "env.py"
    before, _, rest = env.read_text().partition("def run_migrations_online()")
    env.write_text(f"{before}{block('ENGINE')}\n\nif context.{rest.partition('if context.')[2]}")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_several_databases_are_migrated_by_one_of_many(tmp_path: Path, database: str) -> None:
    (tmp_path / "other").mkdir()
    for two in fresh_database(database, tmp_path / "other"):
        for one in fresh_database(database, tmp_path):
            project = two_databases(tmp_path, two, one)
            lock_each(project)
            assert race(project, urls=[""]) == []
            for url, table in ((one, "videos"), (two, "orders")):
                assert {"alembic_journal", "alembic_version", table} <= set(
                    sa.inspect(sa.create_engine(url, poolclass=sa.pool.NullPool)).get_table_names()
                )
            project.run("alembic", "check")
            # where the second fails, the first is migrated
            project.run("alembic", "revision", "--autogenerate", "-m", "second", "--rev-id", "b2")
            (second,) = project.path.glob("migrations/versions/b2*")
            good = second.read_text().replace("pass", "op.execute('CREATE TABLE t (a INTEGER)')", 1)
            second.write_text(
                re.sub(r"(def upgrade_engine2.*\n.*\n.*\n *)pass", r"\1op.execute('CRATE')", good)
            )
            assert project.run("alembic", "upgrade", "head", ok=False).stdout.count("FAILED: ") == 1
            second.write_text(good)
            assert (
                "alembic -x edited upgrade head"
                in project.run("alembic", "upgrade", "head", ok=False).stdout
            )
            project.run("alembic", "-x", "edited", "upgrade", "head")
            assert project.run("alembic", "current").stdout.count("b2 (head)") == 2


def test_several_databases_are_checked_one_at_a_time(tmp_path: Path) -> None:
    project = two_databases(tmp_path, "sqlite:///2.db", "sqlite:///1.db")
    assert "must run on config.attributes" in refused(project)
    assert "must run on config.attributes" in refused(project, "--roundtrip")
    assert "configures several databases" in refused(project, "--plan")
    lock_each(project)
    (file,) = (project.path / "migrations" / "versions").glob("*.py")
    for number, table in (("1", "videos"), ("2", "orders")):
        for options in ((), ("--roundtrip",), ()):
            assert "Clean" in guard(project, *options, ENGINE=f"engine{number}")
        plan = guard(project, "--plan", ENGINE=f"engine{number}")
        assert f"{number}.db, now at base: 1 revision to run." in plan
        assert f"CREATE TABLE {table}" in plan
        assert plan.count("CREATE TABLE") == 3  # and those of the version and the journal
        assert not list(project.path.glob("*.sql")), (
            "what its offline half opens is not left behind"
        )
    project.run("alembic", "upgrade", "head")
    assert "nothing to run" in guard(project, "--plan", ENGINE="engine2")
    # a fault of one database is found in that alone
    file.write_text(file.read_text().replace("op.drop_table('orders')", "op.execute('SELECT 1')"))
    assert "Clean" in guard(project, "--roundtrip", ENGINE="engine1")
    assert "downgrade-differs" in guard(project, "--roundtrip", ENGINE="engine2", ok=False)
    project.edit("models.py", "sa.String(80)", "sa.String(99)")
    assert "models-out-of-sync" in guard(project, ENGINE="engine1", ok=False)
    assert "Clean" in guard(project, ENGINE="engine2")


def test_the_job_and_the_hook_of_the_readme_run(tmp_path: Path) -> None:
    job, hooks = (yaml.safe_load(block) for block in blocks("yaml"))
    project = adopted(tmp_path)
    project.edit("alembic.ini", "driver://user:pass@localhost/dbname", "sqlite:///shop.db")
    project.edit(
        "migrations/env.py",
        "target_metadata = None",
        "from models import metadata as target_metadata",
    )
    project.run("alembic", "revision", "--autogenerate", "-m", "first")
    steps = job["jobs"]["migrations"]["steps"]
    checks = [step["run"] for step in steps if "migration_guard" in step.get("run", "")]
    assert len(checks) == 2
    (hook,) = hooks["repos"][0]["hooks"]
    for command in (*checks, hook["entry"]):
        project.sh(command)
    project.edit("models.py", "nullable=False", "nullable=True")
    assert "::error" in project.sh(checks[0], ok=False).stdout
    assert re.search(hook["files"], "migrations/versions/a1.py")


LOOP = """\
def run_migrations_online():
    section = config.get_section(config.config_ini_section, {})
    engine = engine_from_config(section, prefix="sqlalchemy.", poolclass=pool.NullPool)
    with engine.connect() as connection:
        for schema in connection.execute(text("SELECT name FROM public.tenants")).scalars().all():
            connection.execute(text(f'SET search_path TO "{schema}"'))
            connection.commit()
            connection.dialect.default_schema_name = schema
            context.configure(
                connection=connection,
                target_metadata=target_metadata,
                version_table_schema=schema,
            )
            with context.begin_transaction():
                context.run_migrations()
"""


def test_many_tenants_have_one_history(tmp_path: Path) -> None:
    for url in fresh_database("postgresql", tmp_path):
        project = adopted(tmp_path)
        project.environment["DATABASE_URL"] = url
        project.edit("alembic.ini", "driver://user:pass@localhost/dbname", url.replace("%", "%%"))
        (project.path / "migrations" / "versions" / "a1.py").write_text(FIRST)
        project.edit("migrations/versions/a1.py", '"url"', '"title"')
        project.edit("migrations/versions/a1.py", "sa.String(80)", "sa.String(80), nullable=False")
        database = sa.create_engine(url, poolclass=sa.pool.NullPool)
        with database.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE public.tenants (name text)")
            for tenant in ("north", "south-west"):
                connection.exec_driver_sql(
                    f"CREATE SCHEMA \"{tenant}\"; INSERT INTO public.tenants VALUES ('{tenant}')"
                )
        env = project.path / "migrations" / "env.py"
        stock = (
            env.read_text()
            .replace("import pool\n", "import pool, text\n")
            .replace("from logging", "import os\nfrom logging", 1)
        )
        stock = stock.replace(
            "target_metadata = None", "from models import metadata as target_metadata"
        )
        before, _, end = stock.partition("def run_migrations_offline()")
        end = f"\n\nif context.{end.partition('if context.')[2]}"
        offline = stock[len(before) :].partition("def run_migrations_online()")[0]
        env.write_text(before + offline + LOOP + end)
        assert '"public.tenants" does not exist' in refused(project)
        assert '"public.tenants" does not exist' in refused(project, "--roundtrip")

        env.write_text(
            before
            + blocks("python")[0].partition("def run_migrations_online")[0]
            + block("TENANT")
            + end
        )
        assert "Clean" in guard(project)
        assert "Clean" in guard(project, "--roundtrip")
        assert "now at base: 1 revision to run." in guard(project, "--plan", TENANT="south-west")
        for _ in range(2):  # the second one finds nothing to do
            project.run("alembic", "upgrade", "head")
        assert "now at a1: nothing to run." in guard(project, "--plan", TENANT="south-west")
        for tenant in ("north", "south-west"):
            tables = sa.inspect(database).get_table_names(tenant)
            assert {"videos", "alembic_version", "alembic_journal"} == set(tables)
        project.edit("models.py", "sa.String(80)", "sa.String(99)")
        assert "models-out-of-sync" in guard(project, ok=False)
        # run for each tenant on the scratch database, it would be checked for the first alone
        env.write_text(
            env.read_text().replace(
                "guarded=False)\n        return",
                "guarded=False)\n        run_migrations(given, guarded=False)\n        return",
            )
        )
        assert "runs the migrations more than once" in refused(project)
