"""What is green is not run again: what a migration's source says, and the migrated database, are kept for the next run.

Each under a hash of all that it came from, in `.migration-cache`; on PostgreSQL the database itself is kept beside the
scratch databases. What can't be read, written or told for certain is as if it had never been kept.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .findings import Finding
from .operation import Migration
from .reader import decode
from .settings import Settings

FOLDER = ".migration-cache"
GUARD = Path(__file__).parent
LIBRARIES = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))
FIELDS = ("revision", "down_revision", "depends_on", "branch_labels", "lines", "imports")
# What a revision may depend on and nobody sees; and how it comes to other code of the project than by its imports.
UNSEEN = re.compile(
    r"\b(environ|getenv|glob|rglob|iterdir|listdir|scandir|walk|subprocess|socket|urllib|(?i:(alter|on) database))\b"
)
REACHES = re.compile(r"\b(target_metadata|importlib|pkgutil|runpy|modules|__import__|eval|exec|globals)\b")
opened: set[str] = set()  # the files that env.py and the revisions read, while they run


def digest(*parts: object) -> str:
    made = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogateescape")
        made.update(b"%d:" % len(data) + data)
    return made.hexdigest()


def content(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b"\0"


def changed_since(start: int, path: str) -> bool:
    try:
        return os.stat(path).st_mtime_ns > start
    except OSError:
        return True


@dataclass(slots=True)
class Reading:
    """One migration file: what its source says, and what the rules find in it once they have judged it."""

    migration: Migration
    operations: int
    findings: list[Finding] | None = None
    whole: bool = True
    kept: bool = False  # of the migration only FIELDS are known


class Cache:
    """What is kept for one project; ``green`` says of findings that none of them stands."""

    def __init__(self, settings: Settings, green: Callable[[list[Finding]], bool]) -> None:
        self.root, self.limit, self.green = settings.root, settings.cache_size * 2**20, green
        self.folder = settings.root / FOLDER
        folders = [path for path in sys.path if os.path.isdir(path)]
        installed = {name for path in folders for name in os.listdir(path) if name.endswith(("-info", ".pth"))}
        code = [*sorted(GUARD.glob("*.py")), settings.root / "pyproject.toml"]
        self.base = digest(sys.version, sys.flags, sorted(installed), settings, *map(content, code))
        self.readings: dict[Path, Reading] = {}
        self.used: dict[str, Reading] = {}
        self.known: dict[str, Any] = {}
        with suppress(OSError, ValueError, TypeError):
            self.known = dict(json.loads((self.folder / "readings.json").read_bytes()))
        self.started = time.time_ns()
        self.taken = 0  # revisions that were not run again

    def read(
        self, file: Path, path: str, make: Callable[[bytes], Reading], is_application: Callable[[str], bool]
    ) -> Reading:
        """What is known of a file; ``make`` reads it where nothing is."""
        data = file.read_bytes()
        key = digest(self.base, path, data)
        try:
            fields, operations, findings, applications = self.known[key]
            if any(is_application(module) is not was for module, was in applications.items()):
                raise KeyError
            for name in ("down_revision", "depends_on", "branch_labels"):
                fields[name] = tuple(fields[name])
            found = None if findings is None else [Finding(**each) for each in findings]
            reading = Reading(Migration(path, decode(data), **fields), operations, found, kept=True)
        except (KeyError, TypeError, ValueError, AttributeError):
            reading = make(data)
        self.readings[file] = reading
        if reading.whole:
            self.used[key] = reading
        return reading

    def save(self, is_application: Callable[[str], bool]) -> None:
        """Keep what was read, of the files of this run alone."""
        made = {}
        for key, reading in self.used.items():
            migration = reading.migration
            fields = {name: getattr(migration, name) for name in FIELDS}
            findings = None if reading.findings is None else [asdict(found) for found in reading.findings]
            applications = {module: is_application(module) for module, _ in migration.imports}
            made[key] = [fields, reading.operations, findings, applications]
        if any(not reading.kept for reading in self.used.values()) or made.keys() != self.known.keys():
            self.write("readings.json", json.dumps(made).encode())

    def write(self, name: str, data: bytes) -> None:
        """All of it or nothing; where the folder can't be written, nothing."""
        with suppress(OSError):
            self.folder.mkdir(exist_ok=True)
            (self.folder / ".gitignore").write_text("*\n")
            (self.folder / "CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55\n")
            new = self.folder / f"{name}.{os.getpid()}.new"
            try:
                new.write_bytes(data)
                new.replace(self.folder / name)
            finally:
                new.unlink(missing_ok=True)


# --- what a revision can depend on


def record() -> None:
    """From now on, note each file that is opened to be read."""
    opened.clear()
    hear()


@cache
def hear() -> None:
    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str) and str(arguments[1]).startswith("r"):
            opened.add(arguments[0])

    sys.addaudithook(note)


def is_installed(path: str) -> bool:
    return path.startswith(LIBRARIES) or "site-packages" in path or "dist-packages" in path


def modules() -> Iterator[tuple[str, str]]:
    for name, module in list(sys.modules.items()):
        if path := getattr(module, "__file__", None):
            yield name, os.path.abspath(path)


def libraries() -> set[str]:
    return {name.partition(".")[0] for name, path in modules() if is_installed(path)} - sys.stdlib_module_names


def loaded() -> set[str]:
    """The files that this process has read, but for those of the system, of installed libraries and of the guard."""
    paths = {path for _, path in modules()} | {os.path.abspath(path) for path in list(opened)}
    away = (str(GUARD), "/proc/", "/sys/", "/dev/", tempfile.gettempdir() + "/migration_guard_")
    return {
        path
        for path in paths
        if not (path.startswith(away) or is_installed(path))
        and os.path.isfile(path)
        and not {"__pycache__", FOLDER} & set(Path(path).parts)
    }


def bare(path: str) -> str:
    """What a module does besides its imports, which are looked at themselves, and the tables that it defines."""
    return bare_code(content(path)) if path.endswith(".py") else digest(content(path))


@cache
def bare_code(source: bytes) -> str:
    with suppress(SyntaxError, ValueError):
        return digest(*(ast.dump(node) for node in ast.parse(source).body if not is_passive(node)))
    return digest(source)


def is_passive(node: ast.stmt) -> bool:
    if isinstance(node, ast.ClassDef) and not node.decorator_list:
        named = (target for each in node.body if isinstance(each, ast.Assign) for target in each.targets)
        return any(isinstance(target, ast.Name) and target.id == "__tablename__" for target in named)
    constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return constant or isinstance(node, ast.Import | ast.ImportFrom)


def is_alone(migration: Migration) -> bool:
    """Does it use installed libraries alone, so that the project's code may change around it?"""
    tops = {module.partition(".")[0] for module, _ in migration.imports}
    return not REACHES.search(migration.source) and all(map(is_library, tops))


@cache
def is_library(name: str) -> bool:
    if name in sys.stdlib_module_names:
        return name not in ("sys", "gc", "inspect", "builtins")
    with suppress(ImportError, ValueError):
        spec = find_spec(name)
        return spec is not None and is_installed(str(spec.origin))
    return False


def said(value: Any) -> Any:
    """A setting in words that stay the same."""
    if isinstance(value, dict):
        return sorted((str(key), said(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return [said(each) for each in value]
    plain = value is None or isinstance(value, str | int | float)
    return repr(value) if plain else getattr(value, "__qualname__", type(value).__qualname__)
