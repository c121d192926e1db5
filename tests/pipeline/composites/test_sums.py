import numpy as np
import pytest

from pipeline.composites.exposure import exposure, mean_snr, relative_variance
from pipeline.composites.sums import Stored, masked, star_light, summed
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.stars import ScatterSettings
from pipeline.simulate.fibres import FIRST
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.prepare import network_input
from pipeline.stars.binary import build_systems, components_of
from pipeline.stars.composite import composite_flux
from pipeline.stars.isochrone import BANDS
from pipeline.stars.scatter import StarScatter

N = 3909
SPECTRA = SpectraSettings()
SETTINGS = CompositeSettings()
GRID = WaveGrid.from_settings(SPECTRA)
WAVE_N = 10 ** (FIRST + 1e-4 * np.arange(N))
C_KMS = 299792.458


def stored(flux_BN, ivar_BN=None, rv_kms=0.0):
    flux_BN = np.atleast_2d(flux_BN).astype(np.float32)
    n = len(flux_BN)
    ivar_BN = np.full_like(flux_BN, 1e6) if ivar_BN is None else np.atleast_2d(ivar_BN)
    return Stored(
        flux_BN, ivar_BN.astype(np.float32), np.full(n, FIRST), np.full(n, N, np.int32),
        np.full(n, rv_kms),
    )  # fmt: skip


def light(spectrum, velocity=0.0, m_g=5.0):
    n = len(spectrum.flux_BN)
    return star_light(spectrum, np.full(n, velocity), np.full(n, m_g), SETTINGS, SPECTRA)


def smooth_star(seed=0):
    rng = np.random.default_rng(seed)
    flux = np.exp(-0.5 * ((WAVE_N - 6000) / 2500) ** 2)
    for center in rng.uniform(3800, 8900, 60):
        flux *= 1 - rng.uniform(0.1, 0.6) * np.exp(-0.5 * ((WAVE_N - center) / 4) ** 2)
    return flux


def test_a_star_gives_the_light_of_its_absolute_magnitude():
    got = light(stored(1e7 * smooth_star()), m_g=4.3).flux_BL[0].astype(np.float64)
    wave = GRID.wave_L
    inside = (wave >= SETTINGS.light_min_angstrom) & (wave <= SETTINGS.light_max_angstrom)
    # Photons: the integral of flux times wavelength over wavelength, by trapezia.
    photons = np.trapezoid(got[inside] * wave[inside], wave[inside])
    width = np.trapezoid(wave[inside], wave[inside])
    assert photons / width == pytest.approx(10 ** (-0.4 * 4.3), rel=1e-3)


def test_missing_pixels_do_not_change_the_scale_much():
    flux, ivar = smooth_star(), np.full(N, 1e6)
    ivar[1500:1620] = 0
    ivar[2900:2950] = 0
    whole, holed = light(stored(flux)), light(stored(flux, ivar))
    good = ~holed.bad_BL[0]
    assert holed.bad_BL.sum() >= 170
    np.testing.assert_allclose(holed.flux_BL[0, good], whole.flux_BL[0, good], rtol=0.01)
    assert not holed.flux_BL[holed.bad_BL].any() and not holed.variance_BL[holed.bad_BL].any()


@pytest.mark.parametrize(("rv", "velocity"), [(0.0, 0.0), (35.0, 0.0), (-80.0, 120.0)])
def test_a_line_lies_where_the_chosen_velocity_puts_it(rv, velocity):
    rest = 6500.0
    flux = 1 - 0.5 * np.exp(-0.5 * ((WAVE_N / (1 + rv / C_KMS) - rest) / 5) ** 2)
    got = 1 - light(stored(flux, rv_kms=rv), velocity).flux_BL[0].astype(np.float64) / 0.01
    near = np.abs(GRID.wave_L - rest) < 25
    center = np.sum(got[near] * GRID.wave_L[near]) / np.sum(got[near])
    assert (center / rest - 1) * C_KMS == pytest.approx(velocity, abs=2.0)


def test_two_equal_noiseless_stars_look_like_one():
    one = stored(smooth_star(), rv_kms=17.3)
    pair = exposure(summed(light(one), light(one)), None, None, SPECTRA)
    single = network_input(
        one.flux_BN, one.ivar_BN, one.log10_first_B, one.n_pixel_B, one.rv_kms_B, SPECTRA
    )
    np.testing.assert_allclose(pair.flux_BL, single.flux_BL, atol=2e-6)
    np.testing.assert_array_equal(pair.bad_BL, single.bad_BL)


def test_variances_add_and_masks_unite():
    ivar = np.full((2, N), 400.0)
    ivar[0, 1000], ivar[1, 2000] = 0, 0
    a, b = (light(stored(smooth_star(k), ivar[k])) for k in (0, 1))
    both = summed(a, b)
    np.testing.assert_array_equal(both.bad_BL, a.bad_BL | b.bad_BL)
    good = ~both.bad_BL
    np.testing.assert_allclose(both.flux_BL[good], (a.flux_BL + b.flux_BL)[good], rtol=1e-6)
    np.testing.assert_allclose(
        both.variance_BL[good], (a.variance_BL + b.variance_BL)[good], rtol=1e-6
    )
    more = np.zeros_like(good)
    more[0, 5] = True
    assert masked(both, more).bad_BL.sum() == both.bad_BL.sum() + 1


def test_a_star_without_light_is_bad_throughout():
    dark = light(stored(-smooth_star()))
    assert dark.bad_BL.all() and not dark.flux_BL.any()


def test_noise_reaches_the_wanted_level_and_is_that_of_an_interpolated_spectrum():
    """Variance (1 - f)^2 + f^2 of what is stated and covariance f (1 - f), averaged over f."""
    n = 60
    clean = light(stored(np.tile(smooth_star(), (n, 1)), np.full((n, N), 1e8)))
    wanted = np.full(clean.flux_BL.shape, 0.02**2, np.float32)
    noisy = exposure(clean, wanted, np.random.default_rng(3), SPECTRA)
    noise = (noisy.flux_BL - exposure(clean, None, None, SPECTRA).flux_BL) / 0.02
    assert np.mean(noise**2) == pytest.approx(2 / 3, rel=0.1)
    assert np.mean(noise[:, 1:] * noise[:, :-1]) == pytest.approx(1 / 6, rel=0.2)
    snr = mean_snr(1 / noisy.ivar_BL, noisy.bad_BL, SPECTRA)
    np.testing.assert_allclose(snr, 50, rtol=0.01)
    with pytest.raises(ValueError, match="random numbers"):
        exposure(clean, wanted, None, SPECTRA)


def test_noise_is_never_taken_away():
    own = light(stored(smooth_star(), np.full(N, 100.0)))
    wanted = relative_variance(own, SPECTRA) / 4
    kept = exposure(own, wanted, np.random.default_rng(0), SPECTRA)
    np.testing.assert_array_equal(kept.flux_BL, exposure(own, None, None, SPECTRA).flux_BL)


@pytest.mark.parametrize(
    ("mass", "q", "mh"), [(1.0, 0.8, 0.0), (1.05, 0.9, -0.3), (0.9, 0.85, 0.0)]
)
def test_the_sum_of_two_simulated_singles_is_the_simulator_s_pair(mass, q, mh):
    """Singles scaled by M_G against one pair summed by radius: light ratios within 5 %."""
    off = ScatterSettings(enabled=False)
    age = 9.5

    def ideal(q_value, velocity, mass1=mass):
        column = [np.array([value]) for value in (mass1, q_value, age, mh)]
        systems = build_systems(*column)
        quiet = StarScatter(np.zeros((1, 30), np.float32), np.zeros(1, np.float32), np.zeros(1))
        stars = components_of(systems, np.array([velocity]), [quiet, quiet])
        flux = composite_flux(stars, np.array([1800.0]), np.array([FIRST]), N, off)
        return systems, flux

    apart = (12.0, -15.0)
    systems, pair_flux = ideal(q, apart)
    expected = exposure(light(stored(pair_flux)), None, None, SPECTRA).flux_BL
    magnitudes = [s.mag_BK[0, BANDS.index("g_mag")] for s in (systems.primary, systems.secondary)]
    # Each single star is observed at a velocity of its own: whole pixels away, since interpolation
    # would smooth the lines of the singles and not those of the pair.
    pixel_kms = C_KMS * np.tanh(1e-4 * np.log(10))
    rv = (apart[0] + pixel_kms, apart[1] - 2 * pixel_kms)
    parts = []
    for k, star_mass in enumerate((mass, q * mass)):
        _, flux = ideal(np.nan, (rv[k], 0.0), star_mass)
        parts.append(light(stored(flux, rv_kms=rv[k]), apart[k], magnitudes[k]))
    got = exposure(summed(*parts), None, None, SPECTRA).flux_BL
    inner = slice(10, -10)
    np.testing.assert_allclose(got[:, inner], expected[:, inner], atol=0.004)
    # The share of the second star, fitted to the pair, against the simulator's own light.
    both = light(stored(pair_flux)).flux_BL[0, inner].astype(np.float64)
    shapes = np.stack([part.flux_BL[0, inner] for part in parts], axis=1).astype(np.float64)
    (a, b), *_ = np.linalg.lstsq(shapes, both, rcond=None)
    assert b / a == pytest.approx(1, abs=0.05)
