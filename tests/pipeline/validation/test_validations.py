"""Each validation on one hand-made table whose answer is known."""

import numpy as np
import pandas as pd
import pytest

from pipeline.settings.validation import ValidationSettings
from pipeline.validation.compare import compare
from pipeline.validation.eclipsing import eclipsing
from pipeline.validation.false_positives import false_positives
from pipeline.validation.gaia import gaia
from pipeline.validation.mass_ratio import mass_ratio
from pipeline.validation.planets import planets
from pipeline.validation.velocities import velocities


def test_eclipsing_binaries_at_the_epoch_of_the_list(make_stars, settings, number):
    """Ten binaries; star 0 moves 1''/yr, star 9 was seen in training, one row is of no star."""
    p_b = np.array([0.9] * 6 + [0.4] * 3 + [0.9])
    stars = make_stars(
        10, p_b=p_b, pm_ra_masyr=[4000.0] + [0.0] * 9, seen=[False] * 9 + [True],
        true_eclipsing="EA", true_period_day=0.7,
    )  # fmt: skip
    ra = np.append(stars["ra_deg"], 10.0)
    ra[0] += 4.0 * 2.5 / 3600
    known = pd.DataFrame({"ra": ra, "dec": 0.0, "type": "EA", "period": 0.7})
    result = eclipsing(stars, known, settings)
    found = number(result, "EA, p_b > 0.5")
    assert (found.estimate.value, found.n_stars, found.truth) == (6 / 9, 9, 6 / 9)
    assert found.paper == 0.9645
    assert number(result, "EA, p_b > 0.8").estimate.value == 6 / 9
    assert number(result, "EA, p_b > 0.3").estimate.value == 1
    assert number(result, "EA, p_b > 0.5, seen in training").n_stars == 1
    assert number(result, "EA, p_b > 0.5, by period in days", (0.5, 1.0)).n_stars == 9
    assert number(result, "EW, p_b > 0.5").n_stars == 0
    assert "11 listed: 1 are none of our stars" in result.notes[0]
    still = eclipsing(stars.assign(pm_ra_masyr=0.0), known, settings)
    assert number(still, "EA, p_b > 0.5").n_stars == 8


def test_variable_and_stable_stars_with_errors_that_are_too_small(make_stars, settings, number):
    """300 constant stars with true errors of 5 km/s, stated 1; 40 that vary by 60 km/s."""
    rng = np.random.default_rng(3)
    n, n_variable, n_spectra = 340, 40, 4
    variable = np.arange(n) < n_variable
    p_b = np.where(variable, np.where(np.arange(n) < 30, 0.9, 0.2), 0.3)
    p_b[-60:] = 0.7
    stars = make_stars(
        n, p_b=p_b, n_spectra=n_spectra, true_kind=np.where(variable, "pair", "single")
    )
    star = np.repeat(np.arange(n), n_spectra)
    rv = rng.normal(0, 5, star.size) + 60 * variable[star] * (np.arange(star.size) % 2)
    spectra = pd.DataFrame(
        {"star_id": stars["star_id"].to_numpy()[star], "rv_kms": rv, "rv_err_kms": 1.0}
    )
    result = velocities(stars, spectra, settings)
    floor = float(result.notes[0].split("; ")[1].split()[0])
    assert floor == pytest.approx(np.sqrt(24), rel=0.25)
    found = number(result, "P(constant) < 0.001: binary by the highest")
    assert found.n_stars == pytest.approx(n_variable, abs=3)
    assert found.truth > 0.9 and found.estimate.value == pytest.approx(0.75, abs=0.05)
    stable = number(result, "P(constant) > 0.1, 4+ spectra: single by the highest")
    assert stable.truth == 1 and stable.estimate.low < 0.8 < stable.estimate.high
    few = number(result, "Delta rv_max < 5 km/s, 4+ spectra: single by the highest")
    assert few.n_stars < 60 and few.paper == 0.688
    assert number(result, "P(constant) < 0.001: 4+ spectra").estimate.value == 1


def test_stars_of_one_spectrum_have_no_velocity_to_vary(make_stars, settings):
    stars = make_stars(3)
    spectra = pd.DataFrame({"star_id": stars["star_id"], "rv_kms": 1.0, "rv_err_kms": 1.0})
    assert "two spectra" in velocities(stars, spectra, settings).skipped


def test_gaias_signs_of_stars_above_and_below(make_stars, settings, number):
    p_b = np.repeat([0.9, 0.1], 10)
    stars = make_stars(
        20, p_b=p_b, ruwe=np.r_[[2.0] * 5, [1.0] * 5, [2.0], [1.0] * 9],
        true_kind=np.where(p_b > 0.5, "pair", "single"),
    )  # fmt: skip
    evidence = pd.DataFrame(
        {
            "source_id": stars["source_id"].to_numpy()[::-1],
            "non_single_star": np.r_[[0.0] * 17, 1.0, 1.0, 1.0],
            "radial_velocity_error": np.r_[[1.0] * 18, 5.0, 5.0],
        }
    )
    result = gaia(stars, evidence, settings)
    found = number(result, "ruwe > 1.4 | p_b > 0.5")
    assert (found.estimate.value, found.n_stars, found.truth) == (0.5, 10, 0.5)
    assert number(result, "ruwe > 1.4 | p_b < 0.5").estimate.value == 0.1
    assert number(result, "ruwe > 1.4 | p_b > 0.5, by G", (12.0, 13.0)).n_stars == 10
    assert number(result, "p_b > 0.5 | ruwe > 1.4").estimate.value == 5 / 6
    assert number(result, "non_single_star > 0 | p_b > 0.5").estimate.value == 0.3
    assert number(result, "radial_velocity_error > 2 medians | p_b > 0.5").estimate.value == 0.2
    assert "set inputs.gaia_evidence" in gaia(stars, None, settings).notes[-1]
    assert "ruwe" in gaia(stars.assign(ruwe=np.nan), None, settings).skipped


def test_false_positives_by_number_of_spectra(make_stars, number):
    n_spectra = np.repeat([1, 2, 6], 10)
    p_b = np.r_[[0.6] + [0.1] * 9, [0.6] * 2 + [0.1] * 8, [0.6] * 4 + [0.1] * 6]
    stars = make_stars(30, n_spectra=n_spectra, p_b=p_b, p_b_mean=0.2, p_b_combined=np.nan)
    result = false_positives(stars)
    shares = [
        number(result, "singles above 0.5 by the highest, by spectra", (n - 0.5, n + 0.5))
        for n in (1, 2, 4)
    ]
    assert [m.estimate.value for m in shares] == [0.1, 0.2, 0.4]
    assert [m.truth for m in shares] == [0.1, 0.2, 0.4]
    assert shares[2].paper == 0.312
    mean = number(result, "singles above 0.5 by the mean, by spectra", (3.5, 4.5))
    assert mean.estimate.value == 0 and mean.estimate.high == pytest.approx(0.278, abs=1e-3)
    assert "label" in false_positives(stars.assign(label="")).skipped


def test_mass_ratios_of_both_conventions(make_stars, settings, number):
    q = np.r_[[0.8] * 8, [0.95] * 4]
    stars = make_stars(
        12, q_fixed_colour=q, p_b=np.r_[[0.9] * 4, [0.6] * 2, [0.1] * 2, [0.1] * 4],
        true_kind="pair", true_q=q,
    )  # fmt: skip
    result = mass_ratio(stars, settings)
    best = number(result, "p_b > 0.5 | q_fixed_colour", (0.71, 0.82))
    assert (best.estimate.value, best.truth) == (0.75, 0.75)
    assert number(result, "p_b > 0.8 | q_fixed_colour", (0.71, 0.82)).estimate.value == 0.5
    assert number(result, "p_b > 0.5 | q_fixed_colour", (0.93, 1.0)).estimate.value == 0
    assert "pairspec label" in mass_ratio(make_stars(2), settings).skipped


def test_planet_hosts_by_id_else_by_position(make_stars, settings, number):
    """One host by id though its position is off, one by position; known binaries are not new."""
    stars = make_stars(4, p_b=[0.9, 0.9, 0.9, 0.2], true_kind=["pair", "single", "pair", "single"])
    ids = stars["source_id"].to_numpy()
    hosts = pd.DataFrame(
        {
            "name": ["by id", "by place", "known", "quiet", "elsewhere"],
            "source_id": [ids[0], 0, ids[2], ids[3], 7],
            "ra": [0.0, stars["ra_deg"][1], 0.0, 0.0, stars["ra_deg"][3]],
            "dec": 0.0,
            "stars": [1.0, np.nan, 2.0, 1.0, 1.0],
        }
    )
    result = planets(stars, hosts, settings)
    found = number(result, "hosts with p_b > 0.5")
    assert (found.estimate.value, found.truth, found.paper) == (3, 2, 128)
    new = number(result, "of them not known as binaries")
    assert (new.estimate.value, new.truth, new.paper) == (2, 1, 114)
    assert result.listed["name"].to_pylist() == ["by id", "by place", "known"]
    assert result.listed["known_binary"].to_pylist() == [False, False, True]
    assert "5 listed: 1 are none of our stars" in result.notes[0]


def test_another_catalogue_and_where_it_disagrees(make_stars, number):
    settings = ValidationSettings(compare_binary="prob")
    stars = make_stars(
        6, p_b=[0.9, 0.9, 0.2, 0.1, 0.9, 0.9], seen=[False] * 5 + [True],
        true_kind=["pair", "pair", "pair", "single", "single", "pair"],
    )  # fmt: skip
    theirs = pd.DataFrame(
        {
            "source_id": [*stars["source_id"], 5],
            "ra": np.nan, "dec": np.nan,
            "score": [0.9, 0.9, 0.9, 0.1, 0.1, 0.9, 0.9],
        }
    )  # fmt: skip
    result = compare(stars, theirs, settings)
    assert number(result, "stars in both catalogues").estimate.value == 6
    recall = number(result, "their binaries with p_b > 0.5")
    assert (recall.estimate.value, recall.n_stars, recall.truth) == (2 / 3, 3, 1.0)
    assert number(result, "their others with p_b < 0.5").estimate.value == 0.5
    assert result.listed["star_id"].to_pylist() == ["star 2", "star 4"]
