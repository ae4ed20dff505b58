"""Drift: what the models say against what the migrations make, both on scratch databases.

Looked at in two ways. The server describes the migrated database and one made from the models alone; and Alembic compares
the models with the migrated database, where the descriptions differ: what the server describes alike in both is alike.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from ..error_messages import one_line
from ..exceptions import CannotCheck
from ..finding import Finding
from ..places import line_of, mapped, place, relative
from ..settings import Settings
from .comparison import as_alembic_sees, said, simple
from .schema.snapshot import Column, Difference, Facts, Thing, differences
from .schema.snapshots import snapshot_of
from .scratch import find_url, scratch_database
from .stepping import Stepper, as_configured, plan_of, read_scripts, run_env
from .unimported import tables_in, top

FIX = 'Migrations are out of sync with models: alembic revision --autogenerate -m "Sync models"'


EXTRA = 'Add it to the models, or take it out of the migration; if that is deployed: alembic revision --autogenerate -m "Sync models"'


BY_HAND = "Autogenerate does not see it: write the revision by hand, with {}"


DEFAULT = "Give the model server_default, too, or drop the default in a later revision."


COMPARED = ("table ", "type ", "sequence ")


UNSAID = (
    "trigger",
    "policy",
    "rule",
    "parent",
    "partitions",
)  # what models can't say, or seldom do


COMMENT = re.compile(r"comment[ =]'(?:[^']|'')*'", re.IGNORECASE)


OWNED = re.compile(r"nextval\('([^']+)'::regclass\)")


def check_drift(config: Config, settings: Settings, url: str | None) -> list[Finding]:
    """Migrate a scratch database to the heads and compare it with the models."""
    server = find_url(settings.root, url)
    scripts = read_scripts(config)
    drift = Drift(settings.root, relative(scripts.env_py_location, settings.root))

    def work(context: MigrationContext) -> None:
        stepper = Stepper(context, scripts)
        metadata = context.opts["target_metadata"]
        if metadata is None:
            raise CannotCheck(f"{drift.env} gives no target_metadata to context.configure().")
        drift.metadata = list(metadata) if isinstance(metadata, Iterable) else [metadata]
        with scratch_database(server) as second, ThreadPoolExecutor() as pool:
            # While the server migrates the first. An error waits for it: its database can't be dropped under it.
            modelled = pool.submit(drift.modelled, second)
            for script in plan_of(scripts):
                try:
                    stepper.step(script, "upgrade")
                except Exception as error:
                    where = place(error, script.path)
                    raise CannotCheck(
                        f"{where}: upgrade() of {script.revision} fails: {one_line(error)}"
                    ) from None
            drift.migrated(context)
        if not modelled.result():
            with scratch_database(server) as third:
                drift.modelled_in_parts(third)
        drift.compare(context, metadata)

    with scratch_database(server) as engine:
        run_env(config, scripts, engine, work)
        if settings.offline:
            drift.render(config, engine)
    return drift.findings


class Drift:
    def __init__(self, root: Path, env: str) -> None:
        self.root, self.env = root, env
        self.findings: list[Finding] = []
        self.made: dict[str, Thing] = {}
        self.wanted: dict[str, Thing] = {}
        self.metadata: list[sa.MetaData] = []
        self.classes: dict[str, type] = {}

    def migrated(self, context: MigrationContext) -> None:
        assert context.connection is not None
        snapshot = snapshot_of(context.connection, [context.version_table])
        snapshot.look(everything=True)
        self.made = {thing.name: thing for thing in snapshot.things.values()}
        context.connection.commit()
        self.classes = dict(mapped(self.metadata))
        self.unimported()

    def modelled(self, engine: sa.Engine) -> bool:
        """A second database, made from the models; False: they are wrong, or need what they can't make themselves."""
        with engine.connect() as connection:
            made = self.make_all(connection)
            if made:
                self.describe(connection)
        return made

    def modelled_in_parts(self, engine: sa.Engine) -> None:
        """The same after what else the migrations make, and without the tables that can't be made."""
        first = []
        with engine.connect() as connection:
            for name, thing in self.made.items() if connection.dialect.name == "postgresql" else ():
                kind, _, rest = name.partition(" ")
                text = str(thing.facts.get("", ""))
                first += [f'CREATE EXTENSION IF NOT EXISTS "{rest}"'] * (kind == "extension")
                first += [f"CREATE DOMAIN {rest} AS {text}"] * (kind == "domain")
                first += [text.partition(" comment '")[0]] * (kind in ("function", "procedure"))
            for statement in [*self.schemas(connection), *first]:
                with suppress(sa.exc.DBAPIError), connection.begin_nested():
                    connection.exec_driver_sql(statement.replace("%", "%%"))
            connection.commit()
            if not first or not self.make_all(connection):
                self.one_by_one(connection)
            self.describe(connection)

    def make_all(self, connection: sa.Connection) -> bool:
        try:
            for statement in self.schemas(connection):
                connection.exec_driver_sql(statement.replace("%", "%%"))
            for metadata in self.metadata:
                metadata.create_all(connection, checkfirst=False)  # the database is empty
        except Exception:
            connection.rollback()
            return False
        return True

    def schemas(self, connection: sa.Connection) -> list[str]:
        if connection.dialect.name != "postgresql":
            return []
        tables = (table for metadata in self.metadata for table in metadata.tables.values())
        return [
            f'CREATE SCHEMA IF NOT EXISTS "{name}"'
            for name in sorted({t.schema for t in tables if t.schema})
        ]

    def describe(self, connection: sa.Connection) -> None:
        snapshot = snapshot_of(connection)
        snapshot.look(everything=True)
        self.wanted = {thing.name: thing for thing in snapshot.things.values()}

    def one_by_one(self, connection: sa.Connection) -> None:
        """Make the tables that can be made, where something is wrong with another one."""
        for table in (table for metadata in self.metadata for table in metadata.sorted_tables):
            try:
                table.create(connection, checkfirst=True)
                connection.commit()
            except Exception as error:
                connection.rollback()
                message = f"table {table.key}: the models can't make it, so Alembic alone compares it: {one_line(error)}."
                fix = "Mend it in the models, or give them what it needs."
                self.find(message, fix, self.place(f"table {table.key}"), "note")

    def compare(self, context: MigrationContext, metadata: Any) -> None:
        """Note what differs in the server's descriptions, then what Alembic sees in what they do not have."""
        opts, seen, same = context.opts, set[str](), set[str]()
        filtered = bool(opts.get("include_object") or opts.get("include_name"))
        wanted, made = self.comparable()
        found = list(differences(made, wanted))
        for difference in found:
            if self.compared(difference, filtered):
                seen.add(simple(difference.object))
                message = f"{difference.object}: models say {said(difference.after)}, migrations made {said(difference.before)}."
                fix = by_hand(difference) or remedy(message, difference.before, difference.after)
                self.find(message, fix, self.place(difference.thing, difference.fact))
        for thing in wanted:
            same |= {
                simple(Difference(thing.name, fact, None, None).object) for fact in thing.facts
            }
            same.add(simple(thing.name))
        alike = {simple(thing.name) for thing in wanted} - {
            simple(difference.thing) for difference in found
        }
        alike |= {simple(name) for name in self.partitions()}
        # All but one: where no name is left to ask for, SQLAlchemy reads every table.
        alike -= {min((name for name in alike if name.startswith("table ")), default="")}
        for target, table, message in as_alembic_sees(context, metadata, alike):
            if simple(target) not in seen | same and simple(f"table {table}") not in seen:
                self.find(message, remedy(message), self.place(f"table {table}", target))

    def compared(self, difference: Difference, filtered: bool) -> bool:
        kind = difference.fact.partition(" ")[0]
        if not difference.thing.startswith(COMPARED) or kind in UNSAID:
            return False
        # Of what is in the database alone Alembic tells the tables, and all where env.py filters.
        return difference.after is not None or bool(difference.fact and not filtered)

    def comparable(self) -> tuple[list[Thing], list[Thing]]:
        """Both, without what can't be said in models and without names that nobody chose."""
        named = {str(name).lower() for metadata in self.metadata for name in chosen(metadata)}
        wanted = {name: thing.facts for name, thing in self.wanted.items() if self.is_wanted(name)}
        partitions = self.partitions()
        made = {
            n: thing.facts
            for n, thing in self.made.items()
            if self.is_wanted(n) and n not in partitions
        }
        plain = {name: plain_facts(facts, named) for name, facts in wanted.items()}
        left = [Thing(name, facts) for name, facts in plain.items()]
        right = [
            Thing(name, plain_facts(facts, named, plain.get(name))) for name, facts in made.items()
        ]
        return left, right

    def partitions(self) -> set[str]:
        """Those that no model maps: they belong to a table, and models say nothing of them."""
        there = (
            name
            for name, thing in self.made.items()
            if any(fact.startswith("parent ") for fact in thing.facts)
        )
        return set(there) - self.wanted.keys()

    def is_wanted(self, name: str) -> bool:
        if name.startswith("sequence "):
            return any(
                name == f"sequence {key}"
                for metadata in self.metadata
                for key in metadata._sequences
            )
        return name.startswith(COMPARED)

    def unimported(self) -> None:
        """Tables in modules of the application that env.py does not import."""
        known = {table.name for metadata in self.metadata for table in metadata.tables.values()}
        imported = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
        files = [Path(file).resolve() for file in imported if file and "site-packages" not in file]
        own = {
            top(file)
            for file in files
            if file.is_relative_to(self.root.resolve()) and (file.parent / "__init__.py").is_file()
        }
        for path in sorted({file for folder in own for file in folder.rglob("*.py")} - set(files)):
            if {"tests", "test"} & {*path.parts[len(self.root.parts) :]}:  # a test's own tables
                continue
            for name, line in tables_in(path):
                if name not in known:
                    where = relative(path, self.root)
                    message = f"table {name}: models say it is there ({where}:{line}), but {self.env} never imports that module."
                    self.find(message, f"Import it in {self.env}, then: {FIX}", (where, line))

    def render(self, config: Config, engine: sa.Engine) -> None:
        """Offline mode must print the whole history."""
        config.output_buffer, config.stdout = StringIO(), StringIO()
        try:
            with as_configured(config, engine, None):
                command.upgrade(config, "heads", sql=True)
        except Exception as error:
            path, _, line = place(error).rpartition(":")
            message = f"alembic upgrade --sql fails at {path}:{line}: {one_line(error)}."
            fix = "Leave out what reads from the database if context.is_offline_mode() (from alembic import context)."
            self.findings.append(
                Finding(
                    rule="offline-unsafe",
                    severity="error",
                    message=message,
                    fix=fix,
                    path=path,
                    line=int(line or 1),
                )
            )

    def find(self, message: str, fix: str, place: tuple[str, int], severity: str = "error") -> None:
        path, line = place
        self.findings.append(
            Finding(
                rule="models-out-of-sync",
                severity=severity,
                message=message,
                fix=fix,
                path=path,
                line=line,
                operation=message.partition(":")[0],
            )
        )

    def place(self, thing: str, fact: str = "") -> tuple[str, int]:
        """Where the column, the type or the table is in the models; env.py where it is not."""
        kind, _, table = thing.partition(" ")
        attribute = fact.partition(" ")[2].rpartition(".")[2] if fact.startswith("column ") else ""
        if kind == "type":
            columns = (
                column
                for metadata in self.metadata
                for each in metadata.tables.values()
                for column in each.c
            )
            typed = (column for column in columns if getattr(column.type, "name", None) == table)
            table, attribute = next(
                ((column.table.key, column.key) for column in typed), (table, "")
            )
        model = self.classes.get(table) or next(iter(self.classes.values()), None)
        with suppress(OSError, TypeError):
            if model is not None:
                line = line_of(model, attribute) if table in self.classes else 1
                return relative(inspect.getfile(model), self.root), line
        return self.env, 1


def by_hand(difference: Difference) -> str:
    """What to write where autogenerate writes nothing: of a CHECK it compares the name, of an enum and a formula nothing."""
    kind, _, name = difference.fact.partition(" ")
    before, after = str(difference.before), str(difference.after)
    if difference.thing.startswith("type ") and "enum (" in before and "enum (" in after:
        type_ = difference.thing.partition(" ")[2]
        said, made = (re.findall(r"'((?:[^']|'')*)'", text) for text in (after, before))
        new = [value for value in said if value not in made]
        if said[: len(made)] == made:
            adds = "; ".join(
                f"op.execute(\"ALTER TYPE {type_} ADD VALUE '{value}'\")" for value in new
            )
            return BY_HAND.format(f"{adds} inside `with op.get_context().autocommit_block():`.")
        return BY_HAND.format(
            "ALTER TYPE ... RENAME VALUE, or a new type and ALTER COLUMN ... TYPE ... USING."
        )
    if kind == "constraint" and "check" in before.lower() and "check" in after.lower():
        table = difference.thing.partition(" ")[2]
        where = f'op.f("{name}"), "{table}"'
        return BY_HAND.format(
            f'op.drop_constraint({where}, type_="check") and op.create_check_constraint({where}, ...).'
        )
    made = [
        side.generated for side in (difference.before, difference.after) if isinstance(side, Column)
    ]
    if len(made) == 2 and made[0] != made[1] and any("as (" in text.lower() for text in made):
        table = difference.thing.partition(" ")[2]
        return BY_HAND.format(
            f'op.drop_column("{table}", "{name}") and op.add_column("{table}", ...): it is computed anew.'
        )
    return ""


def remedy(
    message: str, made: Column | str | None = None, wanted: Column | str | None = None
) -> str:
    """What autogenerate writes drops what the models lack: it is seldom what is meant."""
    if isinstance(made, Column) and made.default and wanted == made._replace(default=""):
        return DEFAULT
    return EXTRA if "models say nothing" in message else FIX


def chosen(metadata: sa.MetaData) -> Iterator[str]:
    """The names that somebody, or the naming convention, gave to a constraint or index."""
    for table in metadata.tables.values():
        for item in (*table.constraints, *table.indexes):
            if isinstance(name := getattr(item, "name", None), str):
                yield name


def plain_facts(facts: Facts, named: set[str], other: Facts | None = None) -> Facts:
    plain: Facts = {}
    unnamed = {fact for fact in other or () if fact.startswith("constraint: ")}
    for fact, value in facts.items():
        kind, _, name = fact.partition(" ")
        text = str(value)
        if not fact:
            text = (
                " ".join(COMMENT.findall(text))
                if "enum (" not in text and " start " not in text
                else text
            )
            plain[fact] = text
        elif isinstance(value, Column):
            plain[fact] = value._replace(
                default=OWNED.sub("nextval(its own sequence)", value.default)
            )
        elif (
            kind == "constraint"
            and name.lower() not in named
            and (other is None or f"constraint: {text}" in unnamed)
        ):
            plain[f"constraint: {text}"] = text
        else:
            plain[fact] = value
    return plain
