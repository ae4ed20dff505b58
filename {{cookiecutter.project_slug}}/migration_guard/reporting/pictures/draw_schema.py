"""Place the tables and the lines of their foreign keys with Graphviz; the page draws them."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from unicodedata import east_asian_width

import pygraphviz
import sqlalchemy as sa

from .draw_tables import rows_at_ends

# In pixels: a row, a margin, the end of a line, the space between tables, a letter, the sheet.
ROW, PAD, FOOT, GAP, LETTER, SHEET = 22, 12, 22, 30, 7.3, 1100
SHOWN, LONGEST = 12, 30  # columns of a table beside its keys, letters of a name


@dataclass
class Box:
    """A table in the picture: its place, and its rows of key, name and type."""

    table: sa.Table
    rows: dict[sa.Column[Any] | None, tuple[str, str, str]]
    indent: float  # of the names, beside their keys
    width: int
    x: float = 0
    y: float = 0

    @property
    def height(self) -> int:
        """Return its height, with the row of its name."""
        return ROW * (len(self.rows) + 1) + PAD // 2

    def row(self, column: sa.Column[Any]) -> int:
        """Return the number of the column's row."""
        return list(self.rows).index(column)

    def side(self, x: float) -> float:
        """Return the x of the nearer side."""
        return min(self.x, self.x + self.width, key=lambda side: abs(side - x))

    def label(self) -> str:
        """Return it for Graphviz: its rows, with room for the ends of lines, without text."""
        size = f'FIXEDSIZE="TRUE" WIDTH="{self.width + 2 * FOOT}"'
        rows = "".join(
            f'<TR><TD {size} HEIGHT="{ROW}" PORT="{port}"></TD></TR>'
            for port in range(len(self.rows))
        )
        # Cells above and below the rows make lines end at the sides.
        above, below = (
            f'<TR><TD {size} HEIGHT="{height}"></TD></TR>' for height in (ROW, PAD // 2)
        )
        bare = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'
        return f"<<TABLE {bare}>{above}{rows}{below}</TABLE>>"


class Line(NamedTuple):
    """A foreign key: its path, and at either end "one" row, "maybe" one, or "many"."""

    key: sa.ForeignKeyConstraint
    path: str
    referred: str
    referring: str


class Picture(NamedTuple):
    """What to draw, and the size of the sheet."""

    boxes: list[Box]
    lines: list[Line]
    width: float
    height: float


def cut(text: str) -> str:
    """Return the text, with an ellipsis where it is too long for a box."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def wide(text: str) -> float:
    """Return the width of a text in pixels; some East Asian letters count twice."""
    return LETTER * sum(1 + (east_asian_width(letter) in "WF") for letter in text)


def box_of(
    table: sa.Table, type_of: Callable[[sa.Column[Any]], str], referred: set[sa.Column[Any]]
) -> Box:
    """Return the box of a table, not placed yet: its keys, and as many columns as fit."""
    rows: dict[sa.Column[Any] | None, tuple[str, str, str]] = {}
    for number, column in enumerate(table.columns):
        keys = {"PK": column.primary_key, "FK": bool(column.foreign_keys)}
        mark = " ".join(name for name, is_key in keys.items() if is_key)
        if mark or number < SHOWN or column in referred:
            rows[column] = mark, cut(column.name), cut(type_of(column))
    if left := len(table.columns) - len(rows):
        rows[None] = "", f"… {left} more", ""
    marks, names, types = (
        max((wide(row[part]) for row in rows.values()), default=0) for part in range(3)
    )
    indent = PAD + marks + (PAD / 2 if marks else 0)
    width = max(indent + names + PAD + types, PAD + wide(cut(table.key))) + PAD
    return Box(table, rows, indent, math.ceil(width))


def shelve(boxes: Iterable[Box], width: float, y: float) -> tuple[float, float]:
    """Place the boxes side by side from `y` on, in rows of this width; return their extent."""
    x = right = bottom = 0.0
    for box in sorted(boxes, key=lambda box: -box.height):
        if x and x + box.width + 2 * FOOT > width:
            x, y = 0.0, bottom + GAP
        box.x, box.y = x + FOOT, y
        x += box.width + 2 * FOOT
        right, bottom = max(right, x), max(bottom, y + box.height)
    return right, bottom


def draw(tables: Sequence[sa.Table], type_of: Callable[[sa.Column[Any]], str]) -> Picture:
    """Return the picture: a box for each table, and a line for each foreign key."""
    keys = [
        key
        for table in tables
        for key in sorted(table.foreign_key_constraints, key=lambda key: list(key.column_keys))
    ]
    referred = {part.column for key in keys for part in key.elements}
    boxes = {table: box_of(table, type_of, referred) for table in tables}
    ends = [(boxes[key.referred_table], boxes[key.table], key.elements[0]) for key in keys]

    graph = pygraphviz.AGraph(
        strict=False, directed=True, rankdir="LR", nodesep=GAP / 72, ranksep=GAP / 72
    )
    node = {table: f"t{number}" for number, table in enumerate(tables)}
    for number, (there, here, part) in enumerate(ends):
        if there is not here:
            for box in (there, here):
                graph.add_node(node[box.table], shape="plain", label=box.label())
            ports = {
                "tailport": f"{there.row(part.column)}:_",
                "headport": f"{here.row(part.parent)}:_",
            }
            graph.add_edge(node[there.table], node[here.table], number, dir="none", **ports)
    graph.layout(prog="dot")
    _, _, width, height = map(float, graph.graph_attr["bb"].split(","))
    for table in filter(lambda table: graph.has_node(node[table]), tables):
        x, y = map(float, graph.get_node(node[table]).attr["pos"].split(","))
        box = boxes[table]
        box.x, box.y = x - box.width / 2, height - y - box.height / 2
    alone = [box for table, box in boxes.items() if not graph.has_node(node[table])]
    right, bottom = shelve(alone, max(width, SHEET), height + GAP if height else 0)

    lines = []
    for number, (key, (there, here, part)) in enumerate(zip(keys, ends, strict=True)):
        if there is here:
            start, end = (
                here.y + ROW * (here.row(column) + 1.5) for column in (part.column, part.parent)
            )
            out = here.x - FOOT
            curve = f"{out - PAD} {start} {out - PAD} {end} {out} {end}"
            path = f"M{here.x} {start}H{out}C{curve}H{here.x}"
        else:
            spline = graph.get_edge(node[there.table], node[here.table], number).attr["pos"].split()
            points = [
                (float(x), height - float(y)) for x, y in (point.split(",") for point in spline)
            ]
            x, y = points[0]
            curve = " ".join(f"{x} {y}" for x, y in points[1:])
            path = f"M{there.side(x)} {y}H{x}C{curve}H{here.side(points[-1][0])}"
        lines.append(Line(key, path, *rows_at_ends(key)))
    return Picture(list(boxes.values()), lines, max(width, right), max(height, bottom))
