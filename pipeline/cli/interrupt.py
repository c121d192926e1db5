"""Ctrl-C and SIGTERM end a command at once: everything it does may be killed and goes on later."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.resource_tracker import ensure_running
from threading import Event, Thread
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
        with _kept_from_children(signal.SIGINT):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _kept_from_children(number: signal.Signals) -> Iterator[None]:
    """Take a signal in a thread of its own; processes that start meanwhile have it blocked.

    A terminal sends Ctrl-C to them, too, and Python prints a traceback for each that is starting.
    """
    # It would unblock the signal for the thread that needs it first, and so for what that starts.
    ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    over = Event()

    def wait() -> None:
        signal.sigwait({number})
        if not over.is_set():
            _stop(number, None)

    thread = Thread(target=wait, name="pairspec-interrupt", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        if thread.ident is not None:
            signal.pthread_kill(thread.ident, number)
        thread.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _stop(number: int, _frame: FrameType | None) -> None:
    import psutil

    start = _AFTER_A_BAR if sys.stderr.isatty() else ""
    sys.stderr.write(f"{start}interrupted; run the same command again to go on\n")
    sys.stderr.flush()
    # What other threads still say of the processes that end here is of no use.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    for child in psutil.Process().children(recursive=True):
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    os._exit(128 + number)
