"""One finding, whatever found it: how it is suppressed, kept in a baseline, and reported."""

from __future__ import annotations

import io
import json
import re
import tokenize
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .rules import Rule


class CannotCheck(Exception):
    """The check could not be made: one line saying why and what to do; exit status 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    rule: str
    message: str
    fix: str
    path: str  # relative to the project where it lies in it
    line: int = 1
    column: int = 1  # from 1; end_column is the one after the last
    end_column: int = 1
    severity: str = "error"  # error, warning, note
    revision: str | None = None
    function: str | None = None
    operation: str = ""  # what it is about, in words that stay when lines move

    @property
    def key(self) -> str:
        """What a baseline knows it by: no line and no wording."""
        return " ".join(filter(None, (self.revision or self.path, self.rule, self.operation)))


# --- suppression: `# migration-guard: ignore[rule] reason`, in a statement or on the lines above it


@dataclass(slots=True)
class Ignore:
    place: dict[str, Any]
    rules: list[str]
    reason: str
    covers: range = range(0)
    used: set[str] = field(default_factory=set)


MARK = re.compile(r"#\s*migration-guard:\s*(?:ignore(?:\[(?P<rules>[^\]]*)\])?)?(?P<reason>.*)")
OUTSIDE_STATEMENTS = {tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def ignores(source: str) -> list[Ignore]:
    """The suppressions in ``source``, each with the lines of the statement that it covers."""
    if "migration-guard:" not in source:
        return []
    found: list[Ignore] = []
    waiting = 0  # the first of those whose statement is not read to its end
    start = 0  # first line of the statement being read
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                if mark := MARK.match(token.string):
                    place = {"line": token.start[0], "column": token.start[1] + 1, "end_column": token.end[1] + 1}
                    names = re.findall(r"[\w-]+", mark["rules"] or "")
                    found.append(Ignore(place, names, mark["reason"].strip()))
            elif token.type == tokenize.NEWLINE:
                for ignore in found[waiting:]:
                    ignore.covers = range(min(start, ignore.place["line"]), token.end[0] + 1)
                waiting, start = len(found), 0
            elif token.type not in OUTSIDE_STATEMENTS:
                start = start or token.start[0]
    except (tokenize.TokenError, SyntaxError):
        pass  # what can't be parsed is a finding of its own
    return found


def suppress(
    findings: Iterable[Finding], path: str, source: str, known: Collection[str], judged: Collection[str]
) -> list[Finding]:
    """The findings of one file that are not suppressed, and those of suppressions that suppress nothing.

    ``judged`` are the rules that ran: a suppression of another one can't be told to be unused.
    """
    marks = ignores(source)
    kept = []
    for finding in findings:
        covering = [
            mark for mark in marks if finding.rule in mark.rules and finding.line in mark.covers and mark.reason
        ]
        for mark in covering:
            mark.used.add(finding.rule)
        if not covering:
            kept.append(finding)
    for mark in marks if "unused-ignore" in judged else []:
        for name in mark.rules or [""]:
            if not name or not mark.reason:
                message = "A suppression needs the name of a rule and a reason; without both it suppresses nothing."
            elif name not in known:
                message = f"There is no rule {name!r}{nearest(name, known)}."
            elif name not in mark.used and name in judged:
                message = f"Nothing here for {name} to find."
            else:
                continue
            fix = "Write `# migration-guard: ignore[rule] reason` on the statement or right above it, or remove it."
            about: dict[str, Any] = {"path": path, "operation": name, **mark.place}
            kept.append(Finding(rule="unused-ignore", message=message, fix=fix, **about))
    return kept


def nearest(name: str, known: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}" if close else ""


# --- baseline: the findings of an old history that are let be


def read_baseline(path: Path) -> set[str]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {str(key) for key in data["findings"]}
    except FileNotFoundError:
        raise CannotCheck(f"{path}: no such baseline; make it with --write-baseline.") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CannotCheck(
            f"{path}: no baseline that can be read ({error}); make it anew with --write-baseline."
        ) from None


def write_baseline(path: Path, findings: Iterable[Finding]) -> None:
    """Add the findings to those that the file has: the check and the roundtrip share one."""
    known = read_baseline(path) if path.exists() else set()
    keys = sorted({*known, *(finding.key for finding in findings)})
    path.write_text(json.dumps({"version": 1, "findings": keys}, indent=2) + "\n", encoding="utf-8")


# --- reports


def report_json(findings: list[Finding], checked: Mapping[str, int], **_: Any) -> str:
    data = {"version": 1, "findings": [asdict(finding) for finding in findings], "checked": dict(checked)}
    return json.dumps(data, indent=2) + "\n"


def report_github(findings: list[Finding], **_: Any) -> str:
    def escape(text: str, more: str = "") -> str:
        for character in "%\r\n" + more:
            text = text.replace(character, f"%{ord(character):02X}")
        return text

    lines = []
    for finding in findings:
        command = "notice" if finding.severity == "note" else finding.severity
        where = {"file": finding.path, "line": finding.line, "col": finding.column}
        if finding.end_column > finding.column:
            where["endColumn"] = finding.end_column
        properties = ",".join(f"{name}={escape(str(value), ':,')}" for name, value in where.items())
        text = escape(f"{finding.message}\n{finding.fix}")
        lines.append(f"::{command} {properties},title={escape(finding.rule, ':,')}::{text}\n")
    return "".join(lines)


def report_sarif(findings: list[Finding], rules: Collection[Rule], **_: Any) -> str:
    import hashlib
    from urllib.parse import quote

    def result(finding: Finding) -> dict[str, Any]:
        region = {"startLine": finding.line, "startColumn": finding.column}
        if finding.end_column > finding.column:
            region["endColumn"] = finding.end_column
        artifact = {"uri": quote(finding.path)}
        if not Path(finding.path).is_absolute():
            artifact["uriBaseId"] = "%SRCROOT%"
        return {
            "ruleId": finding.rule,
            "ruleIndex": names.index(finding.rule),
            "level": finding.severity,
            "message": {"text": f"{finding.message}\n{finding.fix}"},
            "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
            # what an alert is recognised by when lines move
            "partialFingerprints": {"operation/v1": hashlib.sha256(finding.key.encode()).hexdigest()},
        }

    names = [rule.name for rule in rules]
    described = [
        {
            "id": rule.name,
            "shortDescription": {"text": rule["what"]},
            "fullDescription": {"text": rule["why"]},
            "help": {"text": rule["fix"]},
            "defaultConfiguration": {"level": rule.severity},
        }
        for rule in rules
    ]
    run = {
        "tool": {"driver": {"name": "migration-guard", "rules": described}},
        "columnKind": "unicodeCodePoints",
        "results": [result(finding) for finding in findings],
    }
    schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


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
        out.append(f"{paint('bold', place)}: {paint(finding.severity, f'{finding.severity} {finding.rule}')}{revision}")
        lines = source(finding.path).splitlines()
        if finding.line <= len(lines) and (text := lines[finding.line - 1].expandtabs(1)).strip():
            end = finding.end_column if finding.end_column > finding.column else len(text)
            mark = " " * (finding.column - 1) + "^" * max(min(end, len(text) + 1) - finding.column, 1)
            out += [f"{paint('dim', f'{finding.line:>5} |')} {text}", f"      {paint(finding.severity, f'  {mark}')}"]
        fix = finding.fix.replace("\n", "\n    ")
        out += [f"  {finding.message}", f"  {paint('fix', 'fix:')} {fix}", ""]
    taken = checked.get("cached", 0)
    counts = {what: number for what, number in checked.items() if what != "cached"}
    counted = ", ".join(f"{number} {what if number != 1 else what[:-1]}" for what, number in counts.items())
    counted += f" ({taken} from the cache)" * bool(taken)
    last = "".join(f"{paint('dim', line)}\n" for line in left_out)
    if not findings:
        return f"{paint('fix', 'Clean:')} {counted} checked.\n{last}"
    numbers = {name: sum(finding.severity == name for finding in findings) for name in ("error", "warning", "note")}
    summary = ", ".join(f"{number} {name}{'s' * (number != 1)}" for name, number in numbers.items() if number)
    more = "More about a rule: --explain RULE. To let it be: # migration-guard: ignore[RULE] the reason"
    return "\n".join([*out, f"{paint('bold', f'Found {summary}')}; {counted} checked.", paint("dim", more), last])


REPORTS: dict[str, Callable[..., str]] = {
    "text": report_text,
    "json": report_json,
    "github": report_github,
    "sarif": report_sarif,
}
