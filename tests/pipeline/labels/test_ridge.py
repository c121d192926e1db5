import numpy as np
import pytest

from pipeline.labels.ridge import RidgeError, as_ridge, fit_ridge, pooled_edges
from pipeline.labels.sequence import fit_sequence
from pipeline.settings.labels import LabelSettings

SETTINGS = LabelSettings()
RANGE = (1.5, 2.6)
TARGET_MAG = 0.03


def arrays(frame):
    return tuple(frame[name].to_numpy() for name in ("colour", "m_g", "feh"))


@pytest.fixture(scope="module")
def fitted(training):
    return fit_ridge(*arrays(training), RANGE, SETTINGS)


def test_the_ridge_is_the_single_star_sequence_wherever_it_has_200_stars(training, fitted):
    single = training[training["kind"] == "single"]
    table, compared = fitted.to_pandas(), 0
    for (low, high, feh), part in table.groupby(["feh_low", "feh_high", "feh"]):
        own = single[(single["feh"] >= low) & (single["feh"] < high)]
        moved = own["m_g"] - part["feh_slope"].iloc[0] * (own["feh"] - feh)
        rest = moved - np.interp(own["colour"], part["g_ks_0"], part["m_g"])
        for at in np.arange(1.55, 2.6, 0.1):
            near = rest[np.abs(own["colour"] - at) < 0.05]
            in_window = part["n_near"].iloc[np.abs(part["g_ks_0"] - at).argmin()]
            if in_window >= 200 and len(near) >= 50:
                # The median of the reference has an error of its own.
                error = 1.2533 * near.std() / np.sqrt(len(near))
                assert abs(near.median()) < TARGET_MAG + 2 * error, (feh, at)
                compared += 1
    assert compared >= 15
    assert table["n_stars"].min() >= SETTINGS.ridge_min_stars


def test_binaries_do_not_drag_the_ridge(training, fitted):
    single = training[training["kind"] == "single"]
    alone = as_ridge(fit_ridge(*arrays(single), RANGE, SETTINGS))
    at = single["colour"].to_numpy(), single["feh"].to_numpy()
    difference = as_ridge(fitted).m_g(*at) - alone.m_g(*at)
    assert abs(np.median(difference)) < 0.015
    # A plain running median would be off by several hundredths.
    pairs_too = training["m_g"] - as_ridge(fitted).m_g(*arrays(training)[::2])
    assert pairs_too.median() < -0.03


def test_magnitudes_are_linear_between_bins_and_follow_the_slope_beyond(fitted):
    ridge = as_ridge(fitted)
    colour = np.full(3, 2.0)
    low, high = ridge.feh_Z[1], ridge.feh_Z[2]
    ends = ridge.m_g(colour, np.array([low, (low + high) / 2, high]))
    assert ends[1] == pytest.approx((ends[0] + ends[2]) / 2, abs=1e-12)
    assert ends[0] == pytest.approx(np.interp(2.0, ridge.colour_G, ridge.m_g_ZG[1]))
    last = ridge.feh_Z[-1]
    beyond = ridge.m_g(colour[:2], np.array([last, last + 0.2]))
    assert beyond[1] - beyond[0] == pytest.approx(0.2 * ridge.feh_slope)
    unknown = ridge.m_g(np.array([1.4, 2.0, 2.0]), np.array([0.0, np.nan, 0.0]))
    assert np.isnan(unknown).tolist() == [True, True, False]


def test_a_ridge_of_one_bin_has_the_slope_alone(training):
    few = training.head(150)
    table = fit_ridge(*arrays(few), RANGE, SETTINGS)
    ridge = as_ridge(table)
    assert ridge.feh_Z.size == 1
    step = np.diff(ridge.m_g(np.full(2, 2.0), np.array([-0.3, 0.1])))
    assert step[0] == pytest.approx(0.4 * ridge.feh_slope)


def test_stars_of_one_metallicity_have_no_slope(training):
    colour, m_g, feh = arrays(training)
    ridge = as_ridge(fit_ridge(colour, m_g, np.full_like(feh, -0.1), RANGE, SETTINGS))
    assert ridge.feh_slope == 0
    assert np.isfinite(ridge.m_g(np.array([2.0]), np.array([-0.1]))).all()


def test_too_few_stars_are_an_error_that_names_the_way_out(training):
    with pytest.raises(RidgeError, match=r"only 49 stars .*inputs\.labels"):
        fit_ridge(*arrays(training.head(49)), RANGE, SETTINGS)


def test_poor_bins_are_pooled_and_no_star_is_lost():
    rng = np.random.default_rng(1)
    feh = np.concatenate([rng.uniform(-1.2, -0.6, 30), rng.normal(-0.1, 0.2, 2000), [0.8]])
    edges = pooled_edges(feh, 0.2, 200)
    counts = np.histogram(feh, edges)[0]
    assert counts.sum() == feh.size
    assert counts.min() >= 200
    assert len(counts) >= 3
    assert pooled_edges(feh[:30], 0.2, 200).size == 2
    assert pooled_edges(np.full(300, 0.2), 0.2, 200).size == 2


def test_a_sequence_finds_the_mode_of_a_known_curve_beside_pairs():
    rng = np.random.default_rng(4)
    colour = rng.uniform(1.5, 2.6, 8000)
    truth = 5 + 2 * (colour - 1.5) - 0.3 * (colour - 2) ** 2
    m_g = truth + rng.normal(0, 0.06, colour.size)
    pair = rng.random(colour.size) < 0.4
    m_g[pair] -= rng.uniform(0, 0.75, pair.sum())
    line = np.polyfit(colour, m_g, 1)
    sequence = fit_sequence(colour, m_g, lambda at: np.polyval(line, at), SETTINGS)
    at = np.linspace(1.55, 2.55, 30)
    known = 5 + 2 * (at - 1.5) - 0.3 * (at - 2) ** 2
    assert np.abs(sequence.curve(at) - known).max() < TARGET_MAG
    assert sequence.sigma_mag == pytest.approx(0.06, abs=0.02)
    assert not sequence.kept_B[m_g < truth - 0.3].any()
