"""PBS."""

from typing import Any

from cluster.jobs.queue import Queue
from cluster.settings import ClusterSettings


def options(settings: ClusterSettings) -> dict[str, Any]:
    """Return the keywords of dask-jobqueue's PBSJob.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: those of batch jobs.
    """
    gpus = f":ngpus={settings.gpus}" if settings.gpus else ""
    return {
        "queue": settings.partition,
        "account": settings.account,
        "walltime": settings.walltime,
        "resource_spec": f"select=1:ncpus={settings.cores}{gpus}:mem={settings.memory_mib}mb",
        # A lost job is replaced: PBS is not to start it a second time.
        "job_extra_directives": ["-r n", *settings.directives],
    }


QUEUE = Queue(
    job=("dask_jobqueue.pbs", "PBSJob"),
    submit="qsub",
    cancel="qdel",
    number=r"(\d+\S*)",
    options=options,
    after="-W depend=afterok:{}",
)
