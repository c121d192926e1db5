import numpy as np
import pytest

from pipeline.composites.mean_spectrum import terms
from pipeline.pairfit.grid import RATIOS, label_grid, wave_slope
from pipeline.stars.dwarf_mass import dwarf_mass
from pipeline.stars.isochrone import BANDS, main_sequence

WAVE = np.geomspace(3900.0, 8800.0, 500)


@pytest.fixture(scope="module")
def grid():
    return label_grid(WAVE, 9.0)


def test_every_single_star_stands_at_its_own_terms(grid):
    alone = grid.singles
    n_term = alone.place_GI.shape[1] // 2
    np.testing.assert_allclose(alone.place_GI[:, :n_term], terms(alone.teff_k_G, alone.feh_G))
    assert not alone.place_GI[:, n_term:].any()
    assert set(np.unique(grid.q_G)) == {1.0, *RATIOS}


def test_a_pair_is_the_mean_of_two_stars_by_their_light(grid):
    """The sum of two mean spectra with black bodies of the isochrone, at both ends and between."""
    rng = np.random.default_rng(0)
    basis = rng.standard_normal((grid.place_GI.shape[1] // 2, WAVE.size))
    shapes = np.concatenate([basis, basis * wave_slope(WAVE)])
    for row in rng.choice(np.flatnonzero(grid.q_G < 1), 20, replace=False):
        teff, feh, q = grid.teff_k_G[row], grid.feh_G[row], grid.q_G[row]
        mass, m_g = dwarf_mass(np.array([teff]), np.array([feh]), 9.0)
        second = main_sequence(q * mass, np.array([9.0]), np.array([feh]))
        bright = 10 ** (0.4 * (m_g - second.mag_BK[:, BANDS.index("g_mag")]))

        def black(kelvin, wave):
            return wave**-5 / np.expm1(1.4388e8 / (wave * kelvin))

        ratio = black(second.teff_k, WAVE) / black(teff, WAVE)
        ratio *= bright / (black(second.teff_k, 6200.0) / black(teff, 6200.0))
        share = ratio / (1 + ratio)
        one, two = (
            (terms(np.array([kelvin]).ravel(), np.array([feh])) @ basis)[0]
            for kelvin in (teff, second.teff_k[0])
        )
        found = grid.place_GI[row] @ shapes
        exact = one + share * (two - one)
        np.testing.assert_allclose(found[[0, -1]], exact[[0, -1]])
        # Between the ends the share of the light is taken as linear.
        assert np.abs(found - exact).max() < 0.05 * np.abs(two - one).max()
