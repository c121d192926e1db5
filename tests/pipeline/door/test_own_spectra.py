"""Spectra of other surveys on the store's grid."""

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import InverseVariance, StdDevUncertainty
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.door.own_spectra import from_specutils, own_spectra

GRID = 10 ** (3.57 + 1e-4 * np.arange(3000))


def test_a_spectrum_on_the_grid_is_kept_as_it_is():
    flux = np.linspace(1, 2, GRID.size)
    own = own_spectra(flux, np.full(GRID.size, 4.0), GRID)
    np.testing.assert_array_equal(own.flux_BN[0], flux.astype(np.float32))
    np.testing.assert_array_equal(own.ivar_BN[0], 4)
    assert own.log10_first_B[0] == pytest.approx(3.57)
    assert own.n_pixel_B.tolist() == [3000]


def test_wavelengths_rounded_to_float32_are_kept_too():
    """As SDSS writes loglam."""
    rounded = (3.5797 + 1e-4 * np.arange(3800)).astype(np.float32)
    flux, ivar = np.random.default_rng(1).normal(1, 0.1, 3800), np.ones(3800)
    ivar[100] = 0
    own = own_spectra(flux, ivar, 10 ** rounded.astype(float))
    good = ivar > 0
    np.testing.assert_array_equal(own.flux_BN[0][good], flux.astype(np.float32)[good])
    assert (own.ivar_BN[0] == 0).nonzero()[0].tolist() == [100]


@pytest.mark.parametrize("unit", [1e-18, 1e-17, 1e20])
def test_the_unit_of_the_flux_does_not_matter(unit):
    flux = np.linspace(1, 2, GRID.size)
    plain = own_spectra(flux, np.full(GRID.size, 4e4), GRID)
    own = own_spectra(flux * unit, np.full(GRID.size, 4e4) / unit**2, GRID)
    snr = [one.flux_BN[0] * np.sqrt(one.ivar_BN[0]) for one in (own, plain)]
    np.testing.assert_allclose(*snr, rtol=1e-5)
    np.testing.assert_allclose(own.flux_BN[0] / own.flux_BN[0, 0], flux, rtol=1e-5)


def plain_average(wave, flux, low, high):
    """Mean of a step function between two wavelengths, by the plain formula."""
    middle = (wave[1:] + wave[:-1]) / 2
    edges = [2 * wave[0] - middle[0], *middle, 2 * wave[-1] - middle[-1]]
    total = length = 0.0
    for value, left, right in zip(flux, edges[:-1], edges[1:], strict=True):
        shared = max(0.0, min(high, right) - max(low, left))
        total, length = total + shared * value, length + shared
    return total / length


@settings(max_examples=15)
@given(step=st.floats(0.2, 6.0), seed=st.integers(0, 99))
def test_pixels_are_averaged_by_overlap(step, seed):
    wave = np.arange(4000.0, 4120.0, step)
    flux = np.random.default_rng(seed).normal(5, 1, wave.size)
    own = own_spectra(flux, None, wave)
    centre = own.log10_first_B[0] + 1e-4 * np.arange(own.n_pixel_B[0])
    for pixel in (1, centre.size // 2, centre.size - 2):
        low, high = 10 ** (centre[pixel] - 5e-5), 10 ** (centre[pixel] + 5e-5)
        expected = plain_average(wave, flux, low, high)
        assert own.flux_BN[0, pixel] == pytest.approx(expected, rel=1e-5)


def test_errors_of_finer_pixels_average_down_and_bad_pixels_stay_bad():
    wave = np.arange(5000.0, 5100.0, 0.05)
    ivar = np.full(wave.size, 4.0)
    ivar[1000] = 0
    own = own_spectra(np.ones(wave.size), ivar, wave)
    good = own.ivar_BN[0] > 0
    assert (~good).sum() in (1, 2)
    # A new pixel of 1.15 Angstrom holds 23 old ones.
    assert np.median(own.ivar_BN[0, good]) == pytest.approx(4 * 23, rel=0.05)
    np.testing.assert_allclose(own.flux_BN[0, good], 1, rtol=1e-6)


def test_values_that_are_not_finite_are_bad():
    flux = np.ones((2, GRID.size))
    flux[1, 7] = np.nan
    ivar = np.ones_like(flux)
    ivar[0, 9] = -1
    own = own_spectra(flux, ivar, GRID)
    assert np.argwhere(own.ivar_BN == 0).tolist() == [[0, 9], [1, 7]]
    assert np.isfinite(own.flux_BN).all()


@pytest.mark.parametrize(
    ("flux", "ivar", "wave", "message"),
    [
        (np.ones(5), np.ones(4), np.arange(5) + 4000, "both must be"),
        (np.ones(5), None, np.arange(4) + 4000, "one wavelength per pixel"),
        (np.ones(5), None, 4000 - np.arange(5), "rise"),
        (np.ones(5), None, np.arange(5) - 2, "rise"),
        (np.ones(1), None, [4000.0], "rise"),
        (np.ones((2, 2, 5)), None, np.arange(5) + 4000, "both must be"),
    ],
    ids=["ivar", "length", "falling", "negative", "one pixel", "three axes"],
)
def test_arrays_that_do_not_fit_are_named(flux, ivar, wave, message):
    with pytest.raises(InputError, match=message):
        own_spectra(flux, ivar, wave)


class Spectrum:
    """What a `specutils.Spectrum` offers, of which the package is not needed here."""

    def __init__(self, flux, axis, uncertainty, mask=None):
        self.flux, self.spectral_axis = flux * u.ct, axis
        self.uncertainty, self.mask = uncertainty, mask


def test_a_spectrum_of_specutils_is_read_in_its_units():
    flux = np.arange(1.0, 4.0)
    wave = np.array([500.0, 501, 502]) * u.nm
    read = from_specutils(
        Spectrum(flux, wave, StdDevUncertainty([0.5, 1, 2]), [False, True, False])
    )
    np.testing.assert_allclose(read[2], [5000, 5010, 5020])
    np.testing.assert_allclose(read[1], [4, 0, 0.25])
    rising = from_specutils(Spectrum(flux, [600.0, 500, 400] * u.THz, None))
    assert (np.diff(rising[2]) > 0).all()
    np.testing.assert_array_equal(rising[0], flux)
    assert rising[1] is None
    turned = from_specutils(Spectrum(flux, [400.0, 500, 600] * u.THz, InverseVariance([1.0, 2, 3])))
    np.testing.assert_array_equal(turned[0], flux[::-1])
    np.testing.assert_array_equal(turned[1], [3, 2, 1])
