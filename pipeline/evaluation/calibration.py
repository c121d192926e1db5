"""Whether the predicted probabilities agree with the observed fractions, and a correction."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from pipeline.evaluation.intervals import Bootstrap

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_LOG_TEMPERATURE = (-3.0, 3.0)


@dataclass(frozen=True)
class Reliability:
    """Predicted probability and observed fraction, in H bins that hold equally many rows.

    Parameters
    ----------
    predicted_H, observed_H : ndarray of float64, (H,)
        Mean probability and share of binaries of each bin; NaN in one without weight.
    low_H, high_H : ndarray of float64, (H,)
        Ends of the 95 % interval of the observed fraction; NaN where none was asked for.
    share_H : ndarray of float64, (H,)
        Share of the weight in each bin.
    """

    predicted_H: FloatArray
    observed_H: FloatArray
    low_H: FloatArray
    high_H: FloatArray
    share_H: FloatArray

    @property
    def expected_error(self) -> float:
        """Expected calibration error: predicted less observed, absolute, averaged by weight."""
        full_H = self.share_H > 0
        gap_H = np.abs(self.predicted_H - self.observed_H)[full_H]
        return float((gap_H * self.share_H[full_H]).sum())


def balanced_weights(binary_B: BoolArray, binary_fraction: float = 0.5) -> FloatArray:
    """Weights under which that fraction of all is binary; they add up to 1.

    Parameters
    ----------
    binary_B : ndarray of bool, (B,)
        True classes.
    binary_fraction : float
        Wanted fraction.

    Returns
    -------
    ndarray of float64, (B,)
        Weight of each row.

    Raises
    ------
    ValueError
        A class is missing.
    """
    n_binary = int(binary_B.sum())
    n_single = binary_B.size - n_binary
    if not n_binary or not n_single:
        raise ValueError(f"both classes are needed, not {n_binary} binaries, {n_single} singles")
    return np.where(binary_B, binary_fraction / n_binary, (1 - binary_fraction) / n_single)


def reliability(
    p_b_B: FloatArray,
    binary_B: BoolArray,
    weight_B: FloatArray,
    n_bins: int,
    draws: Bootstrap | None = None,
) -> Reliability:
    """Sort probabilities into bins of equal count and compare them with the true classes.

    Bins of equal width would leave a few rows, or none, in the middle of the scale.

    Parameters
    ----------
    p_b_B : ndarray of float64, (B,)
        Probabilities.
    binary_B : ndarray of bool, (B,)
        True classes.
    weight_B : ndarray of float64, (B,)
        Weights of the rows.
    n_bins : int
        Number of bins, H; at most one per row.
    draws : Bootstrap, optional
        Of the same rows, for the interval.

    Returns
    -------
    Reliability
        By bin.
    """
    n = min(n_bins, p_b_B.size)
    bin_B = np.empty(p_b_B.size, np.intp)
    bin_B[np.argsort(p_b_B, kind="stable")] = np.arange(p_b_B.size) * n // max(p_b_B.size, 1)

    def mean(value_B: FloatArray | BoolArray, times_B: FloatArray) -> FloatArray:
        weight = weight_B * times_B
        total = np.bincount(bin_B, weight, n)
        safe = np.where(total > 0, total, np.nan)
        return np.asarray(np.bincount(bin_B, weight * value_B, n) / safe)

    once = np.ones(p_b_B.size)
    low, high = np.full((2, n), np.nan)
    if draws is not None:
        _, low, high = draws.curve(lambda times: mean(binary_B, times))
    total = np.bincount(bin_B, weight_B, n)
    return Reliability(mean(p_b_B, once), mean(binary_B, once), low, high, total / total.sum())


def negative_log_likelihood(
    logit_B: FloatArray, binary_B: BoolArray, weight_B: FloatArray
) -> float:
    """Weighted mean of -log(probability of the true class).

    Parameters
    ----------
    logit_B : ndarray of float64, (B,)
        Log-odds of a binary.
    binary_B : ndarray of bool, (B,)
        True classes.
    weight_B : ndarray of float64, (B,)
        Weights of the rows.

    Returns
    -------
    float
        In natural units.
    """
    loss_B = np.logaddexp(0.0, np.where(binary_B, -logit_B, logit_B))
    return float((weight_B * loss_B).sum() / weight_B.sum())


def fit_temperature(logit_B: FloatArray, binary_B: BoolArray, weight_B: FloatArray) -> float:
    """Find the temperature T for which logit / T is most likely (Guo et al. 2017, ICML).

    Parameters
    ----------
    logit_B : ndarray of float64, (B,)
        Log-odds of the validation part.
    binary_B : ndarray of bool, (B,)
        True classes.
    weight_B : ndarray of float64, (B,)
        Weights of the rows.

    Returns
    -------
    float
        Above 1 where the network is overconfident; within exp(-3) and exp(3).
    """

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(logit_B / np.exp(log_temperature), binary_B, weight_B)

    found = minimize_scalar(loss, bounds=_LOG_TEMPERATURE, method="bounded")
    return float(np.exp(found.x))


def posterior(
    logit_B: FloatArray, temperature: float, trained_fraction: float, binary_fraction: float
) -> FloatArray:
    """Probability of a binary in a population with a stated fraction of binaries.

    Bayes: the log-odds of the network include the fraction that it was trained with; that one is
    removed and the stated one is added. [derived]

    Parameters
    ----------
    logit_B : ndarray of float64, (B,)
        Log-odds as the network gives them.
    temperature : float
        As from `fit_temperature`; 1 changes nothing.
    trained_fraction, binary_fraction : float
        Fraction of binaries that the network saw in training, and that of the population.

    Returns
    -------
    ndarray of float64, (B,)
        Probabilities.
    """
    shift = logit(binary_fraction) - logit(trained_fraction)
    return np.asarray(expit(logit_B / temperature + shift))
