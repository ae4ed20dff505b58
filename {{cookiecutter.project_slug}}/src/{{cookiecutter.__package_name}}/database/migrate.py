"""The command of a wheel: Alembic on the migrations that the wheel carries."""

import sys
from pathlib import Path

from alembic.config import main as alembic

from .connection import PROJECT


def main() -> None:
    """Run Alembic with the arguments of the command line, by default ``upgrade head``."""
    folder = PROJECT or Path(__file__).resolve().parents[1] / "_migrations"
    files = ["-c", str(folder / "alembic.ini"), "-c", str(folder / "pyproject.toml")]
    alembic([*files, *(sys.argv[1:] or ["upgrade", "head"])])
