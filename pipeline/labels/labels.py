"""Labels from the brightness above the ridge, and the weights of the sampler."""

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.labels import LabelSettings

SINGLE, BINARY, EXCLUDED = "single", "binary", "excluded"
LABELS = (SINGLE, BINARY, EXCLUDED)

StrArray = NDArray[np.str_]


def label_stars(
    delta_m_g_S: NDArray[np.float32], excluded_S: NDArray[np.bool_], settings: LabelSettings
) -> StrArray:
    """Label stars by their distance from the ridge; all limits are strict.

    Parameters
    ----------
    delta_m_g_S : ndarray of float32, (S,)
        M_G less the ridge in magnitudes, as it is stored; NaN where it is not known.
    excluded_S : ndarray of bool, (S,)
        Stars to exclude whatever their brightness.
    settings : LabelSettings
        The bands.

    Returns
    -------
    ndarray of str, (S,)
        ``single``, ``binary``, or ``excluded``: at a limit, outside of both bands, unknown.
    """
    s = settings
    single = (delta_m_g_S > s.single_min_mag) & (delta_m_g_S < s.single_max_mag)
    binary = (delta_m_g_S > s.binary_min_mag) & (delta_m_g_S < s.single_min_mag)
    label_S = np.where(single, SINGLE, np.where(binary, BINARY, EXCLUDED))
    return np.asarray(np.where(excluded_S, EXCLUDED, label_S))


def sampler_weights(
    label_B: StrArray, split_B: StrArray, binary_share: float
) -> NDArray[np.float32]:
    """Weights with which the sampler draws spectra, so that binaries have the wanted frequency.

    Parameters
    ----------
    label_B, split_B : ndarray of str, (B,)
        Label and part of each spectrum.
    binary_share : float
        Wanted share of binaries among the drawn spectra.

    Returns
    -------
    ndarray of float32, (B,)
        1 for singles of the training part, the same larger number for its binaries, else 0:
        validation and test are never oversampled.
    """
    training = split_B == "training"
    single, binary = training & (label_B == SINGLE), training & (label_B == BINARY)
    weight_B = single.astype(np.float32)
    if binary.any():
        ratio = single.sum() / binary.sum() * binary_share / (1 - binary_share)
        # Without singles there is no ratio.
        weight_B[binary] = ratio if single.any() else 1.0
    return np.asarray(weight_B)
