"""Measures the rules on pairs of migrations beside other linters; writes benchmarks/rules.md.

    nox -s bench -- rules

Each pair of ``rules_pairs.py`` has a migration that must be found and a harmless twin. A tool that
is not installed is left out. squawk reads the SQL of ``alembic upgrade --sql``; the others read the
Python. Reports about style (``STYLE``) don't count, neither as found nor as a false alarm.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path

from rules_pairs import BEFORE, PAIRS

FOLDER = Path(__file__).parent
sys.path.append(str(FOLDER.parent / "{{cookiecutter.project_slug}}"))

from migration_guard.databases import dialects_of
from migration_guard.reading.migration import Migration
from migration_guard.reading.reader import read_migration
from migration_guard.rules import RULES
from migration_guard.rules.judge import judge
from migration_guard.rules.past import AllRevisions, Past

HEAD = """\
import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = {!r}
down_revision = {!r}


def upgrade():
{}


def downgrade():
    raise NotImplementedError("not measured")
"""
ENV = """\
from alembic import context

context.configure(dialect_name="postgresql", literal_binds=True, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
"""
# About spelling, types and settings, and never about what the change does to a running system.
STYLE = {
    "ban-char-field",
    "identifier-too-long",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-robust-stmts",
    "prefer-text-field",
    "prefer-timestamp-tz",
    "prefer-timestamptz",
    "require-lock-timeout",
    "require-statement-timeout",
    "require-table-schema",
    "require-timeout-settings",
    "syntax-error",
    "empty-downgrade",
    "offline-unsafe",
    "unresolved-operation",
}


def source(revision: str, parent: str | None, body: str) -> str:
    return HEAD.format(revision, parent, textwrap.indent(body, "    "))


def read(path: Path) -> Migration:
    return read_migration(path, dialects=dialects_of(["postgresql"]))


def ours(folder: Path) -> set[str]:
    first, second = read(folder / "versions" / "a1.py"), read(folder / "versions" / "b1.py")
    past = Past(AllRevisions(lambda: [first]), {"a1"})
    found = judge(second, {"postgresql": "15"}, lambda module: False, RULES, past)
    return {each.rule for each in found if each.severity != "note"}


def squawk(folder: Path) -> set[str]:
    from alembic import command
    from alembic.config import Config

    config = Config(output_buffer=io.StringIO())
    config.set_main_option("script_location", str(folder))
    command.upgrade(config, "a1:b1", sql=True)
    file = folder / "b1.sql"
    file.write_text(config.output_buffer.getvalue(), encoding="utf-8")
    done = run("squawk", "--reporter", "json", "--pg-version", "15", str(file))
    return {each["rule_name"] for each in json.loads(done or "[]")}


def alembic_guard(folder: Path) -> set[str]:
    return set(re.findall(r"\bAG\d+", run("alembic-guard", str(folder / "versions" / "b1.py"))))


def lockcheck(folder: Path) -> set[str]:
    return set(re.findall(r"\bLC\d+", run("lockcheck", str(folder / "versions" / "b1.py"))))


def run(program: str, *arguments: str) -> str:
    path = shutil.which(program, path=str(Path(sys.executable).parent)) or program
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
    return done.stdout


TOOLS: dict[str, Callable[[Path], set[str]]] = {
    "migration-guard": ours,
    "squawk": squawk,
    "alembic-guard": alembic_guard,
    "lockcheck": lockcheck,
}


def is_there(tool: str) -> bool:
    here = shutil.which(tool, path=str(Path(sys.executable).parent)) or shutil.which(tool)
    return tool == "migration-guard" or here is not None


def judged(tool: str, body: str) -> set[str]:
    """The rules that a tool reports for the body of an upgrade, without those about style."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "versions").mkdir()
        (folder / "env.py").write_text(ENV, encoding="utf-8")
        (folder / "versions" / "a1.py").write_text(source("a1", None, BEFORE), encoding="utf-8")
        (folder / "versions" / "b1.py").write_text(source("b1", "a1", body), encoding="utf-8")
        return TOOLS[tool](folder) - STYLE


def main() -> None:
    tools = [tool for tool in TOOLS if is_there(tool)]
    lines = []
    found, alarms = dict.fromkeys(tools, 0), dict.fromkeys(tools, 0)
    for number, (about, bad, good) in enumerate(PAIRS, 1):
        cells = []
        for tool in tools:
            hit, alarm = judged(tool, bad), judged(tool, good)
            found[tool] += bool(hit)
            alarms[tool] += bool(alarm)
            missed = ", ".join(sorted(hit)) or "**missed**"
            cells.append(missed + (f"; false alarm: {', '.join(sorted(alarm))}" if alarm else ""))
        code = bad.replace("\n", " ⏎ ").replace("|", "\\|")
        lines.append(f"| {number} | {about} | `{code}` | {' | '.join(cells)} |")
        print(number, about, *cells, sep=" | ", flush=True)
    total = [
        f"| {tool} | {found[tool]} of {len(PAIRS)} | {alarms[tool]} of {len(PAIRS)} |"
        for tool in tools
    ]
    report = FOLDER / "rules.md"
    text = report.read_text(encoding="utf-8")
    head, _, _ = text.partition("## Results\n")
    results = [
        "## Results\n",
        "| tool | risky migrations found | false alarms on the twins |",
        "|---|---|---|",
        *total,
        "\n## Each pair\n",
        f"| # | after | risky migration | {' | '.join(tools)} |",
        f"|---|---|---|{'---|' * len(tools)}",
        *lines,
    ]
    report.write_text(head + "\n".join(results) + "\n", encoding="utf-8")
    print(*total, sep="\n")


if __name__ == "__main__":
    main()
