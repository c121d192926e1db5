"""Grid Engine."""

import math
from typing import Any

from cluster.engine import ClusterError
from cluster.jobs.queue import Queue
from cluster.settings import ClusterSettings


def options(settings: ClusterSettings) -> dict[str, Any]:
    """Return the keywords of dask-jobqueue's SGEJob.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: those of batch jobs.

    Raises
    ------
    ClusterError
        More than one core, and no parallel environment that would give them.
    """
    if settings.cores > 1 and not any(line.startswith("-pe ") for line in settings.directives):
        raise ClusterError(
            f"Grid Engine gives {settings.cores} cores only through a parallel environment of the "
            f"site (qconf -spl): add '-pe NAME {settings.cores}' to cluster.directives"
        )
    # Asked for with each core.
    memory = math.ceil(settings.memory_bytes / settings.cores / 2**20)
    directives = ["-r n"]
    if settings.gpus:
        directives.append(f"-l gpu={settings.gpus}")
    return {
        "queue": settings.partition,
        "project": settings.account,
        "walltime": settings.walltime,
        "resource_spec": f"mem_free={memory}M",
        "job_extra_directives": [*directives, *settings.directives],
    }


QUEUE = Queue(
    job=("dask_jobqueue.sge", "SGEJob"),
    submit="qsub",
    cancel="qdel",
    number=r"[Yy]our job (\d+)",
    options=options,
    after="-hold_jid {}",
)
