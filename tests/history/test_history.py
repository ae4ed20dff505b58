"""The revision graph, and deployed migrations that changed, vanished or moved."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from migration_guard.cli import main
from migration_guard.rules import RULES

BODY = """
import sqlalchemy as sa
from alembic import op


def upgrade():
    op.add_column("videos", sa.Column("{column}", sa.Text()))


def downgrade():
    op.drop_column("videos", "{column}")
"""


class History:
    """A folder of migrations, which ``check_migrations.py --static`` looks at."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.capsys = root, capsys
        self.versions = root / "alembic" / "versions"
        self.versions.mkdir(parents=True)

    def add(
        self, revision: str, parent: str | None, name: str = "", more: str = "", column: str = "a"
    ) -> Path:
        text = (
            f"revision = {revision!r}\ndown_revision = {parent!r}\n"
            f"{more}{BODY.format(column=column)}"
        )
        return self.write(name or revision, text)

    def write(self, name: str, text: str) -> Path:
        path = self.versions / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        return path

    def check(self, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
        status = main(self.root, ["--static", "--format", "json", *arguments])
        output = self.capsys.readouterr()
        return status, json.loads(output.out)["findings"] if output.out else [
            {"rule": "-", "message": output.err}
        ]

    def found(self, *arguments: str) -> list[str]:
        return sorted(finding["rule"] for finding in self.check(*arguments)[1])

    def git(self, *arguments: str, cwd: Path | None = None) -> None:
        identity = [
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@example.org",
            "-c",
            "init.defaultBranch=main",
        ]
        subprocess.run(
            ["git", *identity, *arguments], cwd=cwd or self.root, check=True, capture_output=True
        )

    def commit(self) -> None:
        if not (self.root / ".git").exists():
            self.git("init")
        self.git("add", "-A")
        self.git("commit", "-m", "Deploy")


@pytest.fixture
def history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> History:
    """Three revisions in a row, on which nothing is to be found."""
    made = History(tmp_path / "project", capsys)
    made.add("a1", None)
    made.add("b1", "a1")
    made.add("c1", "b1")
    return made


def test_a_history_in_a_row_is_clean(history: History) -> None:
    assert history.check() == (0, [])


def test_two_heads_are_found_with_the_command_that_merges_them(history: History) -> None:
    history.add("d1", "b1")
    status, (found,) = history.check()
    assert status == 1
    assert found["rule"] == "multiple-heads"
    assert found["fix"].startswith(
        'Merge them: `alembic merge -m "Merge migrations" c1 d1`. Or, if one is not deployed,'
        " rebase it: "
    )
    history.write(
        "m1",
        (
            'revision = "m1"\ndown_revision = ("c1", "d1")\n\ndef upgrade(): pass\n'
            "def downgrade(): pass\n"
        ),
    )
    assert history.check() == (0, [])


def test_heads_of_labelled_branches_stay_apart(history: History) -> None:
    history.add("x1", None, more='branch_labels = ("search",)\n')
    history.add("x2", "x1", more='depends_on = "b1"\n')
    assert history.check() == (0, [])
    history.add("x3", "x1")  # a second head of that branch
    assert history.found() == ["multiple-heads"]
    history.add("a1", None, more='branch_labels = ("main",)\n')  # whatever it depends on
    assert history.found() == ["multiple-heads"]


def test_a_missing_parent_is_found(history: History) -> None:
    (history.versions / "a1.py").unlink()
    status, (found,) = history.check()
    assert (status, found["rule"], found["path"], found["line"]) == (
        1,
        "missing-parent",
        "alembic/versions/b1.py",
        2,
    )
    assert "'a1'" in found["message"]


def test_what_only_a_missing_file_makes_a_head_is_none(history: History) -> None:
    (history.versions / "b1.py").unlink()
    assert history.found() == ["missing-parent"]  # and not to merge a1 and c1
    history.add("b1", "a1")
    history.add("d1", "b1")
    assert history.found() == ["multiple-heads"]


def test_a_missing_dependency_is_found_and_a_label_is_none(history: History) -> None:
    history.add("d1", "c1", more='depends_on = "lost"\n')
    assert history.found() == ["missing-parent"]
    history.add("d1", "c1", more='depends_on = "search"\n')
    history.add("x1", None, more='branch_labels = "search"\n')
    assert history.check() == (0, [])


def test_two_files_of_one_revision_are_found(history: History) -> None:
    history.add("c1", "b1", name="again")
    status, (found,) = history.check()
    assert (status, found["rule"]) == (1, "duplicate-revision")
    assert "alembic/versions/again.py" in found["path"] + found["message"]
    assert "alembic/versions/c1.py" in found["path"] + found["message"]


def test_a_circle_is_found(history: History) -> None:
    history.add("b1", "c1")
    status, findings = history.check()
    assert status == 1
    assert "revision-cycle" in {finding["rule"] for finding in findings}
    message = next(
        finding["message"] for finding in findings if finding["rule"] == "revision-cycle"
    )
    assert "b1" in message
    assert "c1" in message
    assert "a1" not in message
    history.add("b1", "b1")
    assert "revision-cycle" in history.found()


@pytest.mark.parametrize("which", ["bad", "good"])
@pytest.mark.parametrize(
    "rule", ["multiple-heads", "missing-parent", "duplicate-revision", "revision-cycle"]
)
def test_the_examples_of_a_rule_are_true(
    rule: str, which: str, tmp_path: Path, capsys: Any
) -> None:
    history = History(tmp_path, capsys)
    history.add("a1", None)
    for number, pair in enumerate(getattr(RULES[rule], which).split(", ")):
        parent, revision = pair.split(" <- ")
        history.add(revision, parent, name=f"example{number}")
    assert (rule in history.found()) is (which == "bad")


def test_a_thousand_revisions_are_no_recursion(tmp_path: Path, capsys: Any) -> None:
    history = History(tmp_path, capsys)
    for number in range(1200):
        parent = f"r{number - 1}" if number else None
        text = (
            f"revision = 'r{number}'\ndown_revision = {parent!r}\ndef upgrade(): pass\n"
            "def downgrade(): pass\n"
        )
        history.write(f"r{number}", text)
    assert history.check() == (0, [])


# --- deployed


def edit(history: History) -> None:
    history.add("b1", "a1", column="other")


def remove(history: History) -> None:
    (history.versions / "b1.py").unlink()
    history.add("c1", "a1")


def insert(history: History) -> None:
    history.add("between", "a1")
    history.add("b1", "between")


def rename_revision(history: History) -> None:
    history.add("b2", "a1", name="b1")
    history.add("c1", "b2")


CHANGES = {"edit": edit, "remove": remove, "insert": insert, "rename revision": rename_revision}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_what_happens_to_a_deployed_migration_is_found(history: History, change: str) -> None:
    history.commit()
    assert history.check("--against", "HEAD") == (0, [])
    CHANGES[change](history)
    status, findings = history.check("--against", "HEAD")
    assert status == 1
    assert {finding["rule"] for finding in findings} == {"edited-migration"}
    assert any("b1 is deployed (HEAD)" in finding["message"] for finding in findings)
    assert "git checkout HEAD -- alembic/versions/b1.py" in " ".join(
        finding["fix"] for finding in findings
    )
    assert history.check()[0] == 0  # no deployed branch is known


@pytest.mark.slow
def test_a_new_parent_is_found_where_it_is_set(history: History) -> None:
    history.commit()
    history.add("a0", None)
    moved = history.add("a1", "a0")
    moved.write_text(f"# It has another parent now.\n{moved.read_text()}")
    _, findings = history.check("--against", "HEAD")
    (found,) = [each for each in findings if each["rule"] == "edited-migration"]
    assert found["message"] == "a1 is deployed (HEAD); it followed nothing, and now follows a0."
    assert found["line"] == 3, "where the new file sets down_revision"


def squash(history: History) -> None:
    """Let c1 stand for a1, b1 and c1."""
    for name in ("a1", "b1"):
        (history.versions / f"{name}.py").unlink()
    history.add("c1", None)


def remove_after_squash(history: History) -> None:
    (history.versions / "d1.py").unlink()
    history.add("e1", "c1")


BESIDE_A_SQUASH: dict[str, Callable[[History], object]] = {
    "edit": lambda history: history.add("d1", "c1", column="other"),
    "move": lambda history: history.add("e1", "c1"),
    "remove": remove_after_squash,
    "keep a part": lambda history: history.add("a1", None),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("edit", ["d1 is deployed (HEAD), and its upgrade() was changed."]),
        ("move", ["e1 is deployed (HEAD); it followed d1, and now follows c1."]),
        (
            "remove",
            [
                "d1 is deployed (HEAD), but its file is missing.",
                "e1 is deployed (HEAD); it followed d1, and now follows c1.",
            ],
        ),
        (
            "keep a part",
            [
                "b1 is deployed (HEAD), but its file is missing.",
                "c1 is deployed (HEAD); it followed b1, and now follows nothing.",
            ],
        ),
    ],
)
def test_what_happens_beside_a_squash_is_found(
    history: History, change: str, found: list[str]
) -> None:
    history.add("d1", "c1")
    history.add("e1", "d1")
    history.commit()
    squash(history)
    assert history.check("--against", "HEAD") == (0, [])
    BESIDE_A_SQUASH[change](history)
    findings = history.check("--against", "HEAD")[1]
    messages = [each["message"] for each in findings if each["rule"] == "edited-migration"]
    assert sorted(messages) == found


def comment(history: History) -> None:
    path = history.versions / "b1.py"
    path.write_text(
        '"""A better title."""\n# and why\n' + path.read_text(encoding="utf-8"), encoding="utf-8"
    )


def reformat(history: History) -> None:
    path = history.versions / "b1.py"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"', "'").replace("(", "( "), encoding="utf-8"
    )


def windows(history: History) -> None:
    path = history.versions / "b1.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def move(history: History) -> None:
    (history.versions / "b1.py").rename(history.versions / "a_better_name.py")


def suppress(history: History) -> None:
    path = history.versions / "b1.py"
    old = "    op.add_column"
    new = '    op.create_index("i", "videos", ["a"])\n' + old
    assert old in path.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    history.commit()
    text = path.read_text(encoding="utf-8").replace(
        "    op.create_index",
        (
            "    # migration-guard: ignore[blocking-index, not-resumable] at night\n"
            "    op.create_index"
        ),
    )
    path.write_text(text + '\nlossy = "stated later"\n', encoding="utf-8")


def add(history: History) -> None:
    history.add("d1", "c1")


def latin(history: History) -> None:
    path = history.versions / "b1.py"
    path.write_bytes(
        b"# coding: latin-1\n" + path.read_bytes().replace(b'"a"', '"\xe9"'.encode("latin-1"))
    )
    history.commit()
    path.write_bytes(path.read_bytes() + b"# and more\n")


def correct_downgrade(history: History) -> None:
    path = history.versions / "b1.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("op.drop_column(", "pass\n    op.drop_column("), encoding="utf-8")


def annotate(history: History) -> None:
    path = history.versions / "b1.py"
    text = path.read_text(encoding="utf-8")
    text = text.replace("import sqlalchemy", "from typing import Any\nimport sqlalchemy")
    text = text.replace("revision =", "revision: Any =", 1).replace("():", "() -> None:")
    path.write_text(text, encoding="utf-8")


HARMLESS: list[Callable[[History], None]] = [comment, reformat, windows, move, suppress, add, latin]
HARMLESS += [correct_downgrade, annotate]


@pytest.mark.slow
@pytest.mark.parametrize("change", HARMLESS)
def test_what_changes_nothing_is_no_finding(
    history: History, change: Callable[[History], None]
) -> None:
    history.commit()
    change(history)
    assert history.check("--against", "HEAD") == (0, [])


@pytest.mark.slow
def test_the_default_branch_of_the_remote_is_deployed(history: History, tmp_path: Path) -> None:
    history.commit()
    clone = History.__new__(History)
    clone.root, clone.capsys, clone.versions = (
        tmp_path / "clone",
        history.capsys,
        tmp_path / "clone/alembic/versions",
    )
    history.git("clone", str(history.root), str(clone.root))
    assert clone.check() == (0, [])
    edit(clone)
    assert clone.found() == ["edited-migration"]
    clone.commit()  # here, and not at the remote
    assert clone.found() == ["edited-migration"]


@pytest.mark.slow
def test_without_a_remote_it_says_that_nothing_is_known_to_be_deployed(history: History) -> None:
    history.commit()
    assert main(history.root, ["--static"]) == 0
    assert "Can't tell which migrations are deployed" in history.capsys.readouterr().out
    assert main(history.root, ["--static", "--against", "HEAD"]) == 0
    assert "Can't tell" not in history.capsys.readouterr().out


@pytest.mark.slow
def test_a_shallow_clone_and_a_worktree_are_enough(history: History, tmp_path: Path) -> None:
    history.commit()
    history.add("d1", "c1")
    history.commit()
    shallow = tmp_path / "shallow"
    history.git("clone", "--depth", "1", f"file://{history.root}", str(shallow))
    tree = tmp_path / "tree"
    history.git("worktree", "add", str(tree), "HEAD")
    for place in (shallow, tree):
        (place / "alembic/versions/d1.py").unlink()
        assert main(place, ["--static", "--against", "HEAD"]) == 1
        assert "d1 is deployed (HEAD), but its file is missing" in history.capsys.readouterr().out


@pytest.mark.slow
def test_a_project_in_a_folder_of_a_repository(history: History, tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "services" / "orders"
    shutil.copytree(history.root, inner)
    outer = History.__new__(History)
    outer.root = tmp_path / "outer"
    outer.commit()
    outer.root, outer.capsys, outer.versions = inner, history.capsys, inner / "alembic" / "versions"
    assert outer.check("--against", "HEAD") == (0, [])
    edit(outer)
    assert outer.found("--against", "HEAD") == ["edited-migration"]


@pytest.mark.slow
def test_inside_a_git_hook(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    history.commit()
    edit(history)
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert history.found("--against", "HEAD") == ["edited-migration"]


@pytest.mark.slow
def test_without_a_repository_only_an_explicit_ref_is_an_error(history: History) -> None:
    assert history.check() == (0, [])
    status, (failure,) = history.check("--against", "main")
    assert status == 2
    assert failure["message"].startswith("error: --against main: ")
    assert failure["message"].count("\n") == 1


@pytest.mark.slow
def test_a_ref_that_is_not_there_is_an_error(history: History) -> None:
    history.commit()
    status, (failure,) = history.check("--against", "lost")
    assert status == 2
    assert "--against lost" in failure["message"]
    assert "fetch it" in failure["message"]


@pytest.mark.slow
def test_a_repository_that_git_refuses_is_not_passed_over(history: History) -> None:
    history.commit()
    (history.root / ".git" / "HEAD").unlink()
    status, (failure,) = history.check()
    assert status == 2
    assert failure["message"].startswith("error: git: fatal: ")


@pytest.mark.slow
def test_without_git_nothing_is_reported(
    history: History, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    history.commit()
    edit(history)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert history.check() == (0, [])
    assert history.check("--against", "HEAD")[0] == 2


@pytest.mark.slow
def test_what_is_not_deployed_yet_is_new_for_the_revisions_after_it(history: History) -> None:
    head = (
        "import sqlalchemy as sa\nfrom alembic import op\nrevision = {!r}\ndown_revision = {!r}\n"
    )
    body = "\ndef upgrade():\n    {}\n\ndef downgrade():\n    {}\n"
    create = 'op.create_table("clips", sa.Column("id", sa.Integer(), primary_key=True))'
    index = 'op.create_index("ix", "clips", ["id"])'
    drop = ('op.drop_table("clips")', 'op.drop_index("ix", "clips")')
    history.commit()
    history.write("d1", head.format("d1", "c1") + body.format(create, drop[0]))
    history.write("e1", head.format("e1", "d1") + body.format(index, drop[1]))

    def rules(*options: str) -> list[str]:
        return [found["rule"] for found in history.check(*options)[1]]

    assert rules("--against", "HEAD") == []
    assert rules() == ["blocking-index"], "where it is not known what is deployed"
    (history.versions / "e1.py").unlink()
    history.commit()
    history.write("e1", head.format("e1", "d1") + body.format(index, drop[1]))
    assert rules("--against", "HEAD") == ["blocking-index"], "the table is deployed"
    moved = history.versions / "moved.py"
    (history.versions / "d1.py").rename(moved)
    assert rules("--against", "HEAD") == ["blocking-index"], "its file has another name now"
