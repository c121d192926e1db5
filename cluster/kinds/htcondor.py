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
    directives: dict[str, str | int] = {
        "getenv": "True",
        # HTCondor knows no time limit of its own. A lost job is replaced: it is not to start again.
        "periodic_remove": f"(JobStatus == 2 && time() - JobCurrentStartDate > "
        f"{settings.walltime_s}) || (JobStatus == 1 && NumJobStarts > 0)",
    }
    return {"disk": _DISK, "job_extra_directives": directives | of_the_site(settings)}


def of_the_site(settings: ClusterSettings) -> dict[str, str | int]:
    """Return the commands of a submit file that depend on the site.

    Parameters
    ----------
    settings : ClusterSettings
        Of them: `account`, `gpus`, `directives`.

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
    commands: dict[str, str | int] = {}
    if settings.account:
        commands["accounting_group"] = settings.account
    if settings.gpus:
        commands["request_gpus"] = settings.gpus
    for line in settings.directives:
        key, sign, value = line.partition("=")
        if not sign:
            raise ClusterError(
                f"a directive of HTCondor is 'KEY = VALUE', not {line!r}: mend cluster.directives"
            )
        commands[key.strip()] = value.strip()
    return commands


QUEUE = Queue(
    job=("dask_jobqueue.htcondor", "HTCondorJob"),
    submit="condor_submit",
    cancel="condor_rm",
    number=r"submitted to cluster (\d+)",
    options=options,
)
