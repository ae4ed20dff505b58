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
}
PACKAGE = {{cookiecutter.__package_name | pprint}}
TAKEN = {"alembic", "sqlalchemy", "src", "test", "tests", "scripts", "docs"}


def problem() -> str | None:
    """Return what is wrong with the answers and what to do, in one line; None when all is well."""
    for name, value in ANSWERS.items():
        if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value):
            return f"{name} has a line break or a control character: write it as one plain line"
        if "{{ '{{' }}" in value or "{{ '{%' }}" in value or "{{ '{#' }}" in value:
            return f"{name} has an opening brace pair, which an update of the project would read as Jinja: leave it out"
    if not ANSWERS["project_name"].strip():
        return "project_name is empty: give the project a name"
    slug = ANSWERS["project_slug"]
    # The form of a distribution's name. Source: packaging.python.org, "Names and normalization"; ASCII alone.
    if len(slug) > 100 or not re.fullmatch(r"[A-Za-z]([A-Za-z0-9._-]*[A-Za-z0-9])?", slug):
        return (
            f"project_slug {slug!r} is no name for a folder and a distribution: "
            "use letters, digits and single hyphens, starting with a letter, such as acme-orders"
        )
    if not PACKAGE.isidentifier():
        return f"project_slug {slug!r} gives the package {PACKAGE!r}, which Python can't import: choose another slug"
    if keyword.iskeyword(PACKAGE) or keyword.issoftkeyword(PACKAGE):
        return f"project_slug {slug!r} gives the package {PACKAGE!r}, a keyword of Python: choose another slug"
    if PACKAGE in sys.stdlib_module_names:
        return f"project_slug {slug!r} gives the package {PACKAGE!r}, a module of Python itself: choose another slug"
    if PACKAGE in TAKEN:
        return f"project_slug {slug!r} gives the package {PACKAGE!r}, a name already in use here: choose another slug"
    return None


if reason := problem():
    sys.exit(f"Error: {reason}")
