"""Single or binary: the chi-square by which a model of two stars fits a spectrum better than one.

After El-Badry et al. 2018 (MNRAS 476, 528; there on APOGEE spectra): a spectrum is fitted with the
model of a single star, free in Teff, log g, [M/H], velocity and resolution, and with that of a
pair, whose companion adds a mass ratio and a velocity. The companion has the primary's [M/H] and
lies, as the primary does, on the main sequence of one assumed age, which gives the temperature,
gravity and light that belong to its mass. A pair of twins is a single main-sequence star, so the
difference is negative only where fits have not converged, or where a single star off the main
sequence fits better than any pair on it.

The models are the simulator's own (`pipeline.stars.composite`). On simulated spectra the fit
therefore knows the truth about stellar spectra, which no fit of real ones does.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator

from pipeline.limits.least_squares import Fit, Parameters, least_squares
from pipeline.limits.view import View
from pipeline.settings.stars import ScatterSettings
from pipeline.stars.composite import SUN_TEFF_K, Components, composite_flux, model_labels
from pipeline.stars.isochrone import IsochroneStars, main_sequence
from pipeline.stars.scatter import StarScatter
from pipeline.stars.templates import LABEL_MAX, LABEL_MIN

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

SINGLE = Parameters(
    np.array([LABEL_MIN[0], 3.5, LABEL_MIN[2], -1000.0, 1500.0]),
    np.array([*LABEL_MAX, 1000.0, 2300.0]),
    np.array([10.0, 0.02, 0.01, 1.0, 10.0]),
)
"""Teff (K), log g, [M/H], velocity (km/s), resolving power. Dwarfs alone: log g from 3.5."""

BINARY = Parameters(
    np.array([*SINGLE.low_X, 0.5, -300.0]),
    np.array([*SINGLE.high_X, 1.0, 300.0]),
    np.array([*SINGLE.step_X, 0.01, 2.0]),
)
"""The primary's as in `SINGLE`, mass ratio, velocity of the companion less the primary's (km/s)."""

RESOLUTION = 1800.0
"""Resolving power from which fits start: LAMOST's nominal one."""

MH_NODES = np.arange(-1.2, 0.301, 0.05)
TEFF_NODES = np.arange(LABEL_MIN[0], LABEL_MAX[0] + 1, 10.0)
MASS_NODES = np.arange(0.1, 1.8, 0.005)

MASS_MIN = 0.12
"""Mass (Sun = 1) below which no companion goes: the isochrones of every [M/H] have begun there."""


@dataclass(frozen=True)
class FitSettings:
    """How spectra are fitted.

    Parameters
    ----------
    log_age : float
        log10 age in years of the main sequence. At 9.3 (2 Gyr) it reaches up to 6460 K at [M/H]
        0.3 and higher at lower ones.
    error_floor : float
        Error of a pixel relative to the continuum, in quadrature on top of its noise, for what
        models and calibration leave. 0.01 is the best of 0, 0.005 and 0.01 on simulated spectra
        with calibration errors.
    q_starts : tuple of float
        Mass ratios from which the binary fit starts.
    one_velocity : bool
        Leave both stars at one velocity.
    n_first, n_more : int
        Steps of the single fit and of every start of the binary fit; further steps of the best
        start.
    """

    log_age: float = 9.3
    error_floor: float = 0.01
    q_starts: tuple[float, ...] = (0.95, 0.8, 0.65)
    one_velocity: bool = False
    n_first: int = 5
    n_more: int = 5


@dataclass(frozen=True)
class Comparison:
    """Both fits of B spectra.

    Parameters
    ----------
    single, binary : Fit
        With parameters as in `SINGLE` and `BINARY`.
    """

    single: Fit
    binary: Fit

    @property
    def gain_B(self) -> Float64:
        """Chi-square of the single model less that of the binary one: (B,)."""
        return self.single.chi2_B - self.binary.chi2_B


def single_model(theta_B5: Float64, view: View) -> Float32:
    """Normalised spectra of single stars.

    Parameters
    ----------
    theta_B5 : ndarray of float64, (B, 5)
        As in `SINGLE`.
    view : View
        How each is seen.

    Returns
    -------
    ndarray of float32, (B, L)
        Normalised flux (continuum = 1).
    """
    n = len(theta_B5)
    return _seen(np.arange(n), theta_B5[:, :3], np.ones(n), theta_B5[:, 3], theta_B5[:, 4], view)


def binary_model(theta_B7: Float64, view: View, log_age: float) -> Float32:
    """Normalised spectra of pairs.

    Parameters
    ----------
    theta_B7 : ndarray of float64, (B, 7)
        As in `BINARY`.
    view : View
        How each is seen.
    log_age : float
        log10 age in years of the main sequence.

    Returns
    -------
    ndarray of float32, (B, L)
        Normalised flux (continuum = 1).
    """
    n = len(theta_B7)
    primary, companion = main_sequence_pair(theta_B7[:, 0], theta_B7[:, 2], theta_B7[:, 5], log_age)
    radius2_B = 10**primary.log_l * (SUN_TEFF_K / primary.teff_k) ** 4
    companion_B3, companion2_B = model_labels(companion, theta_B7[:, 2])
    return _seen(
        np.tile(np.arange(n), 2),
        np.concatenate([theta_B7[:, :3], companion_B3]),
        np.concatenate([radius2_B, companion2_B]),
        np.concatenate([theta_B7[:, 3], theta_B7[:, 3] + theta_B7[:, 6]]),
        theta_B7[:, 4],
        view,
    )


def main_sequence_pair(
    teff_k: Float64, mh: Float64, q: Float64, log_age: float
) -> tuple[IsochroneStars, IsochroneStars]:
    """Main-sequence star of a temperature, and its companion of a mass ratio.

    Parameters
    ----------
    teff_k, mh, q : ndarray of float64, (B,)
        Temperature of the primary in K, [M/H] of both in dex, mass ratio. Beyond the isochrones
        the nearest [M/H] is taken, and the hottest star of the main sequence.
    log_age : float
        log10 age in years.

    Returns
    -------
    primary, companion : IsochroneStars
        The primary to within 3 K, unless its temperature is beyond the main sequence.
    """
    mh = np.clip(mh, MH_NODES[0], MH_NODES[-1])
    mass_msun = _mass_of(log_age)(np.stack([mh, teff_k], axis=1))
    age = np.full(len(mh), log_age)
    companion_msun = np.maximum(q * mass_msun, MASS_MIN)
    return main_sequence(mass_msun, age, mh), main_sequence(companion_msun, age, mh)


def compare(
    target_BL: Float32,
    ivar_BL: Float32,
    start_B4: Float64,
    view: View,
    settings: FitSettings,
) -> Comparison:
    """Fit single and binary model to normalised spectra.

    Parameters
    ----------
    target_BL, ivar_BL : ndarray of float32, (B, L)
        Normalised spectra and the inverse variance of their pixels, as ``view.weighed`` gives
        them.
    start_B4 : ndarray of float64, (B, 4)
        First guess: Teff (K), log g, [M/H], velocity (km/s), as a catalogue gives them.
    view : View
        How the spectra are seen; its resolution is not read.
    settings : FitSettings
        Starts, steps, age and errors.

    Returns
    -------
    Comparison
        With chi-squares that include the error floor. The binary fit is the best of all starts.
    """
    ivar_BL = ivar_BL / (1 + np.float32(settings.error_floor**2) * ivar_BL)
    start_B5 = np.column_stack([start_B4, np.full(len(start_B4), RESOLUTION)])

    single = least_squares(
        target_BL, ivar_BL, start_B5, lambda theta: single_model(theta, view), SINGLE,
        settings.n_first,
    )  # fmt: skip

    limits = BINARY
    if settings.one_velocity:
        fixed = np.array([*np.ones(6, bool), False])
        limits = Parameters(BINARY.low_X * fixed, BINARY.high_X * fixed, BINARY.step_X)

    def fit_pair(start_B7: Float64, n_iteration: int) -> Fit:
        return least_squares(
            target_BL, ivar_BL, start_B7,
            lambda theta: binary_model(theta, view, settings.log_age), limits, n_iteration,
        )  # fmt: skip

    zero_B = np.zeros(len(start_B5))
    tried = [
        fit_pair(np.column_stack([single.theta_BX, zero_B + q, zero_B]), settings.n_first)
        for q in settings.q_starts
    ]
    best_B = np.argmin([fit.chi2_B for fit in tried], axis=0)
    tried_theta = np.stack([fit.theta_BX for fit in tried])
    binary = fit_pair(tried_theta[best_B, np.arange(len(best_B))], settings.n_more)
    return Comparison(single, binary)


@lru_cache(maxsize=8)
def _mass_of(log_age: float) -> RegularGridInterpolator:
    """Mass as a function of ([M/H], Teff) on the main sequence of an age."""
    table = []
    for mh in MH_NODES:
        stars = main_sequence(
            MASS_NODES, np.full(len(MASS_NODES), log_age), np.full(len(MASS_NODES), mh)
        )
        hottest = int(np.nanargmax(stars.teff_k))
        known = np.flatnonzero(stars.valid[: hottest + 1])
        table.append(np.interp(TEFF_NODES, stars.teff_k[known], MASS_NODES[known]))
    return RegularGridInterpolator((MH_NODES, TEFF_NODES), np.array(table))


def _seen(
    owner_C: NDArray[np.intp],
    labels_C3: Float64,
    radius2_C: Float64,
    velocity_kms_C: Float64,
    resolution_B: Float64,
    view: View,
) -> Float32:
    """Add up the light of stars and bring it into network form."""
    n = len(owner_C)
    quiet = StarScatter(np.zeros((n, 0), np.float32), np.zeros(n, np.float32), np.zeros(n))
    flux_BN = composite_flux(
        Components(owner_C, labels_C3, radius2_C, velocity_kms_C, quiet),
        resolution_B, view.log10_first_B, view.ivar_BN.shape[1], ScatterSettings(enabled=False),
    )  # fmt: skip
    return view.prepared(flux_BN)
