from dataclasses import replace

import numpy as np
import pytest
from astropy.coordinates import BarycentricTrueEcliptic, SkyCoord

from pipeline.settings.simulate import SurveySettings
from pipeline.settings.stars import PopulationSettings
from pipeline.simulate.photometry import ecliptic_latitude, extinction, observe_sources
from pipeline.simulate.population import blend_mag, draw_population
from pipeline.stars.isochrone import BANDS

SURVEY = SurveySettings()


@pytest.fixture(scope="module")
def stars():
    return draw_population(np.random.default_rng(0), 3000, PopulationSettings(), SURVEY)


def test_the_blend_is_the_sum_of_the_light(stars):
    systems = stars.systems
    pair = np.flatnonzero(systems.secondary.valid)
    first, second = systems.primary.mag_BK[pair], systems.secondary.mag_BK[pair]
    expected = first - 2.5 * np.log10(1 + 10 ** (-0.4 * (second - first)))
    np.testing.assert_allclose(blend_mag(systems)[pair], expected, atol=1e-9)
    single = np.flatnonzero(stars.kind == "single")
    np.testing.assert_allclose(
        blend_mag(systems)[single], systems.primary.mag_BK[single], atol=1e-9
    )


def test_magnitudes_and_parallaxes_come_back(stars):
    dustless = replace(stars, e_bv=np.zeros(3000))
    sources = observe_sources(np.random.default_rng(1), dustless)
    modulus = 5 * np.log10(stars.distance_pc / 10)
    pull = (sources.mag_SK - blend_mag(stars.systems) - modulus[:, None]) / sources.mag_error_SK
    np.testing.assert_allclose(pull.std(axis=0), 1, atol=0.06)
    np.testing.assert_allclose(pull.mean(axis=0), 0, atol=0.08)
    offset = sources.parallax_mas - 1000 / stars.distance_pc
    pull = offset / sources.parallax_error_mas
    assert pull.std() == pytest.approx(1, abs=0.05)


def test_extinction_reddens_as_published():
    """R_G of a solar-type star, worked out by hand: 2.609 - 0.475 * 0.82 + 0.053 * 0.82^2.

    X = 0.82, R_BP = 2.7997 and R_RP = 1.6406, so BP-RP is 0.82 - (2.7997 - 1.6406 - 0.8) * 0.1.
    """
    a = extinction(np.array([0.78409]), np.array([0.1]))[0]
    assert a[BANDS.index("g_mag")] == pytest.approx(0.22551, abs=1e-4)
    assert a[BANDS.index("ks_mag")] == pytest.approx(0.0306)
    assert a[BANDS.index("bp_mag")] > a[BANDS.index("g_mag")] > a[BANDS.index("rp_mag")]


def test_ecliptic_latitude_is_astropys():
    ra, dec = np.array([10.0, 100.0, 270.0]), np.array([-5.0, 40.0, 66.0])
    frame = BarycentricTrueEcliptic(equinox="J2000")
    expected = SkyCoord(ra, dec, unit="deg").transform_to(frame).lat.deg
    np.testing.assert_allclose(ecliptic_latitude(ra, dec), expected, atol=0.01)


def test_the_population_is_what_was_asked_for(stars):
    kinds = {kind: (stars.kind == kind).mean() for kind in ("single", "pair", "giant")}
    assert kinds["giant"] == pytest.approx(SURVEY.giant_fraction, abs=0.02)
    # pairs are brighter and so seen further: never fewer than drawn among the dwarfs
    assert 0.38 < kinds["pair"] / (1 - kinds["giant"]) < 0.55
    teff = stars.systems.primary.teff_k
    assert teff.min() < 3800
    assert teff.max() > 7500
    g = blend_mag(stars.systems)[:, 0] + 5 * np.log10(stars.distance_pc / 10)
    assert g.min() >= SURVEY.g_min - 1e-6
    assert g.max() <= SURVEY.g_max + 1e-6
    dwarfs = stars.distance_pc[stars.kind != "giant"]
    assert 500 < np.median(dwarfs) < 1000
    assert set(stars.eclipsing) == {"", "EA", "EW"}
    assert (stars.kind[stars.eclipsing != ""] == "pair").all()
