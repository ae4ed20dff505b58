"""Measures the reader on the migrations of real applications; ``nox -s corpus`` runs it.

    python benchmarks/corpus.py CACHE [APPLICATION ...]

Wheels are downloaded by name from the package index into CACHE. The truth comes from running each
migration in Alembic's offline mode for PostgreSQL, with every operation and every executed
statement recorded. A stub replaces each module that a migration imports and that can't be imported.
Only migrations that run to their end count. The result goes to ``benchmarks/corpus.md``.
"""

from __future__ import annotations

import ast
import collections
import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import json
import re
import signal
import statistics
import subprocess
import sys
import time
import types
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
GUARD = ROOT / "{{cookiecutter.project_slug}}"
APPLICATION_NAMES = """
    aiida-core anitya apache-airflow==2.10.5 apache-airflow-core apache-superset argilla-server
    arize-phoenix bodhi-server buildbot ckan cloudkitty dagster datajunction-server designate
    ethyca-fides fittrackee galaxy-data glance ihatemoney indico ironic jupyterhub keystone
    langflow-base lemur mage-ai magnum manila meltano mlflow mlrun mwdb-core neutron nova octavia
    open-webui optuna prefect privacyidea pypn-ref-geo pypnnomenclature quetz-server rucio skypilot
    skyvern taxhub zenml
"""
MIGRATION = re.compile(r"^(async )?def (upgrade|downgrade)\w*\(", re.MULTILINE)
IDENTIFIER = re.compile(r"^(down_)?revision\b", re.MULTILINE)


def download(name: str, cache: Path) -> Path:
    """Return the folder of an application's unpacked wheel."""
    folder = cache / name.replace("==", "-")
    if not folder.exists():
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
        ]
        target = cache / "wheels" / folder.name
        subprocess.run([*pip, "--python-version", "3.12", "--dest", str(target), name], check=True)
        with zipfile.ZipFile(next(target.glob("*.whl"))) as wheel:
            wheel.extractall(folder)
    return folder


def migrations(folder: Path) -> list[Path]:
    """Return every migration below a folder."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if MIGRATION.search(text) and IDENTIFIER.search(text):
            found.append(path)
    return found


# The truth: in a process of its own, since it runs the applications' code


def record(folder: Path) -> dict[str, Any]:
    """Run every migration offline and return what each did."""
    import alembic.context
    import sqlalchemy as sa
    import sqlalchemy.orm
    from alembic.operations import Operations
    from alembic.operations.base import AbstractOperations
    from alembic.runtime.migration import MigrationContext

    sys.meta_path.append(Stubs(folder))
    sys.path.insert(0, str(folder))
    operations: list[list[Any]] = []
    statements: list[str] = []
    invoke = AbstractOperations.invoke

    def invoked(self: Any, operation: Any) -> Any:
        name = snake(operation).removesuffix("_op")
        if name == "execute_s_q_l":
            return executed(operation.sqltext)
        table = getattr(operation, "table_name", None) or getattr(operation, "source_table", None)
        table = getattr(operation.table, "name", None) if name == "bulk_insert" else table
        operations.append([name, *map(text, (table, getattr(operation, "new_table_name", None)))])
        return invoke(self, operation)

    def executed(statement: Any) -> Any:
        for kind in ("insert", "update", "delete"):
            if getattr(statement, f"is_{kind}", False):
                operations.append(
                    ["bulk_insert" if kind == "insert" else kind, text(statement.table.name), None]
                )
        if isinstance(statement, (sa.schema.CreateSchema, sa.schema.DropSchema)):
            operations.append([snake(statement), None, None])
        elif isinstance(statement, (str, sa.sql.elements.TextClause)):
            operations.append(["execute", None, None])
            statements.append(str(statement))
        return nothing

    def late(*_: Any) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)

    AbstractOperations.invoke = invoked  # type: ignore[method-assign]
    connection, nothing = sa.engine.mock.MockConnection, Result()
    for owner in (connection, sa.orm.Session):
        for name in ("execute", "exec_driver_sql", "scalar", "scalars"):
            setattr(owner, name, lambda self, statement, *_, **__: executed(statement))
        for name in ("begin", "begin_nested", "connect", "execution_options", "__enter__"):
            setattr(owner, name, lambda self, *_, **__: self)
        for name in (
            "query",
            "add",
            "add_all",
            "get",
            "close",
            "commit",
            "rollback",
            "flush",
            "in_transaction",
            "__exit__",
        ):
            setattr(owner, name, lambda self, *_, **__: nothing)
    for owner, kind in ((sa.Table, "table"), (sa.Index, "index")):
        for verb in ("create", "drop"):
            made = f"{verb}_{kind}"
            setattr(
                owner,
                verb,
                lambda self, *_, made=made, **__: operations.append(
                    [made, getattr(self, "table", self).name, None]
                ),
            )
    sa.Enum.create = sa.Enum.drop = lambda *_, **__: None  # type: ignore[method-assign]
    sa.inspect = lambda *_, **__: nothing
    sa.Table._autoload = sa.MetaData.reflect = lambda *_, **__: None  # type: ignore[method-assign]
    alembic.context.is_offline_mode = lambda: False
    alembic.context.config = Stub()
    truth: dict[str, Any] = {}
    for path in migrations(folder):
        found = truth[str(path.relative_to(folder))] = {"error": None}
        Stub.calls.clear()
        for function in ("upgrade", "downgrade"):
            operations.clear()
            statements.clear()
            context = MigrationContext.configure(
                dialect_name="postgresql", opts={"as_sql": True, "output_buffer": io.StringIO()}
            )
            alembic.context.get_context = lambda context=context: context
            alembic.context.get_bind = lambda context=context: context.bind
            signal.alarm(10)
            try:
                with Operations.context(context):
                    run(path, folder, function)
            except BaseException as error:  # an application's code may raise anything
                found["error"] = found["error"] or f"{type(error).__name__}: {error}"[:200]
            signal.alarm(0)
            found[function] = {"operations": list(operations), "sql": list(statements)}
        found["stubbed"] = sorted({line for file, line in Stub.calls if file == str(path)})
    return truth


def snake(thing: Any) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(thing).__name__).lower()


def text(value: Any) -> str | None:
    return str(value) if isinstance(value, str) else None


def folded(name: str | None) -> str | None:
    """Return a name as PostgreSQL compares it where it is not quoted."""
    return name and name.lower()


def run(path: Path, folder: Path, function: str) -> None:
    name = ".".join(path.relative_to(folder).with_suffix("").parts)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    step = getattr(module, function, None)
    if step is not None:
        import alembic.op

        parameters = step.__code__.co_varnames[: step.__code__.co_argcount]
        step(*[alembic.op if parameter == "op" else None for parameter in parameters])


class Result:
    """What a statement gives back offline: nothing, in every form."""

    rowcount = 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __getattr__(self, name: str) -> Callable[..., Any]:
        single = name in ("scalar", "first", "fetchone", "one_or_none", "scalar_one_or_none")
        return lambda *_, **__: (
            None if single else [] if name.startswith(("fetch", "all")) else self
        )

    def __bool__(self) -> bool:
        return False

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None: ...


class StubType(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StubType(name, (Stub,), {})

    def __len__(cls) -> int:
        return 0

    def __iter__(cls) -> Iterator[Any]:
        return iter(())

    def __getitem__(cls, key: Any) -> Any:
        return cls


def caller() -> tuple[str, int]:
    frame = sys._getframe(2)
    return frame.f_code.co_filename, frame.f_lineno


def stub_base() -> type:
    import sqlalchemy as sa

    class Base(sa.types.UserDefinedType[Any]):  # so that a stub serves as the type of a column
        cache_ok = True

        def get_col_spec(self, **_: Any) -> str:
            return "STUB"

    return Base


class Stub(metaclass=StubType):
    """Stands for anything: a module's name, a base class, a decorator, a function, a type."""

    calls: ClassVar[
        list[tuple[str, int]]
    ] = []  # where a stub was called: what it stands for may do anything

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        Stub.calls.append(caller())
        if len(args) == 1 and not kwargs and isinstance(args[0], types.FunctionType):
            return args[0]
        return stub_base()() if cls.__mro__[1] is Stub and not args else super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StubType(name, (Stub,), {})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        Stub.calls.append(caller())
        return args[0] if len(args) == 1 and isinstance(args[0], types.FunctionType) else Stub()

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None: ...


class Stubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives stubs for what can't be imported, and for an application apart from its migrations."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.own = {path.name for path in folder.iterdir() if path.is_dir()}
        sys.meta_path.insert(0, types.SimpleNamespace(find_spec=self.find_own))  # type: ignore[arg-type]

    def find_own(self, name: str, path: Any = None, target: Any = None) -> Any:
        root = name.partition(".")[0]
        if root not in self.own or re.search(r"migrat|alembic", name.rpartition(".")[0] or name):
            return None
        return self.find_spec(name)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.partition(".")[0] in sys.stdlib_module_names | {"sqlalchemy", "alembic"}:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> Any:
        module = types.ModuleType(spec.name)
        module.__getattr__ = lambda name: self.attribute(spec.name, name)  # type: ignore[method-assign]
        module.__path__ = [str(self.folder.joinpath(*spec.name.split(".")))]
        return module

    def attribute(self, module: str, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.folder.joinpath(*module.split("."), f"{name}.py").exists():
            return importlib.import_module(f"{module}.{name}")
        return StubType(name, (Stub,), {})

    def exec_module(self, module: Any) -> None: ...


# What is compared


def sql_tables(statement: str) -> set[str]:
    """Return the tables that a statement changes.

    sqlglot parses the statement; a pattern finds the tables of one that it can't parse.
    """
    import sqlglot
    from sqlglot import exp

    tables = set()
    pattern = r"""(?ix)\b(?:ALTER\s+TABLE|UPDATE|INSERT\s+INTO|DELETE\s+FROM|
        TRUNCATE(?:\s+TABLE)?|DROP\s+TABLE|CREATE\s+TABLE)\s+
        (?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?:ONLY\s+)?(?:["`\w]+\.)?["`]?(\w+)"""
    try:
        trees = sqlglot.parse(statement, dialect="postgres")
    except sqlglot.errors.SqlglotError:
        return set(
            re.findall(
                pattern, re.sub(r"--.*|'[^']*'|\$(\w*)\$.*?\$\1\$", "", statement, flags=re.DOTALL)
            )
        )
    changing = (exp.Insert, exp.Update, exp.Delete)
    nested = [
        part for tree in trees if tree for part in tree.find_all(*changing) if part is not tree
    ]  # in a WITH
    for tree in [*trees, *nested]:
        if isinstance(tree, exp.Command):
            text = tree.sql()
            if text.upper().startswith("ALTER TABLE"):
                tables |= set(re.findall(pattern, text)[:1])
        elif isinstance(
            tree,
            (
                exp.Alter,
                exp.Update,
                exp.Insert,
                exp.Delete,
                exp.TruncateTable,
                exp.Create,
                exp.Drop,
            ),
        ):
            kind = tree.args.get("kind") or "TABLE"
            index = kind == "INDEX" and isinstance(tree, exp.Create)
            if (kind == "TABLE" or index) and (table := tree.find(exp.Table)):
                target = (
                    tree.this.find(exp.Table) if isinstance(tree.this, exp.Expression) else table
                )
                tables.add((target or table).name)
                tables |= {e.this.name for e in tree.find_all(exp.AlterRename)}
    return tables


class Score:
    """Right, missing and wrong."""

    def __init__(self) -> None:
        self.right = self.missing = self.wrong = 0

    def add(
        self,
        truth: collections.Counter[Any],
        found: collections.Counter[Any],
        sure: collections.Counter[Any],
    ) -> None:
        self.right += (truth & found).total()
        self.missing += (truth - found).total()
        self.wrong += (sure - truth).total()

    def plus(self, other: Score) -> None:
        self.right, self.missing, self.wrong = (
            self.right + other.right,
            self.missing + other.missing,
            self.wrong + other.wrong,
        )

    def recall(self) -> str:
        return share(self.right, self.missing)

    def precision(self) -> str:
        return share(self.right, self.wrong)


def share(right: int, other: int) -> str:
    return f"{100 * right / (right + other):.1f}" if right + other else "-"


class Read(NamedTuple):
    """One operation, as a reader tells it."""

    function: str
    operation: str
    table: str | None
    new_table: str | None = None
    sure: bool = True
    in_sql: bool = False
    line: int = 0

    @property
    def tables(self) -> set[str]:
        return {table.lower() for table in (self.table, self.new_table) if table}

    @property
    def key(self) -> tuple[str, str | None]:
        return (
            self.operation,
            None if self.operation == "drop_index" else folded(self.table),
        )  # which need not tell its table


def read_ours(path: Path) -> list[Read]:
    from migration_guard.reading.reader import read_migration

    return [
        Read(
            o.function,
            o.operation,
            o.table,
            text(o.kwargs.get("new_table_name")),
            o.certain and not o.conditional,
            bool(o.via),
            o.line,
        )
        for o in read_migration(path, dialects=("postgresql",)).operations
        if o.dialects is None or "postgresql" in o.dialects
    ]


def read_first_strings(path: Path) -> list[Read]:
    """Read as SoundHash's original validator did: a call on ``op`` has its table first."""
    calls = [
        (function.name, node)
        for function in ast.parse(path.read_bytes()).body
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    return [
        Read(
            name,
            call.func.attr,
            next((arg.value for arg in call.args if text(getattr(arg, "value", None))), None),
        )
        for name, call in calls
        if isinstance(call.func.value, ast.Name) and call.func.value.id == "op"
    ]


def read_oneport(path: Path) -> list[Read]:
    from oneport_migrate.parsers.alembic_parser import parse_alembic_migration  # type: ignore[import-not-found]

    names = {"set_not_null": "alter_column", "rename_column": "alter_column", "raw_sql": "execute"}
    parsed = parse_alembic_migration(str(path), path.read_text(encoding="utf-8"))
    return [
        Read("upgrade", names.get(o.kind.value, o.kind.value), o.table or None) for o in parsed.ops
    ]


def read_alembic_guard(path: Path) -> list[Read]:
    from alembic_guard import checker  # type: ignore[import-not-found]

    calls: list[Any] = []
    made = checker._OpCall.__init__

    def noted(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        calls.append(self)

    checker._OpCall.__init__ = noted
    try:
        checker.check_file(path)
    finally:
        checker._OpCall.__init__ = made
    return [
        Read(
            "upgrade",
            str(checker._callee_name(call.node)),
            call.table if hasattr(call, "_table_arg") else None,
        )
        for call in calls
    ]


def read_lockcheck(path: Path) -> list[Read]:
    from lockcheck import _analyze  # type: ignore[import-not-found]

    _analyze.check_file(path)
    return []


READERS: dict[str, Callable[[Path], list[Read]]] = {
    "this guard": read_ours,
    "first strings": read_first_strings,
    "oneport-migrate": read_oneport,
    "alembic-guard": read_alembic_guard,
    "lockcheck": read_lockcheck,
}
OWN = ("this guard", "first strings")  # the others are packages
UNSEEN = ("create_type", "drop_type")  # Enum.create(bind): nothing records it offline


def measure(
    folder: Path, truth: dict[str, Any], read: Callable[[Path], list[Read]], show: bool
) -> dict[str, Any]:
    """Compare what a reader finds with the truth of one application."""
    scores = {"tables": Score(), "operations": Score(), "raw SQL": Score()}
    crashes, spent = 0, 0.0
    for name, did in truth.items():
        start = time.process_time()
        try:
            found = read(folder / name)
        except Exception as error:  # a crash is what is counted
            crashes += 1
            print(f"{name}: {error!r}", file=sys.stderr)
            continue
        finally:
            spent += time.process_time() - start
        guarded = tried(folder / name) | set(did["stubbed"])
        for function in ("upgrade", "downgrade") if read is read_ours else ("upgrade",):
            if did["error"]:
                continue
            mine = [
                each for each in found if each.function == function and each.operation not in UNSEEN
            ]
            sure = [each for each in mine if each.sure and each.line not in guarded]
            done = [Read(function, *operation) for operation in did[function]["operations"]]
            in_sql = {
                table.lower()
                for statement in did[function]["sql"]
                for table in sql_tables(statement)
            }
            compared: dict[str, tuple[Iterable[Any], Iterable[Any], Iterable[Any]]] = {
                "tables": (
                    set().union(in_sql, *(each.tables for each in done)),
                    set().union(*(each.tables for each in mine)),
                    set().union(*(each.tables for each in sure if each.operation != "drop_index")),
                ),
                "operations": (
                    [each.key for each in done],
                    [each.key for each in mine if not each.in_sql],
                    [each.key for each in sure if not each.in_sql],
                ),
                "raw SQL": (
                    in_sql,
                    set().union(*(each.tables for each in mine if each.in_sql)),
                    (),
                ),
            }
            for what, parts in compared.items():
                true, all_found, certain = map(collections.Counter, parts)
                scores[what].add(true, all_found, certain)
                if show and (true - all_found or certain - true):
                    print(
                        f"{name} {function} {what}: missing {dict(true - all_found)} "
                        f"wrong {dict(certain - true)}"
                    )
    return {"scores": scores, "crashes": crashes, "spent": spent, "files": len(truth)}


def tried(path: Path) -> set[int]:
    """Return the lines that a try guards: in the run with stubs they may have failed half way."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Try) and node.handlers:
            lines |= set(range(node.lineno, (node.end_lineno or 0) + 1))
    return lines


def cost(paths: list[Path]) -> tuple[float, float]:
    """Return the reader's time apart from SQL text, and its time for SQL text.

    Both are multiples of the time of ast.parse on the same files: the migrations and the project's
    own modules that they import, each from disk. The two take turns on each file, since the speed
    of the machine changes; the least of five turns counts.
    """
    from migration_guard.reading import reader, sql

    on_sql, read_sql, names_in = [0.0], sql.read_sql, reader.names_in
    reads: dict[Path, Callable[[], Any]] = {}

    def timed(text: str, dialects: Sequence[str]) -> Any:
        start = time.process_time()
        try:
            return read_sql(text, dialects)
        finally:
            on_sql[0] += time.process_time() - start

    def noted(file: Path) -> dict[str, Any]:
        reads[file] = lambda: names_in(file)
        return names_in(file)

    sql.read_sql, reader.names_in = timed, noted
    reader.module_beside.cache_clear()
    for path in paths:
        with contextlib.suppress(ValueError):
            reader.read_migration(path, dialects=("postgresql",))
            reads[path] = partial(reader.read_migration, path, dialects=("postgresql",))
    total = [0.0] * 3
    for path, read in reads.items():
        best = [float("inf")] * 3
        for _ in range(5):
            start = time.process_time()
            ast.parse(path.read_bytes())
            parsed, on_sql[0], start = time.process_time() - start, 0.0, time.process_time()
            read()
            whole = time.process_time() - start
            best = [
                min(pair) for pair in zip(best, (parsed, whole - on_sql[0], on_sql[0]), strict=True)
            ]
        total = [sum(pair) for pair in zip(total, best, strict=True)]
    sql.read_sql, reader.names_in = read_sql, names_in
    return total[1] / total[0], total[2] / total[0]


def main(cache: Path, names: list[str]) -> None:
    sys.path.insert(0, str(GUARD))
    sys.dont_write_bytecode = True
    show = bool(names)
    lines: list[str] = []
    costs: list[tuple[float, float]] = []
    totals: dict[str, dict[str, Any]] = {}
    for name in names or APPLICATION_NAMES.split():
        folder = download(name, cache)
        file = cache / f"{folder.name}.json"
        if not file.exists():
            run_apart = [sys.executable, __file__, "--truth", str(folder)]
            quiet: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            output = subprocess.run(
                run_apart, check=True, cwd=cache, **quiet
            ).stdout  # some write files where they are
            file.write_bytes(output.splitlines()[-1])
        truth = json.loads(file.read_text())
        ran = sum(not did["error"] for did in truth.values())
        for reader, read in READERS.items():
            if reader not in OWN and importlib.util.find_spec(reader.replace("-", "_")) is None:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = measure(folder, truth, read, show and reader == "this guard")
            tables, operations, raw = result["scores"].values()
            if reader == "this guard":
                figures = (
                    tables.recall(),
                    tables.precision(),
                    operations.recall(),
                    operations.precision(),
                    raw.recall(),
                )
                with warnings.catch_warnings(action="ignore"):
                    times = cost([folder / path for path in truth])
                costs.append(times)
                rate = f"{result['files'] / result['spent']:.0f}"
                cells = [
                    name,
                    len(truth),
                    ran,
                    *figures,
                    result["crashes"],
                    rate,
                    *(f"{each:.2f}" for each in times),
                ]
                lines.append(f"| {' | '.join(map(str, cells))} |")
                print(lines[-1], flush=True)
            total = totals.setdefault(
                reader,
                {"scores": [Score(), Score(), Score()], "crashes": 0, "spent": 0.0, "files": 0},
            )
            for key in ("crashes", "spent", "files"):
                total[key] += result[key]
            for whole, part in zip(total["scores"], (tables, operations, raw), strict=True):
                whole.plus(part)
    medians = [f"{statistics.median(column):.2f}" for column in zip(*costs, strict=True)]
    lines.append(f"| median {'| ' * 9}| {' | '.join(medians)} |")
    peers = []
    for reader, total in totals.items():
        tables, operations, raw = total["scores"]
        figures = (
            tables.recall(),
            tables.precision(),
            operations.recall(),
            operations.precision(),
            raw.recall(),
        )
        cells = [
            reader,
            *(figures if tables.right else "-----"),
            total["crashes"],
            f"{total['files'] / total['spent']:.0f}",
        ]
        peers.append(f"| {' | '.join(map(str, cells))} |")
        print(peers[-1])
    if not names:
        write(lines, peers)


HEAD = (
    "| application | migrations | ran | tables: recall | precision | operations: recall "
    "| precision | raw SQL | crashes | files/s | time / ast.parse | SQL / ast.parse |"
)


def write(lines: list[str], peers: list[str]) -> None:
    text = f"""# Reading the migrations of real applications

`nox -s corpus` downloads these applications, runs each of their migrations offline on PostgreSQL,
records every operation, and compares. Only migrations that run offline to their end count ("ran").
An operation is not counted as wrong if the reader calls it uncertain or conditional, if it stands
in a `try` with handlers, or if it comes from a function of the application that a stub replaced.
Names are compared in lower case. Recall and precision are in percent. "Raw SQL" is the recall of
the tables that SQL text changes, as sqlglot's parser sees them. The last two columns are the
reader's time without and for SQL text, as multiples of `ast.parse` on the same files: the
migrations and the project's own modules that they import. The two take turns on each file, and the
least of five turns counts. SQL in files of its own counts as SQL text.

{HEAD}
|---|---|---|---|---|---|---|---|---|---|---|---|
{chr(10).join(lines)}

## Other tools

On the same migrations, only `upgrade` (none of them reads `downgrade` by default). "First strings"
is how SoundHash's original validator works: the first string of each call on `op` is its table.
lockcheck reports findings only.

| tool | tables: recall | precision | operations: recall | precision | raw SQL | crashes | files/s |
|---|---|---|---|---|---|---|---|
{chr(10).join(peers)}
"""
    (ROOT / "benchmarks" / "corpus.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "--truth":
        print(json.dumps(record(Path(sys.argv[2]))))
    else:
        main(Path(sys.argv[1]).resolve(), sys.argv[2:])
