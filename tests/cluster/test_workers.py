import os
import signal
import time

import dask
import distributed  # noqa: F401 (a setting made before its defaults are there would take them away)
import pytest

from cluster.connect import connect
from cluster.settings import ClusterSettings
from cluster.workers import deaths, most_memory, natural_ranks, present, spread


def test_workers_are_present_whatever_the_clients_timer_does():
    """The client's cache is emptied all the time here: who read it would see workers vanish."""
    with (
        dask.config.set({"distributed.client.scheduler-info-interval": "1ms"}),
        connect(ClusterSettings(workers=2, memory_limit="1GiB")) as client,
    ):
        assert [len(present(client)) for _ in range(500)] == [2] * 500


@pytest.mark.timeout(240)
def test_a_death_is_told_with_its_signal():
    with connect(ClusterSettings(workers=1, memory_limit="1GiB")) as client:
        before = deaths(client)
        pid = client.submit(os.getpid, pure=False).result()
        (first,) = present(client)
        client.submit(os.kill, pid, signal.SIGKILL, pure=False, retries=0)
        while first in present(client) or not present(client):
            time.sleep(0.05)
        assert deaths(client) - before == {f"Worker process {pid} was killed by signal 9"}


def test_a_worker_without_a_nanny_has_no_deaths_to_tell():
    with connect(ClusterSettings(kind="inline")) as client:
        assert deaths(client) == set()


def test_one_rank_a_machine_is_natural_without_a_gpu():
    with connect(ClusterSettings(workers=2, memory_limit="1GiB")) as client:
        assert natural_ranks(client, use_gpu=False) == 1


def test_few_ranks_are_spread_over_the_machines():
    workers = [f"tcp://10.0.0.{host}:{port}" for host in (1, 2, 3) for port in (1, 2)]
    first = [address[:-2] for address in spread(workers)[:3]]
    assert first == ["tcp://10.0.0.1", "tcp://10.0.0.2", "tcp://10.0.0.3"]
    assert sorted(spread(workers)) == workers


def test_the_largest_worker_is_that_of_the_most_memory():
    with connect(ClusterSettings(kind="inline")) as client:
        assert 20e6 < most_memory(client) < 100e9
