"""scripts/check_migrations.py: its options, settings and exit status, and what it imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from lib.projects import PROJECT_TEMPLATE, Project
from migration_guard.cli import main
from migration_guard.rules import RULES

CLEAN = """\
import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.create_table("videos", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade():
    op.drop_table("videos")
"""
DROP = """\
from alembic import op

revision = "b1"
down_revision = "a1"


def upgrade():
    op.drop_column("videos", "url")


def downgrade():
    raise NotImplementedError("the urls are gone")
"""

Check = Callable[..., tuple[int, str, str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project of one clean migration."""
    (tmp_path / "alembic" / "versions").mkdir(parents=True)
    (tmp_path / "alembic" / "versions" / "a1.py").write_text(CLEAN, encoding="utf-8")
    return tmp_path


@pytest.fixture
def check(root: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(root, list(arguments))
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def write(root: Path, name: str, text: str) -> Path:
    path = root / "alembic" / "versions" / name
    path.write_text(text, encoding="utf-8")
    return path


def settings(root: Path, text: str) -> None:
    (root / "pyproject.toml").write_text(f"[tool.migration-guard]\n{text}\n", encoding="utf-8")


def rules(output: str) -> list[str]:
    return [finding["rule"] for finding in json.loads(output)["findings"]]


def test_0_is_clean(check: Check) -> None:
    assert check("--static") == (0, "Clean: 1 file, 2 operations, 1 revision checked.\n", "")


def test_1_is_an_error_found(root: Path, check: Check) -> None:
    write(root, "b1.py", DROP)
    status, out, err = check("--static")
    assert (status, err) == (1, "")
    assert "alembic/versions/b1.py:8:5: error drop-column (revision b1)" in out
    assert '    op.drop_column("videos", "url")' in out
    assert "Found 1 error; 2 files" in out


def test_a_warning_or_a_note_is_no_error(root: Path, check: Check) -> None:
    write(
        root,
        "b1.py",
        DROP.replace(
            'op.drop_column("videos", "url")', "sa.inspect(op.get_bind())\n    op.execute('')"
        ),
    )
    write(
        root,
        "b1.py",
        (root / "alembic/versions/b1.py")
        .read_text()
        .replace("from al", "import sqlalchemy as sa\nfrom al"),
    )
    status, out, _ = check("--static", "--format", "json")
    assert (status, rules(out)) == (0, ["offline-unsafe"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def upgrade(:\n", "b1.py:1"),
        ("revision = 'b1'\ndown_revision = 'a1'\n", "b1.py"),
        ("revision = 'b1'\ndown_revision = 'a1'\0\n\ndef upgrade(): pass\n", "b1.py"),
        (
            (
                "import secrets\nrevision = secrets.token_hex()\ndown_revision = 'a1'\n"
                "def upgrade(): pass\n"
            ),
            "b1.py",
        ),
    ],
    ids=["syntax", "no upgrade", "null byte", "computed"],
)
def test_2_is_a_file_that_can_not_be_read(root: Path, check: Check, text: str, reason: str) -> None:
    write(root, "b1.py", text)
    status, out, err = check("--static")
    assert (status, err) == (2, "")
    assert "unreadable-migration" in out
    assert reason in out


def test_an_unreadable_file_is_never_clean(root: Path, check: Check) -> None:
    write(root, "b1.py", "def upgrade(:\n")
    assert check("--static", "--ignore", "unreadable-migration")[0] == 2
    assert check("--static", "--select", "drop-column")[0] == 2


def test_a_latin_1_file_is_read_as_python_reads_it(root: Path, check: Check) -> None:
    path = write(root, "b1.py", "")
    path.write_bytes(
        b"# -*- coding: latin-1 -*-\n" + DROP.replace('"url"', '"caf\xe9"').encode("latin-1")
    )
    status, out, _ = check("--static", "--format", "json")
    assert status == 1
    assert "videos.caf\xe9" in json.loads(out)["findings"][0]["message"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["--versions", "lost"],
            "There are no migrations in lost. If they are elsewhere, pass --versions DIR",
        ),
        (
            ["--select", "drop-colum"],
            "--select: there is no rule or category 'drop-colum'; did you mean 'drop-column'",
        ),
        (
            ["--ignore", "nonsense"],
            "--ignore: there is no rule or category 'nonsense'; see --list-rules.",
        ),
        (
            ["--explain", "drop-tabel"],
            "--explain: there is no rule or category 'drop-tabel'; did you mean 'drop-table'",
        ),
        (["--roundtrip"], "--static uses no database"),
        (["-k", "b1"], "-k and --keep need --roundtrip."),
        (["--since", "main", "a1.py"], "--since chooses the files: remove FILE."),
        (["--database-url", "sqlite://"], "--static uses no database"),
        (["--output", "lost/report.txt"], "--output lost/report.txt: No such file or directory"),
        (["lost.py"], "lost.py: this file does not exist"),
    ],
)
def test_2_with_one_line_is_what_can_not_be_done(
    root: Path, check: Check, monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: str
) -> None:
    monkeypatch.chdir(root)
    status, out, err = check("--static", *arguments)
    assert status == 2
    assert expected in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert out == ""


def test_files_need_static(check: Check, root: Path) -> None:
    status, _, err = check(str(root / "alembic/versions/a1.py"))
    assert status == 2
    assert "FILE needs --static" in err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('database = ["sqlite"]', "database: there is no such key; did you mean 'databases'"),
        ("cache = false", "cache: delete this line"),
        ("cache-size = 200", "cache-size: delete this line"),
        ('databases = "sqlite"', "databases: must be a list of names, is 'sqlite'"),
        ("databases = 1", "databases: must be a list of names, is 1"),
        ("databases = [1]", "databases: must be a list of names, is [1]"),
        (
            'databases = ["postgres"]',
            "databases: 'postgres' is not known; did you mean 'postgresql'",
        ),
        (
            'ignore = ["drop-colum"]',
            "ignore: there is no rule or category 'drop-colum'; did you mean 'drop-column'",
        ),
        ('first-revision = "lost"', "first-revision: no migration has 'lost'"),
        ("first-revision = 1", "first-revision: must be a revision, is 1"),
        ('baseline = "lost.json"', "--write-baseline"),
        ("lock = 1", "lock: must be a table, is 1"),
        (
            'databases = ["postgresql>14"]',
            "'postgresql>14' must be a name, or a name and its lowest",
        ),
        ('databases = ["postgresql>=new"]', "must be a name, or a name and its lowest version"),
        ('severity = "error"', "severity: must be a table of rules"),
        (
            'severity = {drop-column = "fatal"}',
            "severity drop-column: must be error, warning, note",
        ),
        ('severity = {drop-colum = "note"}', "severity: there is no rule or category 'drop-colum'"),
        ("databases = []", "databases: must be"),
        ("databases = [", "pyproject.toml: "),
    ],
)
def test_wrong_settings_give_one_line(root: Path, check: Check, text: str, expected: str) -> None:
    settings(root, text)
    status, out, err = check("--static")
    assert (status, out) == (2, "")
    assert expected in err
    assert err.count("\n") == 1


def test_the_settings_choose_databases_and_rules(root: Path, check: Check) -> None:
    write(
        root,
        "b1.py",
        DROP.replace('drop_column("videos", "url")', 'create_index("ix", "videos", ["url"])'),
    )
    settings(root, 'databases = ["postgresql"]')
    assert check("--static")[0] == 1
    settings(root, 'databases = ["mariadb"]')
    assert check("--static")[0] == 0
    settings(root, 'databases = ["postgresql"]\nignore = ["blocking-index"]')
    assert check("--static")[0] == 0


def test_a_rule_for_versions_speaks_where_a_declared_version_is_concerned(
    root: Path, check: Check
) -> None:
    (root / "own.py").write_text(
        "from migration_guard.rules import Found, Upgrade, rule\n\n\n"
        "@rule(summary='s', why='w', fix='f', bad='b', good='g',\n"
        "      databases={'postgresql': '<15', 'mysql': '>=8.0.12,<8.0.30'})\n"
        "def old_server(upgrade: Upgrade) -> Found:\n"
        "    for op in upgrade.operations('drop_column'):\n"
        "        yield op, ' '.join(sorted(upgrade.databases))\n"
    )
    write(root, "b1.py", DROP)
    for declared, messages in {
        "postgresql>=15": [],
        "postgresql >= 14.2": ["postgresql"],
        "postgresql": ["postgresql"],
        "mysql>=8.0.30": [],
        "mysql>=8.0.4": ["mysql"],
        "mariadb": [],
    }.items():
        settings(root, f'databases = ["{declared}"]\nrules = ["own"]')
        _, out, _ = check("--static", "--select", "own", "--format", "json")
        found = json.loads(out)["findings"]
        assert [each["message"] for each in found] == messages, declared


def test_the_settings_and_strict_choose_what_fails(root: Path, check: Check) -> None:
    write(root, "b1.py", DROP)
    settings(root, 'severity = {drop-column = "warning"}')
    status, out, _ = check("--static", "--format", "json")
    assert (status, json.loads(out)["findings"][0]["severity"]) == (0, "warning")
    assert check("--static", "--strict")[0] == 1
    settings(root, 'severity = {running-code = "note"}')
    assert check("--static", "--strict")[0] == 0
    settings(root, 'severity = {drop-table = "note"}')
    assert check("--static")[0] == 1
    assert "drop-column" in check("--list-rules")[1]


def test_a_category_is_selected_and_ignored(root: Path, check: Check) -> None:
    write(root, "b1.py", DROP)
    assert rules(check("--static", "--select", "running-code", "--format", "json")[1])
    assert check("--static", "--select", "locks, enums")[0] == 0
    assert check("--static", "--ignore", "running-code")[0] == 0
    settings(root, 'ignore = ["running-code"]')
    assert check("--static")[0] == 0


def test_findings_come_in_the_order_of_the_history(root: Path, check: Check) -> None:
    write(root, "z_first.py", DROP)
    write(root, "a_second.py", DROP.replace('"b1"', '"c1"').replace('"a1"', '"b1"'))
    _, out, _ = check("--static", "--format", "json")
    assert [each["revision"] for each in json.loads(out)["findings"]] == ["b1", "c1"]


def test_a_loop_gives_one_finding_with_a_count(root: Path, check: Check) -> None:
    loop = 'for name in ("a", "b", "c"):\n        op.drop_column("videos", name)'
    write(root, "b1.py", DROP.replace('op.drop_column("videos", "url")', loop))
    _, out, _ = check("--static", "--select", "drop-column", "--format", "json")
    (found,) = json.loads(out)["findings"]
    assert found["message"].endswith("(2 more on this line)")
    assert "videos.a" in found["message"]


@pytest.mark.slow
def test_static_since_a_commit_judges_only_what_is_new(root: Path, check: Check) -> None:
    def git(*arguments: str) -> None:
        names = ("-c", "user.name=x", "-c", "user.email=x@localhost")
        subprocess.run(["git", "-C", root, *names, *arguments], check=True, capture_output=True)

    write(root, "b1.py", DROP)
    git("init", "-q", "-b", "work")
    git("add", "-A")
    git("commit", "-qm", "old")
    status, out, _ = check("--static", "--since", "HEAD")
    assert (status, "0 files" in out) == (0, True)
    write(root, "c1.py", DROP.replace('"b1"', '"c1"').replace('"a1"', '"b1"'))
    _, out, _ = check("--static", "--since", "HEAD", "--format", "json")
    assert [each["revision"] for each in json.loads(out)["findings"]] == ["c1"]
    status, _, err = check("--static", "--since", "nowhere")
    assert (status, err.count("\n")) == (2, 1)
    assert "--since nowhere: git: " in err


def test_select_and_ignore(root: Path, check: Check) -> None:
    write(root, "b1.py", DROP)
    assert check("--static", "--select", "drop-table,drop-column")[0] == 1
    assert check("--static", "--select", "drop-table")[0] == 0
    assert check("--static", "--ignore", "drop-column")[0] == 0


def test_a_suppressed_finding_and_one_that_suppresses_nothing(root: Path, check: Check) -> None:
    mark = "  # migration-guard: ignore[{}] not read since 2.3"
    write(root, "b1.py", DROP.replace('"url")', '"url")' + mark.format("drop-column")))
    assert check("--static")[0] == 0
    write(root, "b1.py", DROP.replace('"url")', '"url")' + mark.format("drop-column, drop-table")))
    status, out, _ = check("--static", "--format", "json")
    assert (status, rules(out)) == (1, ["unused-ignore"])
    # the suppression of a rule that did not run, or that is for other databases, is not reported
    settings(root, 'databases = ["sqlite"]')
    for rule in ("data-not-restored", "blocking-index", "edited-migration"):
        write(root, "b1.py", DROP.replace('"url")', '"url")' + mark.format(f"drop-column, {rule}")))
        assert check("--static")[0] == 0


def test_an_old_history_is_adopted_from_a_first_revision(root: Path, check: Check) -> None:
    write(root, "b1.py", DROP)
    write(root, "c1.py", DROP.replace('"b1"', '"c1"').replace('"a1"', '"b1"'))
    assert len(rules(check("--static", "--format", "json")[1])) == 2
    path = root / "alembic" / "versions" / "b1.py"
    path.write_text(path.read_text() + "# migration-guard: ignore[drop-table] of old\nx = 1\n")
    settings(root, 'first-revision = "c1"')
    _, out, _ = check("--static", "--format", "json")
    assert [finding["revision"] for finding in json.loads(out)["findings"]] == ["c1"]


def test_an_old_history_is_adopted_with_a_baseline(root: Path, check: Check) -> None:
    path = write(root, "b1.py", DROP)
    note = ("--static", "--write-baseline", str(root / "baseline.json"))
    status, _, err = check(*note)
    assert status == 0
    assert 'baseline.json" in [tool.migration-guard]' in err
    settings(root, 'baseline = "baseline.json"')
    assert "[tool.migration-guard]" not in check(*note)[2]
    assert check("--static")[0] == 0
    path.write_text(
        "# a line more\n"
        + DROP.replace("upgrade():", "upgrade():\n    op.drop_column('videos', 'b')")
    )
    _, out, _ = check("--static", "--format", "json", "--select", "drop-column")
    assert ["videos.b" in finding["message"] for finding in json.loads(out)["findings"]] == [True]


def test_a_baseline_lets_nothing_else_of_the_revision_be(root: Path, check: Check) -> None:
    unknown = DROP.replace("from al", "import os\nfrom al").replace(
        '"videos", "url"', 'os.environ["A"], "url"'
    )
    path = write(root, "b1.py", unknown)
    assert check("--static", "--write-baseline", str(root / "baseline.json"))[0] == 0
    settings(root, 'baseline = "baseline.json"')
    path.write_text("# a line more\n" + unknown)
    judged = ("--static", "--format", "json", "--select", "unresolved-operation,drop-column")
    assert rules(check(*judged)[1]) == []
    path.write_text(
        unknown.replace("upgrade():", "upgrade():\n    op.drop_column(os.environ['B'], 'url')")
    )
    assert sorted(rules(check(*judged)[1])) == ["drop-column", "unresolved-operation"]


def test_some_files_are_judged_alone_and_the_history_whole(root: Path, check: Check) -> None:
    first = write(root, "b1.py", DROP)
    second = write(root, "c1.py", DROP.replace('"b1"', '"c1"').replace('"a1"', '"b1"'))
    _, out, _ = check("--static", "--format", "json", str(first))
    report = json.loads(out)
    assert [finding["revision"] for finding in report["findings"]] == ["b1"]
    assert report["checked"]["files"] == 1
    assert report["checked"]["revisions"] == 3
    second.write_text(second.read_text().replace('down_revision = "b1"', 'down_revision = "lost"'))
    assert "missing-parent" in rules(check("--static", "--format", "json", str(first))[1])


def test_a_file_elsewhere_is_judged_without_the_history(
    root: Path, check: Check, tmp_path: Path
) -> None:
    other = tmp_path / "draft.py"
    other.write_text(DROP.replace('"a1"', '"lost"'))
    assert rules(check("--static", "--format", "json", str(other))[1]) == ["drop-column"]


def test_the_folders_are_where_the_settings_have_them(root: Path, check: Check) -> None:
    (root / "alembic").rename(root / "db")
    status, _, err = check("--static")
    assert status == 2
    assert (
        "no migrations in alembic/versions. If they are elsewhere, "
        "pass --versions DIR or set versions"
    ) in err
    settings(root, 'versions = ["db/versions", "lost"]')
    assert check("--static")[0] == 0


def test_what_the_application_is(root: Path, check: Check) -> None:
    (root / "src" / "shop").mkdir(parents=True)
    (root / "src" / "shop" / "models.py").write_text("")
    for module, found in {
        "shop.models": True,
        "shopping": False,
        "json": False,
        "shop.alembic.helpers": False,
    }.items():
        write(root, "a1.py", f"import {module}\n{CLEAN}")
        assert ("application-import" in check("--static")[1]) is found, module


def test_a_migration_inside_a_package_knows_its_application(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    versions = tmp_path / "lib" / "shop" / "migrations" / "versions"
    versions.mkdir(parents=True)
    for folder in (versions.parent, versions.parent.parent):
        (folder / "__init__.py").write_text("")
    (versions / "a1.py").write_text(
        f"from shop.models import Video\nfrom shop.migrations.types import Text\n{CLEAN}"
    )
    assert main(tmp_path, ["--static", "--versions", str(versions)]) == 1
    out = capsys.readouterr().out
    assert "shop.models is the application's code" in out
    assert "shop.migrations" not in out.replace("from shop.migrations", "")


def test_reports_to_a_file(root: Path, check: Check) -> None:
    write(root, "b1.py", DROP)
    for form in ("text", "json", "github", "sarif"):
        target = root / f"report.{form}"
        assert check("--static", "--format", form, "--output", str(target)) == (1, "", "")
        assert "drop-column" in target.read_text()
        assert "\033[" not in target.read_text()


def test_rules_are_listed_and_explained(check: Check) -> None:
    status, out, _ = check("--list-rules")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == list(RULES)
    for name in RULES:
        status, out, _ = check("--explain", name)
        assert status == 0
        for part in ("Why: ", "Fix: ", "Bad:\n    ", "Good:\n    ", f"ignore[{name}]"):
            assert part in out


def loaded(root: Path) -> set[str]:
    code = (
        "import sys\nfrom pathlib import Path\nfrom migration_guard.cli import main\n"
        "status = main(Path(sys.argv[1]), ['--static', '--output', '/dev/null'])\n"
        "print(status, *{name.partition('.')[0] for name in sys.modules})"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT_TEMPLATE),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    status, *modules = done.stdout.split()
    assert status == "0"
    return set(modules)


@pytest.mark.slow
def test_static_loads_no_database_and_sqlglot_only_for_sql(root: Path) -> None:
    heavy = {"sqlalchemy", "alembic", "sqlglot", "rich", "asyncio"}
    assert not loaded(root) & heavy
    write(
        root,
        "b1.py",
        DROP.replace(
            'drop_column("videos", "url")', 'execute("UPDATE videos SET a = 1 WHERE id = 1")'
        ),
    )
    assert loaded(root) & heavy == {"sqlglot"}


def test_static_runs_no_migration(root: Path, check: Check) -> None:
    write(root, "b1.py", "raise SystemExit('run')\n" + DROP)
    assert "drop-column" in check("--static")[1]


def test_the_script_of_a_project(bake: Callable[..., Project]) -> None:
    project = bake()
    for arguments in (["--static"], []):
        done = project.run(sys.executable, "scripts/check_migrations.py", *arguments)
        assert "Clean: 2 files" in done.stdout
    environment = project.run(sys.executable, "-m", "venv", "--without-pip", "bare")
    assert environment.returncode == 0
    # the standard library and sqlglot suffice
    sqlglot = project.run(
        sys.executable, "-c", "import sqlglot; print(sqlglot.__path__[0])"
    ).stdout.strip()
    (project.path / "only").mkdir()
    (project.path / "only" / "sqlglot").symlink_to(sqlglot)
    done = project.run(
        "bare/bin/python", "scripts/check_migrations.py", "--static", PYTHONPATH="only"
    )
    assert "Clean: 2 files" in done.stdout
    done = project.run("bare/bin/python", "scripts/check_migrations.py", ok=False)
    assert done.returncode == 2
    assert "error: No module named 'alembic" in done.stdout
    runtime = project.path / "old" / "alembic" / "runtime"  # as before Alembic 1.18
    runtime.mkdir(parents=True)
    for folder in (runtime.parent, runtime):
        (folder / "__init__.py").touch()
    done = project.run(sys.executable, "scripts/check_migrations.py", ok=False, PYTHONPATH="old")
    assert done.returncode == 2
    assert (
        "error: No module named 'alembic.runtime.plugins': install the dependencies (Alembic 1.18"
        in done.stdout
    )


@pytest.mark.parametrize("database", ["sqlite", "postgresql", "mariadb"])
@pytest.mark.parametrize("starter", ["soundhash", "blank"])
def test_the_migrations_of_a_new_project_are_clean_everywhere(
    bake: Callable[..., Project], starter: str, database: str
) -> None:
    project = bake(starter=starter)
    project.edit("pyproject.toml", 'databases = ["sqlite"]', f'databases = ["{database}"]')
    done = project.run(
        sys.executable, "scripts/check_migrations.py", "--static", "--format", "json"
    )
    assert rules(done.stdout) == []


def test_2_is_a_check_on_a_database_that_is_not_declared(bake: Callable[..., Project]) -> None:
    project = bake(database="postgresql")
    check = ("python", "scripts/check_migrations.py", "--database-url", "sqlite://")
    reported = "The migrations ran on sqlite, and this project declares postgresql."
    for option in ((), ("--roundtrip",)):
        done = project.run(*check, *option, ok=False)
        assert done.returncode == 2
        assert done.stdout.splitlines()[-1].startswith(f"error: {reported}")
        assert "Clean" not in done.stdout
    (initial,) = project.versions.glob("*_initial_schema.py")
    code = initial.read_text()
    initial.write_text(
        code.replace("def upgrade() -> None:\n", "def upgrade() -> None:\n    raise ValueError\n")
    )
    failed = project.run(*check, "--select", "models-out-of-sync", ok=False)
    assert failed.returncode == 2
    assert reported in failed.stdout.splitlines()[-1]
    initial.write_text(code)
    project.edit(
        "pyproject.toml",
        'databases = ["postgresql>=17"]',
        'databases = ["postgresql>=17", "sqlite"]',
    )
    assert "Clean" in project.run(*check).stdout


@pytest.mark.parametrize(
    ("options", "idle"),
    [
        (("--static", "--select", "models-out-of-sync,drop-column"), "models-out-of-sync"),
        (("--select", "downgrade-fails"), "downgrade-fails"),
        (("--static", "--select", "drop-column"), ""),
    ],
)
def test_a_selected_rule_that_does_not_run_is_reported(
    bake: Callable[..., Project], options: tuple[str, ...], idle: str
) -> None:
    output = bake().run("python", "scripts/check_migrations.py", *options).stdout
    assert (f"This command does not check {idle}." in output) is bool(idle)


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_was_found_is_reported_when_the_migrations_fail(
    bake: Callable[..., Project], form: str
) -> None:
    project = bake()
    (project.versions / "c1.py").write_text(
        "from alembic import op\n\nrevision = 'c1'\ndown_revision = 'b9532a7d8c7a'\n\n\n"
        "def upgrade():\n    op.drop_table('match_results')\n    op.execute('SELEC 1')\n\n\n"
        "def downgrade():\n    raise NotImplementedError('gone')\n"
    )
    done = project.run("python", "scripts/check_migrations.py", "--format", form, ok=False)
    assert done.returncode == 2
    assert "drop-table" in done.stdout
    assert "c1.py:9: upgrade() of c1 fails" in done.stdout


@pytest.mark.slow
def test_a_reader_that_stops_early_sees_no_traceback(root: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)  # as `head` does
    done = subprocess.run(
        [sys.executable, "-m", "migration_guard", "--list-rules"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(PROJECT_TEMPLATE)},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (2, "")
