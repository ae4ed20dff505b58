"""Tables in modules of the application that env.py does not import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def top(path: Path) -> Path:
    """The package that the module is in."""
    folder = path.parent
    while (folder.parent / "__init__.py").is_file():
        folder = folder.parent
    return folder


def tables_in(path: Path) -> Iterator[tuple[str, int]]:
    """The tables that a module defines, read without importing it."""
    with suppress(OSError, ValueError, SyntaxError):
        source = path.read_text(encoding="utf-8")
        if "__tablename__" not in source:
            return
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(
                node.value, ast.Constant
            ):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if (
                    isinstance(target, ast.Name)
                    and target.id == "__tablename__"
                    and isinstance(node.value.value, str)
                ):
                    yield node.value.value, node.lineno
