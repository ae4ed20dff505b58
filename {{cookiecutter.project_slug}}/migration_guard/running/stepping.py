"""Alembic, one revision at a time: env.py runs once, and the versions folder is read once.

Tested with Alembic 1.18.5, 1.20.0 and 1.20.1. These names of Alembic's are not documented:
HeadMaintainer, MigrationStep, _in_external_transaction, _transaction_per_migration, _transaction,
_per_migration, _normalized_down_revisions and _upgrade_revs here; _user_compare_type and
_user_compare_server_default in alembic_comparison.py.
"""

import logging
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial, update_wrapper
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import HeadMaintainer, MigrationContext, MigrationStep, RevisionStep
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from ..error_messages import REMEDIES, in_one_line, one_line
from ..exceptions import CannotCheck
from ..places import place, relative

README = Path(__file__).parents[1] / "README.md"  # its section "What env.py must do"


# The arguments of context.run_migrations() in env.py, which it passes to each migration.
ARGUMENTS = "migration_guard_arguments"


class RolledBack(Exception):
    """Is raised in a step to roll it back."""


class Stepper:
    """Moves a scratch database up and down a history."""

    def __init__(self, context: MigrationContext, scripts: ScriptDirectory) -> None:
        self.context = context
        self.scripts = scripts
        self.heads = HeadMaintainer(context, context.get_current_heads())
        self.atomic = True  # whether the step ran in one transaction, which can be rolled back
        # Each step has its own transaction, whatever env.py sets: a failure must not undo the
        # steps before.
        context._in_external_transaction = False
        context._transaction_per_migration = True
        if context._transaction is not None:
            context._transaction.commit()
            context._transaction = None
        if context.connection is not None:
            context.connection.commit()

    def step(
        self, script: Script, function: str, before_commit: Callable[[], None] | None = None
    ) -> None:
        """Run one function of a revision, then ``before_commit``, which may raise RolledBack."""
        build = getattr(MigrationStep, f"{function}_from_script")
        step = build(self.scripts.revision_map, script)
        before = set(self.heads.heads)
        # Alembic remembers which enum types it created, and would not create them again.
        self.context.impl.memo.clear()
        try:
            with self.context.begin_transaction(_per_migration=True):
                transaction = self.context._transaction
                step.migration_fn(**self.context.opts.get(ARGUMENTS, {}))
                self.update_heads(step, script, function)
                self.atomic = (
                    self.context._transaction is transaction and self.context.impl.transactional_ddl
                )
                if before_commit is not None:
                    before_commit()
        except BaseException:
            self.heads.heads = before
            raise

    def upgrade(self, plan: Iterable[Script]) -> None:
        """Run upgrade() of these revisions. Raises CannotCheck if one fails."""
        for script in plan:
            try:
                self.step(script, "upgrade")
            except Exception as error:
                where = f"{place(error, script.path)}: upgrade() of {script.revision}"
                raise CannotCheck(f"{where} fails: {one_line(error)}") from None

    def update_heads(self, step: RevisionStep, script: Script, function: str) -> None:
        parents = script._normalized_down_revisions
        if function == "downgrade" and self.heads.heads == {script.revision} and len(parents) == 1:
            # Alembic would search all ancestors to find this.
            self.heads._update_version(script.revision, parents[0])
        else:
            self.heads.update_to_step(step)

    def stamp(self, script: Script) -> None:
        """Set the version to this revision without running it."""
        with self.context.begin_transaction(_per_migration=True):
            self.heads.update_to_step(
                MigrationStep.upgrade_from_script(self.scripts.revision_map, script)
            )


def read_scripts(config: Config) -> ScriptDirectory:
    """Import each migration of the versions folders once. Raises CannotCheck."""
    with in_one_line():
        scripts = ScriptDirectory.from_config(config)
        scripts.get_heads()
    return scripts


def plan_of(scripts: ScriptDirectory) -> list[Script]:
    """Return every revision, each after those that it revises or depends on."""
    return list(scripts.iterate_revisions("heads", None, implicit_base=True))[::-1]


def run_env(
    config: Config,
    scripts: ScriptDirectory,
    engine: Engine,
    work: Callable[[MigrationContext], None],
) -> None:
    """Run env.py once on the scratch database, and ``work`` where it would run the migrations."""
    env = relative(scripts.env_py_location)
    runs: list[bool] = []  # for each run of the migrations, whether it is done
    must = 'must run on config.attributes["connection"] if it is set'
    duty = f"{env} {must}: see {relative(README)}."

    def run_migrations(**arguments: Any) -> None:
        environment.get_context().opts[ARGUMENTS] = arguments
        EnvironmentContext.run_migrations(environment)

    def run(_: object, context: MigrationContext) -> list[MigrationStep]:
        runs.append(False)
        if context.connection is None or context.connection.engine.url != engine.url:
            raise CannotCheck(duty)
        if len(runs) > 1:
            raise CannotCheck(f"{env} runs the migrations more than once. {duty}")
        work(context)
        runs[0] = True
        return []

    with engine.connect() as connection, as_configured(config, engine, connection):
        try:
            environment = EnvironmentContext(
                config, scripts, fn=run, as_sql=False, destination_rev="heads"
            )
            environment.run_migrations = run_migrations  # type: ignore[method-assign]
            with in_one_line(), environment:
                scripts.run_env()
        except CannotCheck as error:
            # An error after the work does not count: env.py may end a transaction that has ended.
            if runs != [True]:
                theirs = isinstance(error.__cause__, SQLAlchemyError | SystemExit)
                if theirs and str(error).startswith(f"{env}:"):
                    # env.py needs a database that is not empty, or a driver or command of its own.
                    raise CannotCheck(f"{error}. {duty}") from error
                raise
    if True not in runs:
        raise CannotCheck(f"{env} never calls context.run_migrations(): see {relative(README)}.")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep stdout for the report, and hide log messages except warnings and errors."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        logging.disable(before)


@contextmanager
def as_configured(config: Config, engine: Engine, connection: Any) -> Iterator[None]:
    """Pass the scratch database to env.py in every way that env.py may use."""
    url = engine.url.render_as_string(hide_password=False)
    configured = os.environ.get("DATABASE_URL")
    os.environ["DATABASE_URL"] = url
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    config.attributes.update(connection=connection, configure_logging=False)
    try:
        with quiet():
            yield
    finally:
        config.attributes.pop("connection")
        if configured is None:
            del os.environ["DATABASE_URL"]
        else:
            os.environ["DATABASE_URL"] = configured


class Printed(StringIO):
    """SQL that is printed and not run. SQL that SQLite can't parse raises an error at once."""

    sqlite: sqlite3.Connection | None = None

    def write(self, text: str) -> int:
        try:
            if self.sqlite:
                self.sqlite.execute(f"EXPLAIN {text}")
        except (sqlite3.Error, sqlite3.Warning) as error:  # tables are missing in an empty database
            if "syntax error" in str(error):
                raise
        return super().write(text)


def fails_everywhere(error: Exception, message: str) -> bool:
    """Return whether a migration that fails in offline mode would also fail on a database."""
    return (
        isinstance(error, sqlite3.OperationalError | NameError | ImportError)
        or isinstance(getattr(error, "obj", None), ModuleType)
        or message in REMEDIES.values()
    )


def run_offline(
    script: Script, upgrade: Callable[..., None], problems: list[str], **options: Any
) -> None:
    """Run upgrade() in offline mode; add to ``problems`` why its SQL can't be shown.

    Raises CannotCheck if it would also fail on a database.
    """
    try:
        upgrade(**options)
    except Exception as error:
        where, what = place(error, script.path), one_line(error)
        if fails_everywhere(error, what):
            message = f"{where}: upgrade() of {script.revision} fails: {what}"
            raise CannotCheck(message) from None
        problem = f"can't be printed without a database ({where}: {what})"
        if isinstance(error, CommandError) and "batch mode" in what:
            problem = f"this revision copies a table ({where}), so its SQL is unknown before it"
            problem += " runs; this is no failure"
        problems.append(problem)


def render_pending(
    config: Config,
    scripts: ScriptDirectory,
    heads_of: Callable[[URL, dict[str, Any]], tuple[str, ...]],
) -> list[tuple[Script, str | None, str | None]]:
    """Print the pending revisions, as `alembic upgrade --sql` does.

    Returns each revision with its SQL, or with the reason why there is none. env.py configures the
    database; ``heads_of`` returns its revisions, from the URL and env.py's other options.
    """
    buffer = Printed()
    configured: set[tuple[Any, ...]] = set()
    files: set[Path] = set()  # files that env.py opens for the SQL (Alembic's multidb)
    rendered: list[tuple[Script, str | None, str | None]] = []

    def configure(**options: Any) -> None:
        if isinstance(name := getattr(options.get("output_buffer"), "name", None), str):
            files.add(Path(name))
        if options.get("url") is None:
            raise CannotCheck(
                f"{relative(scripts.env_py_location)} passes no url to context.configure() in"
                f" offline mode: see {relative(README)}."
            )
        names = ("url", "version_table", "version_table_schema")
        configured.add(tuple(str(options.get(name)) for name in names))
        if len(configured) > 1:
            raise CannotCheck(
                f"{relative(scripts.env_py_location)} configures several databases, and a plan is"
                f" for one: see {relative(README)} for how to name it."
            )
        url = make_url(options["url"])
        buffer.sqlite = sqlite3.connect(":memory:") if url.get_backend_name() == "sqlite" else None
        heads: Any = heads_of(url, options)
        EnvironmentContext.configure(
            environment, **options | {"starting_rev": heads, "output_buffer": buffer}
        )

    def run(heads: Any, _: MigrationContext) -> Iterator[MigrationStep]:
        for step in scripts._upgrade_revs("heads", heads):
            script, upgrade, problems = step.revision, step.migration_fn, list[str]()
            step.migration_fn = update_wrapper(
                partial(run_offline, script, upgrade, problems), upgrade
            )
            buffer.seek(0)
            buffer.truncate()
            yield step
            problem = problems[-1] if problems else None
            sql = buffer.getvalue().strip() if problem is None else None
            rendered.append((script, sql, problem))

    config.attributes["configure_logging"] = False
    environment = EnvironmentContext(config, scripts, fn=run, as_sql=True, destination_rev="heads")
    environment.configure = configure  # type: ignore[assignment]
    try:
        with quiet(), in_one_line(), environment:
            scripts.run_env()
    finally:
        for file in files:
            if file.is_file() and not file.stat().st_size:
                file.unlink()
    return rendered
