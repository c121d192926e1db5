import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Distance, SkyCoord
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from pipeline.photometry.positions import (
    chord,
    degrees,
    julian_year,
    propagate,
    separation_arcsec,
    unit_vectors,
)

RA = st.one_of(st.floats(0, 360), st.sampled_from([0.0, 1e-9, 359.999999999, 360.0, 180.0]))
DEC = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 89.9999999, -89.9999999, 0.0]))
MOTION = st.floats(-10_000, 10_000)


def moved(ra, dec, pmra, pmdec, years):
    return propagate(*(np.array([x], dtype=float) for x in (ra, dec, pmra, pmdec, years)))


@given(RA, DEC)
def test_degrees_come_back_anywhere(ra, dec):
    place = unit_vectors(np.array([ra]), np.array([dec]))
    again = degrees(place)
    assert 0 <= again[0][0] < 360
    assert separation_arcsec(place, unit_vectors(*again))[0] < 1e-8


@given(RA, DEC, MOTION, MOTION, st.floats(-50, 50))
def test_a_star_goes_as_far_as_its_motion_says(ra, dec, pmra, pmdec, years):
    """Along a great circle, by the arc whose tangent is motion times time."""
    start = unit_vectors(np.array([ra]), np.array([dec]))
    end = moved(ra, dec, pmra, pmdec, years)
    expected = np.arctan(np.deg2rad(np.hypot(pmra, pmdec) * abs(years) / 3.6e6))
    assert separation_arcsec(start, end)[0] == pytest.approx(np.rad2deg(expected) * 3600, abs=1e-7)
    assert np.linalg.norm(end) == pytest.approx(1, abs=1e-15)


@given(
    st.floats(0, 359.999),
    st.one_of(st.floats(-89.9, 89.9), st.sampled_from([-89.99, 89.99])),
    MOTION,
    MOTION,
    st.floats(-20, 20),
)
def test_motion_is_astropys(ra, dec, pmra, pmdec, years):
    star = SkyCoord(
        ra * u.deg,
        dec * u.deg,
        distance=Distance(10 * u.pc),
        pm_ra_cosdec=pmra * u.mas / u.yr,
        pm_dec=pmdec * u.mas / u.yr,
        radial_velocity=0 * u.km / u.s,
        obstime=Time(2016.0, format="jyear", scale="tcb"),
    )
    later = star.apply_space_motion(dt=years * u.yr)
    expected = unit_vectors(np.array([later.ra.deg]), np.array([later.dec.deg]))
    assert separation_arcsec(moved(ra, dec, pmra, pmdec, years), expected)[0] < 2e-5


def test_a_star_crosses_the_pole_and_the_origin_of_right_ascension():
    # 5 arcsec below the pole, 10 arcsec/yr north: it comes down on the other side
    ra, dec = degrees(moved(40.0, 90 - 5 / 3600, 0, 10_000, 1))
    assert (ra[0], dec[0]) == (pytest.approx(220), pytest.approx(90 - 5 / 3600, abs=1e-9))
    # 1 arcsec before the wrap on the equator, 2 arcsec/yr east
    ra, _ = degrees(moved(360 - 1 / 3600, 0.0, 2000, 0, 1))
    assert ra[0] == pytest.approx(1 / 3600, abs=1e-9)


def test_no_motion_where_it_is_not_known():
    here = unit_vectors(np.array([10.0]), np.array([20.0]))
    np.testing.assert_allclose(moved(10.0, 20.0, np.nan, np.nan, 10), here, atol=1e-15)


@given(st.floats(1e-6, 3600))
def test_chords_are_separations(angle):
    a = unit_vectors(np.array([0.0]), np.array([0.0]))
    b = unit_vectors(np.array([angle / 3600]), np.array([0.0]))
    assert np.linalg.norm(a - b) == pytest.approx(float(chord(np.array(angle))), rel=1e-6)


def test_epochs_are_julian_years():
    expected = Time(57388.5, format="mjd", scale="tt").jyear
    assert julian_year(np.array([57388.5]))[0] == pytest.approx(expected, abs=1e-12)
