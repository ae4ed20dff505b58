"""Check this project's migrations: run it with --help for what it can do."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The project's folders come last: a file in them never replaces a module that the guard imports.
sys.path = [*sys.path[1:], str(ROOT), str(ROOT / "src")]

from migration_guard.cli import main

if __name__ == "__main__":
    sys.exit(main(ROOT))
