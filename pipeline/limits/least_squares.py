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
    """What a model's P parameters may be.

    Parameters
    ----------
    low_P, high_P : numpy.ndarray
        Limits.
    step_P : numpy.ndarray
        Steps of the numerical derivatives: small beside what changes a line, large beside the
        rounding of float32.
    """

    low_P: Float64
    high_P: Float64
    step_P: Float64


@dataclass(frozen=True)
class Fit:
    """Fits of B spectra.

    Parameters
    ----------
    theta_BP : numpy.ndarray
        Parameters.
    flux_BL : numpy.ndarray
        The model there.
    chi2_B : numpy.ndarray
        Sum of ivar (target - model)^2.
    """

    theta_BP: Float64
    flux_BL: Float32
    chi2_B: Float64


def chi_square(flux_BL: Float32, other_BL: Float32, ivar_BL: Float32) -> Float64:
    """Sum of ivar (f - g)^2, shape (B,)."""
    difference_BL = (flux_BL - other_BL).astype(np.float64)
    return np.asarray(np.einsum("bl,bl,bl->b", ivar_BL, difference_BL, difference_BL))


def least_squares(
    target_BL: Float32,
    ivar_BL: Float32,
    start_BP: Float64,
    model: Model,
    parameters: Parameters,
    n_iteration: int,
) -> Fit:
    """Fit a model by Levenberg-Marquardt with derivatives by differences.

    A parameter that stands at a limit and would leave its range is kept there.

    Parameters
    ----------
    target_BL, ivar_BL : numpy.ndarray
        Spectra and the inverse variance of their pixels.
    start_BP : numpy.ndarray
        First guess, clipped to the limits.
    model : callable
        From theta_BP to spectra, shape (B, L).
    parameters : Parameters
        Limits and steps.
    n_iteration : int
        Steps, each of P + 1 models.

    Returns
    -------
    Fit
        Never worse than the first guess.
    """
    theta_BP = np.clip(start_BP, parameters.low_P, parameters.high_P)
    flux_BL = model(theta_BP)
    chi2_B = chi_square(target_BL, flux_BL, ivar_BL)
    damping_B = np.full(len(theta_BP), 1e-3)
    for _ in range(n_iteration):
        slope_BPL = _slopes(theta_BP, flux_BL, model, parameters)
        weighed_BPL = slope_BPL * ivar_BL[:, None]
        curvature_BPP = (weighed_BPL @ slope_BPL.swapaxes(1, 2)).astype(np.float64)
        pull_BP = np.einsum("bil,bl->bi", weighed_BPL, target_BL - flux_BL).astype(np.float64)
        stuck_BP = ((theta_BP <= parameters.low_P) & (pull_BP < 0)) | (
            (theta_BP >= parameters.high_P) & (pull_BP > 0)
        )
        move_BP = _damped(curvature_BPP, pull_BP, stuck_BP, damping_B) * parameters.step_P
        trial_BP = np.clip(theta_BP + move_BP, parameters.low_P, parameters.high_P)
        trial_BL = model(trial_BP)
        trial_B = chi_square(target_BL, trial_BL, ivar_BL)
        better_B = trial_B < chi2_B
        theta_BP[better_B], flux_BL[better_B] = trial_BP[better_B], trial_BL[better_B]
        chi2_B = np.where(better_B, trial_B, chi2_B)
        damping_B = np.where(better_B, damping_B / 10, damping_B * 30)
    return Fit(theta_BP, flux_BL, chi2_B)


def _slopes(theta_BP: Float64, flux_BL: Float32, model: Model, parameters: Parameters) -> Float32:
    """Differentiate the model, each parameter in units of its step; shape (B, P, L)."""
    slopes = []
    for k, step in enumerate(parameters.step_P):
        sign_B = np.where(theta_BP[:, k] + step > parameters.high_P[k], -1.0, 1.0)
        moved_BP = theta_BP.copy()
        moved_BP[:, k] += sign_B * step
        slopes.append((model(moved_BP) - flux_BL) * sign_B[:, None].astype(np.float32))
    return np.stack(slopes, axis=1)


def _damped(
    curvature_BPP: Float64, pull_BP: Float64, stuck_BP: NDArray[np.bool_], damping_B: Float64
) -> Float64:
    """Damped Gauss-Newton steps of the parameters that are free to move."""
    free_BP = (~stuck_BP).astype(np.float64)
    matrix_BPP = curvature_BPP * free_BP[:, :, None] * free_BP[:, None]
    diagonal_BP = np.einsum("bii->bi", curvature_BPP)
    added_BP = np.where(stuck_BP, 1.0, damping_B[:, None] * diagonal_BP + 1e-12)
    matrix_BPP += added_BP[:, :, None] * np.eye(pull_BP.shape[1])
    solved_BP = np.linalg.solve(matrix_BPP, (pull_BP * free_BP)[..., None])[..., 0]
    return np.asarray(solved_BP)
