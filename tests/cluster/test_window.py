import operator

import pytest

from cluster.window import run_window


def square(x: int) -> int:
    return x * x


def fail_on_three(x: int) -> int:
    if x == 3:
        raise ValueError("three is not allowed")
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
