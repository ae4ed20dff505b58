"""The report for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..finding import Finding

COLOURS = {"error": "1;31", "warning": "1;33", "note": "1;36", "bold": "1", "dim": "2", "fix": "32"}


def report_text(
    findings: list[Finding],
    checked: Mapping[str, int],
    source: Callable[[str], str],
    left_out: Iterable[str] = (),
    colour: bool = False,
    **_: Any,
) -> str:
    """For people: where, what, the line itself underlined, and what to do about it; then what was not checked."""

    def paint(style: str, text: str) -> str:
        return f"\033[{COLOURS[style]}m{text}\033[0m" if colour else text

    out = []
    for finding in findings:
        revision = f" (revision {finding.revision})" if finding.revision else ""
        place = f"{finding.path}:{finding.line}:{finding.column}"
        out.append(
            f"{paint('bold', place)}: {paint(finding.severity, f'{finding.severity} {finding.rule}')}{revision}"
        )
        lines = source(finding.path).splitlines()
        if finding.line <= len(lines) and (text := lines[finding.line - 1].expandtabs(1)).strip():
            end = finding.end_column if finding.end_column > finding.column else len(text)
            mark = " " * (finding.column - 1) + "^" * max(
                min(end, len(text) + 1) - finding.column, 1
            )
            out += [
                f"{paint('dim', f'{finding.line:>5} |')} {text}",
                f"      {paint(finding.severity, f'  {mark}')}",
            ]
        fix = finding.fix.replace("\n", "\n    ")
        out += [f"  {finding.message}", f"  {paint('fix', 'fix:')} {fix}", ""]
    counted = ", ".join(
        f"{number} {what if number != 1 else what[:-1]}" for what, number in checked.items()
    )
    last = "".join(f"{paint('dim', line)}\n" for line in left_out)
    if not findings:
        return f"{paint('fix', 'Clean:')} {counted} checked.\n{last}"
    numbers = {
        name: sum(finding.severity == name for finding in findings)
        for name in ("error", "warning", "note")
    }
    summary = ", ".join(
        f"{number} {name}{'s' * (number != 1)}" for name, number in numbers.items() if number
    )
    more = "More about a rule: --explain RULE. To let it be: # migration-guard: ignore[RULE] the reason"
    return "\n".join(
        [*out, f"{paint('bold', f'Found {summary}')}; {counted} checked.", paint("dim", more), last]
    )
