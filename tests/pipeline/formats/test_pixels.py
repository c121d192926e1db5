import numpy as np
import pytest

from pipeline.formats.air import vacuum_from_air
from pipeline.formats.pixels import merged, on_grid
from pipeline.lamost.errors import SpectrumError
from schemas.store import ROW_PIXELS
from tests.pipeline.formats.files import DESI_ARMS, noisy, star


def grid(wave, flux=None, ivar=None, mask=None):
    flux = star(wave) if flux is None else flux
    ivar = np.ones(wave.size) if ivar is None else ivar
    mask = np.zeros(wave.size, np.uint32) if mask is None else mask
    return on_grid(wave, flux[None], ivar[None], mask[None], mask[None], "file")


def test_pixels_that_lie_on_the_grid_are_copied():
    wave = 10 ** np.float32(3.55 + 1e-4 * np.arange(4600)).astype(float)
    flux = np.arange(4600.0)
    pixels = grid(wave, flux)
    assert pixels.log10_first == pytest.approx(3.568, abs=1e-12)
    assert pixels.flux_BN.shape == (1, ROW_PIXELS)
    np.testing.assert_array_equal(pixels.flux_BN[0], flux[180 : 180 + ROW_PIXELS])


def test_a_linear_grid_is_averaged_with_the_right_error():
    wave = 3600 + 0.8 * np.arange(7800)
    residuals = []
    for seed in range(4):
        pixels = grid(wave, noisy(wave, seed, 0.25), np.full(wave.size, 0.25))
        assert (pixels.ivar_BN > 0.25).mean() > 0.9
        residuals.append((pixels.flux_BN - star(pixels.wave_N)) * np.sqrt(pixels.ivar_BN))
    assert np.std(residuals) == pytest.approx(1, abs=0.03)
    assert abs(np.mean(residuals)) < 0.03


def test_flux_is_conserved_over_wide_and_narrow_pixels():
    for step in (0.05, 0.8, 2.0):
        wave = np.arange(3700, 9000, step)
        pixels = grid(wave, np.full(wave.size, 7.0))
        np.testing.assert_allclose(pixels.flux_BN, 7.0, rtol=1e-12)


def test_a_bad_pixel_spoils_those_that_touch_it_and_no_others():
    wave = 3600 + 0.8 * np.arange(7800)
    flux, ivar, mask = star(wave), np.ones(wave.size), np.zeros(wave.size, np.uint32)
    bad = 3000
    flux[bad], ivar[bad], mask[bad] = np.nan, 0, 4
    pixels = grid(wave, flux, ivar, mask)
    half = pixels.wave_N * (10**0.5e-4 - 1)
    touched = np.abs(pixels.wave_N - wave[bad]) < half + 0.4 - 0.01
    np.testing.assert_array_equal(pixels.ivar_BN[0] == 0, touched)
    np.testing.assert_array_equal(pixels.andmask_BN[0] == 4, touched)
    assert np.isfinite(pixels.flux_BN).all()


def test_arms_become_one_spectrum_whose_overlap_is_better_known():
    arms = []
    for arm, (start, size) in DESI_ARMS.items():
        wave = start + 0.8 * np.arange(size)
        arms.append(grid(wave, noisy(wave, ord(arm))))
    whole = merged(arms)
    residual = (whole.flux_BN - star(whole.wave_N)) * np.sqrt(whole.ivar_BN)
    assert np.std(residual) == pytest.approx(1, abs=0.05)
    assert (whole.ivar_BN > 0).all()
    at = [np.abs(whole.wave_N - wave).argmin() for wave in (5700.0, 5780.0, 5850.0)]
    assert whole.ivar_BN[0, at[1]] > 1.5 * whole.ivar_BN[0, [at[0], at[2]]].max()


def test_wavelengths_in_air():
    # Vacuum and air wavelengths of the Sun's lines (NIST).
    air = np.array([3968.468, 4861.325, 5889.951, 6562.801, 8542.09])
    vacuum = np.array([3969.591, 4862.683, 5891.583, 6564.614, 8544.44])
    np.testing.assert_allclose(vacuum_from_air(air), vacuum, atol=0.01)


@pytest.mark.parametrize(
    ("wave", "message"),
    [
        (np.arange(370.0, 900.0, 0.1), "are they in Angstrom"),
        (np.arange(9000.0, 3700.0, -1.0), "do not rise"),
        (np.full(100, np.nan), "not finite"),
        (np.arange(3700.0, 9000.0, 8.0), "coarser"),
        (np.array([5000.0]), "1 wavelengths"),
        (
            np.sort(np.append(np.arange(3700.0, 9000.0, 1.0), np.linspace(6000.01, 6000.5, 5000))),
            "pixels within one of the store's at 600",
        ),
    ],
)
def test_wavelengths_of_no_use_are_refused(wave, message):
    with pytest.raises(SpectrumError, match=message):
        grid(wave, np.ones(wave.size))
