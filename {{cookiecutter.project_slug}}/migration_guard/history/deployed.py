"""Deployed migrations, compared with what stands in the working tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ..exceptions import CannotCheck
from ..finding import Finding
from ..git import default_branch, git
from ..reading.migration import Migration
from ..source import meaning
from .graph import fault, parents

Read = Callable[[str, bytes], Migration]  # path and content -> migration


class Deployed:
    """The migrations that stand at a git ref; without one, on the remote's default branch where that is known."""

    def __init__(self, folders: tuple[Path, ...], ref: str | None) -> None:
        self.folders = [folder for folder in folders if folder.is_dir()]
        self.ref = ref or next(filter(None, map(default_branch, self.folders)), None)

    def check(
        self, migrations: list[Migration], read: Read, relative: Callable[[Path], str]
    ) -> Iterator[Finding]:
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
                    name, message = (
                        "down_revision",
                        f"{deployed}; it followed {names(old)}, and now {names(new)}.",
                    )
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
            compared = (
                "diff",
                "--name-only",
                "-z",
                "--relative",
                "--no-renames",
                "--diff-filter=a",
                str(self.ref),
            )
            listed = git(folder, *compared, "--", ".").decode().split("\0")
            paths = [path for path in dict.fromkeys(listed) if path.endswith(".py")]
            data = git(
                folder,
                "cat-file",
                "--batch",
                give="".join(f"{self.ref}:./{path}\n" for path in paths).encode(),
            )
        except (CannotCheck, OSError) as error:
            raise CannotCheck(
                f"--against {self.ref}: {error}; fetch it, or name another ref."
            ) from None
        for path in paths:
            head, _, data = data.partition(b"\n")
            size = int(head.split()[2])
            yield path, data[:size]
            data = data[size + 1 :]


def names(migration: Migration) -> str:
    return ", ".join(parents(migration)) or "nothing"
