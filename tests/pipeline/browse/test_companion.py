"""A star taken apart into two."""

import numpy as np
import pytest

from pipeline.browse.companion import find_components
from pipeline.star.star import Star


def star(**values):
    row = {"g_ks_0": 1.8, "m_g": 5.0, "delta_m_g": -0.4, "feh": -0.1, "q_fixed_primary": 0.9}
    return Star(row | values, (), None)


@pytest.mark.parametrize("delta", [-0.05, -0.4, -0.75])
def test_the_light_of_both_is_the_light_of_the_star(delta):
    found = find_components(star(delta_m_g=delta), 9.5)
    light = (10 ** (-0.4 * found.m_g_C)).sum()
    assert -2.5 * np.log10(light) == pytest.approx(5.0)
    assert found.m_g_C[0] == pytest.approx(5.0 - delta) and found.colour_C[0] == 1.8
    # The fainter star of the main sequence is the redder one.
    assert found.m_g_C[1] >= found.m_g_C[0] - 1e-2


def test_a_faint_companion_is_redder():
    found = find_components(star(delta_m_g=-0.1), 9.5)
    assert found.colour_C[1] > 2.2


@pytest.mark.parametrize("values", [{"q_fixed_primary": None}, {"delta_m_g": 0.2}])
def test_a_star_that_is_no_pair_has_no_components(values):
    assert find_components(star(**values), 9.5) is None
