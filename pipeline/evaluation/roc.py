"""The receiver operating characteristic of a score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.intervals import Bootstrap

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class RocCurve:
    """Rates at every threshold at which they change, from the highest down.

    Parameters
    ----------
    threshold_T : ndarray of float64, (T,)
        A spectrum is classified as a binary where its score is at least this; the first is
        infinite.
    tpr_T, fpr_T : ndarray of float64, (T,)
        Share of the binaries and of the singles that are classified as binaries.
    """

    threshold_T: FloatArray
    tpr_T: FloatArray
    fpr_T: FloatArray


def roc_curve(score_B: FloatArray, binary_B: BoolArray) -> RocCurve:
    """Trace the ROC curve.

    Parameters
    ----------
    score_B : ndarray of float64, (B,)
        The higher, the more likely a binary.
    binary_B : ndarray of bool, (B,)
        True for binaries.

    Returns
    -------
    RocCurve
        From (0, 0) to (1, 1).

    Raises
    ------
    ValueError
        A class is missing.
    """
    n_binary = int(binary_B.sum())
    n_single = binary_B.size - n_binary
    if not n_binary or not n_single:
        raise ValueError(f"a ROC needs both classes, not {n_binary} binaries, {n_single} singles")
    order = np.argsort(-score_B, kind="stable")
    score, binary = score_B[order], binary_B[order]
    last_T = np.append(np.flatnonzero(np.diff(score)), score.size - 1)
    tp_T, fp_T = np.cumsum(binary)[last_T], np.cumsum(~binary)[last_T]
    return RocCurve(
        np.concatenate([[np.inf], score[last_T]]),
        np.concatenate([[0.0], tp_T / n_binary]),
        np.concatenate([[0.0], fp_T / n_single]),
    )


@dataclass(frozen=True)
class RocBand:
    """95 % interval of the true positive rate, at each false positive rate.

    Parameters
    ----------
    fpr_T : ndarray of float64, (T,)
        False positive rates, from 0 to 1.
    low_T, high_T : ndarray of float64, (T,)
        Ends of the interval.
    """

    fpr_T: FloatArray
    low_T: FloatArray
    high_T: FloatArray


def roc_band(score_B: FloatArray, binary_B: BoolArray, draws: Bootstrap, n: int = 201) -> RocBand:
    """Draw the interval of a ROC curve star by star.

    Parameters
    ----------
    score_B, binary_B : ndarray, (B,)
        As for `roc_curve`.
    draws : Bootstrap
        Of the same rows.
    n : int
        Number of false positive rates.
    """
    order = np.argsort(-score_B, kind="stable")
    binary = binary_B[order]
    # The last row of each score: rows of one score are classified together.
    last_T = np.append(np.flatnonzero(np.diff(score_B[order])), score_B.size - 1)
    fpr = np.linspace(0, 1, n)

    def highest_tpr(weight_B: FloatArray) -> FloatArray:
        weight = weight_B[order]
        tp_T, fp_T = np.cumsum(weight * binary)[last_T], np.cumsum(weight * ~binary)[last_T]
        if not tp_T[-1] or not fp_T[-1]:
            return np.full(n, np.nan)
        tpr_T = np.append(0.0, tp_T / tp_T[-1])
        return tpr_T[np.searchsorted(fp_T / fp_T[-1], fpr, side="right")]

    _, low, high = draws.curve(highest_tpr)
    return RocBand(fpr, low, high)


def rates(
    p_b_B: FloatArray, binary_B: BoolArray, threshold: float, weight_B: FloatArray | None = None
) -> tuple[float, float]:
    """Share of the binaries and of the singles with p_b above a threshold; NaN without any.

    Parameters
    ----------
    p_b_B : ndarray of float64, (B,)
        Probabilities.
    binary_B : ndarray of bool, (B,)
        True classes.
    threshold : float
        Strict: p_b must exceed it.
    weight_B : ndarray of float64, (B,), optional
        Weights of the rows; all equal by default.

    Returns
    -------
    tpr, fpr : float
        Shares of the weight of the class.
    """
    weight_B = np.ones(p_b_B.size) if weight_B is None else weight_B
    above_B = p_b_B > threshold
    shares = []
    for member_B in (binary_B, ~binary_B):
        total = float(weight_B[member_B].sum())
        shares.append(float(weight_B[member_B & above_B].sum()) / total if total else np.nan)
    return shares[0], shares[1]
