"""Couples of composites: network input of both classes that differs in the second star alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.composites.pairing import Couples
from pipeline.composites.pool import Pool
from pipeline.composites.sums import (
    Exposed,
    Light,
    Stored,
    exposure,
    masked,
    mean_snr,
    relative_variance,
    star_light,
    summed,
)
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.stars import PopulationSettings
from pipeline.spectra.masking import bad_fraction
from pipeline.stars.orbits import draw_orbits, velocities

FloatArray = NDArray[np.float64]

TWINS, UNEQUAL = 0, 1


@dataclass(frozen=True)
class Composites:
    """B composites of both classes; the two of a couple follow each other.

    Attributes
    ----------
    flux_BL : numpy.ndarray of float16
        Normalised flux, as the network reads it.
    label_B : numpy.ndarray of int8
        0 for twins, 1 for unequal pairs.
    star_B, star2_B : numpy.ndarray of int64
        Both stars.
    truth : dict of str to numpy.ndarray
        ``snr_g``, ``teff_k``, ``logg``, ``feh``, ``mass1_msun`` of the primary, ``q`` (NaN for
        twins), ``mass_ratio``, ``teff2_k``, ``velocity_difference_kms``, ``bad_fraction``.
    """

    flux_BL: NDArray[np.float16]
    label_B: NDArray[np.int8]
    star_B: NDArray[np.int64]
    star2_B: NDArray[np.int64]
    truth: dict[str, FloatArray]

    def __len__(self) -> int:
        """Count the spectra."""
        return len(self.label_B)


def expose_couples(
    rng: np.random.Generator,
    pool: Pool,
    stored: Stored,
    couples: Couples,
    settings: CompositeSettings,
    population: PopulationSettings,
    spectra: SpectraSettings,
) -> Composites:
    """Add up both pairs of each couple and bring them to one noise.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    pool : Pool
        What is known of the P stars.
    stored : Stored
        Their spectra.
    couples : Couples
        Rows of the pool.
    settings, population, spectra
        Scaling and noise; orbits; grid and continuum.

    Returns
    -------
    Composites
        Without the couples whose united mask is too large, or whose sums don't reach the lowest
        S/N.
    """
    primary, seconds_2C = couples.primary_C, (couples.twin_C, couples.companion_C)
    orbits = draw_orbits(
        rng, pool.mass_msun[primary], pool.mass_msun[couples.companion_C], population
    )
    apart_C = np.subtract(*velocities(orbits, 0.0).T)
    apart_2C = (apart_C if settings.twin_velocity == "same" else 0 * apart_C, apart_C)
    pairs = [
        pair_light(pool, stored, primary, second, apart, settings, spectra)
        for second, apart in zip(seconds_2C, apart_2C, strict=True)
    ]
    bad_CL = pairs[TWINS].bad_BL | pairs[UNEQUAL].bad_BL
    pairs = [masked(pair, bad_CL) for pair in pairs]
    own_CL = np.maximum(*(relative_variance(pair, spectra) for pair in pairs))
    reached_C = mean_snr(own_CL, bad_CL, spectra)
    highest_C = np.minimum(settings.snr_max, settings.snr_share * reached_C)
    bright_C = highest_C > settings.snr_min
    low, high_C = np.log(settings.snr_min), np.log(np.where(bright_C, highest_C, settings.snr_max))
    snr_C = np.exp(low + rng.random(len(primary)) * (high_C - low))
    wanted_CL = own_CL * ((reached_C / snr_C) ** 2)[:, None].astype(np.float32)
    exposed = [exposure(pair, wanted_CL, rng, spectra) for pair in pairs]
    bad_CL = exposed[TWINS].bad_BL | exposed[UNEQUAL].bad_BL
    fraction_C = np.asarray(bad_fraction(bad_CL), np.float64)
    usable = np.flatnonzero(bright_C & (fraction_C <= spectra.max_bad_fraction))
    columns = {
        "snr_g": snr_C,
        "teff_k": pool.teff_k[primary],
        "logg": pool.logg[primary],
        "feh": pool.feh[primary],
        "mass1_msun": pool.mass_msun[primary],
        "bad_fraction": fraction_C,
    }
    truth = {name: np.repeat(column[usable], 2) for name, column in columns.items()}
    q_C2 = np.stack([pool.mass_msun[s] / pool.mass_msun[primary] for s in seconds_2C], axis=1)
    truth["mass_ratio"] = q_C2[usable].ravel()
    label_B = np.tile(np.array([TWINS, UNEQUAL], np.int8), len(usable))
    truth["q"] = np.where(label_B == UNEQUAL, truth["mass_ratio"], np.nan)
    second_B = np.stack(seconds_2C, axis=1)[usable].ravel()
    truth["teff2_k"] = pool.teff_k[second_B]
    truth["velocity_difference_kms"] = np.stack(apart_2C, axis=1)[usable].ravel()
    return Composites(
        _interleaved(exposed, bad_CL)[np.repeat(usable, 2) * 2 + label_B],
        label_B,
        np.repeat(pool.star[primary[usable]], 2),
        pool.star[second_B],
        truth,
    )


def pair_light(
    pool: Pool,
    stored: Stored,
    primary_C: NDArray[np.int64],
    second_C: NDArray[np.int64],
    apart_kms_C: FloatArray,
    settings: CompositeSettings,
    spectra: SpectraSettings,
) -> Light:
    """Sum two stars whose mean velocity, weighted by light, is what a catalogue would give.

    Parameters
    ----------
    pool, stored : Pool, Stored
        What is known of the P stars, and their spectra.
    primary_C, second_C : numpy.ndarray of int64, (C,)
        Rows of both.
    apart_kms_C : numpy.ndarray, (C,)
        Velocity of the primary less that of the second star.
    settings, spectra
        Scaling; grid and frame.

    Returns
    -------
    Light
        C pairs, with the noise of both spectra.
    """
    light = [10 ** (-0.4 * pool.m_g[rows]) for rows in (primary_C, second_C)]
    share_C = light[1] / (light[0] + light[1])
    observed = spectra.frame == "observed"
    frame_C = pool.rv_kms[primary_C] if observed else np.zeros(len(primary_C))
    return summed(
        *(
            star_light(stored.take(rows), frame_C + offset, pool.m_g[rows], settings, spectra)
            for rows, offset in (
                (primary_C, apart_kms_C * share_C),
                (second_C, apart_kms_C * (share_C - 1)),
            )
        )
    )


def _interleaved(exposed: list[Exposed], bad_CL: NDArray[np.bool_]) -> NDArray[np.float16]:
    flux_C2L = np.stack([np.where(bad_CL, np.float32(1), e.flux_BL) for e in exposed], axis=1)
    # Steps of float16 near 1 are below 0.001, a tenth of the noise of the best composites.
    return flux_C2L.reshape(-1, bad_CL.shape[1]).astype(np.float16)
