"""Weighted least squares with models of spectra, many spectra at once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Model = Callable[[Float64], Float32]


@dataclass(frozen=True)
class Parameters:
    """Range and step of a model's X parameters.

    Parameters
    ----------
    low_X, high_X : ndarray of float64, (X,)
        Limits.
    step_X : ndarray of float64, (X,)
        Steps of the numerical derivatives: small beside what changes a line, large beside the
        rounding of float32.
    """

    low_X: Float64
    high_X: Float64
    step_X: Float64


@dataclass(frozen=True)
class Fit:
    """Fits of B spectra.

    Parameters
    ----------
    theta_BX : ndarray of float64, (B, X)
        Parameters.
    flux_BL : ndarray of float32, (B, L)
        The model there.
    chi2_B : ndarray of float64, (B,)
        Sum of ivar (target - model)^2.
    """

    theta_BX: Float64
    flux_BL: Float32
    chi2_B: Float64


def chi_square(flux_BL: Float32, other_BL: Float32, ivar_BL: Float32) -> Float64:
    """Sum of ivar (f - g)^2.

    Parameters
    ----------
    flux_BL, other_BL : ndarray of float32, (B, L)
        Two spectra each, in the same units.
    ivar_BL : ndarray of float32, (B, L)
        Inverse variance of their pixels.

    Returns
    -------
    ndarray of float64, (B,)
        Chi-square.
    """
    difference_BL = (flux_BL - other_BL).astype(np.float64)
    return np.asarray(np.einsum("bl,bl,bl->b", ivar_BL, difference_BL, difference_BL))


def least_squares(
    target_BL: Float32,
    ivar_BL: Float32,
    start_BX: Float64,
    model: Model,
    parameters: Parameters,
    n_iteration: int,
) -> Fit:
    """Fit a model by Levenberg-Marquardt (Marquardt 1963) with derivatives by differences.

    A parameter that is at a limit and would leave its range is kept there.

    Parameters
    ----------
    target_BL, ivar_BL : ndarray of float32, (B, L)
        Spectra and the inverse variance of their pixels.
    start_BX : ndarray of float64, (B, X)
        First guess, clipped to the limits.
    model : callable
        From theta_BX to spectra, (B, L).
    parameters : Parameters
        Limits and steps.
    n_iteration : int
        Steps, each of X + 1 models.

    Returns
    -------
    Fit
        Never worse than the first guess.
    """
    theta_BX = np.clip(start_BX, parameters.low_X, parameters.high_X)
    flux_BL = model(theta_BX)
    chi2_B = chi_square(target_BL, flux_BL, ivar_BL)
    damping_B = np.full(len(theta_BX), 1e-3)
    for _ in range(n_iteration):
        slope_BXL = _slopes(theta_BX, flux_BL, model, parameters)
        weighed_BXL = slope_BXL * ivar_BL[:, None]
        curvature_BXX = (weighed_BXL @ slope_BXL.swapaxes(1, 2)).astype(np.float64)
        pull_BX = np.einsum("bil,bl->bi", weighed_BXL, target_BL - flux_BL).astype(np.float64)
        stuck_BX = ((theta_BX <= parameters.low_X) & (pull_BX < 0)) | (
            (theta_BX >= parameters.high_X) & (pull_BX > 0)
        )
        move_BX = _damped(curvature_BXX, pull_BX, stuck_BX, damping_B) * parameters.step_X
        trial_BX = np.clip(theta_BX + move_BX, parameters.low_X, parameters.high_X)
        trial_BL = model(trial_BX)
        trial_B = chi_square(target_BL, trial_BL, ivar_BL)
        better_B = trial_B < chi2_B
        theta_BX[better_B], flux_BL[better_B] = trial_BX[better_B], trial_BL[better_B]
        chi2_B = np.where(better_B, trial_B, chi2_B)
        damping_B = np.where(better_B, damping_B / 10, damping_B * 30)
    return Fit(theta_BX, flux_BL, chi2_B)


def _slopes(theta_BX: Float64, flux_BL: Float32, model: Model, parameters: Parameters) -> Float32:
    """Differentiate the model, each parameter in units of its step; shape (B, X, L)."""
    slopes = []
    for k, step in enumerate(parameters.step_X):
        sign_B = np.where(theta_BX[:, k] + step > parameters.high_X[k], -1.0, 1.0)
        moved_BX = theta_BX.copy()
        moved_BX[:, k] += sign_B * step
        slopes.append((model(moved_BX) - flux_BL) * sign_B[:, None].astype(np.float32))
    return np.stack(slopes, axis=1)


def _damped(
    curvature_BXX: Float64, pull_BX: Float64, stuck_BX: NDArray[np.bool_], damping_B: Float64
) -> Float64:
    """Damped Gauss-Newton steps of the parameters that are free to move."""
    free_BX = (~stuck_BX).astype(np.float64)
    matrix_BXX = curvature_BXX * free_BX[:, :, None] * free_BX[:, None]
    diagonal_BX = np.einsum("bii->bi", curvature_BXX)
    added_BX = np.where(stuck_BX, 1.0, damping_B[:, None] * diagonal_BX + 1e-12)
    matrix_BXX += added_BX[:, :, None] * np.eye(pull_BX.shape[1])
    solved_BX = np.linalg.solve(matrix_BXX, (pull_BX * free_BX)[..., None])[..., 0]
    return np.asarray(solved_BX)
