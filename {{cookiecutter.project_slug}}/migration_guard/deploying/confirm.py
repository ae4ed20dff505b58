"""The question before a deployed revision is downgraded."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from alembic.util import CommandError

from ..exceptions import CannotCheck


def ask(down: list[Any], dialect: str) -> None:
    """Let a person confirm that what others use is taken away, or that there is no way back."""
    said = {script.revision: getattr(script.module, "irreversible", None) for script in down}
    if reasons := [
        f"there is no way back from {revision} ({reason})"
        for revision, reason in said.items()
        if reason
    ]:
        why = "; ".join(reasons)
    elif dialect != "sqlite" and (
        any(script.down_revision is None for script in down) or deployed(down)
    ):
        why = "this is deployed and may hold data"
    else:
        return
    what = f"downgrade of {', '.join(said)}: {why}"
    if not sys.stdin.isatty():
        raise CommandError(
            f"{what}; if that is meant: alembic -x yes downgrade ... (or: nox -s migrate -- downgrade ... --yes)"
        )
    if input(f"{what}. Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was done")


def deployed(scripts: list[Any]) -> bool:
    """Whether one of them stands on the remote's default branch. Where there is no git, this is where it is deployed."""
    from ..git import default_branch, git

    files = {Path(script.path).name for script in scripts}
    folder = Path(scripts[0].path).parent
    try:
        git(folder, "rev-parse")
        ref = default_branch(folder)
        return ref is not None and bool(
            files & set(git(folder, "ls-tree", "--name-only", ref).decode().split("\n"))
        )
    except (CannotCheck, OSError):
        return True
