"""The baseline: findings of an old history, recorded so that only new ones are reported."""

import json
from collections.abc import Iterable
from pathlib import Path

from ..exceptions import CannotCheck
from ..finding import Finding


def read_baseline(path: Path) -> set[str]:
    """Return the keys of the findings in the file. Raises CannotCheck."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {str(key) for key in data["findings"]}
    except FileNotFoundError:
        raise CannotCheck(
            f"{path}: there is no such baseline; write it with --write-baseline."
        ) from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CannotCheck(
            f"{path}: this baseline can't be read ({error}); delete it and use --write-baseline."
        ) from None


def write_baseline(path: Path, findings: Iterable[Finding]) -> None:
    """Add the findings to those in the file, which the check and the roundtrip share."""
    known = read_baseline(path) if path.exists() else set()
    keys = sorted({*known, *(finding.key for finding in findings)})
    path.write_text(json.dumps({"version": 1, "findings": keys}, indent=2) + "\n", encoding="utf-8")
