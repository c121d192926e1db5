from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from astropy import units
from hypothesis import given
from hypothesis import strategies as st

from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.resampling import resample

STEP = 1e-4
GRID = WaveGrid(log10_first=3.6, log10_step=STEP, n_pixel=60)
N_STORED = 90

shifts = st.integers(-70, 100)
fractions = st.one_of(st.just(0.0), st.floats(0.001, 0.999))
velocities = st.floats(-1000.0, 1000.0)


def stored(seed: int, n_row: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    flux_BN = rng.normal(10, 3, (n_row, N_STORED)).astype(np.float32)
    ivar_BN = rng.uniform(0.5, 2, (n_row, N_STORED)).astype(np.float32)
    return flux_BN, ivar_BN, rng.random((n_row, N_STORED)) < 0.1


def plain_resample(
    values_N: np.ndarray, bad_N: np.ndarray, log10_first: float
) -> tuple[np.ndarray, np.ndarray]:
    """One row by np.interp in float64; a pixel of the grid is bad if a neighbour is."""
    x_N = (log10_first - GRID.log10_first) / STEP + np.arange(values_N.size)
    x_L = np.arange(GRID.n_pixel, dtype=np.float64)
    out_L = np.interp(x_L, x_N, values_N.astype(np.float64))
    bad_L = np.ones(GRID.n_pixel, bool)
    for pixel, x in enumerate(x_L):
        near = np.abs(x_N - x) < 1 - 1e-5
        exact = np.abs(x_N - x) < 1e-5
        touched = exact if exact.any() else near
        if exact.any() or near.sum() == 2:
            bad_L[pixel] = bad_N[touched].any()
    return np.where(bad_L, 0.0, out_L), bad_L


@given(shift=st.lists(shifts, min_size=3, max_size=3), fraction=fractions, seed=st.integers(0, 99))
def test_agrees_with_interp(shift: list[int], fraction: float, seed: int) -> None:
    flux_BN, ivar_BN, bad_BN = stored(seed, n_row=3)
    log10_first_B = GRID.log10_first - (np.array(shift) + fraction) * STEP
    flux_BL, ivar_BL, bad_BL = resample(flux_BN, ivar_BN, bad_BN, log10_first_B, GRID)
    assert flux_BL.dtype == np.float32
    for row in range(3):
        for got_L, values_N in ((flux_BL[row], flux_BN[row]), (ivar_BL[row], ivar_BN[row])):
            expected_L, bad_L = plain_resample(values_N, bad_BN[row], log10_first_B[row])
            np.testing.assert_array_equal(bad_BL[row], bad_L)
            np.testing.assert_allclose(got_L, expected_L, rtol=1e-5, atol=1e-5)


@given(shift=shifts, seed=st.integers(0, 99))
def test_whole_shift_copies_bits(shift: int, seed: int) -> None:
    flux_BN, ivar_BN, bad_BN = stored(seed)
    log10_first_B = np.array([GRID.log10_first - shift * STEP])
    flux_BL, ivar_BL, bad_BL = resample(flux_BN, ivar_BN, bad_BN, log10_first_B, GRID)
    source_L = np.arange(GRID.n_pixel) + shift
    covered_L = (source_L >= 0) & (source_L < N_STORED)
    source_L = np.where(covered_L, source_L, 0)
    expected_bad_L = ~covered_L | bad_BN[0, source_L]
    np.testing.assert_array_equal(bad_BL[0], expected_bad_L)
    np.testing.assert_array_equal(flux_BL[0], np.where(expected_bad_L, 0, flux_BN[0, source_L]))
    np.testing.assert_array_equal(ivar_BL[0], np.where(expected_bad_L, 0, ivar_BN[0, source_L]))


@given(velocity=velocities)
def test_line_goes_to_its_rest_wavelength(velocity: float) -> None:
    rest = GRID.wave_L[30]
    seen = (velocity * units.km / units.s).to(
        units.AA, equivalencies=units.doppler_relativistic(rest * units.AA)
    )
    log10_first = GRID.log10_first - 15 * STEP
    x_N = log10_first + STEP * np.arange(N_STORED)
    distance_N = (x_N - np.log10(seen.value)) / STEP
    flux_BN = np.maximum(0, 5 - np.abs(distance_N))[None].astype(np.float32)
    good_BN = np.zeros(flux_BN.shape, bool)
    flux_BL, _, _ = resample(
        flux_BN, None, good_BN, np.array([log10_first]), GRID, np.array([velocity])
    )
    centre = np.sum(flux_BL[0] * np.arange(GRID.n_pixel)) / np.sum(flux_BL[0])
    assert centre == pytest.approx(30, abs=0.03)


def test_smooth_spectrum_agrees_with_interp_on_wavelength() -> None:
    wave_N = 10 ** (3.598 + STEP * np.arange(N_STORED))
    flux_BN = (2 + np.sin(wave_N / 3))[None].astype(np.float32)
    flux_BL, _, bad_BL = resample(
        flux_BN, None, np.zeros(flux_BN.shape, bool), np.array([3.59803]), GRID
    )
    expected_L = np.interp(GRID.wave_L, wave_N * 10**3e-5, flux_BN[0])
    assert not bad_BL.any()
    np.testing.assert_allclose(flux_BL[0], expected_L, atol=2e-5)


def test_next_pixel_is_not_touched_at_fraction_zero() -> None:
    flux_BN, ivar_BN, bad_BN = stored(1)
    bad_BN[:] = False
    bad_BN[0, 11] = True
    flux_BN[0, 11] = np.nan
    log10_first_B = np.array([round(GRID.log10_first - 5 * STEP, 4)])
    flux_BL, _, bad_BL = resample(flux_BN, ivar_BN, bad_BN, log10_first_B, GRID)
    assert np.flatnonzero(bad_BL[0]).tolist() == [6]
    np.testing.assert_array_equal(flux_BL[0, 5], flux_BN[0, 10])
    flux_BL, _, bad_BL = resample(flux_BN, ivar_BN, bad_BN, log10_first_B - 0.5 * STEP, GRID)
    assert np.flatnonzero(bad_BL[0]).tolist() == [5, 6]
    assert np.isfinite(flux_BL).all()


@given(first=st.integers(35_600, 36_000), seed=st.integers(0, 99))
def test_a_first_wavelength_in_float32_is_on_the_grid(first: int, seed: int) -> None:
    """As files give it; else every bad pixel would take the one before it with it."""
    flux_BN, ivar_BN, bad_BN = stored(seed)
    written = np.log10(float(np.float32(10 ** (first * STEP))))
    found = [
        resample(flux_BN, ivar_BN, bad_BN, np.array([at]), GRID) for at in (written, first * STEP)
    ]
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_row_without_known_place_is_bad() -> None:
    flux_BN, ivar_BN, bad_BN = stored(2, n_row=4)
    bad_BN[:] = False
    log10_first_B = np.array([GRID.log10_first, np.nan, GRID.log10_first, GRID.log10_first])
    velocity_B = np.array([0.0, 0.0, np.nan, 4e5])
    flux_BL, _, bad_BL = resample(flux_BN, ivar_BN, bad_BN, log10_first_B, GRID, velocity_B)
    assert bad_BL.all(axis=1).tolist() == [False, True, True, True]
    assert not flux_BL[1:].any()


def test_input_is_left_alone(library: Callable[[np.ndarray], Any]) -> None:
    flux_BN, ivar_BN, bad_BN = stored(3, n_row=2)
    before = flux_BN.copy(), ivar_BN.copy(), bad_BN.copy()
    resample(library(flux_BN), library(ivar_BN), library(bad_BN), np.full(2, 3.59995), GRID)
    for now, then in zip((flux_BN, ivar_BN, bad_BN), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_torch_agrees_bit_by_bit() -> None:
    arrays = stored(4, n_row=5)
    log10_first_B = GRID.log10_first - np.linspace(-3, 40, 5) * STEP
    velocity_B = np.linspace(-300, 300, 5)
    ours = resample(*arrays, log10_first_B, GRID, velocity_B)
    theirs = resample(
        *map(torch.from_numpy, arrays), torch.from_numpy(log10_first_B), GRID, velocity_B
    )
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other.numpy(), rtol=1e-6)


def test_other_step_is_refused() -> None:
    flux_BN, ivar_BN, bad_BN = stored(5)
    with pytest.raises(ValueError, match=r"step of 0\.0002 dex"):
        resample(flux_BN, ivar_BN, bad_BN, np.array([3.6]), GRID, log10_step=2e-4)
