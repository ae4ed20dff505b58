"""SIGTERM and Ctrl-C: the first finishes the running revision, the second stops at once."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

log = logging.getLogger("alembic.migration_guard")


class Stop:
    """The signal that came, if any; true if one came."""

    signal = ""
    at_once = False
    interrupt: Callable[[], bool] = staticmethod(lambda: False)  # ends what the server runs

    def __bool__(self) -> bool:
        return bool(self.signal)


@contextmanager
def stoppable(grace: float) -> Iterator[Stop]:
    """Handle signals while this is open. ``grace``: how many seconds a revision may still take."""
    stop = Stop()
    timer: threading.Timer | None = None

    def handle(number: int, _: FrameType | None) -> None:
        nonlocal timer
        if not stop:
            stop.signal = signal.Signals(number).name
            log.warning(
                "%s: stopping after the running revision, at the latest in %g s;"
                " once more stops at once",
                stop.signal,
                grace,
            )
            timer = threading.Timer(grace, os.kill, (os.getpid(), number))
            timer.daemon = True
            timer.start()
            return
        stop.at_once = True
        if not stop.interrupt():
            raise KeyboardInterrupt

    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for each in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(each) is not signal.SIG_IGN:
                before[each] = signal.signal(each, handle)
    try:
        yield stop
    finally:
        if timer is not None:
            timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)
