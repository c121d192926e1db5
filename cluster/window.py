"""Many tasks, few in flight: the scheduler holds a window of them, never the whole survey."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")
R = TypeVar("R")


def run_window(
    client: "Client",
    function: Callable[..., R],
    items: Iterable[T],
    *args: Any,
    per_thread: int = 3,
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
        One argument a task; consumed lazily.
    *args
        Further arguments, the same for every task.
    per_thread : int
        Tasks in flight for each thread of the cluster.
    retries : int
        Tries after a failure.

    Yields
    ------
    object
        One result a task, in the order in which they finish.

    Raises
    ------
    Exception
        The first error that is left after the retries; the tasks in flight are cancelled.
    """
    from distributed import as_completed

    def submit(item: T) -> Any:
        return client.submit(function, item, *args, pure=False, retries=retries)

    pending = iter(items)
    threads = max(1, sum(client.nthreads().values()))
    running = as_completed([submit(item) for item in islice(pending, per_thread * threads)])
    try:
        for future in running:
            yield future.result()
            future.release()
            for item in islice(pending, 1):
                running.add(submit(item))
    finally:
        client.cancel([future for future in running.futures if not future.done()])
