"""The one door to the engine: settings in, a connected client out."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cluster.settings import ClusterSettings

if TYPE_CHECKING:
    from distributed import Client

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
    # spend half of its time on page faults: 161 spectra a second and core in training against 388.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 256 << 20,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 32 << 20,
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
        LocalCluster(**_options(settings)) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _options(settings: ClusterSettings) -> dict[str, Any]:
    common: dict[str, Any] = {
        "dashboard_address": settings.dashboard_address or "127.0.0.1:0",
        "threads_per_worker": 1,
        "memory_limit": settings.memory_limit,
        "silence_logs": logging.ERROR,
    }
    if settings.kind == "inline":
        return common | {"processes": False, "n_workers": 1, "memory_limit": None}
    return common | {"processes": True, "n_workers": settings.workers or None}
