"""Give stages to the queue: one job of the driver each, and each waits for the one before."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from cluster import chain, slurm
from cluster.driver_job import DriverJob, condor_description, driver_script
from cluster.engine import ClusterError
from pipeline.core.atomic import write_bytes
from pipeline.core.errors import InputError
from pipeline.core.lock import root_lock
from pipeline.core.stage import Stage
from pipeline.jobs.checks import check, job_profile, stages_named
from pipeline.jobs.submission import (
    Submission,
    exit_code,
    forget,
    jobs_folder,
    remember,
    submissions,
)
from pipeline.settings.load import Settings
from pipeline.settings.paths import change_paths


def submit(names: Iterable[str], settings: Settings) -> Iterator[str]:
    """Submit stages as a chain of jobs.

    The first waits for what is in the queue already for the same root. If a job of the chain
    fails, those after it leave the queue.

    Parameters
    ----------
    names : iterable of str
        Stages, or ``all``.
    settings : Settings
        Of the run; the jobs run with them as they are now.

    Yields
    ------
    str
        One line for each job.

    Raises
    ------
    InputError
        Settings that cannot work, or a stage that is in the queue already.
    ClusterError
        The queue refused a job; those submitted before it have been taken back.
    """
    stages = stages_named(names)
    root = settings.root.resolve()
    check(stages, settings, in_queue(root))
    with root_lock(jobs_folder(root), "submit"):
        queued = in_queue(root)
        for stage in stages:
            if stage.name in queued:
                raise InputError(
                    f"{stage.name} is in the queue already as job {queued[stage.name].job}; wait "
                    f"for it (`pairspec status`) or take it back (`pairspec cancel {stage.name}`)"
                )
        after = next((each.job for each in reversed(queued.values())), None)
        made: list[Submission] = []
        try:
            for stage in stages:
                made.append(_submit_one(stage, settings, root, after))
                after = made[-1].job
        except ClusterError:
            for each in made:
                chain.cancel(each.kind, [each.job])
                forget(root, each.stage)
            raise
    for each in made:
        waits = f" after job {each.after}" if each.after else ""
        yield f"{each.stage}: job {each.job}{waits}, log {each.log}"


def in_queue(root: Path) -> dict[str, Submission]:
    """Return the submissions that are in the queue, the first one first.

    A queue that is not asked has a job until that leaves its exit code, or is taken back.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.

    Raises
    ------
    ClusterError
        The queue does not answer.
    """
    made = submissions(root)
    asked = any(each.kind == chain.ASKED for each in made.values())
    jobs = slurm.jobs_of_user() if asked else {}
    return {
        name: each
        for name, each in made.items()
        if (each.job in jobs and jobs[each.job].queued)
        or (each.kind != chain.ASKED and exit_code(root, each) is None)
    }


def driver_of(stage: Stage, settings: Settings, root: Path) -> DriverJob:
    """Return what the job of a stage's driver runs.

    Parameters
    ----------
    stage : Stage
        Which stage.
    settings : Settings
        Of the run.
    root : pathlib.Path
        Absolute root of the run.
    """
    logs = job_profile(stage.name, settings).log_folder or root / "logs" / "jobs"
    config = jobs_folder(root) / "settings" / f"{stage.name}.json"
    return DriverJob(
        name=f"pairspec-{stage.name}",
        command=(sys.executable, "-m", "pipeline", stage.name, "--config", str(config)),
        folder=Path.cwd(),
        log=logs.resolve() / f"driver-{stage.name}.log",
        records=root,
        state=jobs_folder(root) / stage.name,
    )


def frozen(settings: Settings, root: Path) -> bytes:
    """Return settings as a file that means the same wherever it lies.

    Parameters
    ----------
    settings : Settings
        Of the run.
    root : pathlib.Path
        Absolute root of the run.
    """
    content = settings.model_dump(mode="json")
    content["root"] = str(root)
    change_paths(content, Settings, lambda local: str(Path(local).resolve()))
    return json.dumps(content, indent=1).encode()


def _submit_one(stage: Stage, settings: Settings, root: Path, after: str | None) -> Submission:
    job = driver_of(stage, settings, root)
    job.log.parent.mkdir(parents=True, exist_ok=True)
    profile = job_profile(stage.name, settings)
    submitted = job.script
    write_bytes(submitted, driver_script(job, profile).encode())
    if profile.kind == "htcondor":
        submitted.chmod(0o700)
        submitted = job.state.with_suffix(".sub")
        write_bytes(submitted, condor_description(job, profile).encode())
    write_bytes(Path(job.command[-1]), frozen(settings, root))
    kind, begun = chain.queue_of(profile.kind), time.time()
    number = chain.submit(kind, submitted, after)
    made = Submission(stage.name, kind, number, after, begun, str(job.log))
    remember(root, made)
    return made
