"""The check of the project in the current folder, for one that has no script for it: ``python -m migration_guard``."""

import sys
from pathlib import Path

from .cli import main

if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
