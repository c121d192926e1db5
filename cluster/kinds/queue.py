"""The batch systems: a fixed number of jobs, each with workers, by dask-jobqueue."""

import logging
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from cluster.directives import parted
from cluster.engine import ClusterError, Engine
from cluster.jobs.configuration import only_ours
from cluster.jobs.job import QueueJob, job_class
from cluster.jobs.keys import make_keys, remove_keys, security_of
from cluster.jobs.pool import JobPool
from cluster.jobs.queue import Queue
from cluster.jobs.reaper import Reaper
from cluster.jobs.script import prologue
from cluster.kinds.machine import dashboard
from cluster.settings import ClusterSettings

_CLOSE_S = 60
_DEATH_S = 60


@contextmanager
def start(settings: ClusterSettings, notify: Callable[[str], None]) -> Iterator[Engine]:
    """Submit the jobs and look after them; at the end they leave the queue.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: all but those of `address` and of this machine.
    notify : callable
        Gets a sentence for each lost job, and for what of Dask's configuration is not used.

    Yields
    ------
    Engine
        Of the jobs.

    Raises
    ------
    ClusterError
        What can be known to fail before anything is submitted.
    """
    require_jobqueue()
    queue = find_queue(settings)
    command = queue.submit.split()[0]
    if shutil.which(command) is None:
        raise ClusterError(
            f"there is no {command} on the path: run this where jobs are submitted to "
            f"{settings.kind}, or change cluster.kind"
        )
    logs = usable_folder(settings.log_folder, "log_folder")
    shared = usable_folder(settings.shared_folder or logs, "shared_folder")
    reaper = Reaper()
    keys = make_keys(shared)
    reaper.keys(keys)
    try:
        with (
            only_ours(settings.kind, notify),
            _cluster(settings, queue, reaper, keys, logs) as (cluster, jobs),
        ):
            pool = JobPool(cluster, jobs, settings.jobs, queue, notify)
            pool.fill()
            yield pool
    finally:
        remove_keys(keys)
        reaper.close()


def require_jobqueue() -> None:
    """Import dask-jobqueue, which puts its own handler of SIGINT in the place of ours.

    Raises
    ------
    ClusterError
        It is not installed.
    """
    before = signal.getsignal(signal.SIGINT)
    try:
        import_module("dask_jobqueue")
    except ImportError:
        raise ClusterError("batch jobs need dask-jobqueue: pip install 'pairspec[hpc]'") from None
    finally:
        signal.signal(signal.SIGINT, before)


def find_queue(settings: ClusterSettings) -> Queue:
    """Return what is particular to the batch system of the settings.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: `kind`.
    """
    queue: Queue = import_module(f"cluster.kinds.{settings.kind}").QUEUE
    return queue


def job_script(settings: ClusterSettings, log_folder: Path) -> str:
    """Return the script that would be submitted for one job of workers.

    Parameters
    ----------
    settings : ClusterSettings
        Of a batch system.
    log_folder : pathlib.Path
        Where its log would lie.
    """
    require_jobqueue()
    queue = find_queue(settings)
    keys = (settings.shared_folder or log_folder) / ".keys"
    with only_ours(settings.kind, lambda _: None):
        lines = partial(prologue, settings, keys)
        kind = job_class(queue, None, log_folder, lines)
        job = kind(
            "tls://SCHEDULER:PORT",
            "pairspec-RUN-0",
            protocol="tls://",
            security=security_of(keys),
            interface=settings.interface,
            **_job_options(settings, queue, "pairspec-RUN", log_folder),
        )
        return str(job.job_script())


@contextmanager
def _cluster(
    settings: ClusterSettings, queue: Queue, reaper: Reaper, keys: Path, logs: Path
) -> Iterator[tuple[Any, list[QueueJob]]]:
    from dask_jobqueue.core import JobQueueCluster

    name = f"pairspec-{secrets.token_hex(3)}"
    kind = job_class(queue, reaper, logs, partial(prologue, settings, keys))
    address, shown = dashboard(settings)
    try:
        cluster = JobQueueCluster(
            job_cls=kind,
            name=name,
            security=security_of(keys),
            interface=settings.interface,
            scheduler_options={"dashboard": shown, "dashboard_address": address},
            silence_logs=logging.CRITICAL,
            **_job_options(settings, queue, name, logs),
        )
    except RuntimeError as error:
        raise ClusterError(f"{error}; change cluster.interface") from None
    try:
        yield cluster, kind.known
    finally:
        cluster.close(timeout=_CLOSE_S)


def _job_options(settings: ClusterSettings, queue: Queue, name: str, logs: Path) -> dict[str, Any]:
    worker = "dask_cuda.cli" if settings.gpus else "distributed.cli.dask_worker"
    # The workers' own pages would be open to everybody.
    extra = ["--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
    if settings.gpus:
        extra += ["--device-memory-limit", settings.device_memory_limit]
        if settings.rmm_pool_size:
            extra += ["--rmm-pool-size", settings.rmm_pool_size]
    return {
        "cores": settings.cores,
        "memory": settings.memory,
        "processes": settings.gpus or settings.workers or settings.cores,
        "nanny": True,
        "death_timeout": _DEATH_S,
        "local_directory": '"$SCRATCH"',
        "worker_command": worker,
        "worker_extra_args": extra,
        "job_directives_skip": [],
        "log_directory": str(logs),
        "python": sys.executable,
        "job_name": name,
        **queue.options(settings),
    }


def usable_folder(folder: Path | None, setting: str) -> Path:
    """Make a folder that nodes can share, or say why it cannot be one.

    Parameters
    ----------
    folder : pathlib.Path or None
        Which folder.
    setting : str
        Which setting names it.

    Raises
    ------
    ClusterError
        There is no such folder and it cannot be made, or it cannot be shared.
    """
    path = (folder or Path("logs") / "jobs").resolve()
    if refusal := parted(path, setting):
        raise ClusterError(refusal)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClusterError(
            f"cannot make {path}: {error.strerror}; change cluster.{setting}"
        ) from None
    if (system := file_system(path)) in ("tmpfs", "ramfs"):
        raise ClusterError(
            f"{path} is in the memory of this machine ({system}), where no node sees it: change "
            f"cluster.{setting}"
        )
    return path


def file_system(path: Path) -> str:
    """Return the type of the file system that a folder lies on, empty where it is not known.

    Parameters
    ----------
    path : pathlib.Path
        Absolute.
    """
    import psutil

    mounts = [m for m in psutil.disk_partitions(all=True) if path.is_relative_to(m.mountpoint)]
    return max(mounts, key=lambda m: len(m.mountpoint)).fstype if mounts else ""
