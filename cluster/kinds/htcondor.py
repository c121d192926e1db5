"""HTCondor."""

from typing import Any

from cluster.engine import ClusterError
from cluster.jobs.queue import Queue
from cluster.settings import ClusterSettings

_DISK = "10GB"


def options(settings: ClusterSettings) -> dict[str, Any]:
    """Return the keywords of dask-jobqueue's HTCondorJob.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: those of batch jobs.

    Raises
    ------
    ClusterError
        A partition, which HTCondor does not have, or a directive that is no assignment.
    """
    if settings.partition:
        raise ClusterError(
            "HTCondor has no partitions: leave cluster.partition out and add 'requirements = ...' "
            "to cluster.directives"
        )
    directives: dict[str, str | int] = {
        "getenv": "True",
        # HTCondor knows no time limit of its own. A lost job is replaced: it is not to start again.
        "periodic_remove": f"(JobStatus == 2 && time() - JobCurrentStartDate > "
        f"{settings.walltime_s}) || (JobStatus == 1 && NumJobStarts > 0)",
    }
    if settings.account:
        directives["accounting_group"] = settings.account
    if settings.gpus:
        directives["request_gpus"] = settings.gpus
    for line in settings.directives:
        key, sign, value = line.partition("=")
        if not sign:
            raise ClusterError(
                f"a directive of HTCondor is 'KEY = VALUE', not {line!r}: mend cluster.directives"
            )
        directives[key.strip()] = value.strip()
    return {"disk": _DISK, "job_extra_directives": directives}


QUEUE = Queue(
    job=("dask_jobqueue.htcondor", "HTCondorJob"),
    submit="condor_submit",
    cancel="condor_rm",
    number=r"submitted to cluster (\d+)",
    options=options,
)
