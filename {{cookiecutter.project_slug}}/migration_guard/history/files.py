"""The migration files of a project, and which modules belong to the application."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from ..finding import Finding
from ..reading.migration import Migration, UnreadableMigration
from ..reading.reader import read_migration, readable
from ..rules import RULES
from ..rules.rule import finding
from ..settings import Settings
from ..source import decode

FOREIGN = frozenset({"", "alembic", "sqlalchemy", *sys.stdlib_module_names})


class MigrationFiles:
    """The files in the folders of migrations. ``unreadable`` collects what can't be read."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.root = settings.root.resolve()
        self.unreadable: list[Finding] = []
        self.whole: dict[str, Migration] = {}  # by path, each read once
        self.own: dict[str, bool] = {}  # top-level modules: do they belong to the application?

    def __iter__(self) -> Iterator[Path]:
        """Yield the files that Alembic loads as migrations."""
        for folder in self.settings.versions:
            for file in sorted(folder.resolve().glob("*.py")):
                if not file.name.startswith((".#", "__init__")):
                    yield file

    def relative(self, path: Path) -> str:
        """Return the path as reports show it: relative to the project's folder if in there."""
        path = path if path.is_relative_to(self.root) else path.resolve()
        return (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()

    def read(self, file: Path, whole: bool) -> Migration | None:
        """Return the migration in a file; None with a finding in ``unreadable`` if it fails."""
        path = self.relative(file)
        try:
            with readable(path):
                migration = self.read_content(path, file.read_bytes(), whole)
        except UnreadableMigration as error:
            rule, nothing = RULES["unreadable-migration"], Migration(path, "")
            self.unreadable.append(
                finding(rule, nothing, error.line, error.reason, {"fix": "syntax"})
            )
            return None
        if whole:
            self.whole[path] = migration
        return migration

    def read_whole(self, migration: Migration) -> Migration:
        """Return the migration with its operations, if only its identifiers were read before."""
        if migration.path not in self.whole:
            dialects = self.settings.dialects
            with contextlib.suppress(SyntaxError, ValueError):
                whole = read_migration(
                    migration.path, dialects=dialects, source=migration.source, root=self.root
                )
                self.whole[migration.path] = whole
        return self.whole.get(migration.path, migration)

    def read_content(self, path: str, content: bytes, whole: bool = True) -> Migration:
        """Return the migration in this content of a file.

        If not ``whole``, only the part before upgrade() is read, which has the identifiers.
        """
        source = decode(content)
        if not whole:
            with contextlib.suppress(UnreadableMigration):  # a docstring may hold "def upgrade"
                head = source.split("\ndef upgrade", 1)[0]
                migration = read_migration(path, dialects=(), source=head)
                migration.source = source
                if migration.revision:
                    return migration
        return read_migration(path, dialects=self.settings.dialects, source=source, root=self.root)

    def is_application(self, module: str) -> bool:
        """Return whether a module belongs to the application.

        It does if it is in the project or above the migrations, and not beside them.
        """
        top, *inner = module.split(".")
        folders = self.settings.versions
        if any(folder.parent.name in inner for folder in folders):
            return False
        if top not in self.own:
            above = {parent for folder in folders for parent in folder.parents}
            around = [parent.parent for parent in above if (parent / "__init__.py").exists()]
            bases = [self.settings.root, self.settings.root / "src", *around]
            self.own[top] = top not in FOREIGN and any(
                (base / f"{top}.py").exists() or any((base / top).glob("*.py")) for base in bases
            )
        return self.own[top]
