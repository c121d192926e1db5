"""A calibration by Teff and S/N."""

import numpy as np
import pytest
from scipy.special import expit

from pipeline.evaluation.calibration import balanced_weights, negative_log_likelihood
from pipeline.evaluation.smooth import RIDGES, fit_smooth


def spectra(n, seed, *, varies):
    """Log-odds of a network that is too sure, of hot stars more than of cool ones."""
    rng = np.random.default_rng(seed)
    teff, snr = rng.uniform(4200, 6000, n), np.exp(rng.uniform(3, 5, n))
    binary = rng.random(n) < 0.5
    apart = np.where(teff > 5100, 0.3, 2.0) if varies else 1.5
    true = apart * rng.normal(np.where(binary, apart, -apart) / 2, 1)
    stretch = 3 * (np.where(teff > 5100, 4.0, 1.0) if varies else 1.0)
    return stretch * true, binary, np.arange(n) // 2 * 2 + binary, teff, snr


def loss(logit, binary):
    return negative_log_likelihood(logit, binary, balanced_weights(binary))


def test_where_the_network_cannot_know_it_says_so():
    found = fit_smooth(*spectra(2000, 1, varies=True), 0.5)
    assert found is not None and found.ridge in RIDGES
    assert found.loss < found.loss_temperature - 0.01
    logit, binary, _, teff, snr = spectra(4000, 2, varies=True)
    calibrated = found.calibrated(logit, teff, snr)
    plain = logit / 3
    assert loss(calibrated, binary) < loss(plain, binary) - 0.02
    hot = teff > 5500
    assert np.abs(expit(calibrated[hot]) - 0.5).mean() < 0.15
    assert np.abs(expit(calibrated[teff < 4700]) - 0.5).mean() > 0.25


def test_without_a_dependence_hardly_anything_changes():
    data = spectra(400, 3, varies=False)
    found = fit_smooth(*data, 0.5)
    if found is not None:
        logit, binary, _, teff, snr = spectra(4000, 4, varies=False)
        assert loss(found.calibrated(logit, teff, snr), binary) < loss(logit / 3, binary) + 0.02


def test_outside_the_range_and_without_parameters():
    found = fit_smooth(*spectra(2000, 5, varies=True), 0.5)
    ends = found.calibrated(
        np.ones(3), np.array([3000.0, found.teff_range_k[0], np.nan]), np.full(3, 50.0)
    )
    assert ends[0] == ends[1]
    middle = found.calibrated(np.ones(1), *(np.array([value]) for value in found.middle))
    assert ends[2] == pytest.approx(middle[0])
    assert np.isnan(found.calibrated(np.array([np.nan]), np.array([5000.0]), np.array([50.0]))[0])


def test_too_few_stars_and_no_parameters_give_none():
    logit, binary, star, teff, snr = spectra(400, 6, varies=True)
    assert fit_smooth(logit, binary, star, np.full(400, np.nan), snr, 0.5) is None
    few = slice(0, 8)
    assert fit_smooth(logit[few], binary[few], star[few], teff[few], snr[few], 0.5) is None
