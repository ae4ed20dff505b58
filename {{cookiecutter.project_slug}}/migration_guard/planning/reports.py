"""The plan as text, JSON and Markdown."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from textwrap import indent

from ..finding import Finding
from ..output import printable, without_commands
from .plan import Plan, Planned, Revision
from .table_locks import TableLock

COMMENT = 65_536  # characters, the most that a comment on GitHub holds

FIRST = "First, the tables of the lock and the journal:"


def locked(op: Planned) -> str:
    if op.locks is None:
        return "locks unknown"
    return ", ".join(map(described, op.locks)) or "locks nothing in use"


def described(lock: TableLock) -> str:
    size = ""
    if lock.rows is not None and lock.megabytes is not None:
        size = f"; about {lock.rows:,} rows, {lock.megabytes:,.1f} MB"
    return f"{lock.mode} on {lock.table} (blocks {lock.blocks}{size})"


def as_json(plan: Plan) -> str:
    sentences = {"summary": plan.summary, "schema": plan.schema}
    return json.dumps({"version": 1, **asdict(plan), **sentences}, indent=2) + "\n"


def as_text(plan: Plan) -> str:
    out = [f"{plan.database}, {plan.summary}", plan.schema]
    out += [f"Not checked: {printable(each)}" for each in plan.not_checked]
    for found in plan.findings:
        out += ["", *finding_lines(found, "")]
    if plan.first:
        out += ["", FIRST, "", indent(plan.first, "    ")]
    for each in plan.revisions:
        out += revision_lines(each)
    return without_commands("\n".join(out) + "\n")


def finding_lines(found: Finding, margin: str, where: str = "") -> list[str]:
    return [
        f"{margin}{found.severity} {found.rule}{where}: {printable(found.message)}",
        f"{margin}  fix: {printable(found.fix)}",
    ]


def revision_lines(each: Revision) -> list[str]:
    out = ["", printable(f"{each.revision} {each.message} ({each.path})")]
    for op in each.operations:
        what = printable(f"{op.operation} {op.about}: {locked(op)}")
        out.append(f"  line {op.line}: {what}")
    for found in each.findings:
        out += finding_lines(found, "  ", f" (line {found.line})")
    for found in each.suppressed:
        out.append(f"  suppressed: {found.rule} (line {found.line}): {printable(found.message)}")
    if each.sql is not None:
        out += ["", indent(printable(each.sql, lines=True), "    ")]
    if each.problem:
        out.append(f"  SQL: {printable(each.problem)}")
    return out


def as_markdown(plan: Plan) -> str:
    """Return a comment for a pull request, with special characters as entities."""
    head = ["## Migration plan", "", f"{plain(plan.database)}, {plan.summary} {plan.schema}", ""]
    head += [f"- **Not checked**: {plain(each)}" for each in plan.not_checked]
    head += [f"- **{found.severity} {found.rule}** {advice(found)}" for found in plan.findings]
    if plan.first:
        head += ["", FIRST, "", "```sql", plan.first, "```"]
    text, number = "\n".join(head) + "\n", len(plan.revisions)
    for index, each in enumerate(plan.revisions):
        part = "\n".join(markdown_lines(each)) + "\n"
        if len(text) + len(part) > COMMENT - 200:  # for the last line
            left = f"{number - index} of {number} revisions are left out."
            left += " To see all, run: --plan --format text"
            return without_commands(f"{text}\n{left}\n")
        text += part
    return without_commands(text)


def markdown_lines(each: Revision) -> list[str]:
    out = ["", f"### {plain(each.revision)} {plain(each.message)}", "", plain(each.path), ""]
    if each.operations:
        out += ["| line | operation | locks |", "|---|---|---|"]
    for op in each.operations:
        out.append(f"| {op.line} | {op.operation} {plain(op.about)} | {plain(locked(op))} |")
    out.append("")
    for found in each.findings:
        out.append(f"- **{found.severity} {found.rule}** (line {found.line}) {advice(found)}")
    out += [f"- suppressed: {found.rule} (line {found.line})" for found in each.suppressed]
    if each.sql is not None:
        longest = max(map(len, re.findall("`+", each.sql)), default=0)
        fence = "`" * max(3, 1 + longest)
        sql = printable(each.sql, lines=True)
        out += ["", "<details><summary>SQL</summary>", "", f"{fence}sql", sql, fence]
        out += ["", "</details>"]
    if each.problem:
        out += ["", f"SQL: {plain(each.problem)}"]
    return out


def advice(found: Finding) -> str:
    return plain(f"{found.message} {found.fix}")


def plain(text: str) -> str:
    return re.sub(r"[^\w .,:;()/-]", lambda match: f"&#{ord(match[0])};", printable(text))


PLANS: dict[str, Callable[[Plan], str]] = {
    "text": as_text,
    "json": as_json,
    "markdown": as_markdown,
}
