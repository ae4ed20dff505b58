"""The progress of the roundtrip, on stderr."""

import sys
import time

LONG = 30  # seconds


class Progress:
    """Shows a bar on a terminal, and elsewhere a line for each tenth; nothing if not ``shown``."""

    def __init__(self, shown: bool, whole: bool) -> None:
        self.shown, self.whole = shown, whole
        self.start = time.monotonic()

    def show(self, done: int, total: int, revision: str) -> None:
        if not self.shown:
            return
        if sys.stderr.isatty():
            bar = "█" * (30 * done // total)
            end = "\n" if done == total else ""
            line = f"\r{bar:30} {done}/{total} {revision}\033[K"
            print(line, end=end, file=sys.stderr, flush=True)
        elif revision and done * 10 // total != (done - 1) * 10 // total:
            print(f"roundtrip: {done + 1} of {total} {revision}", file=sys.stderr, flush=True)

    def finish(self) -> None:
        """Mention --since after a long run over the whole history."""
        seconds = time.monotonic() - self.start
        if self.shown and self.whole and seconds > LONG:
            print(
                f"The roundtrip took {seconds:.0f} s. To check only what is new since a git ref,"
                " pass --since REF: nox -s roundtrip -- --since origin/main",
                file=sys.stderr,
            )
