"""Couples of composites: network input of both classes that differs in the second star alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.composites.exposure import Exposed, exposure, mean_snr, relative_variance
from pipeline.composites.pairing import Couples
from pipeline.composites.pool import Pool
from pipeline.composites.sums import Light, Stored, masked, star_light, summed
from pipeline.composites.variation import Variation, varied_light
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

    Parameters
    ----------
    flux_BL : ndarray of float16, (B, L)
        Normalised flux (continuum = 1), as the network reads it.
    label_B : ndarray of int8, (B,)
        0 for twins, 1 for unequal pairs.
    star_B, star2_B : ndarray of int64, (B,)
        Both stars.
    truth : dict of str to ndarray of float64, (B,)
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
    change: Variation | None = None,
) -> Composites:
    """Add up both pairs of each couple and bring them to the same noise.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    pool : Pool
        The stars.
    stored : Stored
        Their spectra.
    couples : Couples
        Rows of the pool.
    settings, population, spectra : CompositeSettings, PopulationSettings, SpectraSettings
        Scaling and noise; orbits; grid and continuum.
    change : Variation, optional
        Makes new stars of those of the pool, row by row.

    Returns
    -------
    Composites
        Without the couples whose united mask is too large, or whose sums do not reach the lowest
        S/N.
    """
    primary, seconds_2D = couples.primary_D, (couples.twin_D, couples.companion_D)
    orbits = draw_orbits(
        rng, pool.mass_msun[primary], pool.mass_msun[couples.companion_D], population
    )
    apart_D = np.subtract(*velocities(orbits, 0.0).T)
    apart_2D = (apart_D if settings.twin_velocity == "same" else 0 * apart_D, apart_D)
    pairs = [
        pair_light(pool, stored, primary, second, apart, settings, spectra, change)
        for second, apart in zip(seconds_2D, apart_2D, strict=True)
    ]
    bad_DL = pairs[TWINS].bad_BL | pairs[UNEQUAL].bad_BL
    pairs = [masked(pair, bad_DL) for pair in pairs]
    own_DL = np.maximum(*(relative_variance(pair, spectra) for pair in pairs))
    reached_D = mean_snr(own_DL, bad_DL, spectra)
    highest_D = np.minimum(settings.snr_max, settings.snr_share * reached_D)
    bright_D = highest_D > settings.snr_min
    low, high_D = np.log(settings.snr_min), np.log(np.where(bright_D, highest_D, settings.snr_max))
    snr_D = np.exp(low + rng.random(len(primary)) * (high_D - low))
    wanted_DL = own_DL * ((reached_D / snr_D) ** 2)[:, None].astype(np.float32)
    exposed = [exposure(pair, wanted_DL, rng, spectra) for pair in pairs]
    bad_DL = exposed[TWINS].bad_BL | exposed[UNEQUAL].bad_BL
    fraction_D = np.asarray(bad_fraction(bad_DL), np.float64)
    usable = np.flatnonzero(bright_D & (fraction_D <= spectra.max_bad_fraction))
    columns = {
        "snr_g": snr_D,
        "teff_k": pool.teff_k[primary],
        "logg": pool.logg[primary],
        "feh": pool.feh[primary],
        "mass1_msun": pool.mass_msun[primary],
        "bad_fraction": fraction_D,
    }
    truth = {name: np.repeat(column[usable], 2) for name, column in columns.items()}
    q_D2 = np.stack([pool.mass_msun[s] / pool.mass_msun[primary] for s in seconds_2D], axis=1)
    truth["mass_ratio"] = q_D2[usable].ravel()
    label_B = np.tile(np.array([TWINS, UNEQUAL], np.int8), len(usable))
    truth["q"] = np.where(label_B == UNEQUAL, truth["mass_ratio"], np.nan)
    second_B = np.stack(seconds_2D, axis=1)[usable].ravel()
    truth["teff2_k"] = pool.teff_k[second_B]
    truth["velocity_difference_kms"] = np.stack(apart_2D, axis=1)[usable].ravel()
    return Composites(
        _interleaved(exposed, bad_DL)[np.repeat(usable, 2) * 2 + label_B],
        label_B,
        np.repeat(pool.star[primary[usable]], 2),
        pool.star[second_B],
        truth,
    )


def pair_light(
    pool: Pool,
    stored: Stored,
    primary_D: NDArray[np.int64],
    second_D: NDArray[np.int64],
    apart_kms_D: FloatArray,
    settings: CompositeSettings,
    spectra: SpectraSettings,
    change: Variation | None = None,
) -> Light:
    """Sum two stars whose mean velocity, weighted by light, is what a catalogue would give.

    Parameters
    ----------
    pool, stored : Pool, Stored
        The stars, and their spectra.
    primary_D, second_D : ndarray of int64, (D,)
        Rows of both.
    apart_kms_D : ndarray of float64, (D,)
        Velocity of the primary less that of the second star.
    settings, spectra : CompositeSettings, SpectraSettings
        Scaling; grid and frame.
    change : Variation, optional
        Makes new stars of those of the pool, row by row.

    Returns
    -------
    Light
        D pairs, with the noise of both spectra.
    """
    light = [10 ** (-0.4 * pool.m_g[rows]) for rows in (primary_D, second_D)]
    share_D = light[1] / (light[0] + light[1])
    observed = spectra.frame == "observed"
    frame_D = pool.rv_kms[primary_D] if observed else np.zeros(len(primary_D))
    stars = (
        (primary_D, frame_D + apart_kms_D * share_D),
        (second_D, frame_D + apart_kms_D * (share_D - 1)),
    )
    return summed(
        *(
            star_light(stored.take(rows), velocity_D, pool.m_g[rows], settings, spectra)
            if change is None
            else varied_light(
                stored.take(rows), velocity_D, pool.m_g[rows], change.take(rows), settings, spectra
            )
            for rows, velocity_D in stars
        )
    )


def _interleaved(exposed: list[Exposed], bad_DL: NDArray[np.bool_]) -> NDArray[np.float16]:
    flux_D2L = np.stack([np.where(bad_DL, np.float32(1), e.flux_BL) for e in exposed], axis=1)
    # Steps of float16 near 1 are below 0.001, a tenth of the noise of the best composites.
    return flux_D2L.reshape(-1, bad_DL.shape[1]).astype(np.float16)
