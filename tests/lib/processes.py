"""Keeps the tests that are not marked ``slow`` free of processes."""

from __future__ import annotations

import sys

import pytest

STARTS_A_PROCESS = {
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "subprocess.Popen",
}
BAKES = "bake"  # the fixture that gives a project: baking runs the template's hook as a process

_forbidden = False


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if _forbidden and event in STARTS_A_PROCESS:
        pytest.fail(f"starts a process ({event} {arguments[:2]}): mark the test slow")


def forbid_processes(forbidden: bool) -> None:
    """Fail the test if it starts a process from now on, or allow processes again."""
    global _forbidden
    _forbidden = forbidden


# Every way to start a process raises one of these audit events.
sys.addaudithook(_audit)


def mark_slow(items: list[pytest.Item]) -> None:
    """Mark the tests that bake a project as slow, and the fault tests, which all kill something."""
    for item in items:
        if BAKES in getattr(item, "fixturenames", ()) or item.get_closest_marker("fault"):
            item.add_marker("slow")
