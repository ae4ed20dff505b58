"""SQL in files of the project: computes their paths and reads their text."""

import os.path
from pathlib import Path, PurePath
from typing import Any

from .migration import HOLE, UNKNOWN, words
from .values import plain

MAX_LENGTH = 1_000_000  # of a text that is read


PATHS = words("pathlib.Path pathlib.PurePath builtins.open")


OS_PATH = words("abspath basename dirname join normpath realpath")


OF_A_PATH = words("name parent stem suffix")


SAME_PATH = words("absolute expanduser open resolve __enter__")


def call_of_files(function: str, args: list[Any], migration: str) -> Any:
    """Return the value of one of Python's functions about files; None for other functions.

    An open file is represented by its path.
    """
    owner, _, name = function.rpartition(".")
    if not args or not plain(args) or not isinstance(args[0], (str, PurePath)):
        return None
    if function in PATHS:
        return PurePath(args[0])
    if owner == "os.path" and name in OS_PATH:
        return getattr(os.path, name)(*args)
    if owner != "importlib.resources":
        return None
    folder = PurePath(str(args[0]).replace(".", "/"))
    if name == "read_text" and len(args) > 1:
        return text_of_file(folder / str(args[1]), migration)
    return folder if name == "files" else None


def method_of_path(path: PurePath, name: str, args: list[Any], migration: str) -> Any:
    """Return the value of a method of a path."""
    if name in ("read", "read_text"):
        return text_of_file(path, migration)
    if name == "joinpath" and plain(args):
        return path.joinpath(*map(str, args))
    return path if name in SAME_PATH else UNKNOWN


def text_of_file(path: PurePath, migration: str) -> str:
    """Return the text of an SQL file; its path may begin in any folder above the migration."""
    for folder in Path(migration).absolute().parents:
        file = folder / path
        if path.suffix == ".sql" and file.is_file():
            try:
                text = file.read_text(encoding="utf-8")
            except (OSError, ValueError):
                return HOLE
            return text if len(text) <= MAX_LENGTH else HOLE
    return HOLE
