"""`local` and `inline`: worker processes of this machine, or one thread of this process."""

import logging
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from cluster.engine import Engine
from cluster.settings import ClusterSettings

T = TypeVar("T")


@contextmanager
def start(settings: ClusterSettings, notify: Callable[[str], None]) -> Iterator[Engine]:
    """Start workers on this machine.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: `kind`, `workers`, `memory_limit`, `interface`, `dashboard_address`.
    notify : callable
        Not used here.

    Yields
    ------
    Engine
        Of the cluster.
    """
    import dask
    from distributed import LocalCluster

    del notify
    # The one worker of this process is not lost because the process was stopped for minutes
    # (Ctrl-Z); nothing would start it again.
    lasting = {"distributed.scheduler.worker-ttl": None} if settings.kind == "inline" else {}
    with dask.config.set(lasting):
        cluster = deaf_to_interrupts(LocalCluster, **_options(settings))
    try:
        yield Engine(cluster)
    finally:
        # Workers that take seconds to end, as on a busy machine, have been killed by then: what
        # was done stays done.
        with suppress(TimeoutError):
            cluster.close()


def deaf_to_interrupts(start: Callable[..., T], **options: Any) -> T:
    """Start a cluster from a thread that blocks SIGINT, which its worker processes inherit.

    Ctrl-C reaches every process of a terminal: it is this process that decides what follows.

    Parameters
    ----------
    start : callable
        Starts the cluster.
    **options
        Its arguments.
    """
    with ThreadPoolExecutor(1) as executor:
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            started = executor.submit(start, **options)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return started.result()


def dashboard(settings: ClusterSettings) -> tuple[str, bool]:
    """Return where the scheduler answers HTTP, on loopback alone, and whether with a dashboard.

    Without a dashboard it still answers questions about its health.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: `dashboard_address`.
    """
    address = settings.dashboard_address
    if address is None:
        return "127.0.0.1:0", False
    host, _, port = address.rpartition(":")
    return f"{host or '127.0.0.1'}:{port}", True


def _options(settings: ClusterSettings) -> dict[str, Any]:
    from distributed.security import Security

    address, shown = dashboard(settings)
    common: dict[str, Any] = {
        "dashboard_address": address,
        "scheduler_kwargs": {"dashboard": shown},
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
        "interface": settings.interface,
        "protocol": "tls",
        "security": Security.temporary(),
    }
