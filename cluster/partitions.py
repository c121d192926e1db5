"""Dask dataframes partition by partition through the window, each partition with its number."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cluster.window import PER_THREAD, threads_of, watch

if TYPE_CHECKING:
    import pandas as pd
    from distributed import Client, Future

GROUP = 16
"""Partitions submitted together: Dask takes some 20 ms to cut a graph out of a collection."""


def map_partitions_window(
    client: "Client",
    read: "Callable[..., pd.DataFrame]",
    work: Callable[..., Any],
    numbers: Sequence[int],
    *args: Any,
    retries: int = 2,
) -> Iterator[Any]:
    """Read partitions and run ``work(frame, number, *args)`` on each by ``map_partitions``.

    Parameters
    ----------
    client : distributed.Client
        Where to run.
    read : callable
        Top-level; from the number of a partition to its data frame, which may be empty.
    work : callable
        Top-level and idempotent; writes its output itself, and returns what is small.
    numbers : sequence of int
        Numbers of the partitions.
    *args
        Further arguments of `work`.
    retries : int
        Tries after a failure.

    Yields
    ------
    object
        What `work` returned for each partition, in the order in which they finish.

    Raises
    ------
    Exception
        The first error that is left after the retries; the tasks in flight are cancelled.
    """
    import dask.dataframe as dd
    import pandas as pd

    if not numbers:
        return
    frames = dd.from_map(read, numbers, meta=pd.DataFrame(), enforce_metadata=False)
    known = dd.from_map(_as_series, numbers, meta=pd.Series(dtype="int64", name="number"))
    returned = pd.Series(dtype="object", name="returned")
    done = frames.map_partitions(
        _run, known, work, args, meta=returned, align_dataframes=False, enforce_metadata=False
    )

    def submit(places: list[int]) -> "list[Future[pd.Series[Any]]]":
        if not places:
            return []
        some = done.partitions[places[0] : places[-1] + 1]
        futures: list[Future[pd.Series[Any]]] = client.compute(some.to_delayed(), retries=retries)
        return futures

    def window() -> int:
        return max(PER_THREAD * threads_of(client), 2 * GROUP)

    for returned_1 in watch(client, submit, range(len(numbers)), window, GROUP):
        yield returned_1.iloc[0]


def _as_series(number: int) -> "pd.Series[int]":
    import pandas as pd

    return pd.Series([number], dtype="int64", name="number")


def _run(
    frame: "pd.DataFrame", number: "pd.Series[int]", work: Callable[..., Any], args: tuple[Any, ...]
) -> "pd.Series[Any]":
    import pandas as pd

    returned = work(frame, int(number.iloc[0]), *args)
    return pd.Series([returned], dtype="object", name="returned")
