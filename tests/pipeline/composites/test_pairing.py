import numpy as np
import pytest

from pipeline.composites.pairing import PairingError, companions_at, draw_couples
from pipeline.settings.composites import CompositeSettings

SETTINGS = CompositeSettings()


@pytest.fixture
def pool():
    rng = np.random.default_rng(4)
    n = 500
    star = rng.integers(0, 350, n)  # many stars have several spectra
    mass, feh = rng.uniform(0.5, 1.2, n), rng.normal(-0.1, 0.2, n)
    return mass, feh, star


def test_pairs_are_what_they_are_called(pool):
    mass, feh, star = pool
    couples = draw_couples(np.random.default_rng(0), 4000, *pool, SETTINGS)
    first = couples.primary_D
    for second, low, high in (
        (couples.twin_D, SETTINGS.twin_q_min, 1.0),
        (couples.companion_D, SETTINGS.q_min, SETTINGS.q_max),
    ):
        q = mass[second] / mass[first]
        assert (q >= low).all() and (q <= high).all()
        assert (np.abs(feh[second] - feh[first]) <= SETTINGS.feh_tolerance_dex).all()
        assert (star[second] != star[first]).all()
    q = mass[couples.companion_D] / mass[first]
    counts, _ = np.histogram(q, bins=4, range=(SETTINGS.q_min, SETTINGS.q_max))
    assert counts.min() > 700


def test_primaries_are_all_that_have_both_and_come_evenly_by_star(pool):
    mass, feh, star = pool
    q = mass[None] / mass[:, None]
    alike = np.abs(feh[None] - feh[:, None]) <= SETTINGS.feh_tolerance_dex
    alike &= star[None] != star[:, None]
    twins = (q >= SETTINGS.twin_q_min) & (q <= 1) & alike
    others = (q >= SETTINGS.q_min) & (q <= SETTINGS.q_max) & alike
    able = twins.any(axis=1) & others.any(axis=1)
    couples = draw_couples(np.random.default_rng(0), 20_000, *pool, SETTINGS)
    assert set(couples.primary_D) == set(np.flatnonzero(able))
    stars, counts = np.unique(star[couples.primary_D], return_counts=True)
    expected = 20_000 / len(stars)
    assert np.abs(counts - expected).max() < 6 * np.sqrt(expected)


def test_the_seed_decides(pool):
    first, again, other = (
        draw_couples(np.random.default_rng(seed), 50, *pool, SETTINGS).companion_D
        for seed in (1, 1, 2)
    )
    assert (first == again).all() and (first != other).any()


def test_too_few_stars_is_an_error_that_says_what_to_do():
    with pytest.raises(PairingError, match="2 stars none has both.*block_shards"):
        draw_couples(
            np.random.default_rng(0), 3, np.array([1.0, 0.5]), np.zeros(2), np.arange(2), SETTINGS
        )


def test_a_chosen_mass_ratio_gets_the_nearest_companion(pool):
    mass, feh, star = pool
    rng = np.random.default_rng(7)
    primary, wanted = rng.integers(0, len(mass), 200), rng.uniform(0.3, 1.0, 200)
    found = companions_at(primary, wanted, *pool, SETTINGS, q_tolerance=0.01)
    for first, q, second in zip(primary, wanted, found, strict=True):
        distance = np.abs(mass / mass[first] - q)
        allowed = (np.abs(feh - feh[first]) <= SETTINGS.feh_tolerance_dex) & (star != star[first])
        distance[~allowed] = np.inf
        assert second == (-1 if distance.min() > 0.01 else np.argmin(distance))
    assert (found == -1).any() and (found >= 0).sum() > 50
