"""The one door to the engine: settings in, a connected client out."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.engine import ClusterError, Engine
from cluster.kinds import starter
from cluster.settings import ClusterSettings
from cluster.workers import present

if TYPE_CHECKING:
    from distributed import Client

_POLL_S = 0.5

# A lost worker is replaced at once, and a task that keeps killing workers is given up by name
# after a few tries instead of being handed round for ever.
_CONFIG = {
    "distributed.scheduler.allowed-failures": 10,
    "distributed.comm.timeouts.connect": "30s",
    # Nannies start lost workers again, and lost jobs are replaced by cluster.jobs.pool. So long
    # after each loss the cluster looks whether the worker is back, and if it is just being
    # restarted once more, closes its nanny for good.
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


def _to_stderr(sentence: str) -> None:
    sys.stderr.write(f"cluster: {sentence}\n")


def serve(settings: ClusterSettings, log_folder: Path) -> None:
    """Be a scheduler or worker and end the process, if it is such a task of an allocation.

    Of all tasks of an allocation only the driver comes back. To be called before what only one
    process may do; :func:`connect` does it otherwise.

    Parameters
    ----------
    settings : ClusterSettings
        Kind of engine.
    log_folder : pathlib.Path
        As for :func:`connect`.
    """
    if settings.kind != "allocation":
        return
    import dask

    from cluster.kinds.allocation import serve as serve_allocation

    with dask.config.set(_CONFIG):
        serve_allocation(_with_folder(settings, log_folder))


def _with_folder(settings: ClusterSettings, log_folder: Path | None) -> ClusterSettings:
    folder = settings.log_folder or log_folder or Path("logs") / "jobs"
    return settings.model_copy(update={"log_folder": folder.resolve()})


@contextmanager
def connect(
    settings: ClusterSettings,
    log_folder: Path | None = None,
    notify: Callable[[str], None] = _to_stderr,
) -> "Iterator[Client]":
    """Start or join the engine that the settings name, and close it afterwards.

    Parameters
    ----------
    settings : ClusterSettings
        Kind of engine and its size.
    log_folder : pathlib.Path, optional
        Where batch jobs write their logs unless the settings say it; by default ``logs/jobs``.
    notify : callable
        Gets a sentence about what a user should know: a lost job, a dashboard's address.

    Yields
    ------
    distributed.Client
        Connected client, with at least one worker; no caller needs to know what is behind it.

    Raises
    ------
    ClusterError
        The engine refuses; the message carries its own words and the setting to change.
    """
    import dask
    from distributed import Client

    settings = _with_folder(settings, log_folder)
    with (
        dask.config.set(_CONFIG),
        starter(settings.kind)(settings, notify) as engine,
        _client(Client, engine) as client,
    ):
        _await_worker(client, engine, settings.start_timeout)
        if settings.dashboard_address is not None:
            notify(f"dashboard at {client.dashboard_link}; from afar, tunnel to it with ssh -L")
        with _tended(client, engine, notify):
            yield client


@contextmanager
def _client(kind: "type[Client]", engine: Engine) -> "Iterator[Client]":
    try:
        client = kind(engine.target, security=engine.security)
    except (OSError, TypeError, ValueError) as error:
        raise ClusterError(
            f"cannot connect to {engine.target}: {error}; look at cluster.address and the tls files"
        ) from None
    with client:
        yield client


def _await_worker(client: "Client", engine: Engine, timeout_s: float) -> None:
    """Wait until there is a worker, or until it is known that none will come."""
    begin = time.monotonic()
    while not present(client):
        if refusal := engine.refusal():
            raise ClusterError(refusal)
        if timeout_s and time.monotonic() - begin > timeout_s:
            raise ClusterError(
                f"no worker after {timeout_s:.0f} s; look at the queue, or raise "
                "cluster.start_timeout"
            )
        time.sleep(_POLL_S)


@contextmanager
def _tended(client: "Client", engine: Engine, notify: Callable[[str], None]) -> Iterator[None]:
    """Look after the workers while the caller's work runs; end it if it cannot go on."""
    stop = threading.Event()
    failures: list[str] = []
    told: set[str] = set()

    def tend() -> None:
        while not stop.wait(_POLL_S):
            try:
                names = {str(worker["name"]) for worker in present(client).values()}
            except OSError:
                continue
            try:
                failure = engine.tend(names)
            except Exception as error:  # noqa: BLE001 (whatever it was, jobs lost later are replaced)
                trouble = f"cannot look after the workers: {error!r}"
                if trouble not in told:
                    told.add(trouble)
                    notify(f"{trouble}; it is tried again")
                continue
            if failure:
                failures.append(failure)
                client.close()
                return

    thread = threading.Thread(target=tend, daemon=True)
    thread.start()
    try:
        yield
    except BaseException as error:
        if failures:
            raise ClusterError(failures[0]) from error
        raise
    finally:
        stop.set()
        thread.join()
