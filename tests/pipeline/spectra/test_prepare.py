from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.prepare import network_input

SETTINGS = SpectraSettings()
GRID = WaveGrid.from_settings(SETTINGS)
N_STORED = 3909


def rows(n_row: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n_row)
    flux_BN = rng.normal(100, 10, (n_row, N_STORED)).astype(np.float32)
    ivar_BN = np.full((n_row, N_STORED), 0.01, np.float32)
    velocity_B = rng.uniform(-300, 300, n_row)
    return flux_BN, ivar_BN, np.full(n_row, 3.5682), np.full(n_row, N_STORED), velocity_B


def plain_network_input(
    flux_N: np.ndarray,
    ivar_N: np.ndarray,
    log10_first: float,
    n_pixel: int,
    velocity_kms: float,
    plain_smoothed_flux: Callable[..., np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """One spectrum by the book, in float64: np.interp in log wavelength, then the formula."""
    flux_n, ivar_n = flux_N[:n_pixel].astype(np.float64), ivar_N[:n_pixel].astype(np.float64)
    good_n = np.isfinite(flux_n) & np.isfinite(ivar_n) & (ivar_n > 0)
    beta = velocity_kms / 299_792.458
    rest_n = log10_first + 1e-4 * np.arange(n_pixel) - np.log10(np.sqrt((1 + beta) / (1 - beta)))
    flux_L = np.interp(GRID.log10_wave_L, rest_n, np.where(good_n, flux_n, 0))
    share_L = np.interp(GRID.log10_wave_L, rest_n, good_n.astype(np.float64), left=0, right=0)
    bad_L = share_L < 1 - 1e-7
    weight_L = (~bad_L).astype(np.float64)
    flux_L = np.where(bad_L, 0, flux_L)
    smooth_L = plain_smoothed_flux(flux_L[None], weight_L[None], GRID.wave_L, 350.0)[0]
    return flux_L / np.where(bad_L, 1, smooth_L), bad_L


def test_real_spectra_by_the_book(
    real_rows: Any, plain_smoothed_flux: Callable[..., np.ndarray]
) -> None:
    velocity_B = real_rows.z_B * 299_792.458
    prepared = network_input(*real_rows[:4], velocity_B, SETTINGS)
    assert np.isfinite(prepared.flux_BL).all()
    usable = np.flatnonzero(prepared.usable_B)
    assert 10 < usable.size < len(velocity_B)
    for row in usable[::4]:
        flux_L, bad_L = plain_network_input(
            *(column[row] for column in real_rows[:4]), velocity_B[row], plain_smoothed_flux
        )
        # A continuum that is not positive makes a pixel bad as well: absent in usable spectra.
        np.testing.assert_array_equal(prepared.bad_BL[row], bad_L)
        assert np.abs(prepared.flux_BL[row] - flux_L)[~bad_L].max() < 1e-4
        assert np.median(prepared.flux_BL[row][~bad_L]) == pytest.approx(1, abs=0.1)


def test_libraries_agree_on_real_spectra(real_rows: Any) -> None:
    ours = network_input(*real_rows[:4], None, SpectraSettings(frame="observed"), with_ivar=True)
    tensors = [torch.from_numpy(column) for column in real_rows[:4]]
    theirs = network_input(*tensors, None, SpectraSettings(frame="observed"), with_ivar=True)
    np.testing.assert_array_equal(ours.bad_fraction_B, theirs.bad_fraction_B.numpy())
    usable_B = ours.usable_B
    np.testing.assert_allclose(
        ours.flux_BL[usable_B], theirs.flux_BL.numpy()[usable_B], rtol=2e-6, atol=1e-6
    )
    assert ours.ivar_BL is not None
    assert theirs.ivar_BL is not None
    np.testing.assert_allclose(ours.ivar_BL[usable_B], theirs.ivar_BL.numpy()[usable_B], rtol=5e-6)


def test_blocks_leave_no_seam(library: Callable[[np.ndarray], Any]) -> None:
    arrays = rows(300)
    whole = network_input(*(library(array) for array in arrays), SETTINGS)
    part = network_input(*(library(array[200:230]) for array in arrays), SETTINGS)
    np.testing.assert_allclose(
        np.asarray(whole.flux_BL)[200:230], np.asarray(part.flux_BL), rtol=2e-6
    )


def test_normalised_flux_times_scale_keeps_the_snr() -> None:
    arrays = rows(4)
    prepared = network_input(*arrays[:4], None, SpectraSettings(frame="observed"), with_ivar=True)
    assert prepared.ivar_BL is not None
    snr_BL = prepared.flux_BL * np.sqrt(prepared.ivar_BL)
    first = round((GRID.log10_first - 3.5682) / 1e-4)
    expected_BL = (arrays[0] * np.sqrt(arrays[1]))[:, first : first + GRID.n_pixel]
    np.testing.assert_allclose(snr_BL, expected_BL, rtol=1e-5)


def test_padding_and_bad_rows_are_not_usable() -> None:
    flux_BN, ivar_BN, log10_first_B, n_pixel_B, velocity_B = rows(4)
    n_pixel_B[1] = 3000
    ivar_BN[2] = 0
    log10_first_B[3] = np.nan
    prepared = network_input(flux_BN, ivar_BN, log10_first_B, n_pixel_B, velocity_B, SETTINGS)
    assert prepared.usable_B.tolist() == [True, False, False, False]
    assert prepared.bad_fraction_B[2:].tolist() == [1.0, 1.0]
    assert (prepared.flux_BL[2:] == 1.0).all()
    uncovered = GRID.log10_wave_L > 3.5682 + 1e-4 * 3010
    assert prepared.bad_BL[1, uncovered].all()
    assert prepared.ivar_BL is None


def test_no_rows_give_no_rows() -> None:
    prepared = network_input(*rows(0), SETTINGS)
    assert prepared.flux_BL.shape == (0, GRID.n_pixel)
    assert prepared.usable_B.shape == (0,)


def test_rest_frame_needs_velocities() -> None:
    with pytest.raises(ValueError, match="no velocity"):
        network_input(*rows(2)[:4], None, SETTINGS)
