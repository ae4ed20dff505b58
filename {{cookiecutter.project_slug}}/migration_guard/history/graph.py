"""The revision graph, from the literals of the migrations."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from ..exceptions import CannotCheck, several_heads
from ..finding import Finding
from ..reading.migration import Migration
from ..rules import RULES
from ..rules.rule import Fix, finding


def parents(migration: Migration) -> tuple[str, ...]:
    return migration.down_revision + migration.depends_on


def fault(
    rule: str, migration: Migration, name: str, message: str, fix: Fix | None = None
) -> Finding:
    """Return a finding on the line where the migration sets this name."""
    return finding(RULES[rule], migration, migration.lines.get(name, 1), message, fix)


def check_graph(migrations: list[Migration], undeployed: set[str | None]) -> Iterator[Finding]:
    """Yield the faults of the graph, each at the line where it has to be fixed.

    ``undeployed`` are the revisions that are known not to be deployed.
    """
    known: dict[str, Migration] = {}
    labels = {label for migration in migrations for label in migration.branch_labels}
    followed = {parent for migration in migrations for parent in migration.down_revision}

    def newest(*but: str) -> str:
        heads = {each.revision for each in migrations if each.revision} - followed - {*but}
        return heads.pop() if len(heads) == 1 else "<revision>"

    for migration in migrations:
        if first := known.get(migration.revision or ""):
            message = f"{first.path} has the revision identifier {migration.revision}, too."
            yield fault("duplicate-revision", migration, "revision", message, {"newest": newest()})
        elif migration.revision:
            known[migration.revision] = migration
    for migration in known.values():
        for name, others in (("down_revision", set(known)), ("depends_on", {*known, *labels})):
            for lost in set(getattr(migration, name)) - others:
                message = f"{name} is {lost!r}, but no migration has this revision."
                names = {"parent": lost, "what": name, "newest": newest(migration.revision or "")}
                yield fault("missing-parent", migration, name, message, names)
    try:
        TopologicalSorter({revision: parents(each) for revision, each in known.items()}).prepare()
    except CycleError as error:
        circle = sorted(set(error.args[1]))
        message = f"{', '.join(circle)} follow each other in a circle."
        names = {"newest": newest(*circle)}
        yield fault("revision-cycle", known[circle[0]], "down_revision", message, names)
        return
    if followed - known.keys():
        return  # a missing file may follow what looks like a head
    # Heads of branches with different labels are separate on purpose.
    branches: dict[frozenset[str], list[str]] = {}
    for revision in sorted(known.keys() - followed, key=lambda each: known[each].path):
        line = lineage(revision, known, lambda migration: migration.down_revision)
        labelled = frozenset(label for each in line for label in known[each].branch_labels)
        branches.setdefault(labelled, []).append(revision)
    for heads in branches.values():
        if len(heads) > 1:
            first, rebase = known[heads[-1]], tuple[str, ...]()
            if mine := next((head for head in reversed(heads) if head in undeployed), ""):
                first = known[mine]
                while above := undeployed.intersection(first.down_revision):
                    first = next(known[each] for each in first.down_revision if each in above)
                parent = next(iter(first.down_revision), "base")
                rebase = mine, parent, next(head for head in heads if head != mine), first.path
            yield fault("multiple-heads", first, "revision", *several_heads(heads, *rebase))


def in_order(migrations: Iterable[Migration]) -> list[Migration]:
    """Return the migrations, each after those that it follows; unchanged if there is a circle."""
    listed = list(migrations)
    known = {each.revision or each.path: each for each in listed}
    graph = {
        name: [parent for parent in parents(each) if parent in known]
        for name, each in known.items()
    }
    try:
        return [known[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError:
        return listed


def lineage(
    revision: str,
    known: Mapping[str, Migration],
    above: Callable[[Migration], tuple[str, ...]] = parents,
) -> set[str]:
    """Return the revision and all that come before it."""
    seen: set[str] = set()
    waiting = [revision]
    while waiting:
        if (each := waiting.pop()) in known and each not in seen:
            seen.add(each)
            waiting += above(known[each])
    return seen


def before_first(first: str | None, migrations: Iterable[Migration]) -> set[str]:
    """Return the revisions before ``first``. Raises CannotCheck if no file has it."""
    known = {migration.revision: migration for migration in migrations if migration.revision}
    if first is None:
        return set()
    if first not in known:
        raise CannotCheck(
            f"pyproject.toml: [tool.migration-guard] first-revision: no migration has {first!r}."
        )
    return lineage(first, known) - {first}
