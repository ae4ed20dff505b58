"""A finding: what every part of the check reports."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    rule: str
    message: str
    fix: str
    path: str  # relative to the project's folder if it is in there
    line: int = 1
    column: int = 1  # from 1; end_column is the one after the last
    end_column: int = 1
    severity: str = "error"  # error, warning, note
    revision: str | None = None
    function: str | None = None
    operation: str = ""  # what it is about, in words that stay the same when lines move

    @property
    def key(self) -> str:
        """Return how a baseline identifies it: without the line and the message."""
        return " ".join(filter(None, (self.revision or self.path, self.rule, self.operation)))
