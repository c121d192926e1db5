"""How well a score separates the two classes."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def auc(score_B: ArrayLike, label_B: ArrayLike) -> float:
    """Area under the ROC curve of equally weighted rows.

    Parameters
    ----------
    score_B : array_like of float, (B,)
        Any score that grows with the probability of class 1; ties count half.
    label_B : array_like of int, (B,)
        True class, 0 or 1.

    Returns
    -------
    float
        Probability that a random member of class 1 has a higher score than one of class 0.

    Raises
    ------
    ValueError
        A score is NaN, or one of the classes is missing.
    """
    score_B, positive_B = np.asarray(score_B), np.asarray(label_B) == 1
    n1 = int(np.count_nonzero(positive_B))
    n0 = len(positive_B) - n1
    if n0 == 0 or n1 == 0:
        raise ValueError(f"an AUC needs both classes, got {n0} of class 0 and {n1} of class 1")
    if np.isnan(score_B).any():
        raise ValueError(f"{int(np.isnan(score_B).sum())} of {score_B.size} scores are NaN")
    return weighted_auc(score_B, positive_B, np.ones(len(score_B)))


def weighted_auc(score_B: FloatArray, label_B: BoolArray, weight_B: FloatArray) -> float:
    """Area under the ROC curve of weighted rows (the Mann-Whitney U statistic).

    Parameters
    ----------
    score_B : ndarray of float64, (B,)
        The higher, the more likely a pair.
    label_B : ndarray of bool, (B,)
        True for pairs.
    weight_B : ndarray of float64, (B,)
        Weight of each row.

    Returns
    -------
    float
        Probability that a pair has a higher score than a single, ties counted half; NaN where a
        class has no weight.
    """
    _, rank_B = np.unique(score_B, return_inverse=True)
    pairs = np.bincount(rank_B, weight_B * label_B)
    singles = np.bincount(rank_B, weight_B * ~label_B)
    total = pairs.sum() * singles.sum()
    if total == 0:
        return np.nan
    below = np.cumsum(singles) - singles
    return float((pairs * (below + 0.5 * singles)).sum() / total)


def weighted_mean(value_B: BoolArray, weight_B: FloatArray) -> float:
    """Share of the weight on rows where a value holds.

    Parameters
    ----------
    value_B : ndarray of bool, (B,)
        Where it holds.
    weight_B : ndarray of float64, (B,)
        Weight of each row.

    Returns
    -------
    float
        NaN without weight.
    """
    total = weight_B.sum()
    return float((weight_B * value_B).sum() / total) if total else np.nan
