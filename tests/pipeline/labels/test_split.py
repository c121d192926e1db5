import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.labels.split import PARTS, mix, split, uniform_number
from pipeline.settings.labels import LabelSettings

IDS = st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=60, unique=True)


def test_bits_are_mixed_as_splitmix64_does():
    # The first outputs of the reference implementation with seed 1234567: its state rises by gamma.
    gamma, state = 0x9E3779B97F4A7C15, 1234567
    states = np.array([(state + k * gamma) % 2**64 for k in range(3)], np.uint64)
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert mix(states).tolist() == expected


@settings(max_examples=200)
@given(old=IDS, new=IDS, seed=st.integers(0, 2**63), shuffle=st.randoms())
def test_stars_that_are_added_or_reordered_move_no_star(old, new, seed, shuffle):
    options = LabelSettings(seed=seed)
    before = dict(zip(old, split(np.array(old), options), strict=True))
    together = list({*old, *new})
    shuffle.shuffle(together)
    after = dict(zip(together, split(np.array(together), options), strict=True))
    assert all(after[star] == part for star, part in before.items())
    assert set(after.values()) <= set(PARTS)


def test_neighbouring_ids_are_spread_evenly_over_the_parts():
    # Gaia's ids are neighbours on the sky; above 2^53 they differ in bits that a float loses.
    star = np.arange(200_000) + (1 << 60)
    part = split(star, LabelSettings(seed=7))
    for name, share in zip(PARTS, (0.8, 0.1, 0.1), strict=True):
        sigma = np.sqrt(star.size * share * (1 - share))
        assert abs((part == name).sum() - share * star.size) < 4 * sigma
    counts = np.histogram(uniform_number(star, 7), 100, (0, 1))[0]
    assert ((counts - 2000) ** 2 / 2000).sum() < 99 + 5 * np.sqrt(2 * 99)


def test_every_label_is_split_in_the_same_proportions_up_to_counting_noise():
    # 3,818 binaries as in the paper, 60 seeds: mean and scatter are those of the binomial law.
    star = np.random.default_rng(3).choice(2**60, 3818, replace=False)
    test = [(split(star, LabelSettings(seed=k)) == "test").mean() for k in range(60)]
    sigma = np.sqrt(0.1 * 0.9 / star.size)
    assert abs(np.mean(test) - 0.1) < 4 * sigma / np.sqrt(60)
    assert 0.7 * sigma < np.std(test) < 1.3 * sigma


def test_another_seed_is_another_split():
    star = np.arange(10_000)
    one, other = (split(star, LabelSettings(seed=k)) for k in (1, 2))
    # Independent splits agree in 0.8^2 + 0.1^2 + 0.1^2 of the stars.
    assert abs((one == other).mean() - 0.66) < 0.02


def test_the_parts_must_leave_a_test_part():
    with pytest.raises(ValidationError, match="leave nothing for the test"):
        LabelSettings(training_fraction=0.9, validation_fraction=0.1)
