"""The schema that the models describe, created in a scratch database."""

import inspect
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import configure_mappers
from sqlalchemy.sql.compiler import IdentifierPreparer

from ..error_messages import one_line
from ..exceptions import CannotCheck
from ..places import line_of, mapped, relative
from ..reporting.suppression import ignores
from .schema.objects import Difference, SchemaObject, unquoted, without_comment, words
from .schema.snapshots import describe
from .scratch import scratch_database

RULE = "models-out-of-sync"


class Models:
    """The tables that env.py passes to Alembic, and where they are in the project's files."""

    def __init__(self, target_metadata: Any, root: Path, env: str) -> None:
        many = isinstance(target_metadata, Iterable)
        self.metadata: list[sa.MetaData] = list(target_metadata) if many else [target_metadata]
        self.root, self.env = root, env
        self.objects: dict[str, SchemaObject] = {}  # as the server describes them
        self.failed: dict[str, str] = {}  # tables that can't be created, and why
        self.refused: set[str] = set()
        self.incomplete = ""  # why some tables may be missing from the metadata
        try:
            configure_mappers()  # extensions such as SQLAlchemy-Continuum add tables here
        except Exception as error:
            self.incomplete = one_line(error)
        self.classes = {name_of(table).lower(): model for table, model in mapped(self.metadata)}

    @property
    def tables(self) -> dict[str, sa.Table]:
        """Return the tables by their names in a snapshot, in lower case, as SQLite's are."""
        tables = (table for metadata in self.metadata for table in metadata.tables.values())
        return {name_of(table).lower(): table for table in tables}

    def create_beside(self, server: sa.URL, migrated: dict[str, SchemaObject]) -> None:
        """Create the tables in a scratch database on ``server`` and fill ``objects``.

        ``migrated`` is what the migrations create; the models may need some of it. Raises
        CannotCheck if no scratch database can be created.
        """
        with scratch_database(server) as engine:
            created = self.create(engine)
        if not created:
            self.create_in_parts(server, migrated)

    def create(self, engine: sa.Engine) -> bool:
        """Create all tables in an empty database and describe it; False if the server refuses."""
        with engine.connect() as connection:
            created = self.create_all(connection)
            self.objects = describe(connection) if created else {}
        return created

    def create_in_parts(self, server: sa.URL, migrated: dict[str, SchemaObject]) -> None:
        """Create non-table objects of the migrations first, and skip tables that fail."""
        with scratch_database(server) as engine, engine.connect() as connection:
            needed: list[str] = []
            if connection.dialect.name == "postgresql":
                quote = connection.dialect.identifier_preparer.quote
                needed = [text for item in migrated.values() if (text := creation(item, quote))]
            for statement in [*self.schemas(connection), *needed]:
                with suppress(sa.exc.DBAPIError), connection.begin_nested():
                    connection.exec_driver_sql(statement.replace("%", "%%"))
            connection.commit()
            while not self.create_all(connection):
                if not add_extension(connection, self.refused):
                    self.create_one_by_one(connection)
                    break
            self.objects = describe(connection)

    def create_all(self, connection: sa.Connection) -> bool:
        """Create all tables; False if the server refuses, and ``refused`` has its words."""
        try:
            for statement in self.schemas(connection):
                connection.exec_driver_sql(statement.replace("%", "%%"))
            for metadata in self.metadata:
                metadata.create_all(connection, checkfirst=False)  # the database is empty
        except CannotCheck:  # it would leave the scratch database
            raise
        except Exception as error:
            connection.rollback()
            self.refused = words([one_line(error).partition(" does not exist")[0]])
            return False
        return True

    def create_one_by_one(self, connection: sa.Connection) -> None:
        for table in (table for metadata in self.metadata for table in metadata.sorted_tables):
            try:
                table.create(connection, checkfirst=True)
                connection.commit()
            except Exception as error:
                connection.rollback()
                self.failed[name_of(table).lower()] = one_line(error)

    def schemas(self, connection: sa.Connection) -> list[str]:
        if connection.dialect.name != "postgresql":
            return []
        names = {table.schema for table in self.tables.values() if table.schema}
        return [f'CREATE SCHEMA IF NOT EXISTS "{name}"' for name in sorted(names)]

    def names(self, preparer: IdentifierPreparer) -> set[str]:
        """Return the chosen names of constraints and indexes, also by the naming convention.

        They are in lower case, and cut where the server cuts them.
        """
        found = set()
        for table in self.tables.values():
            items: list[Any] = [*table.constraints, *table.indexes]
            for item in items:
                if isinstance(item.name, str):
                    # The server refuses a name that is too long and not from a convention.
                    with suppress(sa.exc.IdentifierError):
                        found.add(unquoted(preparer.format_constraint(item) or "").lower())
        return found

    def sequences(self) -> set[str]:
        return {f"sequence {key}" for metadata in self.metadata for key in metadata._sequences}

    def place(self, owner: str, prop: str = "", lacks: bool = False) -> tuple[str, int]:
        """Return the file and line of a table, column or type in the models, or else env.py.

        An index or a constraint is at its first column or in __table_args__, unless the models
        lack it: a comment above the class covers what they lack.
        """
        kind, _, table = owner.lower().partition(" ")
        what, _, name = prop.partition(" ")
        attribute = name if what == "column" else ""
        if what in ("index", "constraint") and not lacks and table in self.tables:
            parts: Any = (*self.tables[table].indexes, *self.tables[table].constraints)
            found = [part.columns for part in parts if str(part.name).lower() == name.lower()]
            attribute = next((each.name for columns in found for each in columns), "__table_args__")
        if kind == "type":
            for column in (column for each in self.tables.values() for column in each.c):
                if str(getattr(column.type, "name", None)).lower() == table:
                    table, attribute = name_of(column.table).lower(), column.key
                    break
        model = self.classes.get(table) or next(iter(self.classes.values()), None)
        with suppress(OSError, TypeError):
            if model is not None:
                line = line_of(model, attribute) if table in self.classes else 1
                return relative(inspect.getfile(model), self.root), line
        return self.env, 1

    def is_suppressed(self, difference: Difference) -> bool:
        """Return whether a comment in the models suppresses the difference."""
        path, line = self.place(difference.owner, difference.prop, difference.after is None)
        with suppress(OSError, ValueError):
            marks = ignores((self.root / path).read_text(encoding="utf-8"))
            return any(RULE in mark.rules and line in mark.covers and mark.reason for mark in marks)
        return False


def name_of(table: sa.Table) -> str:
    """Return the table's name as a snapshot has it, without PostgreSQL's default schema."""
    return table.key.removeprefix("public.")


ABSENT = (
    "SELECT name FROM pg_available_extensions WHERE installed_version IS NULL AND name !~ '^pl'"
)
MEMBERS = """
SELECT (pg_identify_object_as_address(classid, objid, 0)).object_names FROM pg_depend
JOIN pg_extension e ON refclassid = 'pg_extension'::regclass AND refobjid = e.oid
WHERE deptype = 'e' AND extname = %s
"""


def add_extension(connection: sa.Connection, names: set[str]) -> bool:
    """Create the extension of PostgreSQL that has an object of these names; False: none has."""
    if connection.dialect.name != "postgresql":
        return False
    found = connection.exec_driver_sql(ABSENT).scalars().all()
    for extension in sorted(found, key=lambda name: (name not in names, name)):
        with suppress(sa.exc.DBAPIError), connection.begin_nested() as savepoint:
            connection.exec_driver_sql(f'CREATE EXTENSION "{extension}" CASCADE')
            members = connection.exec_driver_sql(MEMBERS, (extension,)).scalars()
            if names & {parts[-1].rpartition(".")[2] for parts in members}:
                savepoint.commit()
                connection.commit()
                return True
            savepoint.rollback()
    return False


def creation(item: SchemaObject, quote: Callable[[str], str]) -> str:
    """Return the statement that creates a schema, extension, enum, domain or function, or ""."""
    kind, _, name = item.name.partition(" ")
    name = ".".join(map(quote, name.split(".")))
    text = without_comment(item.properties.get("", ""))
    if kind in ("extension", "schema"):
        return f"CREATE {kind.upper()} IF NOT EXISTS {name}"
    if kind == "type" and text.startswith("enum"):
        return f"CREATE TYPE {name} AS ENUM{text[4:]}"
    if kind == "domain":
        return f"CREATE DOMAIN {name} AS {text}"
    if kind in ("function", "procedure"):
        return text
    return ""
