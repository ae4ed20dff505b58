"""The schema of a database while migrations run, which reads only what a step touched."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection, CursorResult

from .objects import Changes, Properties, SchemaObject, is_named, referred, words


@dataclass
class Steps:
    """What ran since the last refresh."""

    statements: list[str] = field(default_factory=list)
    # Tables on which a step held a lock, and whether the table was altered.
    locked: dict[Any, bool] = field(default_factory=dict)
    # Statements outside a transaction, which leave no lock.
    outside: list[str] = field(default_factory=list)


class Snapshot(ABC):
    """The schema of one database, kept up to date by `refresh`."""

    def __init__(
        self, connection: Connection, hidden: Iterable[str] = (), exact: bool = False
    ) -> None:
        self.connection = connection
        self.hidden = {f"table {name}" for name in hidden}  # Alembic's own table
        self.exact = exact  # read everything in each refresh
        # Foreign keys of MySQL that were added or dropped, which leave their indexes.
        self.foreign: set[str] = set()
        self.steps = self.before = Steps()
        self.objects: dict[Any, SchemaObject] = {}
        self.tables: dict[str, Properties] = {}
        self.parents: dict[str, set[str]] = {}  # the tables that a table's foreign keys refer to
        self.triggered: set[str] = set()  # tables with a trigger, which may write to any other
        self.written: set[str] = set()  # tables whose rows the last steps may have changed

    def note(self, statements: Sequence[str], atomic: bool) -> None:
        """Note the statements of a step. ``atomic``: in the transaction that is still open."""
        self.steps.statements += statements

    def refresh(self, everything: bool = False) -> Changes:
        """Read what the steps since the last refresh may have changed, and return the changes."""
        found, scope = self.read(None if everything or self.exact else self.steps)
        found = {key: item for key, item in found.items() if item.name not in self.hidden}
        changes: Changes = {}
        for key in (self.objects.keys() if scope is None else scope) | found.keys():
            before, after = self.objects.get(key), found.get(key)
            if before != after:
                changes[key] = before, after
        self.apply(changes)
        self.written = self.rewritten(changes, self.steps.statements if scope is not None else None)
        self.before, self.steps = self.steps, Steps()
        return changes

    def step_undone(self) -> None:
        """Note that the last step was rolled back, so that what it touched is read again."""
        self.steps = self.before

    def quoted(self, table: str) -> str:
        """Return the quoted name of a table."""
        return self.quote(table)

    def quote(self, name: str) -> str:
        preparer = self.connection.dialect.identifier_preparer
        quoted = preparer.quote_identifier(name)
        return quoted.replace("%%", "%") if self.doubles_percent else quoted

    def execute(self, statement: str) -> CursorResult[Any]:
        """Execute SQL text that has no parameters."""
        if self.doubles_percent:
            statement = statement.replace("%", "%%")
        return self.connection.exec_driver_sql(statement)

    @property
    def doubles_percent(self) -> bool:
        """Return whether the driver reads %% as %."""
        return self.connection.dialect.paramstyle in ("format", "pyformat")

    def rewritten(self, changes: Changes, statements: Sequence[str] | None) -> set[str]:
        """Return tables whose rows may have changed: altered or named ones and their children."""
        items = (item for pair in changes.values() for item in pair if item)
        altered = {item.table for item in items if item.table}
        if statements is None or self.triggered:
            return altered | set(self.tables)
        named = words(statements)
        return self.children(altered | {name for name in self.tables if is_named(name, named)})

    def apply(self, changes: Changes) -> None:
        for key, (gone, _) in changes.items():
            self.objects.pop(key, None)
            if gone and gone.table:
                self.tables.pop(gone.table, None)
                self.triggered.discard(gone.table)
                self.parents.pop(gone.table, None)
        for key, (_, item) in changes.items():
            if item:
                self.objects[key] = item
                if item.table:
                    self.tables[item.table] = item.properties
                    self.parents[item.table] = set(referred(item.properties))
                    if any(prop.startswith("trigger ") for prop in item.properties):
                        self.triggered.add(item.table)

    def children(self, parents: set[str]) -> set[str]:
        """Return ``parents`` and the tables whose rows may be deleted or changed with theirs."""
        found, before = set(parents), -1
        while before != len(found):
            before = len(found)
            found |= {name for name, others in self.parents.items() if others & found}
        return found

    @abstractmethod
    def read(self, steps: Steps | None) -> tuple[dict[Any, SchemaObject], set[Any] | None]:
        """Read the objects that ``steps`` may have touched (None: all of them).

        Returns them by the server's identity, and the identities that were read (None: all).
        """
