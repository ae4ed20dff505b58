"""A server's description of its schema as objects with properties, and how two of them differ."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple


class Column(NamedTuple):
    """A column as its server describes it."""

    type: str
    not_null: bool = False
    default: str = ""
    generated: str = ""  # identity, auto_increment, or the expression of a computed column
    rest: str = ""  # collation, comment

    def __str__(self) -> str:
        not_null = "NOT NULL" if self.not_null else ""
        default = f"DEFAULT {self.default}" if self.default else ""
        parts = (self.type, not_null, default, self.generated, self.rest)
        return " ".join(part for part in parts if part)


Properties = dict[str, Column | str]
"""The properties by kind and name: ``column email``, ``constraint uq_users_email``, ``index ...``.

``comment`` is the object's comment; the empty name stands for its definition or its options.
A text is the server's own definition: what pg_get_constraintdef and pg_get_indexdef return, or
the line of SHOW CREATE TABLE.
"""


class SchemaObject(NamedTuple):
    """A table, view, sequence, type, function ... ``name`` has its kind first: ``table users``."""

    name: str
    properties: Properties

    @property
    def table(self) -> str | None:
        kind, _, name = self.name.partition(" ")
        return name if kind == "table" else None


class Difference(NamedTuple):
    """One property that differs between two descriptions, or a whole object that only one has."""

    owner: str  # the name of the SchemaObject
    prop: str  # its property; empty where the object itself or its definition differs
    before: Column | str | None
    after: Column | str | None

    @property
    def name(self) -> str:
        """``table users``; ``column users.email``."""
        kind, _, name = self.prop.partition(" ")
        return f"{kind} {self.owner.partition(' ')[2]}.{name}" if name else self.owner

    @property
    def label(self) -> str:
        """Return the same for a reader: ``comment of table users``."""
        return f"{self.prop} of {self.owner}" if self.prop.isalpha() else self.name

    @property
    def validated(self) -> bool:
        """Return whether a NOT VALID constraint is valid now, which PostgreSQL can't undo."""
        valid = str(self.before).replace(" NOT VALID", "")
        kind = (self.prop or self.owner).partition(" ")[0]
        return kind in ("constraint", "domain") and self.before != self.after == valid

    @property
    def added_labels(self) -> list[str]:
        """Return the labels that were added to an enum type: PostgreSQL can't remove them."""
        before, after = labels_of(self.before), labels_of(self.after)
        if not before or [label for label in after if label in before] != before:
            return []
        return [label for label in after if label not in before]


EXISTS = "exists"  # the value of a Difference for an object that only one description has


def differences(
    before: Iterable[SchemaObject | None], after: Iterable[SchemaObject | None]
) -> Iterator[Difference]:
    """Yield what differs; an object that only one description has is one difference."""
    old = {item.name: item.properties for item in before if item}
    new = {item.name: item.properties for item in after if item}
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            here = [EXISTS if name in side else None for side in (old, new)]
            yield Difference(name, "", here[0], here[1])
            continue
        for prop in sorted(old[name].keys() | new[name].keys()):
            if uncast(old[name].get(prop)) != uncast(new[name].get(prop)):
                yield Difference(name, prop, old[name].get(prop), new[name].get(prop))


def uncast(value: Column | str | None) -> Column | str | None:
    """Return the value without casts that PostgreSQL adds to an expression.

    It adds them when a type changes, and when it reads its own description of ``IN`` again.
    """
    return CAST.sub(r"\1", value) if isinstance(value, str) else value


TEXT = r"'(?:[^']|'')*'"
TYPE = r"::[a-z]+(?: [a-z]+)*"
CAST = re.compile(rf"\(([\w.]+|{TEXT}{TYPE}|ARRAY\[(?:{TEXT}|[^]'])*\])\){TYPE}(?:\[\])?")


def labels_of(definition: object) -> list[str]:
    """Return the quoted labels of an enum type; none for anything else."""
    text = str(definition)
    return re.findall(TEXT, text) if text.lower().startswith("enum") else []


COMMENT = re.compile(f" ?comment {TEXT}", re.IGNORECASE)


def without_comment(definition: object) -> str:
    return COMMENT.sub("", str(definition))


WORD = re.compile(r"[^\W\d][\w$]*")


def words(statements: Iterable[str]) -> set[str]:
    return {word.lower() for statement in statements for word in WORD.findall(statement)}


def is_named(name: str, named: set[str]) -> bool:
    """Return whether each word of the name is among these."""
    return words([name]) <= named


def referred(properties: Properties) -> Iterator[str]:
    """Yield the tables that the foreign keys refer to."""
    for prop, text in properties.items():
        if prop.startswith("constraint ") and (match := REFERENCES.search(str(text))):
            yield unquoted(match[1])


REFERENCES = re.compile(r'references ((?:"[^"]*"|[^ ("])+)', re.IGNORECASE)


def unquoted(name: str) -> str:
    return re.sub(r'["`]', "", name)


Changes = dict[Any, tuple[SchemaObject | None, SchemaObject | None]]
"""The object before and after, by the server's own identity of it."""
