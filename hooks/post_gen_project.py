"""Removes files that a project with other answers left here (``--overwrite-if-exists``)."""

from pathlib import Path

DATABASE = {{cookiecutter.database | pprint}}
LICENSE = {{cookiecutter.license | pprint}}
STARTER = {{cookiecutter.starter | pprint}}

if STARTER == "blank":
    name = "b9532a7d8c7a_add_composite_indexes_for_performance.py"
    Path("alembic", "versions", name).unlink(missing_ok=True)
if DATABASE == "sqlite":
    Path("compose.yaml").unlink(missing_ok=True)
if LICENSE == "proprietary":
    Path("LICENSE").unlink(missing_ok=True)
