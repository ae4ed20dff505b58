"""The guard in this process: what it finds by running migrations, without what it reads."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lib.servers import SERVERS
from migration_guard import cli

RAN = (
    "models-out-of-sync",
    "upgrade-fails",
    "downgrade-fails",
    "upgrade-not-repeatable",
    "downgrade-differs",
    "data-not-restored",
    "table-without-rows",
)
GRAPH = ("multiple-heads", "missing-parent", "duplicate-revision", "revision-cycle")


def codes_of(fix: str) -> list[str]:
    """Return what a user pastes or runs: the text between backticks."""
    return re.findall(r"`([^`]+)`", fix)


def check(
    root: Path, database: str, *options: str, select: Iterable[str] = RAN + GRAPH
) -> list[dict[str, Any]]:
    """Declare ``database`` in the project in ``root``, run the guard and return its findings."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "soundhash"]:
        del sys.modules[name]
    before, written = sys.path[:], sys.dont_write_bytecode
    report = root / "report.json"
    report.unlink(missing_ok=True)
    pyproject = root / "pyproject.toml"
    declared = re.sub(r"(?m)^databases = .*$", f'databases = ["{database}"]', pyproject.read_text())
    pyproject.write_text(declared)
    if "--static" not in options:
        options = (*options, "--database-url", SERVERS.get(database, "sqlite://"))
    selected = ["--select", ",".join(select)]
    written_to = ["--format", "json", "--output", str(report)]
    try:
        status = cli.main(root, [*options, *selected, *written_to])
    finally:
        sys.path[:], sys.dont_write_bytecode = before, written
    assert status in (0, 1), "it could not check"
    return list(json.loads(report.read_text())["findings"])
