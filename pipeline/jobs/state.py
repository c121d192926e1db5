"""What became of the stages that were submitted, from the queue and from what jobs left."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster import slurm
from cluster.chain import ASKED
from cluster.engine import ClusterError
from cluster.slurm import SlurmJob
from pipeline.jobs.submission import Submission, exit_code, has_begun, submissions
from pipeline.settings.load import Settings

_WORKERS = re.compile(r"pairspec-[0-9a-f]{6}")


@dataclass(frozen=True)
class JobState:
    """State of a stage in the queue.

    Parameters
    ----------
    state : str
        One of `running`, `waiting`, `failed`, `cancelled`, `done` and `unknown`.
    text : str
        The same for a reader, with its reason.
    """

    state: str
    text: str


@dataclass(frozen=True)
class QueueState:
    """State of a run in the queue.

    Parameters
    ----------
    stages : mapping of str to JobState
        By name of the stage, in the order of submission.
    workers : tuple of str
        What the jobs of the workers do.
    trouble : str or None
        Why the queue could not be asked.
    """

    stages: Mapping[str, JobState]
    workers: tuple[str, ...] = ()
    trouble: str | None = None


def queue_state(settings: Settings) -> QueueState:
    """Ask what became of everything that was submitted for a root.

    Parameters
    ----------
    settings : Settings
        Of the run.
    """
    made = submissions(settings.root)
    if not made:
        return QueueState({})
    trouble, jobs = None, {}
    if any(each.kind == ASKED for each in made.values()):
        try:
            jobs = slurm.jobs_of_user()
        except ClusterError as error:
            trouble = str(error)
    stages = {
        name: _state(settings.root, each, jobs.get(each.job), asked=trouble is None)
        if each.kind == ASKED
        else _left_state(settings.root, each)
        for name, each in made.items()
    }
    workers = worker_jobs(settings.root, jobs)
    return QueueState(stages, tuple(_workers(workers)), trouble)


def worker_jobs(root: Path, jobs: Mapping[str, SlurmJob]) -> list[SlurmJob]:
    """Return the jobs that hold workers of a root: those whose scripts lie beside its logs.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.
    jobs : mapping of str to SlurmJob
        Jobs of the user.
    """
    folders = {Path(each.log).parent for each in submissions(root).values()}
    folders.add(root.resolve() / "logs" / "jobs")
    return [
        job
        for job in jobs.values()
        if job.queued
        and _WORKERS.fullmatch(job.name)
        and any(True for folder in folders for _ in folder.glob(f"{job.name}-*.sh"))
    ]


def _state(root: Path, made: Submission, job: SlurmJob | None, *, asked: bool) -> JobState:
    name, code = f"job {made.job}", exit_code(root, made)
    if job is not None and job.waiting:
        why = f" for job {made.after}" if job.reason == "Dependency" else f": {job.reason}"
        return JobState("waiting", f"{name} waits{why}")
    if job is not None and job.running and code is None:
        return JobState("running", f"{name} runs on {job.nodes} for {job.elapsed}")
    if code == 0:
        return JobState("done", f"{name} ended well")
    if code is not None:
        return JobState("failed", f"{name} failed with exit code {code}")
    if job is not None and job.reason == "DependencyNeverSatisfied":
        return JobState("cancelled", f"{name} left the queue, as job {made.after} did not end well")
    if job is not None and job.state == "CANCELLED":
        return JobState("cancelled", f"{name} was taken back")
    if job is not None:
        return JobState("failed", f"{name} ended as {job.state} ({job.reason})")
    if not asked:
        return JobState("unknown", f"{name}")
    return JobState("failed", f"{name} left the queue before its end")


def _left_state(root: Path, made: Submission) -> JobState:
    """Tell the state of a job from what it left; its queue is not asked."""
    name, code = f"job {made.job}", exit_code(root, made)
    if code is not None:
        ended = "ended well" if code == 0 else f"failed with exit code {code}"
        return JobState("done" if code == 0 else "failed", f"{name} {ended}")
    if has_begun(root, made):
        return JobState("running", f"{name} has begun ({made.kind} is not asked)")
    why = f" for job {made.after}" if made.after else ""
    return JobState("waiting", f"{name} waits{why} ({made.kind} is not asked)")


def _workers(jobs: list[SlurmJob]) -> list[str]:
    running = [job for job in jobs if job.running]
    waiting = [job for job in jobs if job.waiting]
    reasons = ", ".join(sorted({job.reason for job in waiting}))
    lines = [f"jobs of workers: {len(running)} running"] if jobs else []
    return lines + ([f"jobs of workers: {len(waiting)} waiting ({reasons})"] if waiting else [])
