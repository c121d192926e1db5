"""Several spectra of one star as one probability."""

import numpy as np
import pytest
from scipy.special import expit

from pipeline.evaluation.epochs import EPOCHS, by_epochs, fit_combination, star_scores

PRIOR = 1 / 3


def simulated(n, shared, seed):
    """Stars of 1 to 6 spectra whose log-likelihood ratios share a part of their scatter.

    Each ratio is normal with mean +-2 and variance 4, as that of one Gaussian measurement; for
    stars with fully shared scatter a second spectrum tells nothing new.
    """
    rng = np.random.default_rng(seed)
    binary = rng.random(n) < PRIOR
    n_spectra = rng.integers(1, 7, n)
    star = np.repeat(np.arange(n), n_spectra)
    common = rng.normal(0, 2 * np.sqrt(shared), n)[star]
    own = rng.normal(0, 2 * np.sqrt(1 - shared), star.size)
    ratio = np.where(binary[star], 2.0, -2.0) + common + own
    return star, ratio, binary


def gathered(star, ratio, binary):
    single = expit(ratio + np.log(PRIOR / (1 - PRIOR)))
    return star_scores(star, ratio, single, binary[star])


def fitted(scores):
    return fit_combination(scores.logit_sum_S, scores.n_S, scores.binary_S, 1.0, 0.5, PRIOR)


@pytest.mark.parametrize(("shared", "low", "high"), [(0.0, 0.0, 0.06), (1.0, 0.94, 1.0)])
def test_the_exponent_says_how_far_spectra_are_independent(shared, low, high):
    combination = fitted(gathered(*simulated(20_000, shared, 1)))
    assert combination.fitted
    assert low <= combination.exponent <= high


def test_the_combination_is_calibrated_for_any_number_of_spectra_where_the_maximum_is_not():
    combination = fitted(gathered(*simulated(10_000, 0.5, 2)))
    assert 0.3 < combination.exponent < 0.8
    tried = gathered(*simulated(10_000, 0.5, 3))
    ways = {
        "maximum": tried.highest_S,
        "mean": tried.mean_S,
        "combined": combination.posterior(tried.logit_sum_S, tried.n_S),
    }
    rows = by_epochs(ways, tried.n_S, tried.binary_S, PRIOR, 10)
    assert [row.epochs for row in rows] == list(EPOCHS)
    assert sum(row.n_binary + row.n_single for row in rows) == 10_000
    assert max(row.error["combined"] for row in rows) < 0.03
    assert rows[-1].error["maximum"] > 0.1
    false = [row.false_positives["maximum"] for row in rows]
    assert false == sorted(false) and false[-1] > 1.5 * false[0]


def test_one_spectrum_is_not_changed_by_the_exponent():
    combination = fitted(gathered(*simulated(2000, 0.5, 4)))
    found = combination.posterior(np.array([0.0, 1.0, 0.0]), np.array([1, 1, 0]))
    assert found[:2] == pytest.approx(expit([np.log(0.5), 1 + np.log(0.5)]))
    assert np.isnan(found[2])


def test_too_few_repeats_are_said():
    combination = fitted(gathered(*simulated(40, 0.5, 5)))
    assert not combination.fitted and combination.exponent == 1.0
    assert combination.n_stars < 40
    rows = by_epochs({"mean": np.array([0.2])}, np.array([2]), np.array([True]), PRIOR, 5)
    assert [row.error for row in rows] == [{}, {}, {}, {}]


def test_the_spectra_of_a_star_are_gathered():
    star, logit = np.array([9, 5, 9, 5, 9]), np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    scores = star_scores(star, logit, expit(logit), star == 9)
    assert scores.logit_sum_S.tolist() == [6.0, 9.0]
    assert scores.n_S.tolist() == [2, 3]
    assert scores.binary_S.tolist() == [False, True]
    assert scores.highest_S == pytest.approx(expit([4.0, 5.0]))
    assert scores.mean_S == pytest.approx([expit([2.0, 4.0]).mean(), expit([1.0, 3.0, 5.0]).mean()])
