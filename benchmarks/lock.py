"""Measures what the lock of `alembic upgrade head` costs, and how long others wait; writes lock.md.

    python benchmarks/lock.py [--trials 10]

Uses the databases that the tests use (TEST_POSTGRESQL_URL, TEST_MARIADB_URL).
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from lib.migrators import (
    HISTORIES,
    alembic,
    engine,
    fork,
    race,
    reset,
    result,
    use_stock,
    write_history,
    write_migration,
    wrong,
)
from lib.projects import Project, bake_into
from lib.servers import fresh_database, unreachable

DATABASES = ("sqlite", "postgresql", "mariadb")


@contextmanager
def project(database: str) -> Iterator[Project]:
    with tempfile.TemporaryDirectory() as folder:
        for url in fresh_database(database, Path(folder)):
            path = bake_into(Path(folder))
            yield Project(path, path.name, url)


def cost(trials: int) -> Iterator[str]:
    """Processor time of `alembic upgrade head` with nothing pending, beside stock Alembic's."""
    yield "| database | stock | guarded | ratio |\n|---|---|---|---|"
    for database in DATABASES:
        with project(database) as guarded, tempfile.TemporaryDirectory() as folder:
            write_history(guarded, "plain")
            alembic(guarded, "upgrade", "head")
            path = bake_into(Path(folder))
            stock = Project(path, path.name, guarded.environment["DATABASE_URL"])
            write_history(stock, "plain")
            use_stock(stock)
            metadata = (
                f"from {stock.package}.database.models import Base\n\n"
                "target_metadata = Base.metadata"
            )
            stock.edit("alembic/env.py", "target_metadata = None", metadata)
            took: dict[str, list[float]] = {"stock": [], "guarded": []}
            for each in range(trials + 2):
                for name, it in (("stock", stock), ("guarded", guarded)):
                    begun = resource.getrusage(resource.RUSAGE_CHILDREN)
                    it.run("alembic", "upgrade", "head", PYTHONDONTWRITEBYTECODE="")
                    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
                    if each > 1:  # the first ones compile
                        took[name].append(
                            ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime
                        )
            a, b = min(took["stock"]), min(took["guarded"])
            yield f"| {database} | {a:.3f} s | {b:.3f} s | {b / a:.2f} |"


def races(trials: int) -> Iterator[str]:
    """Eight at once, 30 revisions."""
    yield "| database | history | failed or wrong | median | slowest |\n|---|---|---|---|---|"
    for database in DATABASES:
        with project(database) as it:
            url = it.environment["DATABASE_URL"]
            for history in HISTORIES:
                write_history(it, history)
                bad, took = 0, []
                for _ in range(trials):
                    reset(url)
                    begun = time.perf_counter()
                    failed = race(it)
                    took.append(time.perf_counter() - begun)
                    bad += bool(failed or wrong(url, history))
                middle, most = statistics.median(took), max(took)
                yield (
                    f"| {database} | {history} | {bad} of {trials} | {middle:.1f} s | "
                    f"{most:.1f} s |"
                )


def blocked(trials: int) -> Iterator[str]:
    """An ALTER behind a long reader: how long others wait, and how long it takes afterwards."""
    yield "| database | longest read meanwhile | end after the blocker: longest |\n|---|---|---|"
    for database in DATABASES[1:]:
        reads: list[float] = []
        ends = []
        for _ in range(trials):
            with project(database) as it:
                url = it.environment["DATABASE_URL"]
                write_history(it, "data", 2)
                alembic(it, "upgrade", "head")
                write_migration(it, 3, 'op.add_column("t", sa.Column("x", sa.Integer))')
                over = threading.Event()

                def read(
                    url: str = url, over: threading.Event = over, reads: list[float] = reads
                ) -> None:
                    with engine(url).connect() as connection:
                        while not over.is_set():
                            begun = time.perf_counter()
                            connection.execute(sa.text("SELECT n FROM t"))
                            connection.rollback()
                            reads.append(time.perf_counter() - begun)
                            time.sleep(0.02)

                with engine(url).connect() as blocker:
                    blocker.execute(sa.text("SELECT n FROM t"))
                    child = fork(it, "upgrade", "head")
                    reader = threading.Thread(target=read)
                    reader.start()
                    time.sleep(6)
                    blocker.rollback()
                    begun = time.perf_counter()
                status, output = result(it, child)
                ends.append(time.perf_counter() - begun)
                over.set()
                reader.join()
                assert status == 0, output
        yield f"| {database} | {max(reads) * 1000:.0f} ms | {max(ends):.2f} s |"


def takeover(trials: int) -> Iterator[str]:
    """From the `kill -9` of a migrator in a long statement to the end of the next one."""
    yield "| database | lock | longest |\n|---|---|---|"
    for database, lease in (("postgresql", ""), ("postgresql", "3"), ("mariadb", "3")):
        took = []
        for _ in range(trials):
            with project(database) as it:
                if lease:
                    it.environment |= {"MIGRATION_LEASE_ONLY": "1", "MIGRATION_LEASE": lease}
                write_history(it, "data", 2)
                alembic(it, "upgrade", "head")
                sleep = "pg_sleep" if database == "postgresql" else "sleep"
                write_migration(it, 3, f'op.execute("SELECT {sleep}(60)")')
                child = fork(it, "upgrade", "head")
                time.sleep(3)
                write_migration(it, 3, "pass")
                os.kill(child, signal.SIGKILL)
                begun = time.perf_counter()
                status, output = alembic(it, "upgrade", "head")
                took.append(time.perf_counter() - begun)
                assert status == 0, output
                os.waitpid(child, 0)
        yield (
            f"| {database} | {f'lease of {lease} s' if lease else 'advisory'} | {max(took):.2f} s |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10)
    trials = parser.parse_args().trials
    for name in DATABASES[1:]:
        if why := unreachable(name):
            sys.exit(f"error: {name}: {why}")
    lines = [
        "# One migrator at a time\n",
        f"`python benchmarks/lock.py --trials {trials}`, {os.cpu_count()} processors.",
    ]
    for section in (cost, races, blocked, takeover):
        lines.append(f"\n{section.__doc__}\n")
        for line in section(trials if section in (cost, races) else min(trials, 5)):
            lines.append(line)
            print(line, flush=True)
    (ROOT / "benchmarks" / "lock.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
