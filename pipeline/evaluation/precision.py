"""Which share of the stars classified as binaries are binaries, for any mix of the two."""

import numpy as np


def precision_from_rates(tpr: float, fpr: float, ratio: float) -> float:
    """Precision in a population of `ratio` binaries per single: TPR / (TPR + FPR / r) [derived].

    The same as N_TP / (N_TP + N_FP (N_b / N_s) / r) [paper], with the numbers of the test part.

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
