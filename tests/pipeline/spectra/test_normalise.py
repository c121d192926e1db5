from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.normalise import normalised_flux

SETTINGS = SpectraSettings()
WAVE_L = WaveGrid.from_settings(SETTINGS).wave_L
L = WAVE_L.size
B = 8
RNG = np.random.default_rng(3)
SHAPE_BL = 1.5 + 0.5 * np.sin(WAVE_L / 500) + 0.1 * RNG.normal(size=(B, L))
BAD_BL = RNG.random((B, L)) < 0.03


@pytest.mark.parametrize("ivar_weighted", [False, True])
@pytest.mark.parametrize("sigma", [35.0, 350.0])
def test_agrees_with_the_formula_at_all_scales(
    sigma: float,
    ivar_weighted: bool,
    library: Callable[[np.ndarray], Any],
    plain_smoothed_flux: Callable[..., np.ndarray],
) -> None:
    scale_B1 = 10.0 ** np.linspace(-3, 8, B)[:, None]
    flux_BL = (SHAPE_BL * scale_B1).astype(np.float32)
    flux_BL[BAD_BL] = np.nan
    ivar_BL = (10.0 ** np.linspace(2, -14, B)[:, None] * (2 + np.cos(WAVE_L / 900))).astype("f4")
    settings = SpectraSettings(sigma_angstrom=sigma, ivar_weighted=ivar_weighted)
    normal, bad, scale = normalised_flux(
        library(flux_BL), library(ivar_BL), library(BAD_BL), WAVE_L, settings
    )
    clean_BL = np.where(BAD_BL, 0, flux_BL)
    weight_BL = np.where(BAD_BL, 0.0, ivar_BL if ivar_weighted else 1.0)
    smooth_BL = plain_smoothed_flux(clean_BL, weight_BL, WAVE_L, sigma)
    expected_BL = np.where(BAD_BL, 1.0, clean_BL / smooth_BL)
    np.testing.assert_array_equal(np.asarray(bad), BAD_BL)
    np.testing.assert_allclose(np.asarray(normal), expected_BL, rtol=1e-5)
    good_BL = ~BAD_BL
    np.testing.assert_allclose(np.asarray(scale)[good_BL], smooth_BL[good_BL], rtol=1e-5)


def test_bad_pixels_are_exactly_one(library: Callable[[np.ndarray], Any]) -> None:
    normal, _, _ = normalised_flux(
        library(SHAPE_BL.astype(np.float32)), None, library(BAD_BL), WAVE_L, SETTINGS
    )
    assert (np.asarray(normal)[BAD_BL] == 1.0).all()


def test_pixels_without_positive_continuum_are_bad(library: Callable[[np.ndarray], Any]) -> None:
    flux_BL = np.ones((3, L), np.float32)
    flux_BL[0, : L // 2] = -2.0
    flux_BL[1] = 0.0
    bad_BL = np.zeros((3, L), bool)
    bad_BL[2] = True
    normal, bad, _ = normalised_flux(library(flux_BL), None, library(bad_BL), WAVE_L, SETTINGS)
    normal_BL, new_bad_BL = np.asarray(normal), np.asarray(bad)
    assert new_bad_BL[0, 0]
    assert not new_bad_BL[0, -1]
    assert new_bad_BL[1:].all()
    assert np.isfinite(normal_BL).all()
    assert (normal_BL[new_bad_BL] == 1.0).all()


def test_input_is_left_alone(library: Callable[[np.ndarray], Any]) -> None:
    flux_BL, bad_BL = SHAPE_BL.astype(np.float32), BAD_BL.copy()
    before_BL = flux_BL.copy()
    normalised_flux(library(flux_BL), None, library(bad_BL), WAVE_L, SETTINGS)
    np.testing.assert_array_equal(flux_BL, before_BL)
    np.testing.assert_array_equal(bad_BL, BAD_BL)


def test_weights_without_ivar_are_refused() -> None:
    settings = SpectraSettings(ivar_weighted=True)
    with pytest.raises(ValueError, match="no inverse variance"):
        normalised_flux(SHAPE_BL.astype(np.float32), None, BAD_BL, WAVE_L, settings)
