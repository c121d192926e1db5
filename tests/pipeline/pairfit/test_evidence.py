"""chi^2 of single stars and pairs against the plain formula, and what it says of stars."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.pairfit.evidence import NOISE_STEP, SMALLEST_NOISE, Evidence
from pipeline.pairfit.grid import LabelGrid
from pipeline.pairfit.model import StarModel

N_PIXEL, N_BASIS, N_COMMON, N_POINT = 480, 14, 5, 40


def toy(seed):
    """A model of random shapes, and a grid of random places."""
    rng = np.random.default_rng(seed)
    model = StarModel(
        0.1 * rng.standard_normal((N_BASIS, N_PIXEL)),
        rng.uniform(0.003, 0.005, N_PIXEL) ** 2,
        0.01 * rng.standard_normal((N_COMMON, N_PIXEL)),
        rng.uniform(0.7, 1.5, N_PIXEL),
    )
    place = rng.standard_normal((N_POINT, N_BASIS))
    place[:, N_BASIS // 2 :] *= 0.1
    q = np.where(np.arange(N_POINT) < 15, 1.0, 0.8)
    place[q == 1, N_BASIS // 2 :] = 0
    return model, LabelGrid(np.full(N_POINT, 5500.0), np.zeros(N_POINT), q, place)


def spectra(model, grid, noise, n, seed):
    rng = np.random.default_rng(seed)
    point = rng.integers(0, N_POINT, n)
    flux = grid.place_GI[point] @ model.basis_IL
    flux = flux + rng.standard_normal((n, N_COMMON)) @ model.common_CL
    flux += rng.standard_normal((n, N_PIXEL)) * np.sqrt(noise**2 * model.profile_L)
    flux += rng.standard_normal((n, N_PIXEL)) * np.sqrt(model.scatter_L)
    return flux.astype(np.float32), point


def plain_chi2(flux_L, noise, model, grid):
    """(x - m)' (V + C'C)^-1 (x - m) over the good pixels, in float64, by the whole matrix."""
    good = flux_L != 0
    common = model.common_CL[:, good]
    variance = noise**2 * model.profile_L[good] + model.scatter_L[good]
    inverse = np.linalg.inv(np.diag(variance) + common.T @ common)
    rest = flux_L[good].astype(np.float64) - grid.place_GI @ model.basis_IL[:, good]
    return np.einsum("gl,lm,gm->g", rest, inverse, rest)


def rounded(noise_B):
    step = np.rint(np.log(noise_B / SMALLEST_NOISE) / NOISE_STEP)
    return SMALLEST_NOISE * np.exp(step * NOISE_STEP)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 0.3), st.floats(0.005, 0.1))
def test_chi2_is_that_of_the_plain_formula(seed, bad_share, noise):
    model, grid = toy(seed)
    flux, _ = spectra(model, grid, noise, 3, seed + 1)
    flux[np.random.default_rng(seed).random(flux.shape) < bad_share] = 0
    evidence = Evidence(model, grid)
    found = evidence.chi2(flux)
    for flux_L, level, row in zip(flux, rounded(evidence.noise(flux)), found, strict=True):
        plain = plain_chi2(flux_L, level, model, grid)
        np.testing.assert_allclose(
            row - row.mean(), plain - plain.mean(), atol=1e-4 * plain.max(), rtol=0
        )


def test_gain_is_the_best_single_star_less_the_best_pair_however_many_spectra():
    model, grid = toy(1)
    flux, _ = spectra(model, grid, 0.02, 70, 2)
    evidence = Evidence(model, grid)
    alone = grid.q_G == 1
    wanted = []
    for flux_L, level in zip(flux, rounded(evidence.noise(flux)), strict=True):
        plain = plain_chi2(flux_L, level, model, grid)
        wanted.append(plain[alone].min() - plain[~alone].min())
    found = evidence.gain(flux)
    np.testing.assert_allclose(found, wanted, atol=1e-3 * np.abs(wanted).max())
    # The spectra beside a spectrum change nothing.
    np.testing.assert_allclose(evidence.gain(flux[62:66]), found[62:66], rtol=1e-4, atol=1e-2)


def test_a_spectrum_of_a_pair_gains_by_a_second_star():
    model, grid = toy(3)
    flux, point = spectra(model, grid, 0.02, 200, 4)
    pair = grid.q_G[point] < 1
    gain = Evidence(model, grid).gain(flux)
    assert gain[pair].min() > 0 > gain[~pair].max()


@pytest.mark.parametrize("noise", [0.01, 0.03, 0.1])
def test_noise_is_told_from_the_spectrum(noise):
    model, grid = toy(5)
    flux, _ = spectra(model, grid, noise, 60, 6)
    flux[:, 100:150] = 0
    found = Evidence(model, grid).noise(flux)
    assert np.median(found) == pytest.approx(noise, rel=0.2)


def test_a_spectrum_without_a_good_pixel_gains_nothing():
    model, grid = toy(7)
    evidence = Evidence(model, grid)
    bare = np.zeros((2, N_PIXEL), np.float32)
    assert evidence.gain(bare) == pytest.approx([0, 0], abs=1e-3)
    bare[1, 17] = 0.01
    assert np.isfinite(evidence.gain(bare)).all()


def test_a_spike_beyond_all_reason_spoils_no_other_spectrum():
    model, grid = toy(8)
    flux, _ = spectra(model, grid, 0.02, 3, 9)
    evidence = Evidence(model, grid)
    alone = evidence.gain(flux)
    flux[1, 200] = 1e6
    found = evidence.gain(flux)
    np.testing.assert_allclose(found[[0, 2]], alone[[0, 2]], rtol=1e-4, atol=1e-2)
    assert np.isfinite(found[1])
