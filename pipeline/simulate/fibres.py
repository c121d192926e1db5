"""The wavelength grids and resolving powers of the survey's fibres."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.simulate import InstrumentSettings

N_PIXEL = 3909
"""Longest LAMOST spectrum; shorter ones are padded with flux 0 and ivar 0."""

STEP = 1e-4
"""Step of the survey's grid in log10 wavelength."""

LENGTHS = ((3909, 0.720), (3904, 0.077), (3906, 0.067), (3908, 0.036), (3902, 0.030),
           (3903, 0.024), (3820, 0.018), (3892, 0.012), (3890, 0.009), (3748, 0.004),
           (3901, 0.003))  # fmt: skip
"""Number of pixels and how often. [source: 1,336 public LAMOST files]"""

FIRST = 3.5682
"""log10 of the first wavelength of nearly all spectra."""


@dataclass(frozen=True)
class Fibres:
    """The grid and the resolving power of B spectra.

    Parameters
    ----------
    log10_first_B : ndarray of float64, (B,)
        log10 of the first vacuum wavelength in Angstrom.
    n_pixel_B : ndarray of int64, (B,)
        Number of pixels.
    resolution_B : ndarray of float64, (B,)
        Resolving power.
    """

    log10_first_B: NDArray[np.float64]
    n_pixel_B: NDArray[np.int64]
    resolution_B: NDArray[np.float64]


def draw_fibres(rng: np.random.Generator, n: int, settings: InstrumentSettings) -> Fibres:
    """Draw lengths, starts and resolving powers as they occur in the survey.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    n : int
        Number of spectra.
    settings : InstrumentSettings
        Range of the resolving power.

    Returns
    -------
    Fibres
        Of n spectra.
    """
    length, share = np.array(LENGTHS).T
    n_pixel = rng.choice(length.astype(np.int64), size=n, p=share / share.sum())
    return Fibres(
        log10_first_B=np.where(n_pixel == 3820, np.log10(3700.0), FIRST),
        n_pixel_B=n_pixel,
        resolution_B=rng.uniform(settings.resolution_min, settings.resolution_max, n),
    )
