import numpy as np
import pytest
from scipy.optimize import curve_fit

from pipeline.limits.least_squares import Parameters, chi_square, least_squares

X = np.linspace(-5, 5, 200)
LIMITS = Parameters(np.array([0.0, -3.0, 0.3]), np.array([1.0, 3.0, 2.0]), np.full(3, 1e-3))
"""Depth, centre and width of a line."""


def line(theta):
    depth, centre, width = theta.T[..., None]
    return (1 - depth * np.exp(-0.5 * ((X - centre) / width) ** 2)).astype(np.float32)


@pytest.fixture
def noisy():
    rng = np.random.default_rng(2)
    truth = np.array([[0.4, 0.5, 0.8], [0.7, -1.0, 1.2], [0.2, 0.0, 0.5]])
    sigma = rng.uniform(0.005, 0.03, (3, X.size))
    target = (line(truth) + sigma * rng.standard_normal(sigma.shape)).astype(np.float32)
    ivar = (1 / sigma**2).astype(np.float32)
    ivar[:, 30:40] = 0
    return target, ivar


def test_it_finds_what_scipy_finds(noisy):
    target, ivar = noisy
    start = np.array([[0.3, 0.2, 1.0]] * 3)
    fit = least_squares(target, ivar, start, line, LIMITS, 12)
    for b in range(3):
        good = ivar[b] > 0
        expected, _ = curve_fit(
            lambda x, *theta: (1 - theta[0] * np.exp(-0.5 * ((x - theta[1]) / theta[2]) ** 2)),
            X[good], target[b, good], start[b], 1 / np.sqrt(ivar[b, good]),
        )  # fmt: skip
        np.testing.assert_allclose(fit.theta_BX[b], expected, atol=1e-3)
    np.testing.assert_array_equal(fit.flux_BL, line(fit.theta_BX))
    np.testing.assert_array_equal(fit.chi2_B, chi_square(target, fit.flux_BL, ivar))


def test_chi_square_counts_every_pixel_once():
    flux, other = np.full((2, 4), 1.5, np.float32), np.ones((2, 4), np.float32)
    ivar = np.array([[1, 2, 0, 1], [0, 0, 0, 4]], np.float32)
    np.testing.assert_allclose(chi_square(flux, other, ivar), [1.0, 1.0])


def test_a_parameter_at_its_limit_stays_there(noisy):
    target, ivar = noisy
    limits = Parameters(LIMITS.low_X, np.array([1.0, 0.0, 2.0]), LIMITS.step_X)
    fit = least_squares(target, ivar, np.array([[0.3, 0.0, 1.0]] * 3), line, limits, 10)
    assert fit.theta_BX[0, 1] == 0.0  # its line lies beyond
    assert fit.theta_BX[1, 1] == pytest.approx(-1.0, abs=0.02)


@pytest.mark.parametrize("n_iteration", [0, 1, 5])
def test_it_is_never_worse_than_the_start(noisy, n_iteration):
    target, ivar = noisy
    start = np.random.default_rng(1).uniform(LIMITS.low_X, LIMITS.high_X, (3, 3))
    kept = start.copy()
    before = chi_square(target, line(start), ivar)
    fit = least_squares(target, ivar, start, line, LIMITS, n_iteration)
    assert (fit.chi2_B <= before).all()
    np.testing.assert_array_equal(start, kept)


def test_rows_do_not_depend_on_each_other(noisy):
    target, ivar = noisy
    start = np.array([[0.3, 0.2, 1.0]] * 3)
    together = least_squares(target, ivar, start, line, LIMITS, 5)
    alone = least_squares(target[1:2], ivar[1:2], start[1:2], line, LIMITS, 5)
    np.testing.assert_allclose(together.theta_BX[1:2], alone.theta_BX, rtol=1e-5)
