"""Measures the time of the roundtrip, of the same steps without checks, and of other tools.

    python benchmarks/roundtrip.py [--sizes 10,100,1000] [--databases sqlite,postgresql,mariadb]

Its figures replace the same ones in roundtrip.md; growth.svg is drawn from the figures there. Each
figure is the best of ``--repeat`` runs, every run in a process of its own. On SQLite, where that
process does all the work, it is processor time; on servers it is the time on the clock, which needs
an idle machine.

- ``bare``: each revision up, down and up again in one process over one connection.
- ``schema``: the roundtrip without rows. ``rows``: the roundtrip.
- ``stairway``: one Alembic command for each step, as most projects test it.
- ``pytest-alembic``: its test that goes up and down, on SQLite.
- ``upgrade`` and ``check``: the history once, without and with drift.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common

ROOT = Path(__file__).resolve().parents[1]
GUARD = ROOT / "{{cookiecutter.project_slug}}"
SERVERS = {"sqlite": "sqlite://", **common.SERVERS}
ENV = """\
import sqlalchemy as sa
from alembic import context
from sqlalchemy import pool

def run(connection):
    context.configure(connection=connection, target_metadata=sa.MetaData(),
                      transaction_per_migration=True,
                      transactional_ddl=True if connection.dialect.name == "sqlite" else None)
    with context.begin_transaction():
        context.run_migrations()

given = context.config.attributes.get("connection")  # a connection, or pytest-alembic's engine
if isinstance(given, sa.Connection):
    run(given)
else:
    url = context.config.get_main_option("sqlalchemy.url")
    with (given or sa.create_engine(url, poolclass=pool.NullPool)).connect() as own:
        run(own)
"""


def operations(number: int) -> tuple[str, str]:
    """What revision ``number`` does: of ten, two create tables and eight change earlier ones."""
    table = f"t{number // 5 * 5:04d}"
    kind = number % 10
    if number % 5 == 0:
        parent = f"t{(number // 10) * 5:04d}"
        key = (
            f", sa.Column('parent', sa.Integer(), sa.ForeignKey('{parent}.id', name='fk_{table}'))"
            if parent != table
            else ""
        )
        return (
            (
                f"op.create_table('{table}', sa.Column('id', sa.Integer(), primary_key=True), "
                "sa.Column('name', sa.String(80), nullable=False),"
                f" sa.Column('amount', sa.Numeric(10, 2)), sa.Column('at', sa.DateTime()){key})"
            ),
            f"op.drop_table('{table}')",
        )
    if kind in (1, 6):
        return (
            f"op.add_column('{table}', sa.Column('c{number}', sa.String(40)))",
            f"op.drop_column('{table}', 'c{number}')",
        )
    if kind in (2, 7):
        return (
            f"op.create_index('ix_{number}', '{table}', ['name'])",
            f"op.drop_index('ix_{number}', '{table}')",
        )
    if kind == 3:
        return (
            (
                f"op.add_column('{table}', sa.Column('c{number}', sa.Integer(), "
                "server_default='0', nullable=False))"
            ),
            f"op.drop_column('{table}', 'c{number}')",
        )
    if kind == 8:
        column = f"sa.Column('c{number}', sa.Integer())"
        return (
            (
                f"op.add_column('{table}', {column})\n"
                f"    op.execute('UPDATE {table} SET c{number} = 1')"
            ),
            f"op.drop_column('{table}', 'c{number}')",
        )
    return (
        f"op.create_index('ix_{number}', '{table}', ['amount', 'at'], unique=False)",
        f"op.drop_index('ix_{number}', '{table}')",
    )


def write(folder: Path, size: int) -> None:
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENV)
    (folder / "script.py.mako").write_text("")
    (folder.parent / "alembic.ini").write_text(
        "[alembic]\nscript_location = %(here)s/alembic\npath_separator = os\n"
        "prepend_sys_path = %(here)s\n"
    )
    for number in range(size):
        write_revision(folder, number)


def write_models(folder: Path, size: int) -> None:
    """Models of what the revisions make, where env.py finds them."""
    tables: dict[str, list[str]] = {}
    for number in range(size):
        name, first, rest = MADE.match(operations(number)[0].splitlines()[0]).groups()  # type: ignore[union-attr]
        if name == "create_index":
            table, columns = re.findall(r"'(\w+)', (\[.*?\])", rest)[0]
            tables[table].append(f"sa.Index('{first}', *{columns})")
        else:
            tables.setdefault(first, []).append(rest)
    classes = (
        (
            f"class T{name}(Base):\n    __tablename__ = '{name}'\n"
            f"    __table_args__ = ({', '.join(parts)},)\n"
        )
        for name, parts in tables.items()
    )
    base = (
        "import sqlalchemy as sa\nfrom sqlalchemy.orm import DeclarativeBase\n\n"
        "class Base(DeclarativeBase):\n    pass\n\n"
    )
    (folder.parent / "models.py").write_text(base + "\n".join(classes))
    (folder / "env.py").write_text(
        "import models\n" + ENV.replace("sa.MetaData()", "models.Base.metadata")
    )


MADE = re.compile(r"op\.(\w+)\('(\w+)', (.*)\)")


def write_revision(folder: Path, number: int) -> None:
    up, down = operations(number)
    before = f"'r{number - 1:04d}'" if number else None
    (folder / "versions" / f"r{number:04d}.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\n\nrevision = 'r{number:04d}'\n"
        f"down_revision = {before}\n\n\n"
        f"def upgrade():\n    {up}\n\n\ndef downgrade():\n    {down}\n"
    )


def measure(kind: str, project: Path, url: str) -> float:
    """Run in this process; the time starts when everything is imported."""
    sys.path.insert(0, str(GUARD))
    sys.dont_write_bytecode = True  # it would be baked into projects
    from alembic import command
    from alembic.config import Config
    from migration_guard import settings
    from migration_guard.running import drift, roundtrip, scratch, stepping

    config, own = Config(project / "alembic.ini"), settings.read_settings(project)
    server = scratch.find_url(project, url)
    clock = time.process_time if server.get_backend_name() == "sqlite" else time.perf_counter
    start = clock()
    if kind in ("schema", "rows"):
        found = roundtrip.check_roundtrip(config, own, url, progress=False, rows=kind == "rows")
        assert not found, found
        return clock() - start
    if kind == "check":
        found = drift.check_drift(config, own, url)
        assert not found, found
        return clock() - start
    with scratch.scratch_database(server) as engine:
        if kind == "stairway":
            config.set_main_option(
                "sqlalchemy.url",
                engine.url.render_as_string(hide_password=False).replace("%", "%%"),
            )
            revisions = [
                script.revision for script in stepping.read_scripts(config).walk_revisions()
            ][::-1]
            with contextlib.redirect_stdout(io.StringIO()):
                for revision in revisions:
                    command.upgrade(config, revision)
                    command.downgrade(config, "-1")
                    command.upgrade(config, revision)
        else:
            scripts = stepping.read_scripts(config)

            def work(context: object) -> None:
                stepper = stepping.Stepper(context, scripts)  # type: ignore[arg-type]
                for script in stepping.plan_of(scripts):
                    for function in (
                        ("upgrade",) if kind == "upgrade" else ("upgrade", "downgrade", "upgrade")
                    ):
                        stepper.step(script, function)

            stepping.run_env(config, scripts, engine, work)
    return clock() - start


def best(kind: str, project: Path, url: str, repeat: int) -> float:
    command = [sys.executable, __file__, "--measure", kind, str(project), url]
    runs = [
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for _ in range(repeat)
    ]
    return min(float(text.split()[-1]) for text in runs)


def measure_growth(database: str, size: int, others: bool, repeat: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "alembic", size)
        kinds = ["bare", "schema", "rows", *(["stairway"] if others else [])]
        times = {kind: best(kind, folder, SERVERS[database], repeat) for kind in kinds}
        if others and database == "sqlite":
            times["pytest-alembic"] = up_and_down(folder)
        write_models(folder / "alembic", size)
        times |= {
            kind: best(kind, folder, SERVERS[database], repeat) for kind in ("upgrade", "check")
        }
    shown = {kind: f"{seconds:.2f} s" for kind, seconds in times.items()}
    for kind, base in (("schema", "bare"), ("rows", "bare"), ("check", "upgrade")):
        shown[kind] += f" | {times[kind] / times[base]:.2f} x"
    figures = " | ".join(shown.get(kind, "") for kind in COLUMNS)
    common.keep("roundtrip.md", HEAD, f"| {database} | {size} | {figures} |")


HEAD = (
    "| database | revisions | bare | schema | | with rows | | upgrade | check | | stairway | "
    "pytest-alembic |"
)
COLUMNS = ("bare", "schema", "rows", "upgrade", "check", "stairway", "pytest-alembic")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="10,100,1000")
    parser.add_argument("--databases", default="sqlite,postgresql,mariadb")
    parser.add_argument(
        "--stairway", type=int, default=100, help="the largest size at which to take others' way"
    )
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        kind, project, url = options.measure
        print(measure(kind, Path(project), url))
        return
    databases = common.reachable(options.databases)
    sizes = [int(size) for size in options.sizes.split(",")]
    print(HEAD)
    for database in databases:
        for size in sizes:
            measure_growth(database, size, others=size <= options.stairway, repeat=options.repeat)
    plot()


def up_and_down(folder: Path) -> float:
    """Processor time of pytest-alembic's test that goes up and down, in its own environment."""
    from faults import PYTEST_ALEMBIC, environment

    (folder / "conftest.py").write_text(
        PYTEST_ALEMBIC.replace("URL", f"sqlite:///{folder / 'scratch.db'}")
    )
    (folder / "pytest.ini").write_text("[pytest]\npytest_alembic_tests_path = conftest.py\n")
    program = environment("pytest-alembic", folder / "programs") / "pytest"
    start = sum(os.times()[2:4])
    subprocess.run(
        [program, "-q", "--test-alembic", "-k", "up_down"],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return sum(os.times()[2:4]) - start


def plot() -> None:
    """Draw what roundtrip.md says: a panel for each database."""
    import matplotlib
    from matplotlib import pyplot

    figures: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for database, size, *figures_of in common.rows("roundtrip.md", HEAD):
        times = [cell for cell in figures_of if not cell.endswith(" x")]
        for kind, cell in zip(COLUMNS, times, strict=True):
            if cell:
                figures.setdefault(database, {}).setdefault(kind, []).append(
                    (int(size), float(cell.removesuffix(" s")))
                )
    matplotlib.rcParams.update(
        {"svg.fonttype": "none", "svg.hashsalt": "growth"}
    )  # the same figures, the same file
    figure, (axes,) = pyplot.subplots(
        1,
        len(figures),
        figsize=(3 * len(figures) + 1.5, 3.5),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for axis, (database, kinds) in zip(axes, figures.items(), strict=True):
        for kind, points in kinds.items():
            color = f"C{COLUMNS.index(kind)}"
            axis.loglog(*zip(*points, strict=True), marker="o", color=color, label=kind)
        axis.set(title=database, xlabel="revisions")
        axis.grid(alpha=0.3)
    axes[0].set(ylabel="seconds")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    pyplot.savefig(common.FOLDER / "growth.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
