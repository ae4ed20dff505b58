"""The report for people."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..finding import Finding
from ..output import printable, without_commands

COLOURS = {"error": "1;31", "warning": "1;33", "note": "1;36", "bold": "1", "dim": "2", "fix": "32"}

Paint = Callable[[str, str], str]  # a style, a text

MORE = (
    "Run with --explain RULE for details."
    " To suppress one: add `# migration-guard: ignore[RULE] reason`."
)


def report_text(
    findings: list[Finding],
    checked: Mapping[str, int],
    source: Callable[[str], str],
    left_out: Iterable[str] = (),
    colour: bool = False,
    **_: Any,
) -> str:
    """Return each finding with its line and fix, then what was checked, and what was not.

    ``source`` returns the text of a file. ``colour`` adds colours for a terminal.
    """

    def paint(style: str, text: str) -> str:
        return f"\033[{COLOURS[style]}m{text}\033[0m" if colour else text

    out = []
    for finding in findings:
        out += finding_lines(finding, source(finding.path), paint)
    parts = ", ".join(counted(number, name) for name, number in checked.items())
    what_was_checked = f"{parts} checked."
    if findings:
        severities = [finding.severity for finding in findings]
        numbers = {name: severities.count(name) for name in ("error", "warning", "note")}
        summary = ", ".join(
            counted(number, f"{name}s") for name, number in numbers.items() if number
        )
        out += [f"{paint('bold', f'Found {summary}')}; {what_was_checked}", paint("dim", MORE)]
    else:
        out.append(f"{paint('fix', 'Clean:')} {what_was_checked}")
    out += [paint("dim", printable(line)) for line in left_out]
    return without_commands("\n".join(out) + "\n")


def finding_lines(finding: Finding, source: str, paint: Paint) -> list[str]:
    """Return the place, the underlined line, the message and the fix."""
    place = paint("bold", f"{printable(finding.path)}:{finding.line}:{finding.column}")
    what = paint(finding.severity, f"{finding.severity} {finding.rule}")
    revision = f" (revision {printable(finding.revision)})" if finding.revision else ""
    out = [f"{place}: {what}{revision}"]
    lines = source.splitlines()
    text = lines[finding.line - 1].expandtabs(1) if finding.line <= len(lines) else ""
    if text.strip():
        end = finding.end_column if finding.end_column > finding.column else len(text)
        width = max(min(end, len(text) + 1) - finding.column, 1)
        mark = " " * (finding.column + 1) + "^" * width
        out.append(f"{paint('dim', f'{finding.line:>5} |')} {printable(text)}")
        out.append(f"      {paint(finding.severity, mark)}")
    fix = printable(finding.fix, lines=True).replace("\n", "\n    ")
    return [*out, f"  {printable(finding.message)}", f"  {paint('fix', 'fix:')} {fix}", ""]


def counted(number: int, plural: str) -> str:
    """``2 files``; ``1 file``."""
    return f"{number} {plural if number != 1 else plural.removesuffix('s')}"
