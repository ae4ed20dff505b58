"""Check this project's migrations: run it with --help for what it can do."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from migration_guard.cli import main

if __name__ == "__main__":
    sys.exit(main(ROOT))
