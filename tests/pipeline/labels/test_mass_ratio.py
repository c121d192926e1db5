import numpy as np
import pytest

from pipeline.labels.mass_ratio import (
    COLOUR_GRID,
    Q_GRID,
    pair_excess,
    q_fixed_colour,
    q_fixed_primary,
)
from pipeline.simulate.population import blend_mag
from pipeline.stars.binary import build_systems
from pipeline.stars.isochrone import BANDS, main_sequence

AGE = 9.5
G, KS = BANDS.index("g_mag"), BANDS.index("ks_mag")


def single_m_g(colour, mh):
    """M_G of single stars at a colour, straight from the isochrone."""
    mass = np.arange(0.3, 1.0, 0.0005)
    mag = main_sequence(mass, np.full(mass.size, AGE), np.full(mass.size, mh)).mag_BK
    own = mag[:, G] - mag[:, KS]
    order = np.argsort(own)
    return np.interp(colour, own[order], mag[order, G])


@pytest.mark.parametrize("mh", [-0.4, 0.0, 0.2])
def test_both_conventions_give_back_the_mass_ratio_of_pairs_that_are_built(mh):
    q = np.array([0.5, 0.55, 0.6, 0.7, 0.75, 0.8])
    mass = np.full(q.size, 0.8)
    feh = np.full(q.size, mh)
    pairs = build_systems(mass, q, np.full(q.size, AGE), feh)
    mag = blend_mag(pairs)
    colour = mag[:, G] - mag[:, KS]
    delta = mag[:, G] - single_m_g(colour, mh)
    np.testing.assert_allclose(q_fixed_colour(colour, delta, feh, AGE), q, atol=0.01)
    primary = pairs.primary.mag_BK[:, G]
    q_primary = q_fixed_primary(primary, mag[:, G] - primary, feh, AGE)
    np.testing.assert_allclose(q_primary, q, atol=0.01)


def test_the_label_band_has_the_published_ranges():
    colour = np.repeat(np.linspace(1.55, 2.55, 11), 2)
    delta = np.tile([-0.25, -0.5], 11)
    feh = np.zeros(22)
    by_colour = q_fixed_colour(colour, delta, feh, AGE)
    by_primary = q_fixed_primary(single_m_g(colour, 0.0), delta, feh, AGE)
    # 0.47-0.79 at fixed colour and 0.71-0.93 for a fixed primary, each over all colours.
    assert 0.45 < by_colour.min() < 0.55
    assert 0.65 < by_colour.max() < 0.81
    assert 0.71 < by_primary.min() < 0.85
    assert 0.90 < by_primary.max() < 0.94
    assert (by_primary > by_colour).all()


def test_where_two_mass_ratios_fit_the_lower_is_given():
    excess = pair_excess(0.3, AGE)
    used = np.flatnonzero((COLOUR_GRID > 1.5) & (COLOUR_GRID < 2.6))
    row = int(used[np.argmin(excess[used].min(axis=1))])
    curve = excess[row]
    assert curve.min() < curve[-1]  # brightest short of q = 1
    between = np.array([(curve.min() + curve[-1]) / 2])
    got = q_fixed_colour(np.array([COLOUR_GRID[row]]), between, np.array([0.3]), AGE)
    crossings = np.flatnonzero(np.diff(np.sign(curve - between)))
    assert crossings.size >= 2
    assert Q_GRID[crossings[0]] <= got[0] <= Q_GRID[crossings[0] + 1]


def test_no_mass_ratio_without_light_above_the_ridge_or_with_too_much():
    delta = np.array([0.0, 0.1, -1.2, np.nan, -0.3, -0.3])
    feh = np.array([0.0, 0.0, 0.0, 0.0, np.nan, 0.0])
    colour = np.array([2.0, 2.0, 2.0, 2.0, 2.0, np.nan])
    assert np.isnan(q_fixed_colour(colour, delta, feh, AGE)).all()
    m_g = np.where(np.isfinite(colour), 6.0, np.nan)
    assert np.isnan(q_fixed_primary(m_g, delta, feh, AGE)).all()


def test_fainter_excess_is_a_smaller_companion():
    delta = np.linspace(-0.7, -0.05, 40)
    full = np.full(40, 2.0)
    for q in (
        q_fixed_colour(full, delta, np.zeros(40), AGE),
        q_fixed_primary(np.full(40, 6.0), delta, np.zeros(40), AGE),
    ):
        assert (np.diff(q) < 0).all()
