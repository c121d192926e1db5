"""Many tasks, few in flight: the scheduler holds a window of them, never the whole survey."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from distributed import Client, Future

T = TypeVar("T")
R = TypeVar("R")

PER_THREAD = 3
"""Tasks in flight for each thread of the cluster."""


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
        Tasks in flight for each thread of the cluster.
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

    return watch(client, submit, items, window=per_thread * threads_of(client))


def watch(
    client: "Client",
    submit: "Callable[[list[T]], list[Future[R]]]",
    items: Iterable[T],
    window: int,
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
    window : int
        Futures in flight at most.
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
    from distributed import as_completed

    pending = iter(items)
    running = as_completed(submit(list(islice(pending, max(window, group)))))
    n_free = 0
    try:
        for future in running:
            yield future.result()
            future.release()
            n_free += 1
            if n_free == group:
                n_free = 0
                running.update(submit(list(islice(pending, group))))
    finally:
        client.cancel([future for future in running.futures if not future.done()])


def threads_of(client: "Client") -> int:
    """Count the threads of a cluster; at least one."""
    threads: dict[str, int] = client.nthreads()
    return max(1, sum(threads.values()))
