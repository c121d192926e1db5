import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.settings.stars import PopulationSettings
from pipeline.stars.orbits import Orbits, draw_orbits, eccentric_anomaly, velocities

YEAR_DAY = 365.25


def orbit(**changes):
    values = {
        "period_day": 10.0, "eccentricity": 0.0, "periastron_rad": 0.0, "phase": 0.0,
        "cos_i": 0.0, "mass1_msun": 1.0, "mass2_msun": 0.5,
    } | changes  # fmt: skip
    return Orbits(**{name: np.array([value]) for name, value in values.items()})


@given(st.floats(-50, 50), st.floats(0, 0.95))
def test_kepler_equation_holds(mean, eccentricity):
    anomaly = eccentric_anomaly(mean, eccentricity)
    residual = anomaly - eccentricity * np.sin(anomaly) - mean
    assert abs(np.sin(residual / 2)) < 1e-10


def test_circular_orbit_is_a_cosine():
    time = np.linspace(0, 10, 41)
    speed = velocities(orbit(), time)[:, 0]
    amplitude = speed[0]
    np.testing.assert_allclose(speed, amplitude * np.cos(2 * np.pi * time / 10), atol=1e-9)


def test_the_earth_moves_the_sun_by_nine_centimetres_a_second():
    earth = orbit(period_day=YEAR_DAY, mass2_msun=3.0035e-6)
    assert velocities(earth, 0.0)[0, 0] == pytest.approx(8.95e-5, rel=2e-3)
    assert velocities(earth, 0.0)[0, 1] == pytest.approx(-29.79, rel=2e-3)


def test_eccentric_extremes_match_the_closed_form():
    e, omega = 0.6, 0.7
    pair = orbit(eccentricity=e, periastron_rad=omega, cos_i=0.3, period_day=100.0)
    speed = velocities(pair, np.linspace(0, 100, 20001))[:, 0]
    total, ratio = 1.5, 0.5 / 1.5
    semi_au = (total * (100 / YEAR_DAY) ** 2) ** (1 / 3)
    k1 = 29.7847 * (semi_au / (100 / YEAR_DAY)) * ratio * np.sqrt(1 - 0.09) / np.sqrt(1 - e**2)
    assert speed.max() == pytest.approx(k1 * (1 + e * np.cos(omega)), rel=1e-4)
    assert speed.min() == pytest.approx(k1 * (-1 + e * np.cos(omega)), rel=1e-4)


def test_momentum_is_conserved():
    rng = np.random.default_rng(3)
    mass1, mass2 = rng.uniform(0.5, 1.2, (2, 200))
    pairs = draw_orbits(rng, mass1, mass2, PopulationSettings())
    speed = velocities(pairs, rng.uniform(0, 3000, 200))
    np.testing.assert_allclose(mass1 * speed[:, 0], -mass2 * speed[:, 1], rtol=1e-10)


def test_periods_are_log_normal():
    rng = np.random.default_rng(4)
    pairs = draw_orbits(rng, np.ones(20000), np.ones(20000), PopulationSettings())
    log_period = np.log10(pairs.period_day)
    assert np.median(log_period) == pytest.approx(4.75, abs=0.3)
    assert np.all(pairs.eccentricity[pairs.period_day < 10] == 0)
    assert np.all((pairs.period_day >= 0.3) & (pairs.period_day <= 1e8))
