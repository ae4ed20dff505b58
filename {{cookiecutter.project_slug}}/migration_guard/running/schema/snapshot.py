"""What a server says its schema is: every thing in it, each with its facts, read anew only where a step touched it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy.engine import Connection


class Column(NamedTuple):
    """A column as its server describes it."""

    type: str
    not_null: bool = False
    default: str = ""
    generated: str = ""  # identity, auto_increment, or the expression of a computed column
    rest: str = ""  # collation, comment

    def __str__(self) -> str:
        default = self.default and f"DEFAULT {self.default}"
        return " ".join(
            filter(
                None, (self.type, "NOT NULL" * self.not_null, default, self.generated, self.rest)
            )
        )


Facts = dict[
    str, Column | str
]  # "column email", "constraint uq_users_email", "index ...", "trigger ...", "" for the rest


class Thing(NamedTuple):
    """A table, view, sequence, type, function ... ``name`` has its kind first: ``table users``."""

    name: str
    facts: Facts

    @property
    def table(self) -> str | None:
        kind, _, name = self.name.partition(" ")
        return name if kind == "table" else None


Changes = dict[
    Any, tuple[Thing | None, Thing | None]
]  # by the server's own identity of a thing: before, after


class Difference(NamedTuple):
    thing: str
    fact: str
    before: Column | str | None
    after: Column | str | None

    @property
    def object(self) -> str:
        """``table users``; ``column users.email``."""
        kind, _, name = self.fact.partition(" ")
        owner = self.thing.partition(" ")[2]
        return f"{kind} {owner}.{name}" if name else self.thing

    @property
    def validated(self) -> bool:
        """A constraint that was NOT VALID is valid, and otherwise the same: PostgreSQL knows no way back."""
        valid = str(self.before).replace(" NOT VALID", "")
        return self.fact.startswith("constraint ") and self.before != self.after == valid


def differences(
    before: Iterable[Thing | None], after: Iterable[Thing | None]
) -> Iterator[Difference]:
    """What differs between two descriptions of the same things; a thing that is there in one alone is one difference."""
    old = {thing.name: thing.facts for thing in before if thing}
    new = {thing.name: thing.facts for thing in after if thing}
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            yield Difference(
                name, "", *("it is there" if name in side else None for side in (old, new))
            )
            continue
        for fact in sorted(old[name].keys() | new[name].keys()):
            if uncast(old[name].get(fact)) != uncast(new[name].get(fact)):
                yield Difference(name, fact, old[name].get(fact), new[name].get(fact))


def uncast(fact: Column | str | None) -> Column | str | None:
    """PostgreSQL writes casts into an expression when the type of its column changes, and leaves them there."""
    return CAST.sub(r"\1", fact) if isinstance(fact, str) else fact


CAST = re.compile(r"\(([\w.]+)\)::[a-z]+(?: [a-z]+)*")


@dataclass
class Steps:
    """What ran since the last look."""

    statements: list[str] = field(default_factory=list)
    locked: dict[Any, bool] = field(
        default_factory=dict
    )  # tables on which it held a lock: was it altered?
    outside: list[str] = field(
        default_factory=list
    )  # statements outside a transaction, which leave no lock


class Snapshot(ABC):
    """The schema of one database, kept up to date by `look`."""

    def __init__(
        self, connection: Connection, hidden: Iterable[str] = (), exact: bool = False
    ) -> None:
        self.connection = connection
        self.hidden = {f"table {name}" for name in hidden}  # Alembic's own table
        self.exact = exact  # read all at every look
        self.foreign: set[str] = (
            set()
        )  # names of foreign keys that came or went (MySQL's, which leave their indexes)
        self.steps = self.before = Steps()
        self.things: dict[Any, Thing] = {}
        self.tables: dict[str, Facts] = {}
        self.parents: dict[str, set[str]] = {}  # the tables that a table's foreign keys refer to
        self.triggered: set[str] = (
            set()
        )  # the tables that have a trigger, which may write to any other
        self.written: set[str] = set()  # tables whose rows the last steps may have changed

    def note(self, statements: Sequence[str], atomic: bool) -> None:
        """A step ran these; ``atomic``: in the transaction that is still open."""
        self.steps.statements += statements

    def look(self, everything: bool = False) -> Changes:
        """Read what may have changed by the steps since the last look."""
        found, scope = self.read(None if everything or self.exact else self.steps)
        found = {key: thing for key, thing in found.items() if thing.name not in self.hidden}
        changes: Changes = {}
        for key in (self.things.keys() if scope is None else scope) | found.keys():
            before, after = self.things.get(key), found.get(key)
            if before != after:
                changes[key] = before, after
        self.apply(changes)
        self.written = self.rewritten(changes, self.steps.statements if scope is not None else None)
        self.before, self.steps = self.steps, Steps()
        return changes

    def again(self) -> None:
        """The last step was undone: look anew at all that it and those before it touched."""
        self.steps = self.before

    def rewritten(self, changes: Changes, statements: Sequence[str] | None) -> set[str]:
        """Tables whose rows may have changed: altered, named in a statement, or a child of one of them."""
        altered = {
            table for pair in changes.values() for thing in pair if thing and (table := thing.table)
        }
        if statements is None or self.triggered:
            return altered | set(self.tables)
        named = words(statements)
        return self.children(altered | {name for name in self.tables if name.lower() in named})

    def apply(self, changes: Changes) -> None:
        for key, (gone, _) in changes.items():
            self.things.pop(key, None)
            if gone and gone.table:
                self.tables.pop(gone.table, None)
                self.triggered.discard(gone.table)
                self.parents.pop(gone.table, None)
        for key, (_, thing) in changes.items():
            if thing:
                self.things[key] = thing
                if thing.table:
                    self.tables[thing.table] = thing.facts
                    self.parents[thing.table] = set(referred(thing.facts))
                    if any(fact.startswith("trigger ") for fact in thing.facts):
                        self.triggered.add(thing.table)

    def children(self, parents: set[str]) -> set[str]:
        """The tables whose rows go or change with those of ``parents``, these included."""
        found = set(parents)
        while more := {
            name
            for name, others in self.parents.items()
            if name not in found and not others.isdisjoint(found)
        }:
            found |= more
        return found

    @abstractmethod
    def read(self, steps: Steps | None) -> tuple[dict[Any, Thing], set[Any] | None]:
        """The things that are there now, among those (or all, with None) that are looked at."""


WORD = re.compile(r"[^\W\d][\w$]*")


def words(statements: Iterable[str]) -> set[str]:
    return {word.lower() for statement in statements for word in WORD.findall(statement)}


def referred(facts: Facts) -> Iterator[str]:
    for fact, text in facts.items():
        if fact.startswith("constraint ") and (match := REFERENCES.search(str(text))):
            yield unquoted(match[1])


REFERENCES = re.compile(r"references ([^ (]+)", re.IGNORECASE)


def unquoted(name: str) -> str:
    return re.sub(r'["`]', "", name)
