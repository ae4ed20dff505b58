"""``python -m migration_guard``: the check of the project in the current folder."""

import os
import sys
from pathlib import Path

if sys.path[0] == os.getcwd():  # a file of the project never replaces a module that is imported
    sys.path.append(sys.path.pop(0))

from .cli import main

if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
