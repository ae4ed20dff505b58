"""The guard's layout: imports that run one way, short files, and little that a deployment loads."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from lib.layout import (
    BASE,
    GUARD,
    circle,
    foreign_imports,
    lines_of_code,
    modules,
    needed_to_deploy,
    part_of,
    wrong_directions,
)
from lib.projects import PROJECT_TEMPLATE, ROOT, Project
from lib.servers import fresh_database

FOLDER = PROJECT_TEMPLATE / GUARD
LINES_OF_A_FILE = 400
LONGER_FILES: dict[str, str] = {}
COLUMNS = 100
LINES_OF_THE_GUARD = 13_000
LINES_OF_A_DEPLOYMENT = 1_300
LOADED = """\
import json, sys
from alembic.config import main
main(["upgrade", "head"])
names = [name for name in sys.modules if name.partition(".")[0] == "migration_guard"]
print(json.dumps({name: sys.modules[name].__file__ for name in names}))
"""


def test_each_module_belongs_to_a_part() -> None:
    parts = {module: part_of(module) for module in modules(FOLDER)}
    assert {module for module, part in parts.items() if part == "base" and module} == BASE


def test_imports_run_one_way() -> None:
    assert wrong_directions(FOLDER) == []


def test_no_imports_run_in_a_circle() -> None:
    assert circle(FOLDER) == []


def test_the_guard_imports_its_dependencies_where_they_belong() -> None:
    assert foreign_imports(FOLDER) == []


def test_a_wheel_lists_what_a_deployment_needs() -> None:
    settings = (PROJECT_TEMPLATE / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.findall(rf'^"{GUARD}/(.+)\.py" = ', settings, re.MULTILINE)
    needed = {name or "__init__" for name in needed_to_deploy(FOLDER)} | {"__init__"}
    assert listed == sorted(name for name in needed if not name.startswith("deploying"))


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, str], Path]:
    """Return a function that adds a statement to a file of a copy of the guard."""

    def change(file: str, statement: str) -> Path:
        shutil.copytree(FOLDER, tmp_path / GUARD, ignore=shutil.ignore_patterns("__pycache__"))
        with (tmp_path / GUARD / file).open("a", encoding="utf-8") as text:
            text.write(f"\n\n{statement}\n")
        return tmp_path / GUARD

    return change


@pytest.mark.parametrize(
    ("file", "statement", "found"),
    [
        ("reading/sql.py", "from ..rules.rule import RULES", "reading.sql imports rules.rule"),
        ("reading/sql.py", "from ..rules import rule", "reading.sql imports rules.rule"),
        ("reading/sql.py", "from .. import rules", "reading.sql imports rules"),
        ("reading/sql.py", f"from {GUARD}.cli import main", "reading.sql imports cli"),
        ("reading/sql.py", f"import {GUARD}.validator", "reading.sql imports validator"),
        ("reading/sql.py", "def late():\n    from .. import check", "reading.sql imports check"),
        ("deploying/lock.py", "from ..reading import sql", "deploying.lock imports reading.sql"),
        ("deploying/__init__.py", "from ..running import rows", "deploying imports running.rows"),
        ("git.py", "from .deploying import lock", "git imports deploying.lock"),
        (
            "reporting/text.py",
            "from .pictures import write_page",
            "reporting.text imports reporting.pictures.write_page",
        ),
    ],
)
def test_an_import_in_the_wrong_direction_is_found(
    changed: Callable[[str, str], Path], file: str, statement: str, found: str
) -> None:
    assert wrong_directions(changed(file, statement)) == [found]


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("rules/rule.py", "from ..reading import sql"),
        ("rules/rule.py", "from .upgrade import Upgrade"),
        ("deploying/lock.py", "from ..error_messages import fault"),
        ("cli.py", "from .deploying import lock"),
    ],
)
def test_an_import_in_the_right_direction_is_not_found(
    changed: Callable[[str, str], Path], file: str, statement: str
) -> None:
    assert wrong_directions(changed(file, statement)) == []


def test_a_circle_is_found(changed: Callable[[str, str], Path]) -> None:
    guard = changed("exceptions.py", "def late():\n    from .error_messages import fault")
    assert {"exceptions", "error_messages"} <= set(circle(guard))


def test_a_foreign_import_is_found(changed: Callable[[str, str], Path]) -> None:
    assert foreign_imports(changed("git.py", "import sqlglot")) == ["git imports sqlglot"]


def test_files_are_short() -> None:
    lengths = {
        path.relative_to(FOLDER).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in modules(FOLDER).values()
    }
    long = {file for file, lines in lengths.items() if lines > LINES_OF_A_FILE}
    assert long == set(LONGER_FILES), "split the file; a file that got short leaves LONGER_FILES"


def test_lines_are_short() -> None:
    wide = {
        path.relative_to(FOLDER).as_posix()
        for path in modules(FOLDER).values()
        if any(len(line) > COLUMNS for line in path.read_text(encoding="utf-8").splitlines())
    }
    assert wide == set(), "wrap the lines"


# Words and idioms that a reader stumbles over.
NOT_PLAIN = re.compile(
    r"\b(said|told|by hand|mend(s|ed)?|anew|whoever|innocent|taken for|lets? (it )?be"
    r"|says? nothing|for ever)\b| [*] (bool\(|\(?not )",
    re.IGNORECASE,
)


def plain_faults(text: str) -> list[str]:
    lines = map(str.strip, text.splitlines())
    return [line for line in lines if NOT_PLAIN.search(line.replace("_", " "))]


def test_words_are_plain() -> None:
    """The changelog keeps its history, and this file has the words."""
    folders = (PROJECT_TEMPLATE, *(ROOT / name for name in ("tests", "benchmarks", "hooks")))
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "noxfile.py"]
    files += [path for folder in folders for path in folder.rglob("*.py")]
    files += PROJECT_TEMPLATE.rglob("*.md")
    files.remove(Path(__file__))
    found = {path: plain_faults(path.read_text(encoding="utf-8")) for path in files}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("It was said", False),
        ("def test_what_was_said():", False),
        ("text += word * bool(many)", False),
        ("It was reported, besides; recommended", True),
        ("text = word if many else ''", True),
    ],
)
def test_a_word_that_is_not_plain_is_found(text: str, plain: bool) -> None:
    assert (plain_faults(text) == []) is plain


def test_the_guard_is_small() -> None:
    lines = {module: lines_of_code(path) for module, path in modules(FOLDER).items()}
    assert sum(lines.values()) <= LINES_OF_THE_GUARD, sorted(
        lines.items(), key=lambda item: -item[1]
    )


def test_lines_of_code_are_counted_without_texts(tmp_path: Path) -> None:
    file = tmp_path / "rules.py"
    file.write_text(
        '''\
"""A docstring
of two lines."""

# a comment
TEXT = """
counted

no docstring"""


@rule(
    summary="not counted",
    why="""
    not counted
    """,
    fix="not counted", bad="", good="",
    severity="error",
)
def found(
    upgrade,
):
    """Not counted."""
    return ["counted"]
''',
        encoding="utf-8",
    )
    assert lines_of_code(file) == 3 + 3 + 4


@pytest.mark.parametrize("database", ["sqlite", "postgresql", "mariadb"])
def test_a_deployment_loads_little(
    bake: Callable[..., Project], tmp_path: Path, database: str
) -> None:
    project = bake(database=database)
    for url in fresh_database(database, tmp_path):
        for _ in range(2):  # all revisions, then nothing to do
            done = project.run("python", "-c", LOADED, DATABASE_URL=url)
            loaded = json.loads(done.stdout.splitlines()[-1])
            assert f"{GUARD}.deploying.lock" in loaded
            files = [Path(file) for file in loaded.values() if file]
            guard = project.path / GUARD
            assert {part_of(name.partition(".")[2]) for name in loaded} == {"deploying", "base"}
            assert sum(lines_of_code(file) for file in files) <= LINES_OF_A_DEPLOYMENT
            assert all(file.is_relative_to(guard) for file in files)
