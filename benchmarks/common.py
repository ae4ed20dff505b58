"""What the measurements share: the servers that are there, and the tables of the reports."""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path.append(str(FOLDER.parent / "tests"))

from lib.servers import SERVERS, unreachable


def reachable(databases: str) -> list[str]:
    """Return those of the databases that are there, and say which are not."""
    missing = {
        name: why for name in databases.split(",") if name in SERVERS and (why := unreachable(name))
    }
    for name, why in missing.items():
        print(f"left out: {name}: {why}", file=sys.stderr)
    return [name for name in databases.split(",") if name not in missing]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def find(lines: list[str], head: str) -> tuple[int, int]:
    """Return where the rows of the table with this head begin and end.

    Raises ValueError if the report has no such table.
    """
    begin = lines.index(head) + 2
    return begin, next(
        (at for at in range(begin, len(lines)) if not lines[at].startswith("|")), len(lines)
    )


def rows(report: str, head: str) -> list[list[str]]:
    """Return the cells of each row of the table with this head, in a report of this folder."""
    lines = (FOLDER / report).read_text(encoding="utf-8").splitlines()
    begin, end = find(lines, head)
    return [cells(line) for line in lines[begin:end]]


def keep(report: str, head: str, row: str, key: int = 2) -> None:
    """Print the row and write it into its table, in place of the row with the same first cells.

    ``key`` is the number of cells that are compared. Where a cell of ``row`` is empty, the old one
    stays. A new row comes after those with the same first cell, ordered by the number in the
    second.
    """
    print(row, flush=True)
    file = FOLDER / report
    lines = file.read_text(encoding="utf-8").splitlines()
    begin, end = find(lines, head)
    known = {tuple(cells(line)[:key]): cells(line) for line in lines[begin:end]}
    new = cells(row)
    old = known.get(tuple(new[:key]), new)
    known[tuple(new[:key])] = [cell or before for cell, before in zip(new, old, strict=True)]
    firsts = list(dict.fromkeys(first for first, *_ in known))
    ordered = sorted(
        known.values(),
        key=lambda each: (firsts.index(each[0]), int(each[1]) if each[1].isdigit() else 0),
    )
    lines[begin:end] = [f"| {' | '.join(each)} |" for each in ordered]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
