"""Keplerian orbits: periods, elements and velocities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.settings.stars import PopulationSettings

K_KMS = 212.9137
"""(2 pi G Msun / day)^(1/3) in km/s."""

PERIOD_MIN_DAY, PERIOD_MAX_DAY = 0.3, 1e8
CIRCULAR_BELOW_DAY = 10.0
ECCENTRICITY_MAX = 0.85


@dataclass(frozen=True)
class Orbits:
    """Orbits of B pairs.

    Parameters
    ----------
    period_day, eccentricity, periastron_rad, phase, cos_i : ndarray of float64, (B,)
        Elements; ``phase`` is the mean anomaly over 2 pi at time zero and ``periastron_rad`` the
        argument of the primary's periastron.
    mass1_msun, mass2_msun : ndarray of float64, (B,)
        Masses (Sun = 1).
    """

    period_day: NDArray[np.float64]
    eccentricity: NDArray[np.float64]
    periastron_rad: NDArray[np.float64]
    phase: NDArray[np.float64]
    cos_i: NDArray[np.float64]
    mass1_msun: NDArray[np.float64]
    mass2_msun: NDArray[np.float64]


def eccentric_anomaly(mean_rad: ArrayLike, eccentricity: ArrayLike) -> NDArray[np.float64]:
    """Solve Kepler's equation E - e sin E = M.

    Parameters
    ----------
    mean_rad : array_like, (B,)
        Mean anomaly M in radians.
    eccentricity : array_like, (B,)
        Eccentricity, 0 <= e < 1.

    Returns
    -------
    ndarray of float64, (B,)
        Eccentric anomaly E in radians, -pi .. pi.

    Notes
    -----
    Newton steps from E = M + 0.85 e sign(sin M) (Danby 1987); the fixed number of steps leaves
    1e-12 for e < 0.95.
    """
    mean = np.mod(np.asarray(mean_rad, dtype=np.float64) + np.pi, 2 * np.pi) - np.pi
    e = np.asarray(eccentricity, dtype=np.float64)
    anomaly = mean + 0.85 * e * np.sign(np.sin(mean))
    for _ in range(12):
        anomaly = anomaly - (anomaly - e * np.sin(anomaly) - mean) / (1 - e * np.cos(anomaly))
    return np.asarray(anomaly)


def draw_orbits(
    rng: np.random.Generator,
    mass1_msun: NDArray[np.float64],
    mass2_msun: NDArray[np.float64],
    settings: PopulationSettings,
) -> Orbits:
    """Draw orbits: log-normal periods, flat eccentricities, random orientation.

    Periods below 10 days are circular; longer ones have eccentricities uniform to 0.85.
    [source: Raghavan et al. 2010, ApJS 190, 1]

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    mass1_msun, mass2_msun : ndarray of float64, (B,)
        Masses of both stars (Sun = 1).
    settings : PopulationSettings
        Mean and scatter of log10 period in days.

    Returns
    -------
    Orbits
        B orbits.
    """
    n = len(mass1_msun)
    log_period = rng.normal(settings.log_period_mean, settings.log_period_sigma, n)
    span = np.log10(PERIOD_MAX_DAY / PERIOD_MIN_DAY)
    outside = (10**log_period < PERIOD_MIN_DAY) | (10**log_period > PERIOD_MAX_DAY)
    log_period = np.where(outside, np.log10(PERIOD_MIN_DAY) + span * rng.random(n), log_period)
    period = 10**log_period
    eccentricity = np.where(period < CIRCULAR_BELOW_DAY, 0.0, ECCENTRICITY_MAX * rng.random(n))
    return Orbits(
        period_day=period,
        eccentricity=eccentricity,
        periastron_rad=2 * np.pi * rng.random(n),
        phase=rng.random(n),
        cos_i=rng.random(n),
        mass1_msun=np.asarray(mass1_msun, dtype=np.float64),
        mass2_msun=np.asarray(mass2_msun, dtype=np.float64),
    )


def velocities(orbits: Orbits, time_day: ArrayLike) -> NDArray[np.float64]:
    """Velocities of both stars about their barycentre.

    Parameters
    ----------
    orbits : Orbits
        B orbits.
    time_day : array_like, (B,) or a scalar
        Time of each observation in days.

    Returns
    -------
    ndarray of float64, (B, 2)
        In km/s; the two are opposed and inversely proportional to the masses.

    Notes
    -----
    Semi-amplitude of the relative orbit: K = (2 pi G M / P)^(1/3) sin i / sqrt(1 - e^2), with M the
    sum of the masses; the velocity is K (cos(nu + omega) + e cos omega), with nu the true anomaly.
    """
    e = orbits.eccentricity
    mean = 2 * np.pi * (np.asarray(time_day) / orbits.period_day + orbits.phase)
    anomaly = eccentric_anomaly(mean, e)
    true = 2 * np.arctan2(
        np.sqrt(1 + e) * np.sin(anomaly / 2), np.sqrt(1 - e) * np.cos(anomaly / 2)
    )
    total = orbits.mass1_msun + orbits.mass2_msun
    sin_i = np.sqrt(1 - orbits.cos_i**2)
    relative = K_KMS * (total / orbits.period_day) ** (1 / 3) * sin_i / np.sqrt(1 - e**2)
    shape = np.cos(true + orbits.periastron_rad) + e * np.cos(orbits.periastron_rad)
    speed = relative * shape
    return np.stack([speed * orbits.mass2_msun / total, -speed * orbits.mass1_msun / total], axis=1)
