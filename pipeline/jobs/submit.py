"""Give stages to the queue: one job of the driver each, and each waits for the one before."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cluster import slurm
from cluster.driver_job import DriverJob, driver_script
from cluster.engine import ClusterError
from pipeline.core.atomic import write_bytes
from pipeline.core.errors import InputError
from pipeline.core.lock import root_lock
from pipeline.core.stage import Stage
from pipeline.jobs.checks import CHAINED, check, job_profile, stages_named
from pipeline.jobs.submission import Submission, forget, jobs_folder, remember, submissions
from pipeline.settings.load import Settings
from pipeline.settings.profiles import CLUSTER_PATHS


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
    has_queue = all(job_profile(stage.name, settings).kind in CHAINED for stage in stages)
    check(stages, settings, in_queue(root) if has_queue else {})
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
            slurm.cancel([each.job for each in made])
            for each in made:
                forget(root, each.stage)
            raise
    for each in made:
        waits = f" after job {each.after}" if each.after else ""
        yield f"{each.stage}: job {each.job}{waits}, log {each.log}"


def in_queue(root: Path) -> dict[str, Submission]:
    """Return the submissions that are in the queue, the first one first.

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
    jobs = slurm.jobs_of_user() if made else {}
    return {name: each for name, each in made.items() if each.job in jobs and jobs[each.job].queued}


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
    _resolve(content["inputs"], (name for name, value in settings.inputs if _is_path(value)))
    for table in (content["cluster"], *content["cluster"].values()):
        if isinstance(table, dict):
            _resolve(table, CLUSTER_PATHS)
    return json.dumps(content, indent=1).encode()


def _is_path(value: Any) -> bool:
    return isinstance(value, Path) and "://" not in str(value)


def _resolve(table: dict[str, Any], names: Iterable[str]) -> None:
    for name in names:
        if table.get(name) is not None:
            table[name] = str(Path(table[name]).resolve())


def _submit_one(stage: Stage, settings: Settings, root: Path, after: str | None) -> Submission:
    job = driver_of(stage, settings, root)
    job.log.parent.mkdir(parents=True, exist_ok=True)
    script = job.state.with_suffix(".sh")
    write_bytes(script, driver_script(job, job_profile(stage.name, settings)).encode())
    write_bytes(Path(job.command[-1]), frozen(settings, root))
    number = slurm.submit(script, after)
    made = Submission(stage.name, "slurm", number, after, time.time(), str(job.log))
    remember(root, made)
    return made
