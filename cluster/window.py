"""Many tasks, few in flight: the scheduler holds a window of them, never the whole survey."""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from distributed import Client, Future

T = TypeVar("T")
R = TypeVar("R")

PER_THREAD = 3
"""Tasks in flight for each thread of the cluster."""

LOOK_S = 1.0
"""So often it is looked how many threads there are: jobs of a queue come and go."""


def run_window(
    client: "Client",
    function: Callable[..., R],
    items: Iterable[T],
    *args: Any,
    per_thread: int = PER_THREAD,
    retries: int = 2,
) -> Iterator[R]:
    """Run ``function(item, *args)`` for every item and yield the results as they finish.

    Parameters
    ----------
    client : distributed.Client
        Where to run.
    function : callable
        Top-level and idempotent: a task may run more than once.
    items : iterable
        One argument per task; consumed lazily.
    *args
        Further arguments, the same for every task.
    per_thread : int
        Tasks in flight for each thread of the cluster; workers may come and go meanwhile.
    retries : int
        Tries after a failure.

    Yields
    ------
    object
        One result per task, in the order in which they finish.

    Raises
    ------
    Exception
        The first error that is left after the retries; the tasks in flight are cancelled.
    """

    def submit(some: list[T]) -> "list[Future[R]]":
        return [client.submit(function, item, *args, pure=False, retries=retries) for item in some]

    return watch(client, submit, items, window=lambda: per_thread * threads_of(client))


def watch(
    client: "Client",
    submit: "Callable[[list[T]], list[Future[R]]]",
    items: Iterable[T],
    window: Callable[[], int],
    group: int = 1,
) -> Iterator[R]:
    """Keep a window of futures in flight and yield their results as they finish.

    Parameters
    ----------
    client : distributed.Client
        Where the futures run.
    submit : callable
        From some items to one future each.
    items : iterable
        Consumed lazily.
    window : callable
        Returns how many futures may be in flight; asked once a second, also while none finishes.
    group : int
        Items that are submitted together, where submitting has a price of its own.

    Yields
    ------
    object
        One result per item.

    Raises
    ------
    Exception
        The first error of a future; those in flight are cancelled.
    """
    pending = iter(items)
    running: set[Future[R]] = set()
    finished: SimpleQueue[Future[R]] = SimpleQueue()
    size, look_at = 0, 0.0
    try:
        while True:
            if time.monotonic() >= look_at:
                size, look_at = max(window(), group), time.monotonic() + LOOK_S
            if size - len(running) >= group:
                for future in submit(list(islice(pending, size - len(running)))):
                    running.add(future)
                    future.add_done_callback(finished.put)
            if not running:
                return
            # as_completed would not come back before the next task is done, which may take long.
            try:
                future = finished.get(timeout=LOOK_S)
            except Empty:
                continue
            running.remove(future)
            yield future.result()
            future.release()
    finally:
        client.cancel([future for future in running if not future.done()])


def threads_of(client: "Client") -> int:
    """Count the threads of a cluster; at least one."""
    # Without the workers one by one: there may be thousands.
    threads: int = client.scheduler_info(n_workers=0).get("total_threads", 0)
    return max(1, threads)
