"""What is particular to one batch system: its commands, and the options of dask-jobqueue for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cluster.settings import ClusterSettings

State = tuple[str, str]
"""State of a job and why it waits, as the queue says it."""


@dataclass(frozen=True)
class Queue:
    """One batch system.

    Attributes
    ----------
    job
        Module and name of dask-jobqueue's class of one job.
    submit, cancel
        Commands; the job script, or the number of the job, follows.
    number
        Regular expression whose first group is the number of a job that was taken.
    options
        From settings to the keywords of `job`.
    after
        Options with which a job waits for another, whose number stands for ``{}``; empty where the
        batch system has none.
    stdin
        The script is read from standard input.
    states
        Asks for the jobs in the queue; None from it: the queue does not answer. Where the batch
        system has no such command, jobs are known by their logs alone.
    """

    job: tuple[str, str]
    submit: str
    cancel: str
    number: str
    options: Callable[[ClusterSettings], dict[str, Any]]
    after: str = ""
    stdin: bool = False
    states: Callable[[], dict[str, State] | None] | None = None
