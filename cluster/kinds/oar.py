"""OAR."""

from typing import Any

from cluster.jobs.queue import Queue
from cluster.settings import ClusterSettings


def options(settings: ClusterSettings) -> dict[str, Any]:
    """Return the keywords of dask-jobqueue's OARJob.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: those of batch jobs.
    """
    gpus = f"/gpu={settings.gpus}" if settings.gpus else ""
    return {
        "queue": settings.partition,
        "project": settings.account,
        "walltime": settings.walltime,
        "resource_spec": f"/nodes=1{gpus}/core={settings.cores}",
        # Memory comes with the cores; a site that sells it apart has a property of its own,
        # which goes into the directives.
        "memory_per_core_property_name": "not_applicable",
        "job_extra_directives": list(settings.directives),
    }


QUEUE = Queue(
    job=("dask_jobqueue.oar", "OARJob"),
    # With -S the lines #OAR of the script are read.
    submit="oarsub -S",
    cancel="oardel",
    number=r"OAR_JOB_ID=(\d+)",
    options=options,
    after="-a {}",
)
