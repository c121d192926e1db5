"""The rate of requests, held over all connections, and the waits that servers ask for."""

import threading
import time
from collections.abc import Callable

_CATCH_UP_S = 0.25
"""A request that came late by at most this does not slow down those after it."""


class Pace:
    """Hands out the times at which requests may start.

    Parameters
    ----------
    per_second : float
        Requests per second, over all threads.
    clock, sleep : callable
        Time in seconds, and how to wait.
    """

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval_s = 1 / per_second
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._next = clock()
        self._paused_until = self._next

    def wait(self) -> None:
        """Return when the next request may start."""
        while True:
            with self._lock:
                slot = max(self._next, self._clock() - _CATCH_UP_S, self._paused_until)
                self._next = slot + self._interval_s
            delay = slot - self._clock()
            if delay > 0:
                self._sleep(delay)
            # A server may have asked all of us to wait in the meantime.
            if self._paused_until <= slot:
                return

    def pause(self, seconds: float) -> None:
        """Let no request start for a while."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock() + seconds)
