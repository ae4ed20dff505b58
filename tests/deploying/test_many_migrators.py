"""`alembic upgrade head` by many at once: one migrates, the others wait and find nothing to do."""

from __future__ import annotations

import pytest
from lib.migrators import HISTORIES, race, reset, use_stock, write_history, wrong
from lib.projects import Project

TRIALS = [1, pytest.param(10, marks=pytest.mark.fault)]


@pytest.mark.parametrize("trials", TRIALS)
@pytest.mark.parametrize("history", HISTORIES)
def test_a_race_ends_right_and_nobody_fails(project: Project, history: str, trials: int) -> None:
    write_history(project, history)
    url = project.environment["DATABASE_URL"]
    for _ in range(trials):
        reset(url)
        assert race(project) == []
        assert wrong(url, history) is None


@pytest.mark.parametrize(
    "history", ["update then alter", *(pytest.param(h, marks=pytest.mark.fault) for h in HISTORIES)]
)
def test_stock_alembic_fails_the_same_race(project: Project, history: str) -> None:
    write_history(use_stock(project), history)
    url = project.environment["DATABASE_URL"]
    for _ in range(10):  # once in a while they miss each other
        reset(url)
        if race(project) or wrong(url, history):
            return
    pytest.fail("the race does not show what the guard is for")
