"""SLURM's commands: ask after jobs, take jobs back."""

import getpass
import time
from collections.abc import Iterable
from dataclasses import dataclass

from cluster.jobs.command import ask

_WAITING = ("PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT")
_RUNNING = ("RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "STOPPED", "STAGE_OUT")


@dataclass(frozen=True)
class SlurmJob:
    """What the queue says of a job.

    Parameters
    ----------
    number : str
        Its number.
    name : str
        Its name.
    state : str
        In the words of SLURM, e.g. `PENDING`.
    elapsed : str
        Time since it started.
    nodes : str
        Where it runs.
    reason : str
        Why it waits or ended.
    """

    number: str
    name: str
    state: str
    elapsed: str
    nodes: str
    reason: str

    @property
    def waiting(self) -> bool:
        """Whether it waits for its turn."""
        return self.state in _WAITING

    @property
    def running(self) -> bool:
        """Whether it is at work, or just coming to its end."""
        return self.state in _RUNNING

    @property
    def queued(self) -> bool:
        """Whether it is in the queue."""
        return self.waiting or self.running


def jobs_of_user() -> dict[str, SlurmJob]:
    """Return the jobs of this user by number: those in the queue, and those that ended lately.

    Raises
    ------
    ClusterError
        The queue does not answer.
    """
    form = "%i|%j|%T|%M|%N|%r"
    answer = ask("squeue", "--noheader", "--states=all", f"--user={getpass.getuser()}", "-o", form)
    rows = (line.split("|", 5) for line in answer.splitlines() if line.count("|") >= 5)
    return {row[0]: SlurmJob(*row) for row in rows}


def cancel(numbers: Iterable[str], timeout_s: float = 30.0) -> list[str]:
    """Take jobs back and wait until they have left the queue.

    Parameters
    ----------
    numbers : iterable of str
        Their numbers.
    timeout_s : float
        How long to wait.

    Returns
    -------
    list of str
        Those that are still there.

    Raises
    ------
    ClusterError
        The queue does not answer.
    """
    left = list(numbers)
    if left:
        ask("scancel", *left)
    end = time.monotonic() + timeout_s
    while left and time.monotonic() < end:
        there = jobs_of_user()
        left = [number for number in left if number in there and there[number].queued]
        if left:
            time.sleep(0.5)
    return left
