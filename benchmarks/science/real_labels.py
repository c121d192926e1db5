"""Teff and [Fe/H] of real dwarfs from their spectra by one model, and whether two stars fit better.

The model is that of ``pipeline.pairfit``: each star is judged by a model of other stars.
"""

from dataclasses import dataclass, replace

import numpy as np
from real_folds import Stars

from pipeline.composites.pool import Pool
from pipeline.pairfit.fit import judged
from pipeline.pairfit.grid import label_grid
from pipeline.pairfit.spectra import singles_of
from pipeline.settings.load import Settings
from pipeline.stars.dwarf_mass import dwarf_mass


@dataclass(frozen=True)
class Found:
    """What the spectra of a pool say.

    Parameters
    ----------
    pool : Pool
        With labels, masses and M_G from the spectra; one of each star.
    gain_B : ndarray, (B,)
        chi^2 of the best single star less that of the best pair; the largest of the star.
    """

    pool: Pool
    gain_B: np.ndarray


def relabelled(stars: Stars, settings: Settings) -> Found:
    """Derive labels of every star by a model of other stars."""
    composites, pool = settings.composites, stars.pool
    singles = singles_of(pool, stars.stored, composites, settings.spectra)
    seen, gain_B = judged(singles, label_grid(singles.wave_L, composites.log_age))
    mass, m_g = dwarf_mass(seen.teff_k_B, seen.feh_B, composites.log_age)
    known = np.isfinite(mass)
    pool = replace(
        pool, teff_k=np.where(known, seen.teff_k_B, pool.teff_k),
        feh=np.where(known, seen.feh_B, pool.feh),
        mass_msun=np.where(known, mass, pool.mass_msun), m_g=np.where(known, m_g, pool.m_g),
    )  # fmt: skip
    return Found(pool, gain_B)
