"""Simulated pairs with the means and residuals of real stars."""

import numpy as np
from real_simulated import G_ANGSTROM, fit_simulated, second_share, simulated

from pipeline.composites.mean_spectrum import terms
from pipeline.settings.load import Settings
from pipeline.stars.binary import build_systems


def test_the_share_of_light_is_the_ratio_in_g_and_grows_to_the_red(tmp_path):
    q = np.array([1.0, 0.8, np.nan])
    systems = build_systems(np.full(3, 0.9), q, np.full(3, 9.5), np.zeros(3))
    share = second_share(systems, np.array([4000.0, G_ANGSTROM, 8800.0]))
    np.testing.assert_allclose(share[0], 0.5)
    light = systems.light_B2[1]
    np.testing.assert_allclose(share[1, 1], light[1] / light.sum())
    assert (np.diff(share[1]) > 0.01).all()
    np.testing.assert_array_equal(share[2], 0)


def test_twins_share_primaries_and_velocities_with_the_pairs(tmp_path):
    settings = Settings(root=tmp_path)
    made = simulated(900, 3, settings, twins=True, calm=True)
    assert len(made.flux_BL) == len(made.label_B) == len(made.systems.q) == 900
    twin = made.label_B == 0
    assert made.systems.q[twin].min() > 0.98 and made.systems.q[~twin].min() >= 0.71
    assert made.systems.q[~twin].max() <= 0.93
    shared = np.intersect1d(made.systems.mass1_msun[twin], made.systems.mass1_msun[~twin])
    assert len(shared) > 0.7 * (~twin).sum()


def test_the_mean_of_simulated_singles_is_near_each_of_them(tmp_path):
    settings = Settings(root=tmp_path)
    made = simulated(600, 4, settings, twins=False, calm=True)
    mean = fit_simulated(made)
    single = made.label_B == 0
    at = mean.at(terms(made.systems.primary.teff_k[single], made.systems.mh[single]))
    rest = made.flux_BL[single].astype(float) - 1 - at
    assert np.median(np.abs(rest)) < 0.01 < np.median(np.abs(made.flux_BL[single] - 1.0))
