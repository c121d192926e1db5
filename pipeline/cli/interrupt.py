"""Ctrl-C and SIGTERM end a command at once: everything it does may be killed and goes on later."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_AFTER_A_BAR = "\x1b[?25h\n"
"""Shows the cursor again, which a progress bar hides, on a line of its own."""


@contextmanager
def ends_at_once() -> Iterator[None]:
    """Let SIGINT and SIGTERM kill the workers and exit with 128 + signal, with one line.

    Nothing is closed in good order: outputs appear atomically and the next run sweeps the rest.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _frame: FrameType | None) -> None:
    import psutil

    for child in psutil.Process().children(recursive=True):
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    start = _AFTER_A_BAR if sys.stderr.isatty() else ""
    sys.stderr.write(f"{start}interrupted; run the same command again to go on\n")
    sys.stderr.flush()
    os._exit(128 + number)
