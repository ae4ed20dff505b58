"""Copies the guard where git made a file of the symbolic link to it, as on Windows."""

import shutil
from pathlib import Path

TEMPLATE = Path({{cookiecutter._repo_dir | default(cookiecutter._template) | pprint}})

link = Path("migration_guard")
if link.is_file():
    (guard,) = TEMPLATE.parent.glob("*cookiecutter.project_slug*/migration_guard")
    link.unlink()
    shutil.copytree(guard, link)
