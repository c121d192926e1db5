"""The stars of one field: their masses, companions and distances."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.simulate import SurveySettings
from pipeline.settings.stars import PopulationSettings
from pipeline.stars.binary import Systems, build_systems
from pipeline.stars.isochrone import BANDS, IsochroneStars, main_sequence
from pipeline.stars.orbits import Orbits, draw_orbits

HOT_MASS, COOL_MASS = 1.45, 0.55
MASS_MIN, MASS_MAX = 0.35, 1.79
POOL = 8
"""Candidates per star, from which the magnitude limit selects."""

GIANT_TEFF_K = (4200.0, 5100.0)
GIANT_MASS = 1.2
SUN_LOGG, SUN_TEFF_K = 4.438, 5772.0
EW_PERIOD_DAY, EA_PERIOD_DAY = (0.25, 0.45), (0.6, 6.0)


@dataclass(frozen=True)
class Population:
    """The S stars (systems) of one field.

    Parameters
    ----------
    systems : Systems
        Masses, ages, labels, luminosities; giants have no companion.
    kind : ndarray of str, (S,)
        ``single``, ``pair`` or ``giant``.
    orbits : Orbits
        Of every system; meaningful for pairs.
    eclipsing : ndarray of str, (S,)
        ``EA``, ``EW`` or empty.
    distance_pc, e_bv, systemic_kms : ndarray of float64, (S,)
        Distance, reddening in magnitudes and velocity of the barycentre.
    """

    systems: Systems
    kind: NDArray[np.str_]
    orbits: Orbits
    eclipsing: NDArray[np.str_]
    distance_pc: NDArray[np.float64]
    e_bv: NDArray[np.float64]
    systemic_kms: NDArray[np.float64]


def blend_mag(systems: Systems) -> NDArray[np.float64]:
    """Absolute magnitudes of both stars together.

    Parameters
    ----------
    systems : Systems
        S systems.

    Returns
    -------
    ndarray of float64, (S, K)
        In ``BANDS``.
    """
    first = 10 ** (-0.4 * systems.primary.mag_BK)
    second = np.nan_to_num(10 ** (-0.4 * systems.secondary.mag_BK), nan=0.0)
    return np.asarray(-2.5 * np.log10(first + second))


def draw_population(
    rng: np.random.Generator, n: int, population: PopulationSettings, survey: SurveySettings
) -> Population:
    """Draw the stars of a field in a magnitude-limited survey.

    Candidates are drawn from the mass function, then chosen with weights proportional to the
    volume in which they are between the survey's magnitudes; so a pair is seen to larger distances
    than a single star, and is over-represented, as in real surveys.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    n : int
        Number of stars.
    population, survey : PopulationSettings, SurveySettings
        Priors.

    Returns
    -------
    Population
        n systems.
    """
    pool = _candidates(rng, POOL * n, population, survey)
    g_mag = blend_mag(pool)[:, BANDS.index("g_mag")]
    near, far = (10 ** (0.2 * (limit - g_mag) + 1) for limit in (survey.g_min, survey.g_max))
    power = survey.density_power
    volume = far**power - near**power
    giant, mass = np.isnan(pool.mass1_msun), pool.mass1_msun
    hot, cool = mass > HOT_MASS, mass < COOL_MASS
    wanted = (survey.giant_fraction, survey.hot_fraction, survey.cool_fraction)
    odds = np.zeros(len(mass))
    for group, share in zip(
        (giant, hot, cool, ~(giant | hot | cool)), (*wanted, 1 - sum(wanted)), strict=True
    ):
        weight = np.where(group, volume * _mass_function(mass), 0.0)
        odds += share * weight / max(weight.sum(), 1e-300)
    chosen = rng.choice(len(odds), size=n, replace=False, p=odds / odds.sum())
    systems = pool.take(chosen)
    near, far = near[chosen] ** power, far[chosen] ** power
    distance = (near + rng.random(n) * (far - near)) ** (1 / power)
    giant = giant[chosen]
    orbits, eclipsing = _orbits(rng, systems, population, survey)
    layer = 1 - np.exp(-distance / 1000)
    e_bv = survey.e_bv_mean * layer * np.exp(0.5 * rng.standard_normal(n))
    # Dust makes these stars fainter by a few tenths: real surveys have no sharp limit either.
    return Population(
        systems=systems,
        kind=np.where(giant, "giant", np.where(np.isfinite(systems.q), "pair", "single")),
        orbits=orbits,
        eclipsing=eclipsing,
        distance_pc=distance,
        e_bv=np.asarray(np.round(np.minimum(e_bv, 1.5), 4), dtype=np.float64),
        systemic_kms=rng.normal(0.0, population.systemic_sigma_kms, n),
    )


def _mass_function(mass: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kroupa (2001): dN/dm as m^-1.3 below half a solar mass, m^-2.3 above; giants 1."""
    value = np.where(mass < 0.5, (mass / 0.5) ** -1.3, (mass / 0.5) ** -2.3)
    return np.nan_to_num(value, nan=1.0)


def _candidates(
    rng: np.random.Generator, n: int, population: PopulationSettings, survey: SurveySettings
) -> Systems:
    """Candidates uniform in mass; the mass function enters as a weight."""
    log_age = rng.uniform(population.log_age_min, population.log_age_max, n)
    mh = np.clip(rng.normal(population.mh_mean, population.mh_sigma, n), -1.2, 0.3)
    mass = rng.uniform(MASS_MIN, MASS_MAX, n)
    extra = rng.random(n)
    mass = np.where(extra < 0.08, rng.uniform(HOT_MASS, MASS_MAX, n), mass)
    log_age = np.where(mass > HOT_MASS, np.minimum(log_age, 9.0), log_age)
    pair = rng.random(n) < population.binary_fraction
    q = np.where(pair, rng.uniform(population.q_min, 1.0, n), np.nan)
    dwarfs = build_systems(mass, q, log_age, mh)
    usable = dwarfs.primary.valid & (dwarfs.primary.teff_k < 9500)
    dwarfs = dwarfs.take(np.flatnonzero(usable))
    if survey.giant_fraction == 0:
        return dwarfs
    return _join(dwarfs, _giants(rng, max(n // 8, 1), population))


def _giants(rng: np.random.Generator, n: int, population: PopulationSettings) -> Systems:
    """Red giants on one sloping branch, with the colours of dwarfs of their temperature.

    log g falls from 3.3 at 5100 K to 1.6 at 4200 K, with scatter; R from log g and 1.2 solar
    masses. Approximate, but from the one spectral model that the dwarfs have. [assumed]
    """
    teff = rng.uniform(*GIANT_TEFF_K, n)
    logg = np.clip(1.6 + 1.7 * (teff - 4200) / 900 + rng.normal(0, 0.15, n), 1.2, 3.5)
    log_l = np.log10(GIANT_MASS) + 4 * np.log10(teff / SUN_TEFF_K) + SUN_LOGG - logg
    mass = np.linspace(0.5, 0.95, 200)
    track = main_sequence(mass, np.full(200, 9.2), np.zeros(200))
    dwarf_l = np.interp(teff, track.teff_k, track.log_l)
    mag_BK = np.stack([np.interp(teff, track.teff_k, band) for band in track.mag_BK.T], axis=1)
    mag_BK -= 2.5 * (log_l - dwarf_l)[:, None]
    nan = np.full(n, np.nan)
    none = main_sequence(np.full(n, -1.0), np.full(n, 9.0), np.zeros(n))
    mh = np.clip(rng.normal(population.mh_mean - 0.1, population.mh_sigma, n), -1.2, 0.3)
    stars = IsochroneStars(teff, logg, log_l, mag_BK, np.ones(n, dtype=bool))
    return Systems(nan, np.full(n, 9.5), mh, nan, stars, none)


def _join(first: Systems, second: Systems) -> Systems:
    def stars(a: IsochroneStars, b: IsochroneStars) -> IsochroneStars:
        return IsochroneStars(
            np.concatenate([a.teff_k, b.teff_k]),
            np.concatenate([a.logg, b.logg]),
            np.concatenate([a.log_l, b.log_l]),
            np.concatenate([a.mag_BK, b.mag_BK]),
            np.concatenate([a.valid, b.valid]),
        )

    return Systems(
        np.concatenate([first.mass1_msun, second.mass1_msun]),
        np.concatenate([first.log_age, second.log_age]),
        np.concatenate([first.mh, second.mh]),
        np.concatenate([first.q, second.q]),
        stars(first.primary, second.primary),
        stars(first.secondary, second.secondary),
    )


def _orbits(
    rng: np.random.Generator,
    systems: Systems,
    population: PopulationSettings,
    survey: SurveySettings,
) -> tuple[Orbits, NDArray[np.str_]]:
    """Orbits of all, a few of them put into eclipse."""
    mass1 = np.nan_to_num(systems.mass1_msun, nan=GIANT_MASS)
    mass2 = np.nan_to_num(systems.q, nan=0.0) * mass1
    drawn = draw_orbits(rng, mass1, mass2, population)
    n = len(mass1)
    pair = systems.secondary.valid
    uniform = rng.random(n)
    chance = survey.eclipsing_fraction / max(float(pair.mean()), 1e-9)
    contact = pair & (uniform < 0.5 * chance) & (systems.q > 0.3)
    detached = pair & (uniform >= 0.5 * chance) & (uniform < chance)
    eclipsing = contact | detached
    period = np.where(
        contact,
        rng.uniform(*EW_PERIOD_DAY, n),
        np.where(detached, rng.uniform(*EA_PERIOD_DAY, n), drawn.period_day),
    )
    orbits = Orbits(
        period_day=period,
        eccentricity=np.where(eclipsing, 0.0, drawn.eccentricity),
        periastron_rad=drawn.periastron_rad,
        phase=drawn.phase,
        cos_i=np.where(eclipsing, 0.1 * rng.random(n), drawn.cos_i),
        mass1_msun=mass1,
        mass2_msun=mass2,
    )
    return orbits, np.where(contact, "EW", np.where(detached, "EA", ""))
