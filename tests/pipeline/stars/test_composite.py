from dataclasses import replace

import numpy as np
import pytest

from pipeline.settings.stars import ScatterSettings
from pipeline.simulate.fibres import FIRST
from pipeline.stars.binary import build_systems, components_of
from pipeline.stars.composite import Components, composite_flux, kernels
from pipeline.stars.isochrone import BANDS
from pipeline.stars.scatter import StarScatter
from pipeline.stars.templates import continuum, load_templates, normalised_flux

OFF = ScatterSettings(enabled=False)
LABELS = np.array([[5800.0, 4.4, -0.1], [4700.0, 4.6, -0.1]])


def components(labels, velocity, owner, radius2=(1.0, 0.5)):
    n = len(labels)
    quiet = StarScatter(np.zeros((n, 30), np.float32), np.zeros(n, np.float32), np.zeros(n))
    return Components(
        np.array(owner), labels, np.array(radius2[:n]), np.array(velocity, float), quiet
    )


def expose(stars, n_spectrum=1, resolution=1800.0, first=FIRST):
    return composite_flux(
        stars, np.full(n_spectrum, resolution), np.full(n_spectrum, first), 3909, OFF
    )


def test_a_pair_is_the_sum_of_its_stars():
    both = expose(components(LABELS, [30.0, -50.0], [0, 0]))[0]
    one = expose(components(LABELS[:1], [30.0], [0]))[0]
    other = expose(components(LABELS[1:], [-50.0], [0], (0.5,)))[0]
    np.testing.assert_allclose(both, one + other, rtol=1e-5)


def test_broadening_and_sampling_match_a_plain_integral():
    """Against float64: shift the wavelengths, weigh by a Gaussian in log wavelength, sum."""
    velocity, resolution = 73.0, 1700.0
    model = load_templates()
    flux = (normalised_flux(LABELS[:1]) * continuum(LABELS[:1]))[0].astype(np.float64)
    shifted = model.log10_wave_P + np.log10(1 + velocity / 299792.458)
    sigma = np.sqrt(resolution**-2 - 2500.0**-2) / np.sqrt(8 * np.log(2)) / np.log(10)
    got = expose(components(LABELS[:1], [velocity], [0]), resolution=resolution)[0]
    for pixel in range(0, 3909, 97):
        weight = np.exp(-0.5 * ((shifted - FIRST - 1e-4 * pixel) / sigma) ** 2)
        assert got[pixel] == pytest.approx((weight * flux).sum() / weight.sum(), rel=2e-5)


def test_each_star_has_its_own_velocity():
    """The cross-correlation with the same star at rest peaks at the velocity."""
    rest = expose(components(LABELS[:1], [0.0], [0]))[0]
    for velocity in (-207.0, 69.0, 138.0):
        moved = expose(components(LABELS[:1], [velocity], [0]))[0]
        lags = np.arange(-6, 7)
        inner = slice(100, 3800)
        detail = rest - np.convolve(rest, np.ones(101) / 101, "same")
        score = [np.sum(detail[inner] * np.roll(moved, -lag)[inner]) for lag in lags]
        assert lags[int(np.argmax(score))] == round(velocity / 69.04)


def test_lower_resolution_is_broader():
    sharp = expose(components(LABELS[:1], [0.0], [0]), resolution=1950.0)[0]
    soft = expose(components(LABELS[:1], [0.0], [0]), resolution=1650.0)[0]
    assert np.abs(np.diff(soft, 2)).sum() < np.abs(np.diff(sharp, 2)).sum()
    assert soft[100:-100].sum() == pytest.approx(sharp[100:-100].sum(), rel=1e-5)


def test_rotation_adds_its_variance():
    stars = kernels(np.array([1800.0, 1800.0]), np.array([0.0, 60.0]), np.array([0.3, 0.3]))
    tap = np.arange(stars.shape[1])
    mean = (stars * tap).sum(axis=1)
    variance = (stars * tap**2).sum(axis=1) - mean**2
    step_kms = 2.5e-5 * np.log(10) * 299792.458
    assert variance[1] - variance[0] == pytest.approx((60 / step_kms) ** 2 / 4, rel=0.02)
    np.testing.assert_allclose(mean, mean[0], atol=1e-3)


def test_order_and_batches_do_not_matter():
    rng = np.random.default_rng(0)
    labels = np.stack([rng.uniform(4000, 6400, 70), np.full(70, 4.5), np.zeros(70)], axis=1)
    many = components(labels, rng.normal(0, 40, 70), np.arange(70), np.ones(70))
    together = expose(many, 70)
    one = components(labels[41:42], many.velocity_kms_C[41:42], [0], (1.0,))
    np.testing.assert_allclose(together[41], expose(one)[0], rtol=1e-5)


def test_an_impossible_velocity_is_refused():
    far = replace(components(LABELS[:1], [9000.0], [0]))
    with pytest.raises(ValueError, match="don't cover"):
        expose(far)


@pytest.mark.parametrize("mass", [0.9, 1.0, 1.1])
@pytest.mark.parametrize("q", [0.82, 0.93])
def test_light_ratios_are_those_of_the_isochrones(mass, q):
    """Spectra and isochrones are independent models: their light ratios agree in g, r and i."""
    system = build_systems(np.array([mass]), np.array([q]), np.array([9.4]), np.array([-0.1]))
    quiet = StarScatter(np.zeros((1, 30), np.float32), np.zeros(1, np.float32), np.zeros(1))
    pair = components_of(system, np.zeros((1, 2)), [quiet, quiet])
    stars = replace(pair, owner_C=np.array([0, 1]))
    first, second = expose(stars, 2)
    wave = 10 ** (FIRST + 1e-4 * np.arange(3909))
    for band, low, high in (
        ("sdss_g", 4000, 5400),
        ("sdss_r", 5600, 6900),
        ("sdss_i", 6900, 8200),
    ):
        photons = ((wave > low) & (wave < high)) * wave**2
        k = BANDS.index(band)
        magnitude = system.secondary.mag_BK[0, k] - system.primary.mag_BK[0, k]
        expected = 10 ** (-0.4 * magnitude)
        assert (second * photons).sum() / (first * photons).sum() == pytest.approx(
            expected, rel=0.1
        )
