"""Work that must not keep the page waiting: in a thread, and its result back in the page."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from bokeh.document import Document

T = TypeVar("T")

LONGEST_S = 60.0
"""A query of the page takes no longer, since it holds a thread that others wait for."""

_LOG = logging.getLogger(__name__)


class Work:
    """Threads that answer a page.

    Parameters
    ----------
    document : bokeh.document.Document
        The page.
    pool : concurrent.futures.ThreadPoolExecutor
        Where it is done.
    """

    def __init__(self, document: Document, pool: ThreadPoolExecutor) -> None:
        self._document, self._pool = document, pool

    def do(
        self, task: Callable[[], T], done: Callable[[T], None], failed: Callable[[str], None]
    ) -> None:
        """Do a task in a thread.

        Parameters
        ----------
        task : callable
            Takes nothing; must not touch the page.
        done : callable
            Takes the result, in the page's own thread.
        failed : callable
            Takes what is wrong, likewise.
        """
        future = self._pool.submit(task)
        # From a thread a page can only be told to call something at its next turn.
        future.add_done_callback(
            lambda ended: self._document.add_next_tick_callback(partial(_end, ended, done, failed))
        )


def _end(ended: "Future[T]", done: Callable[[T], None], failed: Callable[[str], None]) -> None:
    error = ended.exception()
    if error is None:
        done(ended.result())
    elif isinstance(error, ValueError | OSError):
        # InputError, NotReadyError, CheckpointError and others whose message is for the user.
        failed(str(error))
    else:
        # The page must not wait for ever. Bokeh does not clean up after a callback that raises.
        failed(f"{type(error).__name__}: {error}")
        _LOG.error("a task of the explorer failed", exc_info=error)
