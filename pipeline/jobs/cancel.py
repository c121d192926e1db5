"""Take stages back from the queue."""

from collections.abc import Iterable, Iterator

from cluster import chain, slurm
from cluster.engine import ClusterError
from pipeline.jobs.checks import ALL, stages_named
from pipeline.jobs.state import worker_jobs
from pipeline.jobs.submission import forget
from pipeline.jobs.submit import in_queue
from pipeline.settings.load import Settings


def cancel(names: Iterable[str], settings: Settings) -> Iterator[str]:
    """Take stages back, with the jobs of their workers and with the stages that wait for them.

    What is done stays done: submitted again, a stage goes on.

    Parameters
    ----------
    names : iterable of str
        Stages; none or ``all`` stands for everything that is in the queue.
    settings : Settings
        Of the run.

    Yields
    ------
    str
        One line for each stage.

    Raises
    ------
    ClusterError
        The queue does not answer, or a job does not leave it.
    """
    wanted = list(names)
    root = settings.root.resolve()
    queued = in_queue(root)
    chosen = set(queued)
    if wanted and ALL not in wanted:
        chosen = {stage.name for stage in stages_named(wanted)} & set(queued)
    lost: set[str] = set()
    for name, each in queued.items():
        if name in chosen or each.after in lost:
            lost.add(each.job)
    if not lost:
        yield "nothing of this run is in the queue"
        return
    left: list[str] = []
    for kind in {each.kind for each in queued.values() if each.job in lost}:
        numbers = {each.job for each in queued.values() if each.job in lost and each.kind == kind}
        if kind == chain.ASKED:
            # The drivers of other queues take their workers with them.
            jobs = slurm.jobs_of_user()
            if any(jobs[number].running for number in numbers if number in jobs):
                numbers.update(job.number for job in worker_jobs(root, jobs))
        left += chain.cancel(kind, numbers)
    if left:
        raise ClusterError(f"jobs {', '.join(left)} do not leave the queue; ask for them again")
    for name, each in queued.items():
        if each.job in lost:
            if each.kind != chain.ASKED:
                forget(root, name)
            yield f"{name}: job {each.job} taken back"
