"""The selection function of hand-made injections."""

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation.intervals import Estimate
from pipeline.validation.agreement import agreement, alike
from pipeline.validation.cells import bin_of, cell_table, with_cells
from pipeline.validation.completeness import completeness
from schemas.completeness import COMPLETENESS


@pytest.fixture
def injected():
    """40 stars, each alone and with a companion of q 0.75, at S/N 30 and 80: 3 in 4 pairs found."""
    number = np.arange(40)
    frames = [
        pd.DataFrame(
            {
                "kind": kind, "star": number, "star2": number + 100, "mass_msun": 0.85, "q": q,
                "teff_k": 5000.0, "feh": -0.2, "light_ratio": 0.2, "snr_g": snr,
                "p_b": np.where(number % 4 < hits, 0.9, 0.1),
            }
        )
        for kind, q, hits in (("pair", 0.75, 3), ("single", np.nan, 1), ("twins", 0.99, 1))
        for snr in (30.0, 80.0)
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


@pytest.fixture
def stars(make_stars):
    """200 stars, half pairs of q 0.75 of which 3 in 4 are found; of the singles 1 in 4."""
    number = np.arange(200)
    pair = number % 2 == 1
    hit = (number // 2) % 4 < np.where(pair, 3, 1)
    return make_stars(
        200, in_sample=True, p_b_best=np.where(hit, 0.9, 0.1), snr_g_best=80.0, teff_k=5000.0,
        feh=-0.2, true_kind=np.where(pair, "pair", "single"), true_q=np.where(pair, 0.75, np.nan),
        label=np.where(pair, "binary", "single"), delta_m_g=np.where(pair, -0.3, 0.1),
    )  # fmt: skip


def test_a_value_lies_in_the_bin_whose_lower_end_it_reaches():
    value = np.array([0.9, 1, 1.5, 2, 3, np.nan])
    assert bin_of(value, (1.0, 2.0, 3.0)).tolist() == [-1, 0, 0, 1, -1, -1]


def test_a_mass_ratio_of_one_lies_in_the_last_bin(injected, settings):
    one = injected[injected["kind"] == "pair"].assign(q=1.0)
    assert set(with_cells(one, settings)["q_bin"]) == {len(settings.q_edges) - 2}


def test_cells_count_stars_and_those_found(injected, settings):
    table = cell_table(injected, None, settings).to_pandas()
    assert list(table.columns) == COMPLETENESS.names
    assert len(table) == 3 * 2 * len(settings.thresholds)
    cell = table[(table["kind"] == "pair") & (table["p_b_min"] == 0.5)].iloc[0]
    assert (cell["q_low"], cell["q_high"], cell["snr_low"], cell["feh_high"]) == (
        0.71,
        0.82,
        20,
        -0.1,
    )
    assert (cell["n_stars"], cell["n_found"], cell["share"]) == (40, 30, 0.75)
    assert cell["share_low"] == pytest.approx(0.598, abs=1e-3)  # Wilson
    assert np.isnan(table.loc[table["kind"] == "single", "q_low"]).all()
    assert table["truth"].isna().all()


def test_spectra_outside_of_the_grid_are_in_no_cell(injected, settings):
    outside = injected.assign(teff_k=9000.0)
    assert cell_table(outside, None, settings).num_rows == 0


def test_shares_truth_and_fraction_of_a_known_survey(injected, stars, settings, number):
    result = completeness(injected, stars, settings, 5, 9.0)
    found = number(result, "pairs with p_b > 0.5 by mass ratio", (0.71, 0.82))
    assert (found.estimate.value, found.n_stars, found.truth) == (0.75, 40, 0.75)
    paper = number(result, "pairs of q 0.71-0.93 with p_b > 0.8")
    assert paper.paper == 0.73 and paper.estimate.value == 0.75
    single = number(result, "single stars with p_b > 0.5")
    assert single.estimate.value == 0.25 and single.truth == pytest.approx(0.25)
    assert number(result, "cells in which the truth agrees").estimate.value == 1
    fraction = number(result, "binary fraction, corrected, p_b > 0.5")
    # Half of the stars are above 0.5, and C is below the 0.75 of the one bin that was injected.
    assert fraction.truth == 0.5 and fraction.n_stars == 200
    assert number(result, "false positives, p_b > 0.5").estimate.value == 0.25
    share = number(result, "mean completeness, p_b > 0.5").estimate.value
    assert 0.25 < share < 0.75
    assert fraction.estimate.value == pytest.approx((0.5 - 0.25) / (share - 0.25))
    assert any("q^0 from 0.1" in note for note in result.notes)


def test_stars_seen_in_training_are_no_truth_and_stand_outside(injected, stars, settings, number):
    stars["seen"] = True
    result = completeness(injected, stars, settings, 5, 9.0)
    assert not [m for m in result.measures if m.quantity.startswith("binary fraction")]
    assert any(note.startswith("no binary fraction") for note in result.notes)
    assert np.isnan(number(result, "single stars with p_b > 0.5").truth)


def test_two_shares_are_alike_within_the_interval_of_their_difference():
    assert alike(Estimate(0.5, 0.4, 0.6), Estimate(0.62, 0.5, 0.7))
    assert not alike(Estimate(0.5, 0.45, 0.55), Estimate(0.7, 0.6, 0.8))
    assert not alike(Estimate(0.7, 0.6, 0.8), Estimate(0.5, 0.45, 0.55))


def test_the_agreement_counts_cells_with_enough_true_stars(injected, settings):
    pairs = injected["kind"] == "pair"
    wrong = injected.assign(p_b=np.where(pairs, 0.1, injected["p_b"]))
    few = wrong[~pairs | (wrong["star"] < 4)]
    assert agreement(cell_table(injected, injected, settings)).estimate.value == 1
    assert agreement(cell_table(injected, wrong, settings)).estimate.value == pytest.approx(2 / 3)
    assert agreement(cell_table(injected, few, settings)).estimate.value == 1


def test_stars_of_low_snr_and_singles_of_the_bright_side_do_not_count(
    injected, stars, settings, number
):
    faint = stars.assign(snr_g_best=30.0, p_b_best=0.9)
    bright = stars.assign(label="single", delta_m_g=-0.1, p_b_best=0.9)
    both = pd.concat([stars, faint], ignore_index=True)
    result = completeness(injected, both, settings, 5, 9.0)
    assert number(result, "observed fraction, p_b > 0.5").estimate.value == 0.5
    assert number(result, "false positives, p_b > 0.5").estimate.value == 0.25
    result = completeness(injected, bright, settings, 5, 9.0)
    assert any(note.startswith("no binary fraction") for note in result.notes)
