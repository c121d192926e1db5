import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.photometry.grouping import assign_sources, position_groups


def brute_force(ra, dec, radius_arcsec):
    sky = SkyCoord(ra, dec, unit="deg")
    group = np.arange(ra.size)
    for _ in range(ra.size):
        for i in range(ra.size):
            near = sky[i].separation(sky).arcsec <= radius_arcsec
            group[near] = group[near].min()
    return group


@settings(max_examples=20)
@given(
    ra0=st.floats(0, 360),
    dec0=st.sampled_from([-90.0, -89.9999, -30.0, 0.0, 60.0, 89.9999, 90.0]),
    seed=st.integers(0, 99),
)
def test_groups_equal_brute_force_at_the_poles_and_across_zero_hours(ra0, dec0, seed):
    rng = np.random.default_rng(seed)
    centre = SkyCoord(ra0 * u.deg, dec0 * u.deg)
    angle = rng.uniform(0, 360, 12) * u.deg
    points = centre.directional_offset_by(angle, rng.uniform(0, 12, 12) * u.arcsec)
    ra, dec = points.ra.deg, points.dec.deg
    np.testing.assert_array_equal(position_groups(ra, dec, 3.0), brute_force(ra, dec, 3.0))


def test_ra_wraps_and_nan_positions_stay_alone():
    ra = np.array([359.9999, 0.0001, np.nan, np.nan, 180.0])
    dec = np.zeros(5)
    np.testing.assert_array_equal(position_groups(ra, dec, 3.0), [0, 0, 2, 3, 4])
    assert position_groups(np.array([np.nan]), np.array([1.0]), 3.0).tolist() == [0]


def test_stripes_change_nothing(monkeypatch):
    """Chains that cross the border of stripes, also at the pole, are one star."""
    rng = np.random.default_rng(4)
    dec = np.concatenate([90 - rng.uniform(0, 0.02, 300), 20 + rng.uniform(0, 0.02, 300)])
    ra = np.concatenate([rng.uniform(0, 360, 300), rng.uniform(0, 0.02, 300)])
    whole = position_groups(ra, dec, 3.0)
    assert 100 < np.unique(whole).size < 590
    monkeypatch.setattr("pipeline.photometry.grouping.STRIPE", 7)
    np.testing.assert_array_equal(position_groups(ra, dec, 3.0), whole)


def test_a_chain_of_positions_is_one_star():
    dec = np.arange(5) * 2.0 / 3600
    assert position_groups(np.full(5, 10.0), dec, 3.0).tolist() == [0] * 5
    assert position_groups(np.full(5, 10.0), dec, 1.9).tolist() == [0, 1, 2, 3, 4]


def test_the_only_id_of_a_group_goes_to_its_members_without_one():
    big = 2**60 + 1
    group = np.array([0, 0, 2, 2, 2, 5, 6])
    source = np.array([big, 0, 7, 8, 0, 0, 9])
    assert assign_sources(group, source).tolist() == [big, big, 7, 8, 0, 0, 9]
    assert assign_sources(group, np.zeros(7, np.int64)).tolist() == [0] * 7
