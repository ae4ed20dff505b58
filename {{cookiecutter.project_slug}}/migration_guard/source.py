"""Source text: how it is decoded and parsed, and what it means without comments and layout."""

from __future__ import annotations

import ast
import warnings


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
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def decode(data: bytes) -> str:
    """As Python itself decodes a source file."""
    if b"coding" in b"".join(data.split(b"\n", 2)[:2]):
        from importlib.util import decode_source  # imports tokenize, which most files don't need

        return decode_source(data)
    return data.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def parse(source: str, name: str) -> ast.Module:
    if "\\" not in source:
        return ast.parse(source, name)
    with warnings.catch_warnings(action="ignore"):  # of invalid escapes Python tells when it runs
        return ast.parse(source, name)
