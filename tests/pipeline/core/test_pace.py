import time

import pytest

from pipeline.core import pace
from pipeline.core.pace import Pace, pace_kept, read_paces
from pipeline.core.progress import track


@pytest.fixture
def every_unit(monkeypatch):
    monkeypatch.setattr(pace, "_EVERY_S", -1.0)


def test_the_pace_of_a_step_stands_below_the_root(tmp_path, every_unit):
    held = iter([10, 30, 20])
    with (
        pace_kept(tmp_path, "photometry", lambda: (4, next(held))),
        track("match", 10, 2, "shards") as advance,
    ):
        (begun,) = read_paces(tmp_path)
        assert (begun.done, begun.rate, begun.left_s, begun.unit_s) == (2, 0, None, None)
        time.sleep(0.05)
        advance()
        advance()
        (now,) = read_paces(tmp_path)
    assert (now.stage, now.step, now.of, now.total, now.begun) == (
        "photometry", "match", "shards", 10, 2,
    )  # fmt: skip
    assert (now.done, now.workers, now.memory_bytes) == (4, 4, 30)
    assert now.now_unix > begun.now_unix


def test_rate_estimate_and_time_of_a_unit():
    now = Pace("infer", "infer", "shards", 100, 20, 40, 1000.0, 1100.0, 8)
    assert now.rate == pytest.approx(0.2)
    assert now.left_s == pytest.approx(300)
    assert now.unit_s == pytest.approx(40)


def test_the_latest_step_comes_first_and_a_broken_file_is_passed_over(tmp_path):
    with pace_kept(tmp_path, "photometry", lambda: (1, 0)):
        for step in ("first", "second"):
            with track(step, 1) as advance:
                advance()
    (tmp_path / pace.FOLDER / "broken.json").write_text("{")
    (tmp_path / pace.FOLDER / "other.json").write_text('{"stage": "x"}')
    assert [each.step for each in read_paces(tmp_path)] == ["second", "first"]


def test_nothing_is_kept_unless_asked_for(tmp_path):
    with track("infer", 1) as advance:
        advance()
    assert read_paces(tmp_path) == []
