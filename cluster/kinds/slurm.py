"""SLURM."""

import subprocess
from typing import Any

from cluster.jobs.queue import Queue, State
from cluster.settings import ClusterSettings

_ANSWER_S = 20


def options(settings: ClusterSettings) -> dict[str, Any]:
    """Return the keywords of dask-jobqueue's SLURMJob.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: those of batch jobs.
    """
    # A lost job is replaced: SLURM is not to start it a second time.
    directives = ["--no-requeue"]
    if settings.gpus:
        directives.append(f"--gres=gpu:{settings.gpus}")
    return {
        "queue": settings.partition,
        "account": settings.account,
        "walltime": settings.walltime,
        # dask-jobqueue would round it up to whole GiB.
        "job_mem": f"{settings.memory_mib}M",
        "job_extra_directives": [*directives, *settings.directives],
    }


def states() -> dict[str, State] | None:
    """Ask for the user's jobs; None if the controller does not answer."""
    command = ["squeue", "--me", "--noheader", "--format=%i|%T|%r"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_ANSWER_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    jobs = (line.split("|", 2) for line in done.stdout.splitlines())
    return {number: (state, reason) for number, state, reason in jobs}


QUEUE = Queue(
    job=("dask_jobqueue.slurm", "SLURMJob"),
    submit="sbatch",
    cancel="scancel",
    number=r"Submitted batch job (\d+)",
    options=options,
    after="--dependency=afterok:{}",
    states=states,
)
