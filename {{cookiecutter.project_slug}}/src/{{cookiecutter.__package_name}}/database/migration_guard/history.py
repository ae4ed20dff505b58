"""The revision graph, from the literals of the migrations, and what git says of those that are deployed."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from .findings import CannotCheck, Finding
from .operation import Migration
from .reader import parse
from .rules import finding

Read = Callable[[str, bytes], Migration]  # path and content -> migration


def parents(migration: Migration) -> tuple[str, ...]:
    return migration.down_revision + migration.depends_on


def fault(rule: str, migration: Migration, name: str, message: str, fix: str | None = None) -> Finding:
    """A finding where the migration says this name."""
    return finding(rule, migration, migration.lines.get(name, 1), message, fix)


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
                yield fault("missing-parent", migration, name, f"{name} {lost!r} is in no migration here.")
    try:
        TopologicalSorter({revision: parents(each) for revision, each in known.items()}).prepare()
    except CycleError as error:
        circle = sorted(set(error.args[1]))
        yield fault("revision-cycle", known[circle[0]], "down_revision", f"{', '.join(circle)} follow each other.")
    followed = {parent for migration in known.values() for parent in migration.down_revision}
    if followed - known.keys():
        return  # what looks like a head may be followed by what is missing
    branches: dict[frozenset[str], list[str]] = {}  # heads under labels of their own stay apart on purpose
    for revision in sorted(known.keys() - followed, key=lambda each: known[each].path):
        line = lineage(revision, known, lambda migration: migration.down_revision)
        branches.setdefault(frozenset(label for each in line for label in known[each].branch_labels), []).append(
            revision
        )
    for heads in branches.values():
        if len(heads) > 1:
            yield fault("multiple-heads", known[heads[-1]], "revision", *several(heads))


def several(heads: Sequence[str]) -> tuple[str, str]:
    """What is wrong with them, and what to do."""
    message = f"{len(heads)} heads: {', '.join(heads)}; `alembic upgrade head` refuses to choose."
    return message, f'Merge them: alembic merge -m "Merge migrations" {" ".join(heads)}'


def lineage(
    revision: str, known: Mapping[str, Migration], above: Callable[[Migration], tuple[str, ...]] = parents
) -> set[str]:
    """The revision and all that come before it."""
    seen: set[str] = set()
    waiting = [revision]
    while waiting:
        if (each := waiting.pop()) in known and each not in seen:
            seen.add(each)
            waiting += above(known[each])
    return seen


# --- deployed migrations


class Deployed:
    """The migrations that stand at a git ref; without one, on the remote's default branch where that is known."""

    def __init__(self, folders: tuple[Path, ...], ref: str | None) -> None:
        self.folders = [folder for folder in folders if folder.is_dir()]
        self.ref = ref or next(filter(None, map(default_branch, self.folders)), None)

    def check(self, migrations: list[Migration], read: Read, relative: Callable[[Path], str]) -> Iterator[Finding]:
        """What has become of each of them, compared by revision: a file may be moved or renamed."""
        now = {migration.revision: migration for migration in migrations}
        by_path = {migration.path: migration for migration in migrations}
        for folder in self.folders:
            for path, content in self.changed(folder):
                place = relative(folder / path)
                try:
                    old = read(place, content)
                except (SyntaxError, ValueError):
                    continue
                if old.revision is None:
                    continue
                new = now.get(old.revision)
                name, deployed = "revision", f"{old.revision} is deployed ({self.ref})"
                if new is None:
                    message = f"{deployed} and is no longer here."
                elif parents(old) != parents(new):
                    name, message = "down_revision", f"{deployed}; it followed {names(old)}, and now {names(new)}."
                elif meaning(old.source) != meaning(new.source):
                    message = f"{deployed} and was changed."
                else:
                    continue
                where = new or by_path.get(place, old)
                fix = f"Restore it (git checkout {self.ref} -- {place}) and make the change in a new migration."
                yield fault("edited-migration", where, name, message, fix)

    def changed(self, folder: Path) -> Iterator[tuple[str, bytes]]:
        """Path and content, at the ref, of each migration that is not the same file now."""
        try:
            compared = ("diff", "--name-only", "-z", "--relative", "--no-renames", "--diff-filter=a", str(self.ref))
            listed = git(folder, *compared, "--", ".").decode().split("\0")
            paths = [path for path in dict.fromkeys(listed) if path.endswith(".py")]
            data = git(folder, "cat-file", "--batch", give="".join(f"{self.ref}:./{path}\n" for path in paths).encode())
        except (CannotCheck, OSError) as error:
            raise CannotCheck(f"--against {self.ref}: {error}; fetch it, or name another ref.") from None
        for path in paths:
            head, _, data = data.partition(b"\n")
            size = int(head.split()[2])
            yield path, data[:size]
            data = data[size + 1 :]


def names(migration: Migration) -> str:
    return ", ".join(parents(migration)) or "nothing"


def meaning(source: str) -> str:
    """What a migration does, without comments, docstrings, layout, and what it says of itself."""
    tree = parse(source, "<deployed>")
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            node.body = [each for each in node.body if not is_said(each)]
    try:
        return ast.dump(tree)
    except RecursionError:
        return source


def is_said(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id in ("lossy", "irreversible")
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def git(folder: Path, *arguments: str, give: bytes = b"") -> bytes:
    import subprocess  # not needed where there is no repository

    hook = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")  # inside a hook they point at another place than the folder
    environment = {name: value for name, value in os.environ.items() if name not in hook}
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, input=give, capture_output=True, check=False, env=environment)
    if done.returncode:
        raise CannotCheck(f"git: {done.stderr.decode(errors='replace').strip().splitlines()[0]}")
    return done.stdout


def default_branch(folder: Path) -> str | None:
    """The remote's default branch, where it is known here."""
    if not in_repository(folder):
        return None
    candidates = [f"refs/remotes/origin/{name}" for name in ("HEAD", "main", "master")]
    try:
        listed = git(folder, "for-each-ref", "--format=%(refname)", *candidates).decode().split()
    except OSError:
        return None  # no git here
    return next((name.removeprefix("refs/remotes/") for name in candidates if name in listed), None)


def in_repository(folder: Path) -> bool:
    return any((parent / ".git").exists() for parent in (folder.resolve(), *folder.resolve().parents))
