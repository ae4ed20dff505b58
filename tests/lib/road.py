"""The road of a change of the models: autogenerate, check, upgrade, roundtrip, in process."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from migration_guard import cli

HEADER = '''"""The models of one change."""

import enum
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy import *
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


parents = Table("parents", Base.metadata, Column("id", Integer, primary_key=True))
'''


@dataclass(frozen=True)
class Change:
    """A table's columns and constraints before and after, as Python text; None if it is not there.

    ``decisions`` are the rules whose findings are a person's to resolve, perhaps on one database
    (``mariadb:constraint-scan``).
    """

    name: str
    before: str | None
    after: str | None
    databases: tuple[str, ...] = ("sqlite", "postgresql", "mariadb")
    decisions: frozenset[str] = frozenset()
    more: str = ""  # other statements of models.py, before the table

    def decides(self, rule: str, *backends: str) -> bool:
        """Whether a finding of the rule is a decision on one of these databases."""
        return bool(self.decisions & {rule, *(f"{each}:{rule}" for each in backends)})

    def models(self, table: str | None) -> str:
        text = f"{HEADER}{self.more}\n"
        if table is not None:
            text += (
                'things = Table("things", Base.metadata, Column("id", Integer, '
                f"primary_key=True), {table})\n"
            )
        return text


@dataclass
class Arrival:
    """How far a change came."""

    faults: list[str] = field(default_factory=list)
    decisions: set[str] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)
    last: str = ""  # the revision before them

    def text(self) -> str:
        return "\n".join([*self.faults, *(path.read_text(encoding="utf-8") for path in self.files)])


class Road:
    """A baked project whose models change, on one database."""

    def __init__(
        self,
        project: Path,
        package: str,
        url: str,
        env: str | None = None,
        lint: bool = False,
        others: Sequence[str] = (),
    ) -> None:
        """``others``: the URLs of other declared databases, for the check alone."""
        self.others = others
        self.project, self.package, self.url = project, package, sa.make_url(url)
        self.versions = project / "alembic" / "versions"
        self.models = project / "src" / package / "database" / "models.py"
        self.lints = lint
        if env is not None:
            (project / "alembic" / "env.py").write_text(env, encoding="utf-8")
        # A process for each file takes longer than all the rest.
        ini = project / "alembic.ini"
        text = ini.read_text(encoding="utf-8")
        ini.write_text(text.replace("hooks = ruff, format\n", ""), encoding="utf-8")

    def travel(self, change: Change) -> Arrival:
        """Go the whole road with one change."""
        arrival = Arrival()
        try:
            with self.at_home():
                self.start()
                self.go(change, arrival)
        except (Exception, SystemExit) as error:
            arrival.faults.append(f"{type(error).__name__}: {error}")
        return arrival

    def go(self, change: Change, arrival: Arrival) -> None:
        self.write(change.models(change.before))
        self.alembic("revision", message="Before", autogenerate=True)
        self.alembic("upgrade", "head")
        before = set(self.versions.glob("*.py"))
        arrival.last = last = self.head()
        self.write(change.models(change.after))
        self.alembic("revision", message="After", autogenerate=True)
        arrival.files = sorted(
            set(self.versions.glob("*.py")) - before, key=lambda path: path.stat().st_mtime_ns
        )
        self.check(arrival, change)
        self.alembic("upgrade", "head")
        self.check(arrival, change, "--roundtrip")
        if self.lints:
            self.lint(arrival)
        self.again(arrival)
        self.alembic("downgrade", last, answers=["yes"])
        self.alembic("upgrade", "head")

    def check(self, arrival: Arrival, change: Change, *options: str) -> None:
        for url in self.others:
            self.check_on(arrival, change, *options, "--database-url", url)
        self.check_on(arrival, change, *options)

    def check_on(self, arrival: Arrival, change: Change, *options: str) -> None:
        self.forget()  # a model that one database has created is changed for the next
        for found in self.errors(*options):
            if change.decides(found["rule"], *self.backends):
                arrival.decisions.add(found["rule"])
            else:
                arrival.faults.append(f"{found['rule']}: {found['message']}")

    def errors(self, *options: str) -> list[dict[str, str]]:
        """Return the errors that the check reports."""
        report = self.project / "report.json"
        report.unlink(missing_ok=True)
        output = io.StringIO()
        with contextlib.redirect_stderr(output):
            status = cli.main(self.project, [*options, "--format", "json", "--output", str(report)])
        if not report.exists():
            raise RuntimeError(f"check ends with {status}: {output.getvalue()}")
        listed = json.loads(report.read_text(encoding="utf-8"))["findings"]
        return [found for found in listed if found["severity"] == "error"]

    @property
    def backends(self) -> set[str]:
        return {sa.make_url(each).get_backend_name() for each in (self.url, *self.others)}

    def lint(self, arrival: Arrival) -> None:
        subprocess.run(
            ["ruff", "check", "--fix", "--quiet", "alembic"], check=False, cwd=self.project
        )
        subprocess.run(["ruff", "format", "--quiet", "alembic"], check=False, cwd=self.project)
        for words in (("check",), ("format", "--check")):
            done = subprocess.run(
                ["ruff", *words, "--quiet", "alembic"],
                check=False,
                cwd=self.project,
                capture_output=True,
                text=True,
            )
            if done.returncode:
                arrival.faults.append(f"ruff {words[0]}: {done.stdout}")

    def again(self, arrival: Arrival) -> None:
        """Autogenerate writes nothing after the upgrade."""
        try:
            self.alembic("check")
        except CommandError as error:
            arrival.faults.append(f"again: {error}")

    # the project

    @contextlib.contextmanager
    def at_home(self) -> Iterator[None]:
        """In the project's folder and environment, as its user is."""
        path, folder, url = sys.path[:], Path.cwd(), os.environ.get("DATABASE_URL")
        os.environ["DATABASE_URL"] = self.url.render_as_string(hide_password=False)
        os.chdir(self.project)
        try:
            yield
        finally:
            os.chdir(folder)
            sys.path[:] = path
            self.forget()
            if url is None:
                del os.environ["DATABASE_URL"]
            else:
                os.environ["DATABASE_URL"] = url

    def forget(self) -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] == self.package]:
            del sys.modules[name]

    def start(self) -> None:
        """Begin without a migration, on an empty database."""
        for file in self.versions.glob("*.py"):
            file.unlink()
        backend = self.url.get_backend_name()
        if backend == "sqlite":
            Path(str(self.url.database)).unlink(missing_ok=True)
            return
        engine = sa.create_engine(
            self.url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
        )
        with engine.connect() as connection:
            if backend == "postgresql":
                connection.exec_driver_sql("DROP SCHEMA IF EXISTS other CASCADE")
                connection.exec_driver_sql("DROP SCHEMA public CASCADE")
                connection.exec_driver_sql("CREATE SCHEMA public")
            else:
                connection.exec_driver_sql(f"DROP DATABASE {self.url.database}")
                connection.exec_driver_sql(f"CREATE DATABASE {self.url.database}")

    def write(self, models: str) -> None:
        self.models.write_text(models, encoding="utf-8")

    def alembic(
        self, name: str, *words: str, answers: list[str] | None = None, **options: object
    ) -> str:
        self.forget()
        cmd_opts = argparse.Namespace(x=answers) if answers else None
        out = io.StringIO()
        config = Config(
            self.project / "alembic.ini", stdout=out, output_buffer=out, cmd_opts=cmd_opts
        )
        config.attributes["configure_logging"] = False
        with (
            warnings.catch_warnings(action="ignore"),
            contextlib.redirect_stderr(out),
            contextlib.redirect_stdout(out),
        ):
            getattr(command, name)(config, *words, **options)
        return out.getvalue()

    def sql(self, last: str) -> str:
        """What `alembic upgrade --sql` prints for the revisions after ``last``."""
        with self.at_home():
            return self.alembic("upgrade", f"{last}:head", sql=True)

    def head(self) -> str:
        from alembic.script import ScriptDirectory

        return str(
            ScriptDirectory.from_config(Config(self.project / "alembic.ini")).get_current_head()
        )
