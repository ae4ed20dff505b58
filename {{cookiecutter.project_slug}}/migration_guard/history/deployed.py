"""What is deployed: the migrations at a git ref, compared with those in the working tree."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from ..exceptions import CannotCheck
from ..finding import Finding
from ..git import default_branch, git, new_since
from ..reading.migration import Migration
from ..source import upgrade_meaning
from .files import MigrationFiles
from .graph import fault, lineage, parents


class Deployed:
    """The migrations at a git ref, by default those of the remote's default branch.

    ``ref`` is None if no ref is known.
    """

    def __init__(self, files: MigrationFiles, ref: str | None) -> None:
        self.files = files
        self.folders = [folder for folder in files.settings.versions if folder.is_dir()]
        self.ref = ref or next(filter(None, map(default_branch, self.folders)), None)
        # each squash, with what it replaces
        self.squashes: list[tuple[Migration, list[Migration]]] = []

    def check(self, migrations: list[Migration]) -> Iterator[Finding]:
        """Yield a finding for each deployed migration that changed. Files may be renamed.

        A squash is remembered: whether it makes the same schema is seen on a database.
        """
        now = {migration.revision: migration for migration in migrations}
        before = {str(old.revision): old for old in self.changed}
        gone = before.keys() - now.keys()
        for squash in migrations:
            if not parents(squash) and parents(before.get(str(squash.revision), squash)):
                replaced = lineage(str(squash.revision), before)
                if {parent for each in replaced for parent in parents(before[each])} <= gone:
                    self.squashes.append((squash, [before[each] for each in replaced]))
        squashed = {old.revision for _, replaced in self.squashes for old in replaced}
        for old in self.changed:
            if old.revision in squashed:
                continue
            new = now.get(old.revision)
            name, deployed = "revision", f"{old.revision} is deployed ({self.ref})"
            if new is None:
                message = f"{deployed}, but its file is missing."
            elif parents(old) != parents(new):
                name = "down_revision"
                was, now_is = (", ".join(parents(each)) or "nothing" for each in (old, new))
                message = f"{deployed}; it followed {was}, and now follows {now_is}."
            elif upgrade_meaning(old.source) != upgrade_meaning(new.source):
                message = f"{deployed}, and its upgrade() was changed."
            else:
                continue
            names = {"ref": str(self.ref), "file": old.path}
            yield fault("edited-migration", new or old, name, message, names)

    def undeployed(self, migrations: list[Migration]) -> set[str | None]:
        """Return the revisions that are not deployed yet; none if no ref is known."""
        if self.ref is None:
            return set()
        deployed = {old.revision for old in self.changed}
        root, new = self.files.root, new_since(self.files.root, self.ref, self.folders)
        return {each.revision for each in migrations if root / each.path in new} - deployed

    @cached_property
    def changed(self) -> list[Migration]:
        """Return the migrations at the ref whose files differ now, as they are at the ref."""
        found = []
        try:
            files = [each for folder in self.folders for each in self.changed_files(folder)]
        except (CannotCheck, OSError) as error:
            raise CannotCheck(
                f"--against {self.ref}: {error}; fetch it, or name another ref."
            ) from None
        for path, content in files:
            with suppress(SyntaxError, ValueError):
                old = self.files.read_content(self.files.relative(path), content)
                if old.revision is not None:
                    found.append(old)
        return found

    def changed_files(self, folder: Path) -> Iterator[tuple[Path, bytes]]:
        """Yield the path and the content at the ref of each file that differs now."""
        options = ("--name-only", "-z", "--relative", "--no-renames", "--diff-filter=a")
        listed = git(folder, "diff", *options, str(self.ref), "--", ".").decode().split("\0")
        paths = [path for path in dict.fromkeys(listed) if path.endswith(".py")]
        asked = "".join(f"{self.ref}:./{path}\n" for path in paths).encode()
        data = git(folder, "cat-file", "--batch", give=asked)
        for path in paths:
            head, _, data = data.partition(b"\n")
            size = int(head.split()[2])
            yield folder / path, data[:size]
            data = data[size + 1 :]
