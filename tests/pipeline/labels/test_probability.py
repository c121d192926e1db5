"""The probability of a label, against draws of everything that was measured."""

from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.labels.probability import binary_probability, photometric_error, with_scatter
from pipeline.labels.ridge import Ridge
from pipeline.photometry.extinction import LAWS
from pipeline.photometry.intrinsic import Measured, intrinsic
from pipeline.settings.labels import LabelSettings

LAW = LAWS["casagrande2021"]
E_BV_ERROR = 0.16
SETTINGS = LabelSettings()
COLOUR = np.linspace(1.4, 2.8, 141)
RIDGE = Ridge(
    np.array([-0.4, 0.2]),
    COLOUR,
    np.stack([4.2 + 3.1 * (COLOUR - 1.5), 4.0 + 3.5 * (COLOUR - 1.5)]),
    -0.9,
)
FEH = -0.1


def measured(n):
    """Stars along the ridge, some in every band, each error as large as a survey's."""
    rng = np.random.default_rng(3)
    e_bv, distance = rng.uniform(0.01, 0.15, n), rng.uniform(80, 320, n)
    colour = rng.uniform(1.6, 2.5, n)
    m_g = RIDGE.m_g(colour, np.full(n, FEH)) + rng.uniform(-0.6, 0.3, n)
    bp_rp = 0.45 * colour + e_bv
    a_g, a_ks = LAW.a_g(bp_rp, e_bv), LAW.a_ks(e_bv)
    g = m_g + a_g + 5 * np.log10(distance / 10)
    ks = g - a_g - colour + a_ks
    small, large = rng.uniform(0.002, 0.01, (3, n)), rng.uniform(0.015, 0.03, n)
    return Measured(
        g=g, g_err=small[0], bp=g + 0.5 * bp_rp, bp_err=small[1], rp=g - 0.5 * bp_rp,
        rp_err=small[2], ks=ks, ks_err=large, e_bv=e_bv, distance_pc=distance,
        distance_err_pc=0.01 * distance,
    )  # fmt: skip


def distance_from_ridge(stars):
    found = intrinsic(stars, LAW, E_BV_ERROR)
    feh = np.full(stars.g.size, FEH)
    slope = RIDGE.colour_slope(found.g_ks_0, feh)
    return found.m_g - RIDGE.m_g(found.g_ks_0, feh), slope


def drawn(stars, rng):
    """The stars with every measured quantity moved by its error."""

    def moved(value, error):
        return value + error * rng.standard_normal(value.size)

    return replace(
        stars,
        **{band: moved(getattr(stars, band), getattr(stars, f"{band}_err"))
           for band in ("g", "bp", "rp", "ks")},
        e_bv=moved(stars.e_bv, E_BV_ERROR * stars.e_bv),
        distance_pc=moved(stars.distance_pc, stars.distance_err_pc),
    )  # fmt: skip


def test_error_and_probability_are_those_of_draws():
    stars, rng, n_draw = measured(60), np.random.default_rng(8), 4000
    delta, slope = distance_from_ridge(stars)
    error = photometric_error(stars, slope, LAW, E_BV_ERROR)
    draws = np.stack([distance_from_ridge(drawn(stars, rng))[0] for _ in range(n_draw)])
    np.testing.assert_allclose(error, draws.std(axis=0), rtol=0.06)
    s = SETTINGS
    binary = ((draws > s.binary_min_mag) & (draws < s.single_min_mag)).sum(axis=0)
    single = ((draws > s.single_min_mag) & (draws < s.single_max_mag)).sum(axis=0)
    enough = binary + single > n_draw // 10
    assert enough.sum() > 40
    label = np.full(60, "single")
    p = binary_probability(delta, error, label, s)[enough]
    assert (p > 0.9).sum() >= 5 and (p < 0.1).sum() >= 10 and ((p > 0.2) & (p < 0.8)).sum() >= 5
    np.testing.assert_allclose(p, (binary / (binary + single))[enough], atol=0.03)


def test_what_is_not_known_keeps_the_label():
    label = np.array(["single", "binary", "excluded", "binary", "single"])
    delta = np.array([-0.24, -0.26, -0.3, -0.25, np.nan])
    error = np.array([np.nan, 0.0, 0.07, 0.07, 0.07])
    p = binary_probability(delta, error, label, SETTINGS)
    np.testing.assert_array_equal(p[[0, 1, 4]], [0.0, 1.0, 0.0])
    assert np.isnan(p[2])
    assert p[3] == pytest.approx(0.5, abs=0.01)


def test_scatter_is_added_where_the_errors_leave_some():
    error = np.array([0.03, 0.04, 0.05, np.nan])
    found = with_scatter(error, 0.07)
    assert found[1] == pytest.approx(0.07) and np.isnan(found[3])
    np.testing.assert_allclose(found[[0, 2]], np.sqrt(error[[0, 2]] ** 2 + 0.07**2 - 0.04**2))
    np.testing.assert_array_equal(with_scatter(error, 0.02), error)


def test_nothing_measured_gives_no_error():
    stars = measured(3)
    for field in fields(Measured):
        if field.name in ("g", "ks"):
            continue
        missing = getattr(stars, field.name).copy()
        missing[1] = np.nan
        error = photometric_error(
            replace(stars, **{field.name: missing}), np.full(3, 3.2), LAW, E_BV_ERROR
        )
        assert np.isfinite(error).tolist() == [True, False, True], field.name
