"""A project's own rules: the example in the guard's README, and what goes wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from lib.projects import PROJECT_TEMPLATE
from migration_guard.cli import main
from migration_guard.exceptions import CannotCheck
from migration_guard.rules import RULES
from migration_guard.rules.own_rules import with_own_rules
from migration_guard.rules.testing import check_examples, wrong_examples

README = PROJECT_TEMPLATE / "migration_guard" / "README.md"
MIGRATION = """\
import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade():
    op.drop_table("tags")
"""
DUPLICATE = """\
from migration_guard.rules import Found, Upgrade, rule


@rule(summary="s", why="w", fix="f", bad="", good="")
def drop_table(upgrade: Upgrade) -> Found:
    yield from ()
"""


def blocks(heading: str) -> dict[str, str]:
    """The code blocks of a section of the README, by the language or the file that they name."""
    section = README.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ")[0]
    return dict(re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one migration, and the rule of the README."""
    section = blocks("Rules of your own")
    (tmp_path / "alembic" / "versions").mkdir(parents=True)
    (tmp_path / "alembic" / "versions" / "a1_tags.py").write_text(MIGRATION)
    (tmp_path / "pyproject.toml").write_text(section["toml"])
    rule, test = re.split(r"(?m)^# tests/\S+\n", section["python"])
    (tmp_path / "migration_rules.py").write_text(rule)
    (tmp_path / "test_migration_rules.py").write_text(test)
    return tmp_path


def test_the_rule_in_the_readme_finds_what_it_describes(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(root, ["--static", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [each["rule"] for each in found] == ["missing-created-at"]
    assert "tags" in found[0]["message"]
    migration = root / "alembic" / "versions" / "a1_tags.py"
    column = ', sa.Column("created_at", sa.DateTime(), nullable=False))'
    migration.write_text(MIGRATION.replace("primary_key=True))", "primary_key=True)" + column))
    assert main(root, ["--static"]) == 0


def test_an_own_rule_is_selected_suppressed_and_explained_like_any_other(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(root, ["--static", "--ignore", "migration-rules"]) == 0
    assert main(root, ["--static", "--select", "missing-created-at"]) == 1
    assert main(root, ["--explain", "missing-created-at"]) == 0
    assert main(root, ["--list-rules"]) == 0
    assert "missing-created-at" in capsys.readouterr().out.splitlines()[-1]
    migration = root / "alembic" / "versions" / "a1_tags.py"
    mark = "    # migration-guard: ignore[missing-created-at] a list of names\n    op.create_table"
    migration.write_text(MIGRATION.replace("    op.create_table", mark))
    assert main(root, ["--static"]) == 0


def test_a_fix_may_have_paragraphs_and_single_cases(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = root / "migration_rules.py"
    text = re.sub(
        r'fix=".*",', 'fix="""Add it.\\n\\nFill it.\\n\\nolder: Ask.""",', rules.read_text()
    )
    rules.write_text(text)
    assert main(root, ["--explain", "missing-created-at"]) == 0
    assert "\n\nFix: Add it. Fill it.\n\nFix (older): Ask.\n\n" in capsys.readouterr().out


def test_the_examples_of_own_rules_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    exec((root / "test_migration_rules.py").read_text(), namespace := {"__name__": "test"})
    namespace["test_the_examples_are_true"]()
    rules = root / "migration_rules.py"
    rules.write_text(rules.read_text().replace("created_at", "changed_at", 1))
    check_examples()
    text = rules.read_text()
    rules.write_text(text.replace('sa.Column("created_at"', 'sa.Column("other"'))
    with pytest.raises(AssertionError, match="missing-created-at: the rule finds its good"):
        check_examples(root)
    rules.write_text(text.replace("    bad=", "    good=").replace("    good=", "    bad=", 1))
    rules.write_text(re.sub(r'bad="""\n.*?""",', 'bad="pass",', text, count=1, flags=re.DOTALL))
    with pytest.raises(AssertionError, match="missing-created-at: the rule does not find its bad"):
        check_examples(root)
    rules.write_text(
        text.replace('op.create_table("tags"', 'op.drop_table("x")\n    op.create_table("tags"')
    )
    with pytest.raises(AssertionError, match="its good example has a finding drop-table"):
        check_examples(root)
    (root / "pyproject.toml").write_text("")
    with pytest.raises(AssertionError, match="names no rules"):
        check_examples(root)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (DUPLICATE, "migration_rules has a rule drop-table, and that name exists already"),
        ("import no_such_module\n", "migration_rules.py:1: ModuleNotFoundError"),
        ("def helper():\n    return 1 / 0\n\n\nhelper()\n", "migration_rules.py:2: ZeroDivision"),
        ("raise SystemExit('no')\n", "migration_rules.py:1: SystemExit: no"),
        ("x = = 1\n", "migration_rules.py:1: SyntaxError"),
        ("x = 1\n", "migration_rules has no rule"),
        (DUPLICATE.replace('fix="f", ', ""), "the rule drop-table has no fix"),
        (None, "there is no migration_rules.py"),
    ],
)
def test_a_module_that_cant_be_used_gives_one_line(
    root: Path, capsys: pytest.CaptureFixture[str], module: str | None, message: str
) -> None:
    rules = root / "migration_rules.py"
    rules.unlink()
    if module is not None:
        rules.write_text(module)
    assert main(root, ["--static"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: pyproject.toml: [tool.migration-guard] rules: ")
    assert err.count("\n") == 1
    assert message in err


def test_a_rule_that_raises_is_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = root / "migration_rules.py"
    text = rules.read_text()
    rules.write_text(text.replace("-> Found:\n", "-> Found:\n    1 / 0\n"))
    assert main(root, ["--static"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "missing-created-at" in err
    assert "ZeroDivisionError" in err


def test_nothing_else_of_the_project_is_imported(root: Path) -> None:
    for name in ("sqlglot", "__init__", "json5", "traceback"):
        (root / f"{name}.py").write_text("raise RuntimeError('imported')\n")
    assert main(root, ["--static"]) == 1


def test_own_rules_are_not_kept_between_projects(root: Path) -> None:
    before = list(RULES)
    for _ in range(2):
        assert "missing-created-at" in with_own_rules(RULES, ["migration_rules"], root)
    assert list(RULES) == before
    with pytest.raises(CannotCheck, match="exists already"):
        with_own_rules(RULES, ["migration_rules", "migration_rules"], root)


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.check])
def test_the_examples_of_a_rule_are_true(name: str) -> None:
    assert list(wrong_examples(RULES[name], RULES, ["postgresql"])) == []


def test_every_rule_has_its_texts() -> None:
    for rule in RULES.values():
        for text in (rule.summary, rule.why, rule.fix):
            assert text.strip()
        assert rule.bad.strip()
        assert rule.bad != rule.good
        assert rule.severity in ("error", "warning", "note")
        assert rule.category
