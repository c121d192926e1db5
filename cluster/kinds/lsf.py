"""LSF."""

from typing import Any

from cluster.jobs.queue import Queue
from cluster.settings import ClusterSettings


def options(settings: ClusterSettings) -> dict[str, Any]:
    """Return the keywords of dask-jobqueue's LSFJob.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: those of batch jobs.
    """
    directives = ["-rn"]
    if settings.gpus:
        directives.append(f'-gpu "num={settings.gpus}"')
    return {
        "queue": settings.partition,
        "project": settings.account,
        "walltime": settings.walltime_hhmm,
        "job_extra_directives": [*directives, *settings.directives],
    }


QUEUE = Queue(
    job=("dask_jobqueue.lsf", "LSFJob"),
    submit="bsub",
    cancel="bkill",
    number=r"Job <(\d+)>",
    options=options,
    after="-w done({})",
    # Only so are the lines #BSUB read.
    stdin=True,
)
