"""Refuses, before anything is written, what would not make a working project."""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata

ANSWERS = {
    "project_name": {{cookiecutter.project_name | pprint}},
    "project_slug": {{cookiecutter.project_slug | pprint}},
    "description": {{cookiecutter.description | pprint}},
    "author_name": {{cookiecutter.author_name | pprint}},
    "database_version": {{cookiecutter.database_version | pprint}},
}
DATABASE = {{cookiecutter.database | pprint}}
PACKAGE = {{cookiecutter.__package_name | pprint}}
# A package with the name of a project's folder or of an installed module would hide the other.
TAKEN = {"alembic", "migration_guard", "src", "test", "tests", "scripts", "docs"}
INSTALLED = {
    "_pytest", "aiomysql", "aiosqlite", "argcomplete", "ast_serialize", "asyncmy", "asyncpg",
    "attr", "attrs", "cffi", "colorama", "colorlog", "cryptography", "dependency_groups", "distlib",
    "exceptiongroup", "filelock", "greenlet", "hatchling", "humanize", "importlib_resources",
    "iniconfig", "librt", "mako", "markupsafe", "mypy", "mypy_extensions", "mypyc", "nox",
    "packaging", "pathspec", "platformdirs", "pluggy", "psycopg", "psycopg_binary", "py",
    "pycparser", "pygments", "pygraphviz", "pymysql", "pytest", "python_discovery", "ruff",
    "sqlalchemy", "sqlglot", "tomli", "typing_extensions", "tzdata", "uv", "virtualenv",
}


def problem() -> str | None:
    """Return what is wrong with the answers and what to do, in one line; None when all is well."""
    for name, value in ANSWERS.items():
        if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value):
            return f"{name} has a line break or a control character: write it as one plain line"
        if "{{ '{{' }}" in value or "{{ '{%' }}" in value or "{{ '{#' }}" in value:
            return (
                f"{name} has an opening brace pair, which an update of the project would read as "
                "Jinja: leave it out"
            )
    if not ANSWERS["project_name"].strip():
        return "project_name is empty: give the project a name"
    slug = ANSWERS["project_slug"]
    # The form of a distribution's name (packaging.python.org, "Names and normalization"), in ASCII.
    if len(slug) > 100 or not re.fullmatch(r"[A-Za-z]([A-Za-z0-9._-]*[A-Za-z0-9])?", slug):
        return (
            f"project_slug {slug!r} is no name for a folder and a distribution: "
            "use letters, digits and single hyphens, starting with a letter, such as acme-orders"
        )
    for applies, problem_of_name in (
        (not PACKAGE.isidentifier(), "which Python can't import"),
        (keyword.iskeyword(PACKAGE) or keyword.issoftkeyword(PACKAGE), "a keyword of Python"),
        (PACKAGE in sys.stdlib_module_names, "a module of Python itself"),
        (PACKAGE in TAKEN or PACKAGE in INSTALLED, "a name already in use here"),
    ):
        if applies:
            return (
                f"project_slug {slug!r} gives the package {PACKAGE!r}, {problem_of_name}: "
                "choose another slug"
            )
    version = ANSWERS["database_version"]
    if DATABASE == "sqlite":
        if version:
            return "database_version is for servers: leave it empty for sqlite"
    elif not re.fullmatch(r"\d+(\.\d+)*", version):
        return f"database_version {version!r} is no version: write it in digits, such as 17 or 11.8"
    elif DATABASE == "citus" and version not in ("16", "17"):
        return f"database_version {version!r} has no image of Citus: use PostgreSQL 16 or 17"
    return None


if reason := problem():
    sys.exit(f"Error: {reason}")
