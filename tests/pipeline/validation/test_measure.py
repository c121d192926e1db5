"""Intervals that have a width where all stars are hit, or none."""

import numpy as np
import pytest
from scipy.stats import binomtest, poisson

from pipeline.validation.measure import count_interval, median_interval, share_interval


@pytest.mark.parametrize(("hit", "n"), [(0, 10), (10, 10), (3, 3), (3, 17), (535, 555)])
def test_shares_are_wilsons(hit, n):
    ours = share_interval(hit, n)
    expected = binomtest(hit, n).proportion_ci(method="wilson")
    assert (ours.low, ours.high) == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert ours.low <= ours.value <= ours.high


def test_a_share_of_nothing_is_unknown():
    assert np.isnan(share_interval(0, 0).value)


@pytest.mark.parametrize("n", [0, 1, 5, 128])
def test_counts_are_poisson_numbers(n):
    """Poisson chances of as many or fewer at the upper end, as many or more at the lower."""
    ours = count_interval(n)
    at_upper = poisson.cdf(n, ours.high)
    assert at_upper == pytest.approx(0.025, abs=0.002)
    if n > 4:
        assert poisson.sf(n - 1, ours.low) == pytest.approx(0.025, abs=0.002)


def test_the_interval_of_a_median_covers_it():
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(400):
        ours = median_interval(rng.normal(size=41))
        inside += ours.low <= 0 <= ours.high
    assert inside / 400 > 0.92
