"""Training, validation and test: the part of a star depends on its number and the seed only."""

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.labels import LabelSettings

PARTS = ("training", "validation", "test")
"""Values of the column ``split``; a block of examples holds the place in this tuple."""

_GAMMA = np.uint64(0x9E3779B97F4A7C15)


def mix(value_B: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits of 64-bit numbers: one step of SplitMix64 from each as its state.

    Parameters
    ----------
    value_B : ndarray of uint64, (B,)
        States.

    Returns
    -------
    ndarray of uint64, (B,)
        Uniform over all 64-bit numbers; different for different states.

    Notes
    -----
    Steele, Lea & Flood 2014, OOPSLA, "Fast splittable pseudorandom number generators".
    """
    z = value_B + _GAMMA
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def uniform_number(source_B: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Give each star a uniform number from its source id and the seed alone.

    Parameters
    ----------
    source_B : ndarray of int64, (B,)
        Stars.
    seed : int
        Seed of the split.

    Returns
    -------
    ndarray of float64, (B,)
        In [0, 1).
    """
    seeded = mix(np.array([seed], np.uint64))
    return np.asarray((mix(source_B.view(np.uint64) ^ seeded) >> np.uint64(11)) * 2.0**-53)


def split(source_B: NDArray[np.int64], settings: LabelSettings) -> NDArray[np.str_]:
    """Put every star into a part.

    Stars that are added, dropped or labelled anew move no other star, and all spectra of a star
    are in one part. The label has no influence, so every label is split in the same proportions up
    to counting noise: a part of share f has f n +- sqrt(f (1 - f) n) of the n stars of a label.

    Parameters
    ----------
    source_B : ndarray of int64, (B,)
        Stars.
    settings : LabelSettings
        ``seed`` and the fractions.

    Returns
    -------
    ndarray of str, (B,)
        One of :data:`PARTS` each.
    """
    inner = np.cumsum([settings.training_fraction, settings.validation_fraction])
    return np.array(PARTS)[
        np.searchsorted(inner, uniform_number(source_B, settings.seed), side="right")
    ]
