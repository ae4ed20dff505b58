"""Text for a terminal, a log or a file, without anything in it that one of them would obey."""

import os
import re
from pathlib import Path

# Control characters, line separators of Unicode, and what reverses the direction of text.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

# A CI obeys a line that begins so, after any blanks; of the older form anywhere in the line.
COMMAND = re.compile(r"(?m)^(?P<blanks>\s*)::(?=[\w-]+[^\n]*::)|(?P<older>##)(?=\[)")


def printable(text: str, lines: bool = False) -> str:
    """Return the text with escaped control characters. With ``lines``, line breaks stay."""
    kept = "\n" if lines else ""
    return "".join(
        each.encode("unicode_escape").decode() if CONTROL.match(each) and each != kept else each
        for each in text
    )


def without_commands(text: str) -> str:
    """Return the text of a report without lines that a CI would run as a workflow command."""

    return COMMAND.sub(lambda m: r"#\x23" if m["older"] else rf"{m['blanks']}\x3a:", text)


def write_file(path: Path, text: str) -> None:
    """Write the text to the file, which must not be a symbolic link. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    with open(os.open(path, flags, 0o666), "w", encoding="utf-8") as file:
        file.write(text)
