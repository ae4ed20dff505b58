"""Every fault is found and named at its revision, and no harmless twin is, on each database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lib import faults
from lib.checks import check
from lib.projects import Project
from lib.servers import mariadb_only, require

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
    reported = [(found["rule"], found["revision"], found["message"]) for found in findings]
    if kind == "twin":
        assert reported == []
        return
    rules = {rule for rule, _, _ in reported}
    assert rules == {pair.rule} or (pair.kind == "graph" and pair.rule in rules), reported
    if pair.at is not None:
        assert {revision for _, revision, _ in reported} == {faults.names_of(history)[pair.at]}, (
            reported
        )
        assert all(
            found["path"].startswith("alembic/versions/") and found["line"] > 1
            for found in findings
        )
