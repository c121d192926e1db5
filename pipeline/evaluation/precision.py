"""How many of those called binaries are binaries, for any mix of the two."""

import numpy as np


def precision_from_counts(
    true_positives: float, false_positives: float, binaries: float, singles: float, ratio: float
) -> float:
    """Precision in a population of `ratio` binaries a single, from counts in the test part.

    N_TP / (N_TP + N_FP (N_b / N_s) / r) [paper].

    Parameters
    ----------
    true_positives, false_positives
        Binaries and singles of the test part that are called binaries.
    binaries, singles
        All of both, N_b and N_s.
    ratio
        Binaries over singles of the population, r.

    Returns
    -------
    float
        NaN where nothing is called a binary.
    """
    called = true_positives + false_positives * (binaries / singles) / ratio
    return true_positives / called if called else np.nan


def precision_from_rates(tpr: float, fpr: float, ratio: float) -> float:
    """Return the same from rates: TPR / (TPR + FPR / r) [derived].

    Parameters
    ----------
    tpr, fpr
        Share of the binaries and of the singles that are called binaries.
    ratio
        Binaries over singles of the population, r.

    Returns
    -------
    float
        NaN where nothing is called a binary.
    """
    called = tpr + fpr / ratio
    return tpr / called if called else np.nan
