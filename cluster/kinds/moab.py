"""Moab, with TORQUE's way to ask for resources."""

from typing import Any

from cluster.jobs.queue import Queue
from cluster.settings import ClusterSettings


def options(settings: ClusterSettings) -> dict[str, Any]:
    """Return the keywords of dask-jobqueue's MoabJob.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: those of batch jobs.
    """
    gpus = f":gpus={settings.gpus}" if settings.gpus else ""
    return {
        "queue": settings.partition,
        "account": settings.account,
        "walltime": settings.walltime,
        # dask-jobqueue would ask in the way of PBS Professional, which Moab does not know.
        "resource_spec": f"nodes=1:ppn={settings.cores}{gpus},mem={settings.memory_mib}mb",
        "job_extra_directives": ["-r n", *settings.directives],
    }


QUEUE = Queue(
    job=("dask_jobqueue.moab", "MoabJob"),
    submit="msub",
    cancel="canceljob",
    number=r"(\S*\d+\S*)",
    options=options,
    after="-l depend=afterok:{}",
)
