import numpy as np
import pytest
from scipy.special import expit, ndtr, ndtri
from scipy.stats import mannwhitneyu

from pipeline.evaluation.calibration import (
    balanced_weights,
    fit_temperature,
    negative_log_likelihood,
    posterior,
    reliability,
)
from pipeline.evaluation.intervals import Bootstrap
from pipeline.evaluation.paper import PAPER
from pipeline.evaluation.precision import precision_from_rates
from pipeline.evaluation.roc import rates, roc_band, roc_curve


def gaussians(n, distance, seed):
    rng = np.random.default_rng(seed)
    binary = rng.random(n) < 0.3
    return rng.normal(0, 1, n) + distance * binary, binary


def test_the_area_below_the_curve_is_the_rank_statistic_and_the_analytic_one():
    score, binary = gaussians(20_000, 1.5, 1)
    score = np.round(score, 1)  # ties
    curve = roc_curve(score, binary)
    area = np.trapezoid(curve.tpr_T, curve.fpr_T)
    u = mannwhitneyu(score[binary], score[~binary]).statistic
    assert area == pytest.approx(u / (binary.sum() * (~binary).sum()), abs=1e-12)
    assert area == pytest.approx(ndtr(1.5 / np.sqrt(2)), abs=0.01)


def test_each_point_of_the_curve_is_a_count():
    score, binary = gaussians(200, 1.0, 2)
    curve = roc_curve(score, binary)
    for threshold, tpr, fpr in zip(curve.threshold_T, curve.tpr_T, curve.fpr_T, strict=True):
        assert tpr == np.mean(score[binary] >= threshold)
        assert fpr == np.mean(score[~binary] >= threshold)
    with pytest.raises(ValueError, match="both classes"):
        roc_curve(score, np.ones(200, bool))


def test_rates_are_strict_and_weights_are_repeats():
    p_b, binary = np.array([0.5, 0.6, 0.5, 0.9]), np.array([True, True, False, False])
    assert rates(p_b, binary, 0.5) == (0.5, 0.5)
    assert rates(p_b, binary, 0.5, np.array([1.0, 3.0, 1.0, 0.0])) == (0.75, 0.0)


def test_both_forms_of_the_precision_agree_and_give_the_papers():
    for tp, fp, n_b, n_s, r in [(30, 5, 40, 720, 0.5), (3, 90, 7, 100, 2.0)]:
        by_rate = precision_from_rates(tp / n_b, fp / n_s, r)
        assert tp / (tp + fp * (n_b / n_s) / r) == pytest.approx(by_rate, rel=1e-14)
    paper = precision_from_rates(PAPER["tpr_at_0.8"], PAPER["fpr_at_0.8"], 0.5)
    assert round(paper, 2) == PAPER["precision_at_0.8"]
    assert np.isnan(precision_from_rates(0.0, 0.0, 0.5))


def test_reliability_by_hand():
    p_b, binary = np.array([0.1, 0.3, 0.8, 1.0]), np.array([False, True, True, True])
    table = reliability(p_b, binary, np.full(4, 0.25), 2)
    np.testing.assert_allclose(table.predicted_H, [0.2, 0.9])
    np.testing.assert_allclose(table.observed_H, [0.5, 1.0])
    assert table.expected_error == pytest.approx(0.5 * 0.3 + 0.5 * 0.1)


def test_bins_hold_equally_many_and_their_intervals_hold_the_truth():
    rng = np.random.default_rng(4)
    p_b = rng.beta(2, 2, 4000)
    binary = rng.random(p_b.size) < p_b
    table = reliability(p_b, binary, np.full(4000, 1 / 4000), 10, Bootstrap(np.arange(4000), 100))
    np.testing.assert_allclose(table.share_H, 0.1)
    inside = (table.low_H <= table.predicted_H) & (table.predicted_H <= table.high_H)
    assert inside.sum() >= 8
    assert reliability(p_b[:3], binary[:3], np.ones(3), 10).share_H.size == 3


def test_the_band_of_a_curve_holds_the_analytic_curve_and_widens_with_fewer_stars():
    widths = []
    for n in (400, 6000):
        score, binary = gaussians(n, 1.5, 6)
        band = roc_band(score, binary, Bootstrap(np.arange(n), 100))
        true = ndtr(1.5 + ndtri(band.fpr_T))
        # Further right no single star is left in the small sample that a draw could move.
        inside = (band.low_T <= true) & (true <= band.high_T)
        assert inside[(band.fpr_T > 0.05) & (band.fpr_T < 0.5)].mean() > 0.85
        widths.append(np.mean(band.high_T - band.low_T))
    assert widths[0] > 2 * widths[1]


def test_the_temperature_is_found_and_no_grid_point_is_likelier():
    rng = np.random.default_rng(3)
    true = rng.normal(0, 2, 40_000)
    binary = rng.random(true.size) < expit(true)
    weight = np.ones(true.size)
    found = fit_temperature(2.5 * true, binary, weight)
    assert found == pytest.approx(2.5, rel=0.05)
    grid = [negative_log_likelihood(2.5 * true / t, binary, weight) for t in np.linspace(1, 5, 81)]
    assert negative_log_likelihood(2.5 * true / found, binary, weight) <= min(grid) + 1e-9


def test_the_posterior_is_bayes_for_two_gaussians():
    x = np.linspace(-3, 4, 30)
    log_ratio = 1.5 * x - 1.5**2 / 2
    odds = np.exp(log_ratio) * 0.1 / 0.9
    np.testing.assert_allclose(posterior(log_ratio, 1.0, 0.5, 0.1), odds / (1 + odds))
    binary = np.array([True, False, False])
    assert balanced_weights(binary, 0.1) @ binary == pytest.approx(0.1)
