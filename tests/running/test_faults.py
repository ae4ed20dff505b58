"""Every fault of the fault set is found and named at its revision, and no innocent twin is flagged, on each database."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lib import faults
from lib.projects import Project
from lib.servers import SERVERS, mariadb_only, require
from migration_guard import cli

OPTIONS = {"roundtrip": ["--roundtrip"], "graph": ["--static"], "drift": []}
CASES = [
    pytest.param(
        database,
        pair,
        kind,
        id=f"{database}-{pair.name}-{kind}",
        marks=[mariadb_only]
        if (database, pair.name) == ("mariadb", "sequence left behind")
        else [],
    )
    for database in faults.ALL
    for pair in faults.cases(database)
    for kind in ("fault", "twin")
]


def check(root: Path, database: str, *options: str) -> list[dict[str, Any]]:
    """Run the guard in this process: what it finds, other than by reading the source."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "soundhash"]:
        del sys.modules[name]
    before, written = sys.path[:], sys.dont_write_bytecode
    report = root / "report.json"
    report.unlink(missing_ok=True)
    found = (
        "models-out-of-sync",
        "upgrade-fails",
        "downgrade-fails",
        "upgrade-not-repeatable",
        "downgrade-differs",
        "data-not-restored",
        "table-without-rows",
    )
    graph = ("multiple-heads", "missing-parent", "duplicate-revision", "revision-cycle")
    url = SERVERS.get(database, "sqlite://")
    options = options if "--static" in options else (*options, "--database-url", url)
    arguments = [
        *options,
        "--select",
        ",".join(found + graph),
        "--format",
        "json",
        "--output",
        str(report),
    ]
    try:
        status = cli.main(root, arguments)
    finally:
        sys.path[:], sys.dont_write_bytecode = before, written
    assert status in (0, 1), "it could not check"
    return list(json.loads(report.read_text())["findings"])


@pytest.mark.filterwarnings("ignore:Unnamed CHECK")
@pytest.mark.parametrize(("database", "pair", "kind"), CASES)
def test_fault_is_found_and_twin_is_not(
    database: str,
    pair: faults.Pair,
    kind: str,
    bake: Callable[..., Project],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    require(database)
    project = bake(starter="blank")
    monkeypatch.chdir(project.path)
    history = pair.fault if kind == "fault" else pair.twin
    faults.write(history, project.versions, project.models, project.path / "alembic" / "env.py")
    findings = check(project.path, database, *OPTIONS[pair.kind])
    told = [(found["rule"], found["revision"], found["message"]) for found in findings]
    if kind == "twin":
        assert told == []
        return
    rules = {rule for rule, _, _ in told}
    assert rules == {pair.rule} or (pair.kind == "graph" and pair.rule in rules), told
    if pair.at is not None:
        assert {revision for _, revision, _ in told} == {faults.names_of(history)[pair.at]}, told
        assert all(
            found["path"].startswith("alembic/versions/") and found["line"] > 1
            for found in findings
        )
