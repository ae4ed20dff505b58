"""What git knows about the project's files."""

import os
from collections.abc import Iterable
from pathlib import Path

from .exceptions import CannotCheck


def git(folder: Path, *arguments: str, give: bytes = b"") -> bytes:
    import subprocess  # not needed without a repository

    # Inside a hook these variables point to another place than the folder.
    hook = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
    environment = {name: value for name, value in os.environ.items() if name not in hook}
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, input=give, capture_output=True, check=False, env=environment)
    if done.returncode:
        raise CannotCheck(f"git: {done.stderr.decode(errors='replace').strip().splitlines()[0]}")
    return done.stdout


def new_since(root: Path, ref: str, folders: Iterable[Path]) -> set[Path]:
    """Return the files in these folders that were added or changed since a ref, committed or not.

    Raises CannotCheck if git can't tell.
    """
    names = [str(folder) for folder in folders]
    compared = ("--name-only", "-z", "--no-renames", "--diff-filter=AM", "--relative", ref)
    try:
        listed = git(root, "diff", *compared, "--", *names)
        listed += git(root, "ls-files", "-z", "--others", "--exclude-standard", "--", *names)
    except (CannotCheck, OSError) as error:
        raise CannotCheck(f"--since {ref}: {error}") from None
    return {(root / os.fsdecode(path)).resolve() for path in listed.split(b"\0") if path}


def default_branch(folder: Path) -> str | None:
    """Return the remote's default branch, or None if this clone does not know it."""
    if not in_repository(folder):
        return None
    candidates = [f"refs/remotes/origin/{name}" for name in ("HEAD", "main", "master")]
    try:
        listed = git(folder, "for-each-ref", "--format=%(refname)", *candidates).decode().split()
    except OSError:
        return None  # git is not installed
    return next((name.removeprefix("refs/remotes/") for name in candidates if name in listed), None)


def in_repository(folder: Path) -> bool:
    return any(
        (parent / ".git").exists() for parent in (folder.resolve(), *folder.resolve().parents)
    )
