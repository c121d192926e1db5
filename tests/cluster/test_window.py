import operator
import threading
import time
from itertools import pairwise

import pytest
from distributed import Client, LocalCluster

from cluster import window
from cluster.window import run_window, threads_of, watch

MEETING = threading.Barrier(4)


def square(x: int) -> int:
    return x * x


def fail_on_three(x: int) -> int:
    if x == 3:
        raise ValueError("three is not allowed")
    return x


def meet(x: int) -> int:
    MEETING.wait(timeout=60)
    return x


def test_every_item_is_run_once(client):
    assert sorted(run_window(client, square, range(50))) == [x * x for x in range(50)]
    assert sorted(run_window(client, operator.add, [1, 2], 10)) == [11, 12]
    assert list(run_window(client, square, [])) == []


def test_no_more_than_the_window_is_taken_from_the_items(client):
    taken = []

    def items():
        for i in range(40):
            taken.append(i)
            yield i

    results = run_window(client, square, items(), per_thread=2)
    next(results)
    assert len(taken) <= 2 * 1 + 1
    assert len(list(results)) == 39


def test_an_error_stops_the_run_and_is_the_task_s_own(client):
    with pytest.raises(ValueError, match="three is not allowed"):
        list(run_window(client, fail_on_three, range(100), retries=0))


def test_workers_that_come_later_have_work_even_if_nothing_finishes():
    """Four tasks wait for each other; when the first one starts there is one worker."""
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):

        def items():
            assert threads_of(client) == 1
            cluster.scale(4)
            yield from range(4)

        assert sorted(run_window(client, meet, items(), per_thread=1, retries=0)) == [0, 1, 2, 3]


@pytest.mark.parametrize("group", [1, 4])
def test_a_window_that_shrinks_does_not_stall(client, monkeypatch, group):
    monkeypatch.setattr(window, "LOOK_S", 0.0)
    sizes = iter([20, 3])

    def submit(some):
        return client.map(square, some, pure=False)

    results = watch(client, submit, range(50), lambda: next(sizes, 0), group)
    assert sorted(results) == [x * x for x in range(50)]


def test_the_scheduler_is_not_asked_for_each_of_many_short_tasks(client):
    looks = []

    def size():
        looks.append(time.monotonic())
        return 10

    results = watch(client, lambda some: client.map(square, some, pure=False), range(300), size)
    assert len(list(results)) == 300
    assert all(later - former >= window.LOOK_S for former, later in pairwise(looks))
