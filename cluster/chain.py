"""Jobs of drivers in any queue, each after the one before: submit them, take them back."""

import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from cluster import slurm
from cluster.engine import ClusterError
from cluster.jobs.command import ask
from cluster.jobs.queue import Queue
from cluster.jobs.refusal import advice, one_line

ASKED = "slurm"
"""The one queue that is asked what became of jobs; of others it is known by what jobs leave."""


def queue_of(kind: str) -> str:
    """Return the queue that a job of a kind goes to.

    Parameters
    ----------
    kind : str
        Kind of a queue, or ``allocation``, which is a job of SLURM.
    """
    return "slurm" if kind == "allocation" else kind


def waits(kind: str) -> bool:
    """Tell whether a queue lets a job wait for another.

    Parameters
    ----------
    kind : str
        Kind of the queue.
    """
    return bool(_queue(kind).after)


def submit(kind: str, path: Path, after: str | None = None) -> str:
    """Submit the job of a driver.

    Parameters
    ----------
    kind : str
        Kind of the queue.
    path : pathlib.Path
        Script of the job; for HTCondor its description.
    after : str, optional
        Number of a job that must have ended before.

    Returns
    -------
    str
        Number of the job.

    Raises
    ------
    ClusterError
        The queue refused it.
    """
    queue = _queue(kind)
    command = queue.submit.split()
    if after is not None:
        command += queue.after.format(after).split()
    if not queue.stdin:
        command.append(str(path))
    try:
        said = ask(*command, stdin=path.read_text() if queue.stdin else None)
    except ClusterError as error:
        hint = advice(str(error)).replace("cluster.", "cluster.driver.")
        raise ClusterError(f"{error}{hint}") from None
    number = re.search(queue.number, said)
    if number is None:
        raise ClusterError(f"{command[0]} gave no number of a job: {one_line(said)}")
    return number.group(1)


def cancel(kind: str, numbers: Iterable[str]) -> list[str]:
    """Take jobs back.

    Parameters
    ----------
    kind : str
        Kind of the queue.
    numbers : iterable of str
        Their numbers.

    Returns
    -------
    list of str
        Those that do not leave the queue, as far as it tells.

    Raises
    ------
    ClusterError
        SLURM does not answer.
    """
    if kind == ASKED:
        return slurm.cancel(numbers)
    left = []
    for number in numbers:
        try:
            ask(*_queue(kind).cancel.split(), number)
        except ClusterError:
            left.append(number)
    return left


def _queue(kind: str) -> Queue:
    queue: Queue = import_module(f"cluster.kinds.{kind}").QUEUE
    return queue
