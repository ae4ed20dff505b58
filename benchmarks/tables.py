"""The tables of the reports: a run replaces the rows that it measures and keeps the others."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def find(lines: list[str], head: str) -> tuple[int, int]:
    """Return where the rows of the table with this head begin and end; raises ValueError where there is none."""
    begin = lines.index(head) + 2
    return begin, next((at for at in range(begin, len(lines)) if not lines[at].startswith("|")), len(lines))


def rows(report: str, head: str) -> list[list[str]]:
    """Return the cells of each row of the table with this head, in a report of this folder."""
    lines = (FOLDER / report).read_text(encoding="utf-8").splitlines()
    begin, end = find(lines, head)
    return [cells(line) for line in lines[begin:end]]


def keep(report: str, head: str, row: str, key: int = 2) -> None:
    """Print the row and write it into its table, in place of that with the same first cells (as many as `key` says).

    A new one comes after those with the same first cell, by the number in the second.
    """
    print(row, flush=True)
    file = FOLDER / report
    lines = file.read_text(encoding="utf-8").splitlines()
    begin, end = find(lines, head)
    known = {tuple(cells(line)[:key]): line for line in lines[begin:end]}
    known[tuple(cells(row)[:key])] = row
    firsts = list(dict.fromkeys(first for first, *_ in known))
    lines[begin:end] = sorted(
        known.values(),
        key=lambda line: (firsts.index(cells(line)[0]), int(cells(line)[1]) if cells(line)[1].isdigit() else 0),
    )
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
