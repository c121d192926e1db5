"""`cuda`: one worker for each GPU of this machine, by dask-cuda."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cluster.engine import ClusterError, Engine
from cluster.kinds.machine import dashboard, deaf_to_interrupts
from cluster.settings import ClusterSettings


@contextmanager
def start(settings: ClusterSettings, notify: Callable[[str], None]) -> Iterator[Engine]:
    """Start a worker for each GPU.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: `workers`, `memory_limit`, `device_memory_limit`, `rmm_pool_size`, `ucx`.
    notify : callable
        Gets a sentence if the workers' talk is not encrypted.

    Yields
    ------
    Engine
        Of the cluster.

    Raises
    ------
    ClusterError
        No dask-cuda, no driver, no GPU, or fewer GPUs than workers.
    """
    n_gpus = count_gpus()
    if settings.workers > n_gpus:
        raise ClusterError(f"{n_gpus} GPUs are too few for cluster.workers = {settings.workers}")
    from dask_cuda import LocalCUDACluster

    if settings.ucx:
        notify("the CUDA workers talk by UCX, which is not encrypted")
    try:
        cluster = deaf_to_interrupts(LocalCUDACluster, **_options(settings))
    except (ImportError, ValueError) as error:
        raise ClusterError(
            f"no CUDA workers: {error}; look at cluster.ucx and cluster.rmm_pool_size"
        ) from None
    with cluster:
        yield Engine(cluster)


def count_gpus() -> int:
    """Count the GPUs of this machine.

    Raises
    ------
    ClusterError
        There is no dask-cuda, no driver, or no GPU.
    """
    try:
        import dask_cuda  # noqa: F401 (it needs more than the name says)
        import pynvml
    except ImportError as error:
        raise ClusterError(
            f"CUDA workers need dask-cuda: pip install 'pairspec[cuda]' ({error})"
        ) from None
    try:
        pynvml.nvmlInit()
        n_gpus = int(pynvml.nvmlDeviceGetCount())
    except pynvml.NVMLError as error:
        raise ClusterError(
            f"no NVIDIA driver answers on this machine ({error}): run nvidia-smi to see it, or "
            "change cluster.kind"
        ) from None
    if n_gpus == 0:
        raise ClusterError("this machine has no NVIDIA GPU: change cluster.kind")
    return n_gpus


def _options(settings: ClusterSettings) -> dict[str, Any]:
    from distributed.security import Security

    address, shown = dashboard(settings)
    encrypted = {"protocol": "tls", "security": Security.temporary()}
    return {
        "n_workers": settings.workers or None,
        "threads_per_worker": 1,
        "memory_limit": settings.memory_limit,
        "device_memory_limit": settings.device_memory_limit,
        "rmm_pool_size": settings.rmm_pool_size,
        "interface": settings.interface,
        "dashboard_address": address,
        "scheduler_kwargs": {"dashboard": shown},
        "silence_logs": logging.ERROR,
        **({"protocol": "ucxx"} if settings.ucx else encrypted),
    }
