"""Spectra of single stars in the rest frame, as the model learns from them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.composites.block import read_stored
from pipeline.composites.mean_spectrum import spectra_at_rest
from pipeline.composites.pool import Pool, read_pool
from pipeline.composites.sums import Stored
from pipeline.core.root import Root
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from schemas.composites import COMPOSITE_POOL

FEWEST, MOST = 100, 2048
"""Stars that are needed, and spectra, drawn at random, that are learned from."""


@dataclass(frozen=True)
class Singles:
    """B spectra of single stars.

    Parameters
    ----------
    flux_BL : ndarray of float32, (B, L)
        Normalised flux less 1 in the rest frame; 0 at bad pixels.
    variance_BL : ndarray of float32, (B, L)
        Its variance; infinite at bad pixels.
    teff_k_B, feh_B : ndarray of float64, (B,)
        Labels.
    star_B : ndarray of int64, (B,)
        Number of the star.
    wave_L : ndarray of float64, (L,)
        Wavelengths in Angstrom.
    """

    flux_BL: NDArray[np.float32]
    variance_BL: NDArray[np.float32]
    teff_k_B: NDArray[np.float64]
    feh_B: NDArray[np.float64]
    star_B: NDArray[np.int64]
    wave_L: NDArray[np.float64]

    def __len__(self) -> int:
        """Count the spectra."""
        return len(self.star_B)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Singles":
        """Return some of the spectra."""
        return Singles(
            self.flux_BL[rows],
            self.variance_BL[rows],
            self.teff_k_B[rows],
            self.feh_B[rows],
            self.star_B[rows],
            self.wave_L,
        )


def singles_of(
    pool: Pool, stored: Stored, settings: CompositeSettings, spectra: SpectraSettings
) -> Singles:
    """Normalise the spectra of a pool at rest.

    Parameters
    ----------
    pool, stored : Pool, Stored
        The stars and their spectra.
    settings, spectra : CompositeSettings, SpectraSettings
        Window of the light; grid and continuum.
    """
    wave_L = WaveGrid.from_settings(spectra).wave_L
    flux_BL, variance_BL = (np.empty((len(pool), wave_L.size), np.float32) for _ in range(2))
    for some in spectra_at_rest(pool, stored, settings, spectra):
        flux_BL[some.rows] = np.where(some.bad_BL, 0, some.flux_BL)
        variance_BL[some.rows] = np.where(some.bad_BL, np.inf, some.noise_BL)
    return Singles(flux_BL, variance_BL, pool.teff_k, pool.feh, pool.star, wave_L)


def read_singles(
    root: Root, settings: CompositeSettings, spectra: SpectraSettings
) -> Singles | None:
    """Read spectra of the training part of the pool of composites.

    Parameters
    ----------
    root : Root
        Root of the run.
    settings, spectra : CompositeSettings, SpectraSettings
        Window of the light and seed; grid and continuum.

    Returns
    -------
    Singles, optional
        None from fewer than `FEWEST` stars.
    """
    pool = read_pool(root.path / COMPOSITE_POOL.location, "training")
    if np.unique(pool.star).size < FEWEST:
        return None
    if len(pool) > MOST:
        rng = np.random.default_rng(settings.seed)
        pool = pool.take(np.sort(rng.choice(len(pool), MOST, replace=False)))
    return singles_of(pool, read_stored(root, pool.row, pool.rv_kms), settings, spectra)
