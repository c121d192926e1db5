import numpy as np
import pytest

from pipeline.evaluation.intervals import Bootstrap, Estimate, by_star
from pipeline.network.metrics import weighted_mean


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(5)
    inside = 0
    for trial in range(100):
        hit = rng.random(200) < 0.3
        e = by_star(lambda w, hit=hit: weighted_mean(hit, w), np.arange(200), 200, seed=trial)
        inside += e.low <= 0.3 <= e.high
    assert 85 <= inside <= 100


def test_repeats_of_a_star_widen_the_interval():
    rng = np.random.default_rng(1)
    hit = np.repeat(rng.random(50) < 0.5, 8)
    spectra = by_star(lambda w: weighted_mean(hit, w), np.arange(400))
    stars = by_star(lambda w: weighted_mean(hit, w), np.repeat(np.arange(50), 8))
    assert stars.value == spectra.value
    assert stars.high - stars.low > 2 * (spectra.high - spectra.low)


def test_nothing_to_estimate_is_said_so():
    nothing = by_star(lambda w: weighted_mean(np.zeros(0, bool), w), np.zeros(0, int))
    assert nothing.as_dict() == {"value": None, "low": None, "high": None}
    assert str(nothing) == "-"
    assert str(Estimate(0.5, 0.4, 0.6)) == "0.500 [0.400, 0.600]"


def test_a_curve_has_the_interval_of_each_of_its_numbers():
    rng = np.random.default_rng(5)
    star, value = np.repeat(np.arange(60), 2), rng.normal(size=(3, 120))
    draws = Bootstrap(star, 200, seed=2)
    found = draws.curve(lambda weight: value @ weight / weight.sum())
    for number in range(3):
        alone = draws.interval(lambda w, n=number: float(value[n] @ w / w.sum()))
        assert [part[number] for part in found] == pytest.approx(
            [alone.value, alone.low, alone.high]
        )
    nothing = draws.interval(lambda _: np.nan)
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()
    _, low, high = draws.curve(lambda weight: np.array([np.nan, weight.sum()]))
    assert np.isnan([low[0], high[0]]).all() and low[1] == high[1] == 120
