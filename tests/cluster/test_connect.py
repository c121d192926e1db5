import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from distributed import Client, LocalCluster
from distributed.security import Security
from pydantic import ValidationError

from cluster.connect import connect
from cluster.engine import Engine
from cluster.settings import ClusterSettings
from cluster.workers import present
from tests.slurm import until


def test_local_workers_are_processes_and_gone_afterwards():
    with connect(ClusterSettings(workers=2, memory_limit="1GiB")) as client:
        pids = client.run(os.getpid)
        assert len(set(pids.values())) == 2
        assert os.getpid() not in pids.values()
        assert all(w["memory_limit"] == 2**30 for w in present(client).values())
    for pid in pids.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_workers_that_are_slow_to_end_are_no_failure(monkeypatch):
    close = LocalCluster.close

    def slow(self, timeout=None):
        close(self, timeout)
        raise TimeoutError

    with connect(ClusterSettings(kind="inline")) as client:
        monkeypatch.setattr(LocalCluster, "close", slow)
        assert client.submit(sum, [1, 2]).result() == 3


class Stumbling(Engine):
    """Cannot look after its workers at first."""

    tries = 0

    def tend(self, workers):
        self.tries += 1
        if self.tries < 3:
            raise TimeoutError("the queue is slow")


def test_workers_are_looked_after_also_when_that_failed_before(monkeypatch):
    @contextmanager
    def start(settings, notify):
        with LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
            engines.append(Stumbling(cluster))
            yield engines[0]

    engines, notes = [], []
    monkeypatch.setattr("cluster.connect.starter", lambda kind: start)
    with connect(ClusterSettings(kind="inline"), notify=notes.append):
        until(lambda: engines[0].tries > 3, 30, "they are looked after again")
    assert notes == [
        "cannot look after the workers: TimeoutError('the queue is slow'); it is tried again"
    ]


STOPPED = """
import sys, time
from cluster.connect import connect
from cluster.settings import ClusterSettings

if __name__ == "__main__":
    with connect(ClusterSettings(kind=sys.argv[1], workers=1)) as client:
        tasks = client.map(lambda n: time.sleep(0.2) or n, range(20), pure=False)
        print("begun", flush=True)
        print(sum(client.gather(tasks)), flush=True)
"""


@pytest.mark.parametrize("kind", ["inline", "local"])
def test_work_goes_on_after_it_was_stopped_for_long(kind, tmp_path):
    """Ctrl-Z and fg, with more time between them than a silent worker has."""
    script = tmp_path / "stopped.py"
    script.write_text(STOPPED)
    environment = os.environ | {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "2s"}
    with subprocess.Popen(
        [sys.executable, str(script), kind], env=environment, cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout.readline() == "begun\n"
            os.killpg(process.pid, signal.SIGSTOP)
            time.sleep(6)
            os.killpg(process.pid, signal.SIGCONT)
            said, _ = process.communicate(timeout=120)
            assert (said, process.returncode) == ("190\n", 0)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_inline_runs_in_this_process():
    with connect(ClusterSettings(kind="inline")) as client:
        assert client.submit(os.getpid).result() == os.getpid()


def test_nobody_else_can_connect():
    """The scheduler speaks TLS with keys of its own; without them there is no answer."""
    with connect(ClusterSettings(workers=1)) as client:
        address = client.scheduler.address
        assert address.startswith("tls://127.0.0.1:")
        # A client without keys, and one with keys of its own making.
        for other, security in (
            (address.replace("tls:", "tcp:"), None),
            (address, Security.temporary()),
        ):
            with pytest.raises(OSError):
                Client(other, security=security, timeout=2)


def test_there_is_no_dashboard_unless_asked_for():
    def status(client):
        port = client.scheduler_info()["services"]["dashboard"]
        try:
            with urlopen(f"http://127.0.0.1:{port}/status", timeout=20) as page:
                return page.status
        except HTTPError as error:
            return error.code

    with connect(ClusterSettings(kind="inline")) as client:
        assert status(client) == 404
    with connect(ClusterSettings(kind="inline", dashboard_address="127.0.0.1:0")) as client:
        assert status(client) == 200


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValidationError, match="local"):
        ClusterSettings(kind="cloud")


def test_workers_keep_freed_memory_for_the_next_batch():
    with connect(ClusterSettings(workers=1)) as client:
        (found,) = client.run(lambda: dict(os.environ)).values()
    assert int(found["MALLOC_TRIM_THRESHOLD_"]) == 256 << 20
    assert int(found["MALLOC_MMAP_THRESHOLD_"]) == 32 << 20
    assert found["OMP_NUM_THREADS"] == "1"
    assert found["GOMP_SPINCOUNT"] == "1000"


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_worker_that_is_lost_twice_comes_back_twice():
    """Dask looks after a lost worker 15 s later, here just when it is lost once more."""
    with connect(ClusterSettings(workers=1, memory_limit="1GiB")) as client:
        for pause_s in (14.6, 0.0):
            pid = client.submit(os.getpid, pure=False).result()
            os.kill(pid, signal.SIGKILL)
            time.sleep(pause_s)
        time.sleep(2)
        assert client.submit(os.getpid, pure=False).result(timeout=100) != pid
