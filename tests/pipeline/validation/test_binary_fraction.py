"""The corrected binary fraction of made-up samples whose fraction is known."""

import numpy as np
import pandas as pd
import pytest

from pipeline.settings.injection import InjectionSettings
from pipeline.validation.binary_fraction import LightRatio, Rates, corrected_fraction
from pipeline.validation.fraction_counts import fraction_data, fraction_estimate

Q_EDGES = (0.1, 0.5, 1.0)
FLAT = InjectionSettings(density_power=0)
LIGHT = LightRatio(np.array([0.0, 1.0]), np.array([0.0, 1.0]))


def test_the_fraction_undoes_completeness_and_false_positives():
    rates = Rates(0.3 * 0.7 + 0.7 * 0.1, 0.1, np.array([0.6, 0.78]))
    fraction, completeness, false = corrected_fraction(rates, Q_EDGES, LIGHT, FLAT)
    assert completeness == pytest.approx((0.4 * 0.6 + 0.5 * 0.78) / 0.9, abs=2e-3)
    assert false == 0.1 and fraction == pytest.approx((0.28 - 0.1) / (completeness - 0.1))


def test_a_companion_too_faint_to_be_injected_is_found_as_its_light_says():
    rates = Rates(0.3, 0.1, np.array([np.nan, 0.7]))
    _, completeness, _ = corrected_fraction(rates, Q_EDGES, LIGHT, FLAT)
    # Between 0.1 and 0.5 the excess grows as q, up to 0.6 at the middle of the measured bin, 0.75.
    low = 0.1 + 0.6 * 0.3 / 0.75
    assert completeness == pytest.approx((0.4 * low + 0.5 * 0.7) / 0.9, abs=2e-3)


def test_a_survey_limited_in_magnitude_holds_more_of_the_bright_pairs():
    rates = Rates(0.3, 0.1, np.array([0.2, 0.8]))
    flat = corrected_fraction(rates, Q_EDGES, LIGHT, FLAT)[1]
    limited = corrected_fraction(rates, Q_EDGES, LIGHT, InjectionSettings(density_power=3))[1]
    q = np.linspace(0.1, 1, 20001)
    weight = (1 + q) ** 1.5
    assert limited == pytest.approx(
        np.average(np.where(q < 0.5, 0.2, 0.8), weights=weight), abs=2e-3
    )
    assert limited > flat


def test_no_fraction_where_pairs_are_found_no_more_often_than_single_stars():
    fraction, *_ = corrected_fraction(Rates(0.3, 0.2, np.array([0.2, 0.2])), Q_EDGES, LIGHT, FLAT)
    assert np.isnan(fraction)
    fraction, *_ = corrected_fraction(Rates(0.3, 0.2, np.full(2, np.nan)), Q_EDGES, LIGHT, FLAT)
    assert np.isnan(fraction)


def test_light_of_a_companion_falls_with_its_mass_and_is_that_of_the_primary_at_one():
    light = LightRatio.of_main_sequence(0.85, -0.1, 9.0)
    ratio = light.at(np.array([0.3, 0.5, 0.7, 0.9, 1.0]))
    assert (np.diff(ratio) > 0).all() and ratio[-1] == 1 and ratio[1] < 0.05


def sample(rng, n, fraction, cells):
    """Stars of two cells, with completeness 0.8 and 0.4, and false positives 0.05 and 0.2."""
    cell, pair = rng.integers(2, size=n), rng.random(n) < fraction
    found, false = np.array([0.8, 0.4])[cell], np.array([0.05, 0.2])[cell]
    hit = rng.random(n) < np.where(pair, found, false)
    return pd.DataFrame(
        {
            "label": np.where(pair, "binary", "single"), "seen": False, "star": np.arange(n),
            "p_b": np.where(hit, 0.9, 0.1), "snr_bin": cell, "teff_bin": 0, "feh_bin": 0,
            "kind": np.where(pair, "pair", "single"), "q_bin": np.where(pair, 0, -1),
        }
    )[cells]  # fmt: skip


def estimate(stars, injected, n_draws=60):
    data = fraction_data(stars, injected, 0.5, (2, 1, 1, 1))
    return fraction_estimate(data, (0.1, 1.0), LIGHT, FLAT, n_draws)


def test_the_interval_covers_the_truth_of_most_samples():
    covered = 0
    columns = ["label", "seen", "star", "p_b", "snr_bin", "teff_bin", "feh_bin", "kind", "q_bin"]
    for seed in range(20):
        rng = np.random.default_rng(seed)
        stars, injected = sample(rng, 600, 0.4, columns), sample(rng, 600, 0.5, columns)
        fraction, *_ = estimate(stars, injected)
        covered += fraction.low <= (stars["kind"] == "pair").mean() <= fraction.high
    assert covered >= 17


def test_unseen_stars_stand_for_the_stars_of_their_label_that_were_seen():
    rng = np.random.default_rng(1)
    stars = sample(rng, 20_000, 0.4, slice(None))
    # Nine in ten singles were seen in training: among the others pairs are far too many.
    stars["seen"] = (stars["label"] == "single") & (rng.random(len(stars)) < 0.9)
    fraction, *_ = estimate(stars, sample(rng, 20_000, 0.5, slice(None)), 20)
    assert fraction.low < 0.4 < fraction.high and fraction.high - fraction.low < 0.1


def test_a_cell_without_injections_has_the_rate_of_its_snr_else_of_all():
    rng = np.random.default_rng(2)
    injected = sample(rng, 4000, 0.5, slice(None))
    data = fraction_data(
        sample(rng, 100, 0.5, slice(None)), injected[injected["snr_bin"] == 0], 0.5, (2, 1, 1, 1)
    )
    rates = data.rates(np.ones(len(data.cell_S)), np.ones(len(data.cell_B)))
    assert rates.single == pytest.approx(0.05, abs=0.02)
    assert rates.pair_H == pytest.approx([0.8], abs=0.03)
