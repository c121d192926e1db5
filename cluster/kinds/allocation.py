"""`allocation`: scheduler, driver and workers are the tasks of one step of SLURM."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from cluster.engine import ClusterError, Engine
from cluster.jobs.keys import make_keys, security_of
from cluster.jobs.reaper import Reaper
from cluster.kinds.machine import dashboard
from cluster.kinds.queue import require_jobqueue, usable_folder
from cluster.settings import ClusterSettings

if TYPE_CHECKING:
    from distributed import Scheduler

SCHEDULER, DRIVER = 0, 1
"""Tasks of the step that are no workers."""

_MEET_S = 120.0
_ABSENT_S = 15.0


class AllocatedWorkers(Engine):
    """The workers of the step: what is lost stays lost, and is told.

    Parameters
    ----------
    address : str
        Of the scheduler.
    security : distributed.security.Security
        Keys of the run.
    n_workers : int
        Tasks that are workers.
    notify : callable
        Gets a sentence for each lost worker.
    """

    def __init__(
        self, address: str, security: Any, n_workers: int, notify: Callable[[str], None]
    ) -> None:
        super().__init__(address, security)
        self._n_workers, self._notify = n_workers, notify
        self._seen: dict[str, float] = {}
        self._told: set[str] = set()

    def tend(self, workers: Collection[str]) -> str | None:
        """Tell of lost workers; give up when all are lost.

        Parameters
        ----------
        workers : collection of str
            Names of those that are present.

        Returns
        -------
        str or None
            Why the work cannot go on, or None.
        """
        now = time.monotonic()
        self._seen |= dict.fromkeys(workers, now)
        lost = {name for name, last in self._seen.items() if now - last > _ABSENT_S}
        for name in sorted(lost - self._told):
            self._notify(
                f"the worker of task {name} is lost; {self._n_workers - len(lost)} of "
                f"{self._n_workers} are left"
            )
        self._told |= lost
        if lost and len(lost) == len(self._seen):
            return "all workers of the allocation are lost: look at their logs, for memory"
        return None


@contextmanager
def start(settings: ClusterSettings, notify: Callable[[str], None]) -> Iterator[Engine]:
    """Be what this task of the step is to be; the driver alone comes back.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: `memory_limit`, `interface`, `scratch`, `shared_folder`, `dashboard_address`.
    notify : callable
        Gets a sentence for each lost worker.

    Yields
    ------
    Engine
        Of the workers, in the driver.

    Raises
    ------
    ClusterError
        This is no step of SLURM, or one of too few tasks; or no scheduler came.
    """
    serve(settings)
    keys = _meeting(settings)
    card = keys / "scheduler.json"
    _wait_for(card)
    from distributed.utils import json_load_robust

    address = json_load_robust(card)["address"]
    _, size = _place()
    # The scheduler ends when its last client leaves, and the workers with it.
    yield AllocatedWorkers(address, security_of(keys), size - 2, notify)


def serve(settings: ClusterSettings) -> None:
    """Run the scheduler or a worker, if this task is to be one, and then end the process.

    Parameters
    ----------
    settings : ClusterSettings
        As for :func:`start`.

    Raises
    ------
    ClusterError
        This is no step of SLURM, or one of too few tasks.
    """
    number, size = _place()
    if size < 3:
        raise ClusterError(
            f"an allocation of {size} tasks has no place for scheduler, driver and a worker: "
            "srun --ntasks=3 or more, or change cluster.kind"
        )
    if number == DRIVER:
        return
    meeting = _meeting(settings)
    # The driver alone writes to the job's own log.
    log = meeting.parent / f"allocation{meeting.name.removeprefix('.keys')}-{number}.log"
    with log.open("ab") as stream:
        for descriptor in (1, 2):
            os.dup2(stream.fileno(), descriptor)
    if number == SCHEDULER:
        _serve_scheduler(settings, meeting)
    _serve_worker(settings, meeting)


def _place() -> tuple[int, int]:
    try:
        return int(os.environ["SLURM_PROCID"]), int(os.environ["SLURM_NTASKS"])
    except KeyError:
        raise ClusterError(
            "cluster.kind = 'allocation' is for the steps of a SLURM job: start it by srun in a "
            "batch job, or change cluster.kind"
        ) from None


def _meeting(settings: ClusterSettings) -> Path:
    """Return the folder in which the tasks of this step find keys and scheduler."""
    shared = usable_folder(settings.shared_folder or settings.log_folder, "shared_folder")
    step = f"{os.environ['SLURM_JOB_ID']}-{os.environ.get('SLURM_STEP_ID', '0')}"
    return shared / f".keys-{step}"


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + _MEET_S
    while not path.exists():
        if time.monotonic() > deadline:
            raise ClusterError(
                f"no scheduler after {_MEET_S:.0f} s: look at the log of task 0; {path.parent} "
                "must be on a file system that nodes share (cluster.shared_folder)"
            )
        time.sleep(0.1)


def _serve_scheduler(settings: ClusterSettings, meeting: Path) -> NoReturn:
    from distributed.diagnostics.plugin import SchedulerPlugin

    class EndWithDriver(SchedulerPlugin):
        """Closes the scheduler when its last client has left, however it ended."""

        async def start(self, scheduler: "Scheduler") -> None:
            # A driver that failed before it connected never leaves.
            scheduler.loop.call_later(_MEET_S, self._end_if_alone, scheduler, "")

        def remove_client(self, scheduler: "Scheduler", client: str) -> None:
            self._end_if_alone(scheduler, client)

        def _end_if_alone(self, scheduler: "Scheduler", leaving: str) -> None:
            if not set(scheduler.clients) - {leaving, "fire-and-forget"}:
                scheduler.loop.add_callback(scheduler.close)

    address, shown = dashboard(settings)
    reaper = Reaper()
    reaper.keys(meeting)
    # It appears whole.
    made = Path(tempfile.mkdtemp(prefix=".making-", dir=meeting.parent))
    make_keys(made).rename(meeting)
    made.rmdir()
    try:
        _run(
            meeting,
            scheduler_options={
                "protocol": "tls",
                "security": security_of(meeting),
                "interface": settings.interface,
                "dashboard": shown,
                "dashboard_address": address,
                "plugins": (EndWithDriver(),),
            },
        )
    finally:
        shutil.rmtree(meeting, ignore_errors=True)
        reaper.close()


def _serve_worker(settings: ClusterSettings, meeting: Path) -> NoReturn:
    _wait_for(meeting)
    scratch = os.path.expandvars(
        settings.scratch.replace("${TMPDIR:-/tmp}", os.environ.get("TMPDIR", "/tmp"))  # noqa: S108
    )
    _run(
        meeting,
        worker_class="distributed.Nanny",
        worker_options={
            "protocol": "tls",
            "security": security_of(meeting),
            "interface": settings.interface,
            "nthreads": 1,
            "memory_limit": settings.memory_limit,
            "local_directory": scratch,
            "dashboard": False,
            "dashboard_address": "127.0.0.1:0",
        },
    )


def _run(meeting: Path, **options: Any) -> NoReturn:
    """Run this task's part to its end; SLURMRunner then interrupts the process."""
    require_jobqueue()
    from dask_jobqueue.slurm import SLURMRunner

    signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGTERM, _end)
    # A command takes it in a thread of its own, and here the interrupt is the ordinary end.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    SLURMRunner(scheduler_file=str(meeting / "scheduler.json"), **options)
    raise SystemExit(0)


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(0 if number == signal.SIGINT else 128 + number)
