"""The one door to the engine: settings in, a connected client out."""

import logging
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from cluster.settings import ClusterSettings

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")

# A lost worker is replaced at once, and a task that keeps killing workers is given up by name
# after a few tries instead of being handed round for ever.
_CONFIG = {
    "distributed.scheduler.allowed-failures": 10,
    "distributed.comm.timeouts.connect": "30s",
    # Nannies start lost workers again. So long after each loss the cluster looks whether the worker
    # is back, and if it is just being restarted once more, closes its nanny for good.
    "distributed.deploy.lost-worker-timeout": "365d",
    "distributed.admin.large-graph-warning-threshold": "100MB",
    # Dask lets workers hand every freed block back to the system at once, which makes a network
    # spend half of its time on page faults: 161 spectra per s and core in training, not 388.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 256 << 20,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 32 << 20,
    # Threads that wait for each other spin for a short while only: beside other work, spinning ones
    # take the processor from those they wait for (benchmarks/speed/neighbour.py).
    "distributed.nanny.pre-spawn-environ.GOMP_SPINCOUNT": 1000,
}


@contextmanager
def connect(settings: ClusterSettings) -> "Iterator[Client]":
    """Start or join the engine that the settings name, and close it afterwards.

    Parameters
    ----------
    settings : ClusterSettings
        Kind of engine and its size.

    Yields
    ------
    distributed.Client
        Connected client; no caller needs to know what is behind it.
    """
    import dask
    from distributed import Client, LocalCluster

    with (
        dask.config.set(_CONFIG),
        _deaf_to_interrupts(LocalCluster, **_options(settings)) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _deaf_to_interrupts(start: "Callable[..., T]", **options: Any) -> "T":
    """Start a cluster from a thread that blocks SIGINT, which its worker processes inherit.

    Ctrl-C reaches every process of a terminal: it is this process that decides what follows.
    """
    with ThreadPoolExecutor(1) as executor:
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            started = executor.submit(start, **options)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return started.result()


def _options(settings: ClusterSettings) -> dict[str, Any]:
    from distributed.security import Security

    common: dict[str, Any] = {
        # Without a dashboard the scheduler still answers questions about its health, here on
        # loopback alone.
        "dashboard_address": settings.dashboard_address or "127.0.0.1:0",
        "scheduler_kwargs": {"dashboard": settings.dashboard_address is not None},
        "threads_per_worker": 1,
        "memory_limit": settings.memory_limit,
        "silence_logs": logging.ERROR,
    }
    if settings.kind == "inline":
        return common | {"processes": False, "n_workers": 1, "memory_limit": None}
    # Whoever may connect to a scheduler may run code as its user: keys of this run alone.
    return common | {
        "processes": True,
        "n_workers": settings.workers or None,
        "protocol": "tls",
        "security": Security.temporary(),
    }
