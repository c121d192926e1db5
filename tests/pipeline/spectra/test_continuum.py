from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.continuum import smoothed_flux
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.masking import bad_pixels

WAVE_L = WaveGrid.from_settings(SpectraSettings()).wave_L
L = WAVE_L.size
B = 12
RNG = np.random.default_rng(20)
FLUX_BL = (
    (1.2 + 0.4 * np.sin(WAVE_L / 400 + np.arange(B)[:, None]) + 0.2 * RNG.normal(size=(B, L)))
    * 10.0 ** np.linspace(-3, 8, B)[:, None]
).astype(np.float32)
GOOD = {
    "everywhere": np.ones((B, L), bool),
    "97 in 100": RNG.random((B, L)) < 0.97,
    "one half": np.arange(L) > np.linspace(300, 3000, B)[:, None],
    "outside a wide gap": np.tile((np.arange(L) < 1400) | (np.arange(L) > 1900), (B, 1)),
    "1 in 100": RNG.random((B, L)) < 0.01,
}


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("sigma", [35.0, 350.0])
@pytest.mark.parametrize("where", GOOD)
def test_agrees_with_the_formula(
    where: str,
    sigma: float,
    half: bool,
    library: Callable[[np.ndarray], Any],
    plain_smoothed_flux: Callable[..., np.ndarray],
) -> None:
    good_BL = GOOD[where]
    weight_BL = good_BL.astype(np.float32)
    got = smoothed_flux(library(FLUX_BL), library(weight_BL), WAVE_L, sigma, half)
    got_BL = np.asarray(got)
    expected_BL = plain_smoothed_flux(FLUX_BL, weight_BL, WAVE_L, sigma, half)
    assert got_BL.dtype == np.float32
    assert np.isfinite(got_BL).all()
    assert np.abs(got_BL / expected_BL - 1)[good_BL].max() < 5e-6
    # Bad pixels too, as far as two widths from a good one.
    width = sigma * (np.sqrt(2) if half else 1)
    for row in range(B):
        good_l = WAVE_L[good_BL[row]]
        beside_L = np.clip(np.searchsorted(good_l, WAVE_L), 1, good_l.size - 1)
        distance_L = np.minimum(
            np.abs(WAVE_L - good_l[beside_L]), np.abs(WAVE_L - good_l[beside_L - 1])
        )
        near_L = distance_L < 2 * width
        assert np.abs(got_BL[row] / expected_BL[row] - 1)[near_L].max() < 1e-5


@pytest.mark.parametrize("sigma", [35.0, 350.0])
def test_weights_of_many_sizes(
    sigma: float, plain_smoothed_flux: Callable[..., np.ndarray]
) -> None:
    good_BL = GOOD["97 in 100"]
    weight_BL = np.where(good_BL, 10.0 ** (2 * np.sin(np.arange(L) / 200)), 0).astype(np.float32)
    got_BL = smoothed_flux(FLUX_BL, weight_BL, WAVE_L, sigma)
    expected_BL = plain_smoothed_flux(FLUX_BL, weight_BL, WAVE_L, sigma)
    assert np.abs(got_BL / expected_BL - 1).max() < 1e-5


def test_libraries_agree() -> None:
    for good_BL in GOOD.values():
        weight_BL = good_BL.astype(np.float32)
        ours = smoothed_flux(FLUX_BL, weight_BL, WAVE_L)
        theirs = smoothed_flux(torch.from_numpy(FLUX_BL), torch.from_numpy(weight_BL), WAVE_L)
        assert np.abs(theirs.numpy() / ours - 1)[good_BL].max() < 1e-6


def test_rows_without_neighbours_stay_finite(library: Callable[[np.ndarray], Any]) -> None:
    flux_BL = np.full((3, L), 5.0, np.float32)
    weight_BL = np.zeros((3, L), np.float32)
    weight_BL[1, 0] = 1.0
    weight_BL[2, [0, L - 1]] = 1.0
    flux_BL[2, 0] = 7.0
    got_BL = np.asarray(smoothed_flux(library(flux_BL), library(weight_BL), WAVE_L, 35.0))
    assert not got_BL[0].any()
    np.testing.assert_allclose(got_BL[1], 5.0, rtol=1e-3)
    np.testing.assert_allclose(got_BL[2, [0, L // 2, L - 1]], [7.0, 6.0, 5.0], rtol=1e-5)


def test_result_does_not_depend_on_the_rest_of_the_batch() -> None:
    weight_BL = GOOD["one half"].astype(np.float32)
    together_BL = smoothed_flux(FLUX_BL, weight_BL, WAVE_L)
    for row in range(B):
        one = slice(row, row + 1)
        alone_BL = smoothed_flux(FLUX_BL[one], weight_BL[one], WAVE_L)
        good_L = GOOD["one half"][row]
        np.testing.assert_allclose(alone_BL[0, good_L], together_BL[row, good_L], rtol=2e-6)


@pytest.mark.parametrize("sigma", [35.0, 350.0])
def test_real_spectra(
    sigma: float, real_rows: Any, plain_smoothed_flux: Callable[..., np.ndarray]
) -> None:
    wave_N = 10 ** (3.5682 + 1e-4 * np.arange(real_rows.flux_BN.shape[1]))
    good_BN = ~bad_pixels(real_rows.flux_BN, real_rows.ivar_BN)
    weight_BN = good_BN.astype(np.float32)
    flux_BN = np.where(good_BN, real_rows.flux_BN, np.float32(0))
    got_BN = smoothed_flux(flux_BN, weight_BN, wave_N, sigma)
    expected_BN = plain_smoothed_flux(flux_BN, weight_BN, wave_N, sigma)
    # A sum over fluxes of both signs has its error relative to the sum of their sizes.
    size_BN = plain_smoothed_flux(np.abs(flux_BN), weight_BN, wave_N, sigma)
    error_BN = np.abs(got_BN - expected_BN) / size_BN
    assert good_BN.sum() > 50_000
    assert error_BN[good_BN].max() < 5e-6
