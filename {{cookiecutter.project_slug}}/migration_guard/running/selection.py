"""Which revisions the roundtrip runs."""

from pathlib import Path

from alembic.script import ScriptDirectory
from alembic.util import CommandError

from ..error_messages import one_line
from ..exceptions import CannotCheck
from ..git import new_since
from ..settings import Settings


def select(
    scripts: ScriptDirectory, settings: Settings, since: str | None, only: str | None
) -> set[str] | None:
    """Return the revisions to run, or None for all of them. Raises CannotCheck.

    ``since`` is a git ref, ``only`` the beginning of one revision's identifier.
    """
    if only:
        try:
            script = scripts.get_revision(only)
        except CommandError as error:
            why = one_line(error)
            if "Can't locate" in str(error):
                why = "no revision identifier begins with this: alembic history lists them"
            raise CannotCheck(f"-k {only}: {why}") from None
        return {script.revision}
    if since is None:
        return None
    paths = new_since(settings.root, since, settings.versions)
    return {
        script.revision
        for script in scripts.walk_revisions()
        if Path(script.path).resolve() in paths
    }
