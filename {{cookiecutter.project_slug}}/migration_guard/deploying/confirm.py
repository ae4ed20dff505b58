"""The question before a deployed revision is downgraded."""

import sys
from pathlib import Path
from typing import Any

from alembic.util import CommandError

from ..exceptions import CannotCheck


def ask(down: list[Any], dialect: str) -> None:
    """Ask before a downgrade of what is deployed or irreversible. Raises CommandError for a no."""
    reasons = {script.revision: getattr(script.module, "irreversible", None) for script in down}
    if any(reasons.values()):
        why = "; ".join(
            f"there is no way back from {revision} ({reason})"
            for revision, reason in reasons.items()
            if reason
        )
    elif dialect == "sqlite":
        return
    else:
        deployed = is_deployed(down)
        if deployed is False:
            return
        why = (
            "this is deployed and may hold data"
            if deployed
            else "there is no git repository here, so this may be deployed and hold data"
        )
    what = f"downgrade of {', '.join(reasons)}: {why}"
    if not sys.stdin.isatty():
        raise CommandError(
            f"{what}; to do it nevertheless: alembic -x yes downgrade ..."
            " (or: nox -s migrate -- downgrade ... --yes)"
        )
    if input(f"{what}. Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was done")


def is_deployed(scripts: list[Any]) -> bool | None:
    """Return whether the remote's default branch has one of them; None where there is no git."""
    from ..git import default_branch, git

    files = {Path(script.path).name for script in scripts}
    folder = Path(scripts[0].path).parent
    try:
        git(folder, "rev-parse")
        ref = default_branch(folder)
        if ref is None:
            return False
        return bool(files & set(git(folder, "ls-tree", "--name-only", ref).decode().split("\n")))
    except (CannotCheck, OSError):
        return None
