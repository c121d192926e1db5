"""A calibration that changes smoothly with Teff and S/N, shrunk towards a single temperature."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from pipeline.evaluation.calibration import (
    balanced_weights,
    fit_temperature,
    negative_log_likelihood,
)

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

RIDGES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Strengths of the shrinkage that are tried, in spectra."""

FOLDS = 5

_TEFF_K, _SNR = (5000.0, 500.0), (4.0, 0.7)
"""Origin and unit of Teff, and of ln(S/N)."""

Three = tuple[float, float, float]
Range = tuple[float, float]


@dataclass(frozen=True)
class SmoothCalibration:
    """Log-odds z exp(scale . x) + shift . x with x = (1, Teff, ln S/N), both in units of their own.

    Platt's (1999) scaling with both numbers linear in x. Values outside of the ranges are taken at
    their ends; where Teff or S/N is not known, x is that of the middle of the validation spectra.

    Parameters
    ----------
    scale, shift : tuple of float
        Coefficients of x.
    teff_range_k, snr_range : tuple of float
        What the validation spectra cover: 1 to 99 %.
    middle : tuple of float
        Median Teff in K and S/N of the validation spectra.
    ridge : float
        Shrinkage, as chosen by cross-validation.
    loss, loss_temperature : float
        Cross-validated negative log-likelihood of this, and of one temperature.
    """

    scale: Three
    shift: Three
    teff_range_k: Range
    snr_range: Range
    middle: Range
    ridge: float
    loss: float
    loss_temperature: float

    def calibrated(
        self, logit_B: FloatArray, teff_k_B: FloatArray, snr_g_B: FloatArray
    ) -> FloatArray:
        """Return the calibrated log-odds; the trained fraction of binaries stays in them.

        Parameters
        ----------
        logit_B : ndarray of float64, (B,)
            Log-odds as the network gives them.
        teff_k_B, snr_g_B : ndarray of float64, (B,)
            Effective temperature in K and S/N in g; NaN where not known.
        """
        x_B3 = _position(teff_k_B, snr_g_B, self.teff_range_k, self.snr_range, self.middle)
        return _apply(np.array([*self.scale, *self.shift]), logit_B, x_B3)


def calibrated(
    smooth: SmoothCalibration | None,
    logit_B: FloatArray,
    teff_k_B: FloatArray,
    snr_g_B: FloatArray,
) -> FloatArray:
    """Return the log-odds of B spectra by a calibration, as the network gives them without one.

    Parameters
    ----------
    smooth : SmoothCalibration, optional
        The calibration.
    logit_B, teff_k_B, snr_g_B : ndarray of float64, (B,)
        As for `SmoothCalibration.calibrated`.
    """
    return logit_B if smooth is None else smooth.calibrated(logit_B, teff_k_B, snr_g_B)


def fit_smooth(
    logit_B: FloatArray,
    binary_B: BoolArray,
    star_B: NDArray[np.int64],
    teff_k_B: FloatArray,
    snr_g_B: FloatArray,
    trained_fraction: float,
    seed: int = 0,
) -> SmoothCalibration | None:
    """Fit on the validation part; None where no shrinkage is likelier than one temperature.

    The strength of the shrinkage, and whether there is any gain, is decided by five-fold
    cross-validation by star.

    Parameters
    ----------
    logit_B, binary_B, star_B : ndarray, (B,)
        Log-odds, true classes and stars of the validation part.
    teff_k_B, snr_g_B : ndarray of float64, (B,)
        Effective temperature in K and S/N in g; NaN where not known.
    trained_fraction : float
        Fraction of binaries in training; the classes are weighted for it.
    seed : int
        Seed of the folds.
    """
    known_B = np.isfinite(teff_k_B) & np.isfinite(snr_g_B)
    if not known_B.any():
        return None
    teff_range, snr_range, middle = _ranges(teff_k_B[known_B], snr_g_B[known_B])
    x_B3 = _position(teff_k_B, snr_g_B, teff_range, snr_range, middle)
    fold_B = _folds(star_B, binary_B, seed)
    if fold_B is None:
        return None
    weight_B = balanced_weights(binary_B, trained_fraction)

    def loss(ridge: float | None) -> float:
        out_B = np.empty(logit_B.size)
        for fold in range(FOLDS):
            rest, held = fold_B != fold, fold_B == fold
            given = (logit_B[rest], binary_B[rest], x_B3[rest], trained_fraction)
            out_B[held] = _apply(_fit(*given, ridge), logit_B[held], x_B3[held])
        return negative_log_likelihood(out_B, binary_B, weight_B)

    losses = {ridge: loss(ridge) for ridge in RIDGES}
    best, plain = min(losses, key=lambda ridge: losses[ridge]), loss(None)
    if losses[best] >= plain:
        return None
    found = _fit(logit_B, binary_B, x_B3, trained_fraction, best).tolist()
    scale, shift = (found[0], found[1], found[2]), (found[3], found[4], found[5])
    return SmoothCalibration(scale, shift, teff_range, snr_range, middle, best, losses[best], plain)


def _fit(
    logit_B: FloatArray,
    binary_B: BoolArray,
    x_B3: FloatArray,
    trained_fraction: float,
    ridge: float | None,
) -> FloatArray:
    """Fit the six coefficients; without a ridge the temperature alone."""
    weight_B = balanced_weights(binary_B, trained_fraction)
    start = np.zeros(6)
    start[0] = -np.log(fit_temperature(logit_B, binary_B, weight_B))
    if ridge is None:
        return start
    # The overall scale is free, all else is shrunk to nothing.
    shrunk = np.array([0.0, 1.0, 1.0, 1.0, 1.0, 1.0]) * ridge / logit_B.size

    def loss(found: FloatArray) -> tuple[float, FloatArray]:
        out_B = _apply(found, logit_B, x_B3)
        slope_B = weight_B * (expit(out_B) - binary_B)
        stretched_B = logit_B * np.exp(x_B3 @ found[:3])
        gradient = np.concatenate([(slope_B * stretched_B) @ x_B3, slope_B @ x_B3])
        value = negative_log_likelihood(out_B, binary_B, weight_B)
        return value + 0.5 * float(shrunk @ found**2), gradient + shrunk * found

    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(-4, 4)] * 6).x)


def _apply(found: FloatArray, logit_B: FloatArray, x_B3: FloatArray) -> FloatArray:
    return np.asarray(logit_B * np.exp(x_B3 @ found[:3]) + x_B3 @ found[3:])


def _position(
    teff_k_B: FloatArray, snr_g_B: FloatArray, teff_range: Range, snr_range: Range, middle: Range
) -> FloatArray:
    known_B = np.isfinite(teff_k_B) & (snr_g_B > 0)
    teff_B = np.where(known_B, np.clip(teff_k_B, *teff_range), middle[0])
    snr_B = np.where(known_B, np.clip(snr_g_B, *snr_range), middle[1])
    scaled = (teff_B - _TEFF_K[0]) / _TEFF_K[1], (np.log(snr_B) - _SNR[0]) / _SNR[1]
    return np.stack([np.ones(teff_B.size), *scaled], axis=1)


def _ranges(teff_k_B: FloatArray, snr_g_B: FloatArray) -> tuple[Range, Range, Range]:
    (teff_low, teff, teff_high), (snr_low, snr, snr_high) = (
        np.percentile(values, (1, 50, 99)).tolist() for values in (teff_k_B, snr_g_B)
    )
    return (teff_low, teff_high), (snr_low, snr_high), (teff, snr)


def _folds(star_B: NDArray[np.int64], binary_B: BoolArray, seed: int) -> NDArray[np.int64] | None:
    """Deal out the stars of each class; None where a class has too few for every fold."""
    fold_B = np.empty(star_B.size, np.int64)
    rng = np.random.default_rng(seed)
    for chosen in (binary_B, ~binary_B):
        star_S, of_B = np.unique(star_B[chosen], return_inverse=True)
        if star_S.size < FOLDS:
            return None
        fold_B[chosen] = (rng.permutation(star_S.size) % FOLDS)[of_B]
    return fold_B
