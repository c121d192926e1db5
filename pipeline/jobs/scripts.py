"""The texts of the jobs that a stage would have in the queue."""

from cluster.driver_job import condor_description, driver_script
from cluster.settings import QUEUES
from pipeline.jobs.checks import job_profile, stages_named
from pipeline.jobs.submit import driver_of
from pipeline.settings.load import Settings


def scripts(name: str, settings: Settings) -> str:
    """Return the script of the driver's job, and the one of each job of workers.

    Parameters
    ----------
    name : str
        Name of the stage.
    settings : Settings
        Of the run.

    Raises
    ------
    ValueError
        There is no such stage, or the kind of cluster has no queue.
    """
    (stage,) = stages_named([name])
    root = settings.root.resolve()
    profile = settings.for_stage(name).cluster
    job = driver_of(stage, settings, root)
    driver = job_profile(name, settings)
    texts = [f"# The job of the driver of {name}.", driver_script(job, driver)]
    if driver.kind == "htcondor":
        texts += ["# What condor_submit is given for it.", condor_description(job, driver)]
    if profile.kind in QUEUES:
        from cluster.kinds.queue import job_script

        count = f"each of the {profile.jobs} jobs" if profile.jobs > 1 else "the one job"
        folder = profile.log_folder or root / "logs" / "jobs"
        texts += [f"# The script of {count} of workers.", job_script(profile, folder.resolve())]
    else:
        texts += [f"# The workers are of kind {profile.kind!r}: they need no further job."]
    return "\n".join(texts)
