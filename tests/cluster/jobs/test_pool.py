"""Jobs that are lost, without a batch system."""

import time

from cluster.jobs import pool
from cluster.jobs.pool import JobPool
from cluster.kinds.pbs import QUEUE


class Job:
    """A job whose worker was there, until it ended."""

    name, job_id, log, refusal = "run-9", "7", "run-9.log", ""
    was_up, missing_since = True, 0.0

    def __init__(self):
        self.submitted = time.monotonic()

    def has_ended(self):
        return True

    def said(self):
        return ""


class Cluster:
    """Stands in for dask-jobqueue's; it is too slow to give a job up, once."""

    name, new_spec = "run", {}

    def __init__(self):
        self.worker_spec = {"run-9": {}}
        self.slow = True

    def sync(self, function, *args):
        if self.slow:
            self.slow = False
            raise TimeoutError
        return function(*args)

    def scale_down(self, names):
        for name in names:
            del self.worker_spec[name]

    def scale(self, jobs):
        assert len(self.worker_spec) == jobs


def test_a_job_that_could_not_be_given_up_is_replaced_later(monkeypatch):
    monkeypatch.setattr(pool, "ASK_S", 0.0)
    cluster, notes, failures = Cluster(), [], []
    jobs = JobPool(cluster, [Job()], 1, QUEUE, notes.append)
    for _ in range(3):
        try:
            assert jobs.tend([]) is None
        except TimeoutError as error:
            failures.append(error)
    assert len(failures) == 1 and list(cluster.worker_spec) == ["run-0"]
    assert notes == ["job 7 has ended (log: run-9.log); starting another"]
