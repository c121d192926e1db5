import numpy as np
import pytest

from pipeline.stars.dwarf_mass import dwarf_mass, mass_of_magnitude
from pipeline.stars.isochrone import BANDS, main_sequence


@pytest.mark.parametrize("log_age", [9.0, 9.5])
def test_mass_comes_back(log_age):
    rng = np.random.default_rng(1)
    mass, mh = rng.uniform(0.5, 1.0, 300), rng.uniform(-1.0, 0.3, 300)
    stars = main_sequence(mass, np.full(300, log_age), mh)
    got = dwarf_mass(stars.teff_k, mh, log_age)
    np.testing.assert_allclose(got.mass_msun, mass, rtol=2e-3)
    np.testing.assert_allclose(got.m_g, stars.mag_BK[:, BANDS.index("g_mag")], atol=0.02)


def test_the_sun():
    got = dwarf_mass(np.array([5772.0]), np.array([0.0]), 9.5)
    assert got.mass_msun[0] == pytest.approx(1.0, abs=0.03)
    assert got.m_g[0] == pytest.approx(4.67, abs=0.15)


def test_no_star_no_mass():
    teff = np.array([7900.0, 2500.0, 5500.0, np.nan, 5500.0])
    feh = np.array([0.0, 0.0, 0.9, 0.0, np.nan])
    got = dwarf_mass(teff, feh, 9.5)
    assert np.isnan(got.mass_msun).all() and np.isnan(got.m_g).all()


def test_mass_rises_with_temperature():
    teff = np.arange(4000.0, 6500.0, 7.0)
    mass = dwarf_mass(teff, np.full(teff.size, -0.13), 9.0).mass_msun
    assert (np.diff(mass) > 0).all()


def test_mass_comes_back_from_the_magnitude():
    mass, mh = np.array([0.5, 0.7, 0.9]), np.array([-0.3, 0.0, 0.2])
    stars = main_sequence(mass, np.full(3, 9.0), mh)
    found = mass_of_magnitude(stars.mag_BK[:, BANDS.index("g_mag")], mh, 9.0)
    assert found == pytest.approx(mass, rel=2e-3)
    unknown = mass_of_magnitude(np.array([np.nan, 5.0, 30.0]), np.array([0.0, np.nan, 0.0]), 9.0)
    assert np.isnan(unknown).all()
