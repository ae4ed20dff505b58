"""What a migration holds never reaches a terminal or a CI as something that it obeys."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from migration_guard.cli import main
from migration_guard.finding import Finding
from migration_guard.output import printable, without_commands, write_file
from migration_guard.planning.plan import Plan, Planned, Revision
from migration_guard.planning.reports import as_markdown, as_text
from migration_guard.reporting.formats import report_github
from migration_guard.reporting.text import report_text

NASTY = "x\x1b[2J\n::error file=README.md,line=1::pwned\n##[error]pwned\r\x9b\u202e"
FINDING = Finding(
    rule="drop-table",
    message=f"{NASTY} is dropped.",
    fix=f"Keep {NASTY}.",
    path=NASTY,
    revision=NASTY,
)
COMMAND = re.compile(r"(?m)^\s*::[\w-]+.*::|##\[")  # what a runner of GitHub obeys


def obeyed(text: str) -> list[str]:
    """The control characters and commands in it."""
    return re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text) + COMMAND.findall(text)


def test_the_pattern_knows_what_is_obeyed() -> None:
    assert obeyed(NASTY) == [
        "\x1b",
        "\r",
        "\x9b",
        "\u202e",
        "::error file=README.md,line=1::",
        "##[",
    ]
    assert obeyed("a::b and ::text\n  :: x\n# [x]") == []


@pytest.mark.parametrize("finding", [FINDING, replace(FINDING, message="::debug::x", path="a.py")])
def test_the_report_for_people(finding: Finding) -> None:
    left_out = [f"Not checked: {NASTY}", "::add-mask::x"]
    text = report_text([finding], {"files": 1}, source=lambda _: f"{NASTY}\n", left_out=left_out)
    assert obeyed(text) == []
    assert "drop-table" in text
    assert "Run with --explain RULE for details." in text


def test_the_report_for_github() -> None:
    text = report_github([FINDING])
    (line,) = text.splitlines()
    assert line.startswith("::error file=x")
    # A runner that has read one command in a line looks for no other.
    assert obeyed(line.removeprefix("::error ").replace("##[", "")) == []


def test_the_plan() -> None:
    operation = Planned("drop_table", NASTY, 1, None)
    sql = f"DROP TABLE x;\n{NASTY}\n  ::text\n  ::error::y"
    step = Revision(NASTY, NASTY, NASTY, sql, NASTY, [operation], [FINDING], [FINDING])
    plan = Plan("sqlite://", (), None, [step], findings=[FINDING], not_checked=[NASTY])
    text = as_text(plan)
    assert obeyed(text) == []
    assert "      ::text\n" in text, "a cast on a line of its own is SQL"
    assert obeyed(as_markdown(plan)) == []


def test_what_is_harmless_stays() -> None:
    text = "Straße: é 数 → 'a::b'\n    ::text"
    assert printable(text, lines=True) == without_commands(text) == text
    assert printable("a\nb\tc\x1b") == r"a\nb\tc\x1b"


def test_a_migration_that_tries(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    versions = tmp_path / "alembic" / "versions"
    versions.mkdir(parents=True)
    name = "x\\n::error file=README.md,line=1::pwned\\n::stop-commands::tok\\n\\x1b[2J"
    (versions / "a.py").write_text(
        "from alembic import op\nrevision = 'a'\ndown_revision = None\n"
        f'def upgrade():\n    op.drop_table("{name}")\n'
        "def downgrade():\n    raise NotImplementedError\n"
    )
    for form in ("text", "github"):
        assert main(tmp_path, ["--static", "--format", form]) == 1
        out = capsys.readouterr().out
        assert "drop-table" in out
        commands = [line for line in out.splitlines() if obeyed(line)]
        own = [line for line in commands if line.startswith("::error file=alembic/versions/a.py,")]
        assert commands == own
        assert "\x1b" not in out


def test_a_file_is_not_written_through_a_link(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, link = tmp_path / "target", tmp_path / "report.txt"
    target.write_text("mine")
    link.symlink_to(target)
    with pytest.raises(OSError, match="symbolic"):
        write_file(link, "report")
    (tmp_path / "alembic" / "versions").mkdir(parents=True)
    (tmp_path / "alembic" / "versions" / "a.py").write_text(
        "revision = 'a'\ndown_revision = None\n"
    )
    assert main(tmp_path, ["--static", "--output", str(link)]) == 2
    assert "a symbolic link; pass the path of the file itself" in capsys.readouterr().err
    assert target.read_text() == "mine"
    write_file(target, "report")
    assert target.read_text() == "report"
