"""The receiver operating characteristic of a score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
