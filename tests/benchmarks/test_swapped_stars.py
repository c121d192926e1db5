"""Stars that are simulated in some respects and real in others."""

import numpy as np
import pytest
from real_folds import Stars
from simulated_like import Draw, simulated_like
from swapped_stars import Swap, Swapper, looks_of, wide, within

from pipeline.composites.pool import Pool
from pipeline.settings.load import Settings
from pipeline.spectra.grid import WaveGrid
from pipeline.stars.dwarf_mass import dwarf_mass

N = 40


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(root=tmp_path_factory.mktemp("swaps"))


@pytest.fixture(scope="module")
def stars(settings):
    teff, feh = np.linspace(5400, 6200, N), np.linspace(-0.4, 0.1, N)[::-1]
    mass, m_g = dwarf_mass(teff, feh, settings.composites.log_age)
    row = np.arange(N)
    pool = Pool(0 * row, row, row, teff, 0 * teff + 4.4, feh, row - 20.0, mass, m_g)
    return Stars(pool, simulated_like(pool, np.full(N, 80.0), Draw(), settings, 9))


def looks(stars, settings):
    return looks_of(stars.stored, stars.pool, settings, wide(settings))


def test_a_star_that_is_all_real_is_the_star(stars, settings):
    swapped = Swapper(stars, settings, 1).stars(Swap("", "real", "own", "own"), 1)
    was, now = looks(stars, settings), looks(swapped, settings)
    np.testing.assert_array_equal(now.bad_BL, was.bad_BL)
    np.testing.assert_allclose(now.flux_BL, was.flux_BL, atol=2e-5)
    good = ~was.bad_BL
    np.testing.assert_allclose(now.relative_BL[good], was.relative_BL[good], rtol=1e-3)


def test_real_bands_are_real_and_the_rest_is_not(stars, settings):
    swapped = Swapper(stars, settings, 1).stars(Swap("", shape="own", bands=("join",)), 1)
    inside = within(WaveGrid.from_settings(wide(settings)).wave_L, ("join",))
    apart = np.abs(looks(swapped, settings).flux_BL - looks(stars, settings).flux_BL)
    # The smoothed flux around the band is that of other lines.
    assert np.median(apart[:, inside]) < 0.003 < np.median(apart[:, ~inside])


def test_scatter_of_other_stars_is_about_the_mean(stars, settings):
    swapper = Swapper(stars, settings, 1)
    made = [swapper.stars(Swap("", "real", rest), 1) for rest in ("other", "mixed")]
    size = [looks(each, settings).flux_BL.std(axis=0).mean() for each in (stars, *made)]
    np.testing.assert_allclose(size, size[0], rtol=0.15)


def test_several_draws_differ(stars, settings):
    swapped = Swapper(stars, settings, 1).stars(Swap("", rest="slow"), 2)
    first, second = np.split(looks(swapped, settings).flux_BL, 2)
    assert len(swapped.pool) == 2 * N
    assert np.abs(first - second).mean() > 0.003
