"""The configured database: DATABASE_URL, from the environment or .env, or else alembic.ini."""

import os
import re
from pathlib import Path

from ..exceptions import CannotCheck
from ..settings import read_settings

ASSIGNMENT = re.compile(
    r"""\s*(?:export\s+)?(DATABASE_URL)\s*([=:])\s*(?:"([^"]*)"|'([^']*)'|([^\s#]\S*)?)""",
    re.IGNORECASE,
)


def configured_url(root: Path) -> str:
    """Return DATABASE_URL, or else sqlalchemy.url of alembic.ini.

    If neither is set and the project declares SQLite, it is an SQLite URL.

    Raises CannotCheck if it is empty, not set, or can't be read.
    """
    text = os.environ.get("DATABASE_URL")
    if text is None:
        text = from_env_file(root / ".env")
    if text is None:
        settings = read_settings(root)
        if settings.url or "sqlite" in settings.databases:
            return settings.url or "sqlite://"
        message = "DATABASE_URL is not set: set it in the environment or in .env (see .env.example)"
        if (root / "compose.yaml").is_file():
            message += "; `docker compose up --detach --wait` starts a server on this machine"
        raise CannotCheck(f"{message}. --static needs no database.")
    if not text.strip():
        raise CannotCheck("DATABASE_URL is empty: set it to the URL of the database, or unset it.")
    return text.strip()


def from_env_file(path: Path) -> str | None:
    """Return the last DATABASE_URL of an env file, or None. Raises CannotCheck if it is unclear."""
    if not path.is_file():
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise CannotCheck(f"{path.name} is not UTF-8: save it as UTF-8 without BOM.") from None
    if text.startswith("\ufeff"):
        raise CannotCheck(
            f"{path.name} begins with a byte order mark: save it as UTF-8 without it."
        )
    found = None
    for number, line in enumerate(text.splitlines(), 1):
        if match := ASSIGNMENT.match(line):
            where, (name, sign, *values) = f"{path.name}:{number}", match.groups()
            found = next(filter(None, values), None)
            if name != "DATABASE_URL" or sign != "=":
                raise CannotCheck(f"{where}: write DATABASE_URL=, in capitals and with =.")
            if found is None:
                raise CannotCheck(f"{where}: DATABASE_URL is empty: set it to the database's URL.")
    return found
