"""The plan as text, JSON and Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from textwrap import indent

from .plan import Plan, Planned

COMMENT = 65_536  # characters, the most that a comment on GitHub holds


def locked(op: Planned) -> str:
    if op.locks is None:
        return "locks not known"
    locks = [f"{lock.mode} on {lock.table} (holds up {lock.holds_up})" for lock in op.locks]
    return ", ".join(locks) or "locks nothing in use"


def as_json(plan: Plan) -> str:
    return json.dumps({"version": 1, **asdict(plan)}, indent=2) + "\n"


def as_text(plan: Plan) -> str:
    out = [f"{plan.database}, {plan.summary}"]
    out += (
        ["", "First, what the guard keeps there:", "", indent(plan.first, "    ")]
        if plan.first
        else []
    )
    for each in plan.revisions:
        out += ["", f"{each.revision} {each.message} ({each.path})"]
        for op in each.operations:
            out.append(f"  line {op.line}: {op.operation} {op.about}: {locked(op)}")
        for found in each.findings:
            out += [
                f"  {found.severity} {found.rule} (line {found.line}): {found.message}",
                f"    fix: {found.fix}",
            ]
        out += [
            f"  suppressed: {found.rule} (line {found.line}): {found.message}"
            for found in each.suppressed
        ]
        out += ["", indent(each.sql, "    ")] if each.sql is not None else []
        out += [f"  SQL: {each.problem}"] if each.problem else []
    return "\n".join(out) + "\n"


def as_markdown(plan: Plan) -> str:
    """A comment for a pull request. Names and messages may hold anything: they are written as entities."""

    def plain(text: str) -> str:
        return re.sub(r"[^\w .,:;()/-]", lambda match: f"&#{ord(match[0])};", text)

    head = ["## Migration plan", "", f"{plain(plan.database)}, {plan.summary}"]
    if plan.first:
        head += ["", "First, what the guard keeps there:", "", "```sql", plan.first, "```"]
    made, number = "\n".join(head) + "\n", len(plan.revisions)
    for index, each in enumerate(plan.revisions):
        out = ["", f"### {plain(each.revision)} {plain(each.message)}", "", plain(each.path), ""]
        out += ["| line | operation | locks |", "|---|---|---|"] if each.operations else []
        for op in each.operations:
            out.append(f"| {op.line} | {op.operation} {plain(op.about)} | {plain(locked(op))} |")
        out.append("")
        for found in each.findings:
            what = plain(f"(line {found.line}): {found.message} {found.fix}")
            out.append(f"- **{found.severity} {found.rule}** {what}")
        out += [f"- suppressed: {found.rule} (line {found.line})" for found in each.suppressed]
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", each.sql or "")), default=0))
        sql = [
            "<details><summary>SQL</summary>",
            "",
            f"{fence}sql",
            each.sql or "",
            fence,
            "",
            "</details>",
        ]
        out += ["", *sql] if each.sql is not None else []
        out += ["", f"SQL: {plain(each.problem)}"] if each.problem else []
        part = "\n".join(out) + "\n"
        if len(made) + len(part) > COMMENT - 200:  # for the last line
            return f"{made}\nLeft out: {number - index} of {number} revisions; --plan --format text shows all.\n"
        made += part
    return made


PLANS: dict[str, Callable[[Plan], str]] = {
    "text": as_text,
    "json": as_json,
    "markdown": as_markdown,
}
