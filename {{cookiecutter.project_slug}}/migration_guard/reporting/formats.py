"""The formats of a report: for people, programs, and GitHub."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..finding import Finding
from ..output import printable
from ..rules.rule import Rule
from .text import report_text


def report_json(findings: list[Finding], checked: Mapping[str, int], **_: Any) -> str:
    """Return one JSON object, with the version of its form."""
    data = {"version": 1, "findings": [*map(asdict, findings)], "checked": dict(checked)}
    return json.dumps(data, indent=2) + "\n"


def report_github(findings: list[Finding], **_: Any) -> str:
    """Return one annotation for each finding, as a GitHub workflow command."""

    def escape(text: str, more: str = "") -> str:
        text = printable(text, lines=True)
        for character in "%\n" + more:
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
    """Return SARIF 2.1.0, the input of code scanning."""
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
            # GitHub recognises an alert by this when lines move.
            "partialFingerprints": {
                "operation/v1": hashlib.sha256(finding.key.encode()).hexdigest()
            },
        }

    names = [rule.name for rule in rules]
    described = [
        {
            "id": rule.name,
            "shortDescription": {"text": rule.summary},
            "fullDescription": {"text": rule.why},
            "help": {"text": rule.fix},
            "defaultConfiguration": {"level": rule.severity},
        }
        for rule in rules
    ]
    run = {
        "tool": {"driver": {"name": "migration-guard", "rules": described}},
        "columnKind": "unicodeCodePoints",
        "results": [result(finding) for finding in findings],
    }
    schema = (
        "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    )
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


REPORTS: dict[str, Callable[..., str]] = {
    "text": report_text,
    "json": report_json,
    "github": report_github,
    "sarif": report_sarif,
}
