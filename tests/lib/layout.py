"""Reads how the guard is laid out: what its modules import, and how long they are."""

from __future__ import annotations

import ast
import functools
import io
import sys
import tokenize
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

GUARD = "migration_guard"
# From the top to the bottom: a part imports only what comes after it.
PARTS = (
    "pictures",
    "cli",
    "check",
    "planning",
    "writing",
    "running",
    "reporting",
    "history",
    "rules",
    "reading",
    "deploying",
    "base",
)
ONLY_BASE = ("deploying",)  # parts that import nothing but the base
SINGLE_MODULES = {"__main__": "cli", "cli": "cli", "check": "check", "validator": "check"}
BASE = {
    "databases",
    "error_messages",
    "exceptions",
    "finding",
    "git",
    "no_connection",
    "output",
    "places",
    "pyproject",
    "settings",
    "source",
}
# What a part may import that is not of the standard library.
EVERYWHERE = {"alembic", "sqlalchemy"}
DEPENDENCIES = {"pictures": {"mako", "pygraphviz"}, "reading": {"sqlglot"}}
RULE_TEXTS = {"summary", "why", "fix", "bad", "good"}


def modules(guard: Path) -> dict[str, Path]:
    """Return the guard's modules by their names inside it, such as ``running.drift``."""
    found = {}
    for path in sorted(guard.rglob("*.py")):
        parts = path.relative_to(guard).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def part_of(module: str) -> str:
    """Return the part that a module belongs to. Raises KeyError when it belongs to none."""
    package, _, rest = module.partition(".")
    if package == "reporting" and rest.partition(".")[0] == "pictures":
        return "pictures"
    if package in PARTS:
        return package
    if package in BASE or not package:
        return "base"
    return SINGLE_MODULES[package]


def imported(module: str, path: Path) -> set[str]:
    """Return the full names of the modules that a file imports anywhere, also in its functions.

    ``from x import y`` gives ``x.y``, because y may be a module.
    """
    package = (GUARD, *module.split(".")) if module else (GUARD,)
    if path.name != "__init__.py":
        package = package[:-1]
    return _imported(package, path.read_text(encoding="utf-8"))


@functools.cache
def _imported(package: tuple[str, ...], text: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            source = (*above, node.module) if node.module else above
            names |= {".".join([*source, alias.name]) for alias in node.names}
    return names


def import_graph(guard: Path) -> dict[str, set[str]]:
    """Return which of the guard's modules each of them imports."""
    found = modules(guard)
    graph: dict[str, set[str]] = {module: set() for module in found}
    for module, path in found.items():
        for name in imported(module, path):
            package, _, inner = name.partition(".")
            if package == GUARD:
                graph[module].add(inner if inner in found else inner.rpartition(".")[0])
    return graph


def needed_to_deploy(guard: Path) -> set[str]:
    """Return the modules of ``deploying``, what env.py needs, and all that these import."""
    graph = import_graph(guard)
    needed = {module for module in graph if part_of(module) == "deploying"}
    needed.add("settings")  # env.py reads them to print SQL where there is no URL
    while more := {other for module in needed for other in graph[module]} - needed:
        needed |= more
    return needed


def wrong_directions(guard: Path) -> list[str]:
    """Return the imports that go up, or past the base where a part may import it alone."""
    wrong = []
    for module, targets in import_graph(guard).items():
        part = part_of(module)
        for target in sorted(targets):
            other = part_of(target)
            above = PARTS.index(other) < PARTS.index(part)
            if above or (part in ONLY_BASE and other not in (part, "base")):
                wrong.append(f"{module} imports {target}")
    return wrong


def circle(guard: Path) -> list[str]:
    """Return the modules of a circle of imports; none when there is no circle."""
    try:
        list(TopologicalSorter(import_graph(guard)).static_order())
    except CycleError as error:
        return list(error.args[1])
    return []


def foreign_imports(guard: Path) -> list[str]:
    """Return the imports of packages that a part of the guard may not use."""
    wrong = []
    for module, path in modules(guard).items():
        allowed = {GUARD, *EVERYWHERE, *DEPENDENCIES.get(part_of(module), set())}
        allowed |= sys.stdlib_module_names
        for name in sorted({name.partition(".")[0] for name in imported(module, path)} - allowed):
            wrong.append(f"{module} imports {name}")
    return wrong


def lines_of_code(path: Path) -> int:
    """Count the lines of a file without blank ones, comments, docstrings and the texts of rules."""
    text = path.read_text(encoding="utf-8")
    counted: set[int] = set()
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    silent |= {tokenize.ENCODING, tokenize.ENDMARKER}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in silent:
            counted |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        counted -= set(_texts(node))
    lines = text.splitlines()
    return sum(1 for number in counted if lines[number - 1].strip())


def _texts(node: ast.AST) -> Iterator[int]:
    """Yield the lines of a docstring, or of the texts where a rule is declared."""
    texts: list[ast.expr] = []
    if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        if ast.get_docstring(node, clean=False) is not None:
            assert isinstance(node.body[0], ast.Expr)
            texts.append(node.body[0].value)
    elif isinstance(node, ast.Call) and {word.arg for word in node.keywords} >= RULE_TEXTS:
        texts += [word.value for word in node.keywords if word.arg in RULE_TEXTS]
    for text in texts:
        assert text.end_lineno is not None
        yield from range(text.lineno, text.end_lineno + 1)
