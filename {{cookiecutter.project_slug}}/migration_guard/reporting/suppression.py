"""Suppression: `# migration-guard: ignore[rule] reason`, in a statement or on the line above it."""

import io
import re
import tokenize
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from ..exceptions import nearest
from ..finding import Finding
from ..rules.report import unused_ignore
from ..rules.rule import report


@dataclass(slots=True)
class Ignore:
    """A suppression: where it is, the rules it names, why, and the lines that it covers."""

    place: dict[str, Any]
    rules: list[str]
    reason: str
    covers: range = range(0)
    used: set[str] = field(default_factory=set)


MARK = re.compile(r"#\s*migration-guard:\s*(?:ignore(?:\[(?P<rules>[^\]]*)\])?)?(?P<reason>.*)")


OUTSIDE_STATEMENTS = {tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def ignores(source: str) -> list[Ignore]:
    """Return the suppressions in ``source``, each with the lines of its statement."""
    if "migration-guard:" not in source:
        return []
    found: list[Ignore] = []
    waiting = 0  # the first suppression whose statement has not ended yet
    start = 0  # first line of the statement being read
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                if mark := MARK.match(token.string):
                    place = {
                        "line": token.start[0],
                        "column": token.start[1] + 1,
                        "end_column": token.end[1] + 1,
                    }
                    names = re.findall(r"[\w-]+", mark["rules"] or "")
                    found.append(Ignore(place, names, mark["reason"].strip()))
            elif token.type == tokenize.NEWLINE:
                for ignore in found[waiting:]:
                    ignore.covers = range(min(start, ignore.place["line"]), token.end[0] + 1)
                waiting, start = len(found), 0
            elif token.type not in OUTSIDE_STATEMENTS:
                start = start or token.start[0]
    except (tokenize.TokenError, SyntaxError):
        pass  # another rule reports a file that can't be parsed
    return found


def suppress(
    findings: Iterable[Finding],
    path: str,
    source: str,
    known: Collection[str],
    judged: Collection[str],
) -> list[Finding]:
    """Return the findings of one file that aren't suppressed, and one for each unused suppression.

    ``known`` are all rules. ``judged`` are those that ran: only their suppressions can be unused.
    """
    marks = ignores(source)
    kept = []
    for finding in findings:
        covering = [
            mark
            for mark in marks
            if finding.rule in mark.rules and finding.line in mark.covers and mark.reason
        ]
        for mark in covering:
            mark.used.add(finding.rule)
        if not covering:
            kept.append(finding)
    for mark in marks if "unused-ignore" in judged else []:
        for name in mark.rules or [""]:
            if not name or not mark.reason:
                message = "This comment suppresses nothing: add the name of a rule and a reason."
            elif name not in known:
                message = f"There is no rule {name!r}{nearest(name, known)}."
            elif name not in mark.used and name in judged:
                message = f"{name} finds nothing here."
            else:
                continue
            kept.append(report(unused_ignore, message, "", path, operation=name, **mark.place))
    return kept
