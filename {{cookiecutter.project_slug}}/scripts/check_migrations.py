"""Check this project's migrations: ``python scripts/check_migrations.py --help`` says what it can do."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from {{ cookiecutter.__package_name }}.database.migration_guard.cli import main

if __name__ == "__main__":
    sys.exit(main(ROOT))
