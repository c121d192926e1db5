from dataclasses import replace

import numpy as np
import pytest
from label_like import Excess, label_couples, population, ridge

from pipeline.composites.pool import Pool
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.labels import LabelSettings
from pipeline.stars.dwarf_mass import dwarf_mass

SETTINGS = CompositeSettings()


class Sure(np.random.Generator):
    """Draws no errors."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(1))

    def standard_normal(self, *_args: object, **_kwargs: object) -> np.ndarray:  # type: ignore[override]
        return np.zeros(1)


def dwarfs(n: int) -> Pool:
    """Make dwarfs of 3300-6000 K."""
    teff = np.linspace(3300.0, 6000.0, n)
    feh = np.where(np.arange(n) % 2, -0.1, 0.0)
    mass, m_g = dwarf_mass(teff, feh, SETTINGS.log_age)
    row = np.arange(n)
    return Pool(row * 0, row, 1000 + row, teff, feh + 4.5, feh, feh * 0, mass, m_g)


def test_single_stars_lie_on_the_sequence_and_equal_ones_three_quarters_above() -> None:
    mass = np.array([0.6, 0.75, 0.9, 0.95])
    feh = np.array([0.0, -0.4, 0.1, 0.0])
    excess = Excess(SETTINGS, Sure())
    np.testing.assert_allclose(excess(mass, 0 * mass, feh), 0, atol=0.01)
    np.testing.assert_allclose(excess(mass, mass, feh), -2.5 * np.log10(2), atol=0.01)


def test_the_label_s_band_is_mass_ratios_of_about_a_half_to_eight_tenths() -> None:
    """As the science notes derive it at fixed colour."""
    q = np.linspace(0.3, 1, 141)
    delta = Excess(SETTINGS, Sure())(np.full(141, 0.8), 0.8 * q, np.zeros(141))
    low = q[(delta < -0.25)][0]
    high = q[(delta < -0.5)][0]
    assert 0.42 < low < 0.62 and 0.65 < high < 0.86


def test_off_the_sequence_there_is_no_magnitude() -> None:
    assert np.isnan(ridge(np.array([-3.0, 9.0]), np.zeros(2), SETTINGS)).all()
    assert np.isfinite(ridge(np.array([2.0]), np.zeros(1), SETTINGS)).all()


def test_couples_hold_one_object_of_either_band() -> None:
    pool, rng = dwarfs(300), np.random.default_rng(3)
    found = population(rng, pool, SETTINGS, LabelSettings())
    assert found.share_Q.sum() == pytest.approx(1) and 0 < found.made < 1
    assert 0 < found.contamination < 0.4
    couples = label_couples(rng, 400, pool, found)
    mass = pool.mass_msun
    q = mass[couples.companion_D] / mass[couples.primary_D]
    other = mass[couples.twin_D] / mass[couples.primary_D]
    assert 0.45 < np.median(q) < 0.75
    # Singles stand for most of the other band; the rest are pairs that hardly rise.
    assert 0.5 < (other >= SETTINGS.twin_q_min).mean() < 0.95
    assert (couples.primary_D != couples.twin_D).all()
    assert (couples.primary_D != couples.companion_D).all()


def test_a_star_without_companions_makes_no_couple() -> None:
    pool, rng = dwarfs(300), np.random.default_rng(3)
    found = population(rng, pool, SETTINGS, LabelSettings())
    none = found.binary_K & False
    with pytest.raises(ValueError, match="no star of the pool"):
        label_couples(rng, 10, pool, replace(found, binary_K=none))
