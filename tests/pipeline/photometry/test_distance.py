import inspect

import numpy as np
import pytest
from zero_point import zpt

from pipeline.photometry.distance import distances, zero_points
from pipeline.tables import source_columns as columns

NAN = np.nan


def arrays(*rows):
    return [np.array(column, dtype=float) for column in zip(*rows, strict=True)]


def test_the_zero_point_is_the_packages():
    """The package's own way for tables with anything in them: ``df.apply(zpt_wrapper)``."""
    rng = np.random.default_rng(0)
    n = 500
    g, nu, pseudo = rng.uniform(5, 22, n), rng.uniform(1.0, 2.0, n), rng.uniform(1.2, 1.8, n)
    lat, solved = rng.uniform(-90, 90, n), rng.choice([31, 95], n)
    nu, pseudo = np.where(solved == 31, nu, NAN), np.where(solved == 95, pseudo, NAN)
    zpt.load_tables()
    expected = [
        zpt.get_zpt(*row, _warnings=False) for row in zip(g, nu, pseudo, lat, solved, strict=True)
    ]
    found = zero_points(g, nu, pseudo, lat, solved.astype(float))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert 100 < np.isfinite(found).sum() < 500


def test_the_zero_point_is_the_published_formula():
    """Lindegren et al. 2021, eqs. A.3-A.5: with nu_eff = 1.48 and sin(beta)^2 = 1/3, only
    q_00 + q_01 sin(beta) is left of the sum; its values are those of the package's table."""
    sine = 1 / np.sqrt(3)
    lat = np.rad2deg(np.arcsin([sine, -sine]))
    both = zero_points(np.full(2, 17.5), np.full(2, 1.48), np.full(2, NAN), lat, np.full(2, 31.0))
    source = inspect.getfile(zpt).replace("zpt.py", "coefficients/z5_200720.txt")
    rows = np.genfromtxt(source, delimiter=",")
    at = rows[2:][rows[2:, 0] == 17.5][0, 1:]
    j, k = rows[0, 1:], rows[1, 1:]
    q00, q01 = at[(j == 0) & (k == 0)][0], at[(j == 0) & (k == 1)][0]
    expected = np.array([q00 + q01 * sine, q00 - q01 * sine]) / 1000
    np.testing.assert_allclose(both, expected, atol=1e-6)


def test_invalid_rows_do_not_spoil_the_others():
    good = (15.0, 1.5, NAN, 30.0, 31)
    bad = [
        (15.0, NAN, NAN, 30.0, 3), (15.0, 1.5, NAN, 30.0, NAN), (6.0, 1.5, NAN, 30.0, 31),
        (21.0, 1.5, NAN, 30.0, 31), (NAN, 1.5, NAN, 30.0, 31), (15.0, 1.95, NAN, 30.0, 31),
        (15.0, NAN, NAN, 30.0, 31), (15.0, 1.5, NAN, 30.0, 95), (15.0, 1.5, NAN, NAN, 31),
    ]  # fmt: skip
    found = zero_points(*arrays(good, *bad, good))
    assert np.isfinite(found).tolist() == [True, *[False] * len(bad), True]
    assert found[0] == found[-1] < 0


def test_the_order_of_preference():
    plx, error, zero, median, low, high = arrays(
        (5.0, 0.1, -0.04, 190.0, 185.0, 195.0),  # given: that one
        (5.0, 0.1, -0.04, NAN, NAN, NAN),  # not given: parallax, less its zero point
        (1.0, 0.1, -0.04, NAN, NAN, NAN),  # 10.4 sigma only without its zero point
        (1.0, 0.1, NAN, NAN, NAN, NAN),  # exactly 10: not above it
        (-1.0, 0.1, -0.04, NAN, NAN, NAN),
        (NAN, NAN, NAN, NAN, NAN, NAN),
        (1.0, 0.5, NAN, 900.0, 700.0, 1200.0),  # a poor parallax, but a given distance
    )
    found = distances(plx, error, zero, (median, low, high), 10.0)
    geometric, own = "bailer_jones_geometric", "parallax"
    assert found.source.tolist() == [geometric, own, own, None, None, None, geometric]
    expected = [190, 1000 / 5.04, 1000 / 1.04, NAN, NAN, NAN, 900]
    np.testing.assert_allclose(found.distance_pc, expected)
    expected = [5, 100 / 5.04**2, 100 / 1.04**2, NAN, NAN, NAN, 250]
    np.testing.assert_allclose(found.error_pc, expected)


def test_the_photogeometric_distance_is_not_even_read():
    named = {alias for known in columns.GAIA.values() for alias in known}
    assert {"r_med_geo", "r_lo_geo", "r_hi_geo"} <= named
    assert not [name for name in named if "photogeo" in name]


def test_distance_errors_are_those_of_a_sample():
    noise = np.random.default_rng(1).normal(0, 0.05, 200_000)
    sample = 1000 / (4.0 + noise)
    nothing = (np.array([NAN]),) * 3
    found = distances(np.array([4.0]), np.array([0.05]), np.array([NAN]), nothing, 10.0)
    assert found.error_pc[0] == pytest.approx(sample.std(), rel=0.01)
