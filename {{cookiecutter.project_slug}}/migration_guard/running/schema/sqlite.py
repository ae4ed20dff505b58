"""The schema of an SQLite database, with every CREATE TABLE in the same form."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from .objects import Column, Properties, SchemaObject
from .snapshot import Snapshot, Steps

TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)|(?P<string>'(?:[^']|'')*')|"(?P<a>(?:[^"]|"")*)\""""
    r"""|`(?P<b>(?:[^`]|``)*)`"""
    r"""|\[(?P<c>[^\]]*)\]|(?P<word>[\w$.]+)|(?P<other><=|>=|<>|!=|\|\||==|.)""",
    re.DOTALL,
)


CLAUSES = {"constraint", "primary", "not", "null", "unique", "check", "default", "collate"}
CLAUSES |= {"references", "foreign", "generated", "as"}


ACTION = re.compile(r" on (delete|update) (cascade|restrict|set null|set default|no action)")


def tokens(sql: str) -> list[str]:
    found = []
    for match in TOKEN.finditer(sql):
        kind, text = match.lastgroup, match.group(match.lastgroup or 0)
        if kind != "space":
            found.append(text if kind == "string" else text.lower())
    return found


def joined(parts: Sequence[str]) -> str:
    return re.sub(r"(?<=\() | (?=[),])", "", " ".join(parts))


def split(parts: Sequence[str]) -> Iterator[list[str]]:
    """Split at the commas outside of parentheses."""
    item: list[str] = []
    depth = 0
    for part in parts:
        depth += (part == "(") - (part == ")")
        if part == "," and depth == 0:
            yield item
            item = []
        else:
            item.append(part)
    yield item


def closing(parts: Sequence[str], start: int) -> int:
    """Return the index after the parenthesis that closes the one at ``start``."""
    depth = 0
    for index in range(start, len(parts)):
        depth += (parts[index] == "(") - (parts[index] == ")")
        if depth == 0:
            return index + 1
    return len(parts)


def bare(parts: Sequence[str]) -> list[str]:
    """Return the parts without parentheses around all of them."""
    while len(parts) > 1 and parts[0] == "(" and closing(parts, 0) == len(parts):
        parts = parts[1:-1]
    return list(parts)


def read_table(sql: str) -> Properties:
    parts = tokens(sql)
    if "(" not in parts:  # a virtual table
        return {"": joined(parts)}
    start = parts.index("(")
    end = closing(parts, start)
    properties: Properties = {"": joined([*parts[1 : parts.index("table")], *parts[end:]])}
    for item in split(parts[start + 1 : end - 1]):
        if item[0] in CLAUSES and (item[0] != "check" or item[1] == "("):
            read_clauses(item, None, properties)
            continue
        index = next((i for i, part in enumerate(item) if i and part in CLAUSES), len(item))
        column = read_clauses(item[index:], item[0], properties)
        type_ = ["numeric" if part == "decimal" else part for part in item[1:index]]
        properties[f"column {item[0]}"] = column._replace(type=joined(type_).replace(" (", "("))
    return properties


def read_clauses(item: list[str], name: str | None, properties: Properties) -> Column:
    """Read the clauses of a column (``name``) or table; add constraints to ``properties``."""
    column, label, index = Column(""), "", 0
    while index < len(item):
        clause, start = item[index], index
        index += 1
        if clause == "constraint":
            label, index = item[index], index + 1
            continue
        if clause == "default":
            index = closing(item, index + (item[index] in "+-"))
            column = column._replace(default=joined(bare(item[start + 1 : index])))
            continue
        while index < len(item) and (
            item[index] not in CLAUSES
            or (clause, item[index])
            in {("not", "null"), ("generated", "as"), ("foreign", "references")}
            or (item[index] in ("null", "default") and item[index - 1] == "set")
            or (item[index] == "not" and item[index + 1 : index + 2] == ["deferrable"])
        ):
            index = closing(item, index) if item[index] == "(" else index + 1
        text = item[start:index]
        if clause == "not":
            column = column._replace(not_null=True)
        elif clause in ("generated", "as"):
            column = column._replace(generated=joined(text).removeprefix("generated always "))
        elif clause == "collate":
            column = column._replace(rest=joined(text))
        elif clause != "null":
            if "autoincrement" in text:
                text.remove("autoincrement")
                column = column._replace(generated="autoincrement")
            if clause == "check":
                text = ["check", "(", *bare(text[1:]), ")"]
            elif name is not None:
                size = {"references": 0, "primary": 2}.get(clause, 1)
                keys = text[:size] or ["foreign", "key"]
                text = [*keys, "(", name, ")", *text[size:]]
            definition = joined(text)
            actions = [f" on {' '.join(action)}" for action in sorted(ACTION.findall(definition))]
            kept = (action for action in actions if not action.endswith("no action"))
            definition = "".join([ACTION.sub("", definition), *kept])
            properties[f"constraint {label}" if label else f"constraint {definition}"] = definition
        label = ""
    return column


class SQLite(Snapshot):
    raw: frozenset[tuple[str, str, str, str]] = frozenset()

    def read(self, steps: Steps | None) -> tuple[dict[Any, SchemaObject], set[Any] | None]:
        # The driver itself is faster, and this is read at every step.
        cursor = self.connection.connection.cursor()
        cursor.execute("SELECT tbl_name, type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        rows = cursor.fetchall()
        cursor.close()
        raw = frozenset(rows)
        touched = {row[0] for row in raw ^ self.raw}
        self.raw = raw
        mine: dict[Any, list[tuple[str, str, str, str]]] = {}
        for row in rows if touched else ():
            if row[0] in touched and not row[2].startswith("sqlite_"):
                mine.setdefault(row[0], []).append(row)
        return {key: self.schema_object(mine[key]) for key in mine}, touched

    def schema_object(self, rows: list[tuple[str, str, str, str]]) -> SchemaObject:
        properties: Properties = {}
        kind = "table"
        for table, type_, name, sql in rows:
            if type_ == "table":
                properties.update(read_table(sql))
            elif type_ == "view" and name == table:
                kind, properties[""] = "view", joined(tokens(sql)[2:])
            else:
                parts = tokens(sql)
                text = joined(parts[1:])
                if type_ == "index":
                    text = joined([*parts[1 : parts.index(type_)], *parts[parts.index("on") :]])
                    text = re.sub(r"(?<=[\w)]) asc(?=[),])", "", text)  # the default
                properties[f"{type_} {name}"] = text
        return SchemaObject(f"{kind} {rows[0][0].lower()}", properties)
