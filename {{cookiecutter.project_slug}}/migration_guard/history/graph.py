"""The revision graph, from the literals of the migrations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from ..exceptions import CannotCheck, several
from ..finding import Finding
from ..reading.migration import Migration
from ..rules import RULES
from ..rules.rule import finding


def parents(migration: Migration) -> tuple[str, ...]:
    return migration.down_revision + migration.depends_on


def fault(
    rule: str, migration: Migration, name: str, message: str, fix: str | None = None
) -> Finding:
    """A finding where the migration has this name."""
    return finding(RULES[rule], migration, migration.lines.get(name, 1), message, fix)


def check_graph(migrations: list[Migration]) -> Iterator[Finding]:
    """The faults of the graph, each where it has to be mended."""
    known: dict[str, Migration] = {}
    labels = {label for migration in migrations for label in migration.branch_labels}
    for migration in migrations:
        if first := known.get(migration.revision or ""):
            message = f"{migration.revision} is the revision of {first.path} too."
            yield fault("duplicate-revision", migration, "revision", message)
        elif migration.revision:
            known[migration.revision] = migration
    for migration in known.values():
        for name, others in (("down_revision", set(known)), ("depends_on", {*known, *labels})):
            for lost in set(getattr(migration, name)) - others:
                yield fault(
                    "missing-parent", migration, name, f"{name} {lost!r} is in no migration here."
                )
    try:
        TopologicalSorter({revision: parents(each) for revision, each in known.items()}).prepare()
    except CycleError as error:
        circle = sorted(set(error.args[1]))
        yield fault(
            "revision-cycle",
            known[circle[0]],
            "down_revision",
            f"{', '.join(circle)} follow each other.",
        )
    followed = {parent for migration in known.values() for parent in migration.down_revision}
    if followed - known.keys():
        return  # what looks like a head may be followed by what is missing
    branches: dict[
        frozenset[str], list[str]
    ] = {}  # heads under labels of their own stay apart on purpose
    for revision in sorted(known.keys() - followed, key=lambda each: known[each].path):
        line = lineage(revision, known, lambda migration: migration.down_revision)
        branches.setdefault(
            frozenset(label for each in line for label in known[each].branch_labels), []
        ).append(revision)
    for heads in branches.values():
        if len(heads) > 1:
            yield fault("multiple-heads", known[heads[-1]], "revision", *several(heads))


def in_order(migrations: Iterable[Migration]) -> list[Migration]:
    """The migrations, each after those that it follows; as given if they follow in a circle."""
    listed = list(migrations)
    known = {each.revision or each.path: each for each in listed}
    graph = {
        name: [parent for parent in parents(each) if parent in known]
        for name, each in known.items()
    }
    try:
        order = [known[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError:
        return listed
    return order


def lineage(
    revision: str,
    known: Mapping[str, Migration],
    above: Callable[[Migration], tuple[str, ...]] = parents,
) -> set[str]:
    """The revision and all that come before it."""
    seen: set[str] = set()
    waiting = [revision]
    while waiting:
        if (each := waiting.pop()) in known and each not in seen:
            seen.add(each)
            waiting += above(known[each])
    return seen


def before_first(first: str | None, migrations: Iterable[Migration]) -> set[str]:
    """The revisions before the first one that is judged. Raises CannotCheck if it is in no file."""
    known = {migration.revision: migration for migration in migrations if migration.revision}
    if first is None:
        return set()
    if first not in known:
        raise CannotCheck(
            f"pyproject.toml: [tool.migration-guard] first-revision: {first!r} is in no migration."
        )
    return lineage(first, known) - {first}
