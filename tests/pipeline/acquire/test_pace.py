import threading
from itertools import cycle

import pytest

from pipeline.acquire.pace import Pace


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def paced(per_second: float) -> tuple[Pace, Clock]:
    clock = Clock()
    return Pace(per_second, clock, clock.sleep), clock


@pytest.mark.parametrize("own_s", [0.0, 0.05, 0.099])
def test_requests_start_at_the_stated_rate_whatever_they_take_themselves(own_s):
    pace, clock = paced(10)
    times = []
    for _ in range(101):
        pace.wait()
        times.append(clock.now)
        clock.now += own_s
    assert (len(times) - 1) / (times[-1] - times[0]) == pytest.approx(10, rel=1e-6)


@pytest.mark.parametrize("per_second", [20, 50, 400])
def test_the_rate_is_held_from_both_sides_where_sleeping_takes_longer_than_it_should(per_second):
    late = cycle([0.0, 0.004, 0.03, 0.0005, 0.1])
    clock = Clock()
    pace = Pace(per_second, clock, lambda s: clock.sleep(s + next(late)))
    times = []
    for _ in range(20 * per_second):
        pace.wait()
        times.append(clock.now)
    reached = (len(times) - 1) / (times[-1] - times[0])
    assert reached == pytest.approx(per_second, rel=0.01)
    # Nor does any second have more than a second's and what may be caught up with.
    most = per_second * (1 + 0.25) + 1
    assert all(b - a >= 1 for a, b in zip(times, times[int(most) + 1 :], strict=False))


def test_what_was_missed_for_long_is_not_made_up_by_a_burst():
    pace, clock = paced(100)
    pace.wait()
    clock.now += 60
    start = clock.now
    for _ in range(100):
        pace.wait()
    assert clock.now - start > 0.7


def test_a_pause_holds_for_all():
    pace, clock = paced(10)
    pace.wait()
    pace.pause(30)
    pace.pause(5)
    start = clock.now
    pace.wait()
    pace.wait()
    assert clock.now - start == pytest.approx(30.1)


def test_a_pause_that_comes_while_a_request_waits_holds_for_it_too():
    clock = Clock()
    pace = Pace(1, clock, lambda s: (pace.pause(20) if clock.now < 101 else None, clock.sleep(s)))
    pace.wait()
    pace.wait()
    assert clock.now >= 120


def test_many_threads_share_one_rate():
    pace = Pace(500)
    done = []

    def work() -> None:
        for _ in range(20):
            pace.wait()
            done.append(1)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 100
