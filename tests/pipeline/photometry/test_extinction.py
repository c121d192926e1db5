import numpy as np
import pytest

from pipeline.photometry.extinction import LAWS

X = np.array([0.6, 1.0, 1.5])
"""Worked out by hand: 2.609 - 0.475 X + 0.053 X^2, and 3.071 - 0.511 X + 0.058 X^2."""

R_G = {
    "casagrande2021": [2.34308, 2.187, 2.01575],
    "cardelli": [2.78528, 2.618, 2.435],
}
R_KS = {"casagrande2021": 0.306, "cardelli": 0.366}
SHIFT = {"casagrande2021": 0.8, "cardelli": 1.0}


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("e_bv", [0.01, 0.1, 0.5])
def test_coefficients_are_those_worked_out_by_hand(name, e_bv):
    observed = X + SHIFT[name] * e_bv
    reddening = np.full(3, e_bv)
    expected = np.array(R_G[name]) * e_bv
    np.testing.assert_allclose(LAWS[name].a_g(observed, reddening), expected, rtol=1e-12)
    np.testing.assert_allclose(LAWS[name].a_ks(reddening), R_KS[name] * e_bv)


@pytest.mark.parametrize("name", LAWS)
def test_slopes_are_those_of_differences(name):
    law, bp_rp, e_bv, step = LAWS[name], np.array([0.9, 1.4]), np.array([0.05, 0.8]), 1e-6
    by_reddening, by_colour = law.slopes(bp_rp, e_bv)
    up, down = law.a_g(bp_rp, e_bv + step), law.a_g(bp_rp, e_bv - step)
    np.testing.assert_allclose(by_reddening, (up - down) / (2 * step), rtol=1e-7)
    up, down = law.a_g(bp_rp + step, e_bv), law.a_g(bp_rp - step, e_bv)
    np.testing.assert_allclose(by_colour, (up - down) / (2 * step), rtol=1e-6)


def test_no_dust_no_extinction():
    for law in LAWS.values():
        assert law.a_g(np.array([1.0]), np.array([0.0]))[0] == 0
        assert np.isnan(law.a_g(np.array([np.nan]), np.array([0.1]))[0])
