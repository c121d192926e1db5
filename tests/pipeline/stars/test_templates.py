import numpy as np
import pytest

from pipeline.stars.templates import LABEL_MAX, continuum, load_templates, normalised_flux

LABELS = np.array([[4200.0, 4.7, -0.4], [5772.0, 4.44, 0.0], [7900.0, 4.1, 0.2]])


def plain(labels, theta_IP, exponents, scaling):
    """The formula of the model in float64, one term at a time."""
    total = np.zeros(theta_IP.shape[1])
    for coefficients, powers in zip(theta_IP.astype(np.float64), exponents, strict=True):
        term = 1.0
        for label, offset, scale, power in zip(labels, *scaling, powers, strict=True):
            term *= ((label - offset) / scale) ** power
        total += term * coefficients
    return total


@pytest.mark.parametrize("row", range(3))
def test_flux_is_the_formula(row):
    model = load_templates()
    lines = plain(LABELS[row], model.line_IP, model.exponents_I3, model.line_scaling_23)
    light = plain(LABELS[row], model.continuum_IP, model.exponents_I3, model.continuum_scaling_23)
    np.testing.assert_allclose(normalised_flux(LABELS)[row], np.clip(lines, 1e-3, 1.02), atol=2e-6)
    np.testing.assert_allclose(continuum(LABELS)[row], 10**light, rtol=2e-5)


def test_hotter_is_brighter_and_bluer():
    model = load_templates()
    flux = continuum(LABELS)
    blue, red = (int(np.searchsorted(model.log10_wave_P, np.log10(w))) for w in (4500, 8000))
    assert np.all(np.diff(flux[:, blue]) > 0)
    assert np.all(np.diff(flux[:, blue] / flux[:, red]) > 0)


def test_sodium_and_balmer_lines_lie_in_vacuum():
    model = load_templates()
    wave = 10**model.log10_wave_P
    flux = normalised_flux(np.array([[4500.0, 4.6, 0.0], [7000.0, 4.2, 0.0]]))
    for row, expected in ((0, 5891.58), (0, 5897.56), (1, 6564.61), (1, 4862.69)):
        near = np.abs(wave - expected) < 3
        assert abs(wave[near][np.argmin(flux[row, near])] - expected) < 0.6


@pytest.mark.parametrize("bad", [[3400.0, 4.5, 0.0], [5000.0, 5.2, 0.0], [5000.0, 4.5, np.nan]])
def test_labels_outside_are_refused(bad):
    labels = np.array([LABEL_MAX, bad])
    with pytest.raises(ValueError, match=r"row 1.*valid from"):
        normalised_flux(labels)
    with pytest.raises(ValueError, match="row 1"):
        continuum(labels)
