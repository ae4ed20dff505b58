"""Tables of the application in modules that env.py does not import."""

import ast
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ..places import relative
from .models import Models


def unimported_tables(models: Models) -> Iterator[tuple[str, int, str]]:
    """Yield the name, line and file of each table in the application that ``models`` lacks."""
    root = models.root.resolve()
    known = {table.name for table in models.tables.values()}
    imported = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    files = {Path(file).resolve() for file in imported if file and "site-packages" not in file}
    packages = {
        package_of(file)
        for file in files
        if file.is_relative_to(root) and (file.parent / "__init__.py").is_file()
    }
    for path in sorted({file for package in packages for file in package.rglob("*.py")} - files):
        if {"tests", "test"} & {*path.relative_to(root).parts}:  # tables of tests don't count
            continue
        for name, line in tables_in(path):
            if name not in known:
                yield name, line, relative(path, root)


def package_of(path: Path) -> Path:
    """Return the top package that contains the module."""
    folder = path.parent
    while (folder.parent / "__init__.py").is_file():
        folder = folder.parent
    return folder


def tables_in(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the tables that a module defines and their lines, read without importing it."""
    with suppress(OSError, ValueError, SyntaxError):
        source = path.read_text(encoding="utf-8")
        if "__tablename__" not in source:
            return
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Assign(
                    [ast.Name("__tablename__")], ast.Constant(str(name))
                ) | ast.AnnAssign(ast.Name("__tablename__"), _, ast.Constant(str(name))):
                    yield name, node.lineno
