"""Which share of the stars classified as binaries are binaries, for any mix of the two."""

import numpy as np


def precision_from_counts(
    true_positives: float, false_positives: float, binaries: float, singles: float, ratio: float
) -> float:
    """Precision in a population of `ratio` binaries per single, from counts in the test part.

    N_TP / (N_TP + N_FP (N_b / N_s) / r) [paper].

    Parameters
    ----------
    true_positives, false_positives : float
        Binaries and singles of the test part that are classified as binaries.
    binaries, singles : float
        All of both, N_b and N_s.
    ratio : float
        Binaries over singles of the population, r.

    Returns
    -------
    float
        NaN where nothing is classified as a binary.
    """
    called = true_positives + false_positives * (binaries / singles) / ratio
    return true_positives / called if called else np.nan


def precision_from_rates(tpr: float, fpr: float, ratio: float) -> float:
    """Return the same from rates: TPR / (TPR + FPR / r) [derived].

    Parameters
    ----------
    tpr, fpr : float
        Share of the binaries and of the singles that are classified as binaries.
    ratio : float
        Binaries over singles of the population, r.

    Returns
    -------
    float
        NaN where nothing is classified as a binary.
    """
    called = tpr + fpr / ratio
    return tpr / called if called else np.nan
