"""Source -> operations: what a migration does, from its calls of Alembic and SQLAlchemy.

The interpreter follows ``upgrade()`` and ``downgrade()`` as Python would; the reader adds each
operation.
"""

import ast
import gc
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from ..source import decode, parse
from .calls import QUIET
from .libraries import Libraries
from .migration import Migration, Operation, UnreadableMigration
from .operations import OP
from .signatures import IDENTIFIERS, STARRED
from .values import BIND, Function, Ref, large, text_of, texts_of

# What env.py may pass to upgrade() by keyword: context.run_migrations(op=op).
ARGUMENTS = {"op": OP, "operations": OP, "connection": BIND, "conn": BIND, "bind": BIND}


# Statements that only read: not SELECT setval(...), whose function may do anything.
QUERY = re.compile(
    r"""(?ix) [\s(]* (SELECT \s+ (?![\w.]+\s*\() | SELECT \s+ (count|min|max|exists) \s* \(
    | SHOW\b | EXPLAIN\b | DESCRIBE\b | VALUES\b | PRAGMA \s+ \w+ \s* $)"""
)


def read_migration(
    path: str | Path,
    *,
    dialects: Sequence[str] = ("sqlite", "postgresql", "mariadb"),
    source: str | None = None,
    root: str | Path = "",
) -> Migration:
    """Return what the migration does. Raises UnreadableMigration. ``path`` is below ``root``."""
    name = str(path)
    collecting = gc.isenabled()
    gc.disable()  # looking for cycles in a growing tree takes a third of the time
    try:
        with readable(name):
            if source is None:
                source = decode(Path(root, path).read_bytes())
            reader = Reader(Migration(name, source), tuple(dialects), root)
            migration = reader.read(parse(source, name))
            large.clear()
            reader.globals.clear()  # breaks the reference cycles of functions and their scopes
            return migration
    finally:
        if collecting:
            gc.enable()


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Raise UnreadableMigration for any error of reading and parsing the file ``name``."""
    try:
        yield
    except SyntaxError as error:
        raise UnreadableMigration(name, error.lineno or 1, error.msg) from error
    except (RecursionError, MemoryError) as error:
        raise UnreadableMigration(name, 1, "nested too deeply") from error
    except UnreadableMigration:
        raise
    except ValueError as error:  # a null byte, or bytes that are not text
        raise UnreadableMigration(name, 1, str(error)) from error
    except OSError as error:
        raise UnreadableMigration(name, 1, error.strerror or str(error)) from error


@lru_cache(maxsize=256)
def module_beside(folder: str, module: str, near: bool) -> dict[str, Any]:
    """Return the names of a module of the project of these migrations; none if it isn't found.

    ``near``: only beside the migrations. What their helpers import from elsewhere belongs to the
    application.
    """
    path, level = module.lstrip(".").replace(".", "/"), len(module) - len(module.lstrip("."))
    here = Path(os.path.abspath(folder))
    parents = [here, *here.parents]
    bases = [base for parent in parents for base in (parent, parent / "src")]
    for base in parents[level - 1 : level] if level else bases:
        for file in (base / f"{path}.py", base / path / "__init__.py"):
            if file.is_file():
                return {} if near and not file.is_relative_to(here.parent) else names_in(file)
    return {}


def names_in(file: Path) -> dict[str, Any]:
    """Return the names that a module defines; none if it can't be read."""
    try:
        source = decode(file.read_bytes())
        reader = Reader(Migration(str(file), source), ())
        reader.block(parse(source, str(file)).body)
        return reader.globals
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return {}


class Reader(Libraries):
    """Follows one migration."""

    starred: ClassVar[Mapping[str, Iterable[str]]] = {"alembic.op": STARRED}

    def __init__(
        self, migration: Migration, dialects: tuple[str, ...], root: str | Path = ""
    ) -> None:
        super().__init__(migration, dialects)
        self.file = self.globals["__file__"] = os.path.abspath(os.path.join(root, migration.path))

    def read(self, tree: ast.Module) -> Migration:
        migration = self.migration
        for node in tree.body:
            self.statement(node)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                migration.lines[node.name] = node.lineno
            elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name):
                        migration.lines[target.id] = node.lineno
                        if target.id in IDENTIFIERS:
                            self.identifier(target.id, node.value)
        if "revision" not in migration.lines:
            migration.problems.append((1, "no revision identifier"))
        if "upgrade" not in self.globals:
            migration.problems.append((1, "no upgrade() function"))
        elif not is_def(self.globals["upgrade"]):
            migration.problems.append(
                (migration.lines.get("upgrade", 1), "upgrade is not a function of this file")
            )
        migration.lossy = text_of(self.globals.get("lossy"))
        migration.irreversible = text_of(self.globals.get("irreversible"))
        for name in ("upgrade", "downgrade"):
            self.entry(name)
        created = {o.name: o for o in migration.operations if o.operation == "create_index"}
        for operation in migration.operations:
            # DROP INDEX may lack the table; the other direction has it.
            lacks = operation.operation == "drop_index" and operation.name and not operation.table
            if lacks and (other := created.get(operation.name)):
                operation.table, operation.schema = other.table, other.schema
        return migration

    def identifier(self, name: str, node: ast.expr) -> None:
        try:
            value = node.value if type(node) is ast.Constant else ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError):
            self.migration.problems.append((node.lineno, f"{name} is computed"))
            return
        if name != "revision":
            setattr(self.migration, name, texts_of(value))
        elif isinstance(value, str):
            self.migration.revision = value
        else:
            self.migration.problems.append((node.lineno, "revision is not a string"))

    def entry(self, name: str) -> None:
        steps: list[Any] = [self.globals.get(name)]
        if not is_def(steps[0]):
            return
        self.function, self.autocommit, self.search_path = name, False, None
        parameters = {parameter.arg for parameter in steps[0].node.args.args}
        if parameters - ARGUMENTS.keys():  # the multi-database template: upgrade(engine_name)
            steps += [
                value
                for other, value in self.globals.items()  # calls upgrade_<engine_name>()
                if other.startswith(f"{name}_") and is_def(value)
            ]
        noted, reads = len(self.migration.operations), len(self.migration.bind_reads)
        kinds = []
        for step in steps:
            self.hidden = False
            self.run(step, [], dict(ARGUMENTS))
            kinds.append(kind_of_body(step.node.body))
        kinds = kinds[1:] or kinds  # the template's own upgrade() only chooses
        operations = self.migration.operations[noted:]
        only_reads = len(self.migration.bind_reads) > reads
        body = next((kind for kind in kinds if kind != "empty"), "empty")
        if body == "code" and not any(map(is_understood, operations)):
            if operations or (self.hidden and not only_reads):
                self.migration.unread.append(name)
            elif only_reads:
                body = "reads"
        elif body == "code" and all(is_query(operation) for operation in operations):
            body = "reads"
        self.migration.bodies[name] = body

    def found(self, ref: Any, near: bool = False) -> Any:
        """Return what an imported name stands for, if its file is in the project. It is not run."""
        if type(ref) is not Ref or ref.root in QUIET or not self.function:
            return ref
        module, _, name = ref.path.rpartition(".")
        return module_beside(os.path.dirname(self.file), module, near or self.site is not None).get(
            name, ref
        )


def is_def(value: Any) -> bool:
    return isinstance(value, Function) and not isinstance(value.node, ast.Lambda)


def is_understood(operation: Operation) -> bool:
    """Return whether anything is known of what an operation does."""
    unknown_sql = operation.operation in ("execute", "unparsed") and not operation.certain
    return operation.via != "call" and not unknown_sql


def is_query(operation: Operation) -> bool:
    """Return whether an operation only reads from the database."""
    text = operation.sql if operation.operation == "execute" else None
    return text is not None and all(map(QUERY.match, filter(str.strip, text.split(";"))))


def kind_of_body(body: Any) -> str:
    """Return whether a function is empty, raises, or has code."""
    for node in body:
        if isinstance(node, ast.Pass) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            continue
        if isinstance(node, ast.Return) and (
            node.value is None or isinstance(node.value, ast.Constant)
        ):
            break
        return "raises" if isinstance(node, ast.Raise) else "code"
    return "empty"
