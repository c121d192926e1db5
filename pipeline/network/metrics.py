"""How well a score parts the two classes."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata


def auc(score_B: ArrayLike, label_B: ArrayLike) -> float:
    """Area under the ROC curve, from ranks (the Mann-Whitney U statistic).

    Parameters
    ----------
    score_B
        Any score that grows with the probability of the class 1; ties count half.
    label_B
        True class, 0 or 1.

    Returns
    -------
    float
        Probability that a random member of class 1 has a higher score than one of class 0.

    Raises
    ------
    ValueError
        When a score is NaN, or one of the classes is missing.
    """
    score_B, positive_B = np.asarray(score_B), np.asarray(label_B) == 1
    n1 = int(np.count_nonzero(positive_B))
    n0 = len(positive_B) - n1
    if n0 == 0 or n1 == 0:
        raise ValueError(f"an AUC needs both classes, got {n0} of class 0 and {n1} of class 1")
    if np.isnan(score_B).any():
        raise ValueError(f"{int(np.isnan(score_B).sum())} of {score_B.size} scores are NaN")
    rank_sum = float(rankdata(score_B)[positive_B].sum())
    return (rank_sum - n1 * (n1 + 1) / 2) / (n1 * n0)
