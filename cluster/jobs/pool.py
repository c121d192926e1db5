"""A fixed number of batch jobs: a refusal is told, a lost job is replaced."""

import itertools
import time
from collections.abc import Callable, Collection
from typing import Any

from cluster.engine import Engine
from cluster.jobs.job import QueueJob
from cluster.jobs.queue import Queue, State
from cluster.jobs.refusal import advice, is_hopeless, is_transient, one_line
from cluster.jobs.script import ENDED

ASK_S = 3.0
"""The queue is asked at most so often while something is amiss."""
ENTER_S = 10.0
"""So long after it was taken a job may be unknown to the queue."""
SURE_S = 4.0
"""So long after it was taken the queue says precisely why a job cannot start."""
ABSENT_S = 45.0
"""A job without a worker for so long is lost; a worker that died is back before."""
TRIES = 3
"""With no worker left, so many jobs in a row may fail before the run is given up."""


class JobPool(Engine):
    """The jobs of one run.

    Parameters
    ----------
    cluster : dask_jobqueue.JobQueueCluster
        Submits the jobs.
    jobs : list of QueueJob
        Those that were submitted and not given up; the class of the jobs adds to it.
    wanted : int
        How many there are to be.
    queue : Queue
        Batch system.
    notify : callable
        Gets a sentence for every lost job.
    """

    def __init__(
        self,
        cluster: Any,
        jobs: list[QueueJob],
        wanted: int,
        queue: Queue,
        notify: Callable[[str], None],
    ) -> None:
        super().__init__(cluster)
        self._cluster, self._jobs, self._wanted = cluster, jobs, wanted
        self._queue, self._notify = queue, notify
        self._states: dict[str, State] | None = None
        self._asked = 0.0
        self._failed = 0
        self._not_before = 0.0
        self._numbers = itertools.count()

    def fill(self) -> None:
        """Submit jobs until there are as many as wanted.

        Each has a name of its own: dask-jobqueue would give a lost one's to another, and with it
        the log that says that the job has ended.
        """
        specifications = self._cluster.worker_spec
        while len(specifications) < self._wanted:
            specifications[f"{self._cluster.name}-{next(self._numbers)}"] = self._cluster.new_spec
        self._cluster.scale(jobs=self._wanted)

    def refusal(self) -> str | None:
        """Tell why no worker will ever come, or None."""
        self._ask()
        for job in list(self._jobs):
            if why := self._loss(job):
                return why
        return None

    def tend(self, workers: Collection[str]) -> str | None:
        """Replace lost jobs.

        Parameters
        ----------
        workers : collection of str
            Names of the workers that are present.

        Returns
        -------
        str or None
            Why the work cannot go on, or None.
        """
        now = time.monotonic()
        for job in self._jobs:
            if any(name == job.name or name.startswith(f"{job.name}-") for name in workers):
                self._failed = 0 if not job.was_up else self._failed
                job.was_up, job.missing_since = True, None
            elif job.missing_since is None:
                job.missing_since = now
        if all(job.missing_since is None for job in self._jobs) or now < self._not_before:
            return None
        self._ask()
        lost = {job: why for job in list(self._jobs) if (why := self._loss(job))}
        if not lost:
            return None
        if all(job.was_up or is_transient(job.refusal) for job in lost):
            self._not_before = now + ASK_S
        else:
            self._failed += 1
            self._not_before = now + ASK_S * 2**self._failed
            if self._failed >= TRIES and not workers:
                return f"no job starts any more: {next(iter(lost.values()))}"
        self._replace(list(lost))
        for why in lost.values():
            self._notify(f"{why}; starting another")
        return None

    def _replace(self, lost: list[QueueJob]) -> None:
        self._cluster.sync(self._cluster.scale_down, [job.name for job in lost])
        # Only now: a job that could not be given up is found lost once more.
        for job in lost:
            self._jobs.remove(job)
        self.fill()

    def _ask(self) -> None:
        if self._queue.states is not None and time.monotonic() > self._asked + ASK_S:
            self._states = self._queue.states()
            self._asked = time.monotonic()

    def _loss(self, job: QueueJob) -> str | None:
        """Say why a job is lost or will never start; None if there is hope."""
        if job.refusal:
            words = one_line(job.refusal)
            return f"the queue refused a job: {words}{advice(words)}"
        if job.missing_since is None or job.job_id is None:
            return None
        absent = time.monotonic() - job.missing_since
        if job.has_ended() or (self._has_left(job) and absent > ASK_S):
            return self._last_words(job)
        if self._states is not None:
            _, reason = self._states.get(job.job_id, ("", ""))
            if is_hopeless(reason) and self._asked > job.submitted + SURE_S:
                return f"job {job.job_id} can never start: {reason}{advice(reason)}"
        elif job.was_up and self._queue.states is None and absent > ABSENT_S:
            return f"job {job.job_id} has had no worker for {absent:.0f} s"
        return None

    def _has_left(self, job: QueueJob) -> bool:
        return (
            self._states is not None
            and self._asked > job.submitted + ENTER_S
            and job.job_id not in self._states
        )

    def _last_words(self, job: QueueJob) -> str:
        said = [line for line in job.said().splitlines() if not line.startswith(ENDED)]
        if job.was_up:
            return f"job {job.job_id} has ended (log: {job.log})"
        words = one_line("\n".join(said)) or "it wrote nothing; look at cluster.prologue"
        return (
            f"job {job.job_id} ended before its worker was there: {words}{advice(words)} "
            f"(log: {job.log})"
        )
