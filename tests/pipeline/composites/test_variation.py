from dataclasses import replace

import numpy as np
import pytest

from pipeline.composites.couples import expose_couples
from pipeline.composites.exposure import normalised
from pipeline.composites.mean_spectrum import fit_mean, terms
from pipeline.composites.pairing import draw_couples
from pipeline.composites.sums import star_light
from pipeline.composites.variation import (
    Neighbourhood,
    Variation,
    nearest_stars,
    varied_light,
)
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.stars import PopulationSettings

SPECTRA, SETTINGS = SpectraSettings(), CompositeSettings(vary=True)


@pytest.fixture(scope="module")
def around(pool_and_spectra):
    pool, stored = pool_and_spectra
    mean = fit_mean(pool, stored, SETTINGS, SPECTRA)
    return Neighbourhood(pool, stored, mean, nearest_stars(pool, SETTINGS.vary_neighbours))


@pytest.fixture(scope="module")
def drawn(around):
    rng = np.random.default_rng(2)
    pool = around.pool
    couples = draw_couples(rng, 80, pool.mass_msun, pool.feh, pool.star, SETTINGS)
    return couples, around.varied(rng, couples, SETTINGS)


def change_of(around, rows, other, angle, teff_factor=1.0):
    pool, neighbour = around.pool.take(rows), around.pool.take(other)
    cosine, sine = np.cos(angle), np.sin(angle)
    new = terms(pool.teff_k * teff_factor, pool.feh)
    shift = around.mean.at(new - cosine[:, None] * terms(pool.teff_k, pool.feh))
    mean = around.mean.at(terms(neighbour.teff_k, neighbour.feh))
    return Variation(around.stored.take(other), cosine, sine, shift, mean)


def seen(light):
    flux, bad, _ = normalised(light, SPECTRA)
    return np.where(bad, np.nan, flux)


def test_without_a_change_a_new_star_is_the_star(around):
    rows = np.arange(20)
    velocity, m_g = np.full(20, 37.0), around.pool.m_g[rows]
    change = change_of(around, rows, around.near_BK[rows, 0], np.zeros(20))
    new = varied_light(around.stored.take(rows), velocity, m_g, change, SETTINGS, SPECTRA)
    old = star_light(around.stored.take(rows), velocity, m_g, SETTINGS, SPECTRA)
    np.testing.assert_array_equal(new.bad_BL, old.bad_BL)
    # The mean is there and back through the interpolation of 37 km/s, to rounding.
    np.testing.assert_allclose(new.flux_BL, old.flux_BL, rtol=1e-4, atol=1e-6 * old.flux_BL.max())
    np.testing.assert_allclose(new.variance_BL, old.variance_BL, rtol=1e-4)


def test_the_scatter_about_the_mean_is_that_of_the_pool(around):
    rng = np.random.default_rng(0)
    rows = np.arange(len(around.pool))
    still = np.zeros(len(rows))
    other = around.near_BK[rows, rng.integers(24, size=len(rows))]
    change = change_of(around, rows, other, 2 * np.pi * rng.random(len(rows)))
    m_g = around.pool.m_g
    new = varied_light(around.stored, still, m_g, change, SETTINGS, SPECTRA)
    old = star_light(around.stored, still, m_g, SETTINGS, SPECTRA)
    mean = around.mean.at(terms(around.pool.teff_k, around.pool.feh))
    scatter = [np.nanstd(seen(light)[:, 300:] - 1 - mean[:, 300:]) for light in (new, old)]
    assert scatter[0] == pytest.approx(scatter[1], rel=0.1)
    noise = [np.sqrt(light.variance_BL[:, 300:].sum()) for light in (new, old)]
    assert noise[0] == pytest.approx(noise[1], rel=0.2)


def test_a_warmer_star_has_the_lines_of_a_warmer_star(around):
    """The star itself at 4 % more Teff changes as the mean does, and is as bright as asked."""
    rows = np.flatnonzero(np.abs(around.pool.teff_k - 5300) < 300)[:10]
    still, m_g = np.zeros(len(rows)), around.pool.m_g[rows] - 0.3
    change = change_of(around, rows, around.near_BK[rows, 0], still, 1.04)
    stored = around.stored.take(rows)
    new = varied_light(stored, still, m_g, change, SETTINGS, SPECTRA)
    old = star_light(stored, still, m_g, SETTINGS, SPECTRA)
    # Without the edges of the continuum, which is fitted again to the new flux.
    moved = (seen(new) - seen(old))[:, 200:3000]
    # Cosine 1: the shift is the difference of the means.
    expected = change.shift_BL[:, 200:3000]
    found = np.nansum(moved * expected, axis=1) / np.nansum(expected**2, axis=1)
    np.testing.assert_allclose(found, 1, atol=0.15)
    np.testing.assert_allclose(new.flux_BL.sum(1) / old.flux_BL.sum(1), 1, atol=0.05)


def test_all_stars_of_a_couple_move_by_the_same_labels(around, drawn):
    couples, new = drawn
    old = np.stack([couples.primary_D, couples.twin_D, couples.companion_D])
    rows = np.stack([new.couples.primary_D, new.couples.twin_D, new.couples.companion_D])
    step = np.log(new.pool.teff_k[rows] / around.pool.teff_k[old])
    lift = new.pool.feh[rows] - around.pool.feh[old]
    for moved in (step, lift):
        np.testing.assert_allclose(moved, moved[:1].repeat(3, axis=0), atol=1e-9)
        assert moved[0].std() > 0
    assert 0.005 < step[0].std() / np.log(10) < 0.008
    assert np.isfinite(new.pool.mass_msun).all()
    ratio = new.pool.mass_msun[rows[2]] / new.pool.mass_msun[rows[0]]
    np.testing.assert_allclose(
        ratio, around.pool.mass_msun[old[2]] / around.pool.mass_msun[old[0]], atol=0.03
    )


def test_a_couple_that_would_leave_the_main_sequence_stays(around, drawn):
    couples, _ = drawn
    far = SETTINGS.model_copy(update={"vary_feh_dex": 5.0})
    new = around.varied(np.random.default_rng(0), couples, far)
    assert np.isfinite(new.pool.mass_msun).all()
    same = new.pool.feh[new.couples.primary_D] == around.pool.feh[couples.primary_D]
    assert same.mean() > 0.5


def test_no_star_is_its_own_neighbour(pool_and_spectra):
    pool, _ = pool_and_spectra
    star = pool.star.copy()
    star[1:4] = star[0]
    near = nearest_stars(replace(pool, star=star), 24)
    assert near.shape == (len(pool), 24)
    assert (star[near] != star[:, None]).all()
    few = nearest_stars(pool.take(np.arange(3)), 24)
    assert few.shape == (3, 2)


def test_couples_of_new_stars_still_share_all_but_the_second_star(drawn):
    _, new = drawn
    made = expose_couples(
        np.random.default_rng(3), new.pool, new.stored, new.couples, SETTINGS,
        PopulationSettings(), SPECTRA, new.change,
    )  # fmt: skip
    assert len(made) > 80 and np.isfinite(made.flux_BL).all()
    for name in ("snr_g", "bad_fraction", "mass1_msun", "velocity_difference_kms"):
        np.testing.assert_array_equal(made.truth[name][::2], made.truth[name][1::2])
    size = np.median(np.abs(np.diff(made.flux_BL[:, :3200].astype(float), 4)), axis=1)
    assert np.median(size[::2] / size[1::2]) == pytest.approx(1, abs=0.15)
