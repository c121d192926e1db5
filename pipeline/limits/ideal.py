"""How well a pair can be told from the single star most like it, if both are known.

The ideal observer knows the pair's noise-free spectrum f2, the noise-free spectrum f1 of the single
star nearest to it, and the noise (Gaussian, independent, of the spectrum's own inverse variance),
and has only to say which of the two it is given. The log likelihood ratio is then normal with
means +-d'^2 / 2 and variance d'^2, d'^2 = sum ivar (f2 - f1)^2, and separates the two with an area
under the ROC curve of Phi(d' / sqrt 2), which no other test of these two spectra exceeds
(Neyman & Pearson 1933; Green & Swets 1966).

What that bounds:

- A classifier does not know which pair and which single are compared, and has to allow for
  star-to-star scatter, calibration errors and sky residuals; all of these make its task harder.
- Over many pairs, each against its own nearest single, the scores of different couples are compared
  with each other. The best possible area is then the mean over couples i, k of
  Phi(sqrt(d'_i^2 + d'_k^2) / 2), see `matched_auc`: no classifier of such couples does better. It
  is not below the mean of Phi(d' / sqrt 2), which by itself bounds one couple at a time.

What it does not bound: it is a statement about a pair and the single of *any* labels nearest to it.
In a given population a single may be unlikely to have these labels (the nearest one need not lie
on the main sequence, or be as common as the pair), and a classifier that has learned the
population may use that. Labels alone hardly separate the classes where the catalogue's do not.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pipeline.limits.least_squares import Parameters, chi_square, least_squares
from pipeline.limits.view import View
from pipeline.settings.simulate import InstrumentSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.stars import ScatterSettings
from pipeline.simulate.fibres import FIRST, N_PIXEL, STEP, draw_fibres
from pipeline.simulate.instrument import SNR_WINDOW, observe
from pipeline.stars.binary import Systems, components_of
from pipeline.stars.composite import Components, composite_flux
from pipeline.stars.scatter import StarScatter
from pipeline.stars.templates import LABEL_MAX, LABEL_MIN

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

LOW_4 = np.array([*LABEL_MIN, -1000.0])
HIGH_4 = np.array([*LABEL_MAX, 1000.0])
"""Range of Teff (K), log g, [M/H] and velocity (km/s) of the single star."""

STEP_4 = np.array([10.0, 0.02, 0.01, 1.0])
"""Steps of the numerical derivatives: small beside what changes a line, large beside float32."""

EXACT = dict.fromkeys(
    ("calibration_sigma", "join_sigma", "wave_sigma", "flat_sigma", "telluric_residual",
     "sky_residual", "scale_log10_mean", "scale_log10_sigma"), 0.0,
)  # fmt: skip
"""Settings of an instrument that adds photon noise and bad pixels and nothing else."""


@dataclass(frozen=True)
class NearestSingles:
    """The nearest single stars of B pairs.

    Parameters
    ----------
    theta_B4 : ndarray of float64, (B, 4)
        Teff (K), log g, [M/H], velocity (km/s).
    flux_BL : ndarray of float32, (B, L)
        Normalised spectra (continuum = 1).
    d_prime_B : ndarray of float64, (B,)
        Distance from the pair in units of the noise.
    """

    theta_B4: Float64
    flux_BL: Float32
    d_prime_B: Float64


def d_prime(flux_BL: Float32, other_BL: Float32, ivar_BL: Float32) -> Float64:
    """Distance of two known spectra in units of the noise: sqrt(sum ivar (f - g)^2).

    Parameters
    ----------
    flux_BL, other_BL : ndarray of float32, (B, L)
        The spectra, in the same units.
    ivar_BL : ndarray of float32, (B, L)
        Inverse variance of their pixels.

    Returns
    -------
    ndarray of float64, (B,)
        d'.
    """
    return np.asarray(np.sqrt(chi_square(flux_BL, other_BL, ivar_BL)))


def known_auc(d_prime_B: Float64) -> Float64:
    """Area under the ROC curve of the best test between two known spectra, Phi(d' / sqrt 2).

    Parameters
    ----------
    d_prime_B : ndarray of float64, (B,)
        Their distance in units of the noise.

    Returns
    -------
    ndarray of float64, (B,)
        Between 0.5 and 1 (Green & Swets 1966).
    """
    return np.asarray(ndtr(d_prime_B / np.sqrt(2)))


def matched_auc(d_prime_B: Float64, weight_B: Float64 | None = None) -> float:
    """Area under the ROC curve of the best test on pairs and their own nearest singles, pooled.

    Parameters
    ----------
    d_prime_B : ndarray of float64, (B,)
        Distance within each couple in units of the noise.
    weight_B : ndarray of float64, (B,), optional
        Weight of each couple.

    Returns
    -------
    float
        Weighted mean over couples i and k of Phi(sqrt(d'_i^2 + d'_k^2) / 2): the chance that the
        log likelihood ratio of pair i, N(d'_i^2 / 2, d'_i^2), exceeds that of single k,
        N(-d'_k^2 / 2, d'_k^2). NaN without couples.
    """
    weight_B = np.ones(d_prime_B.size) if weight_B is None else weight_B
    total = weight_B.sum()
    if total == 0:
        return np.nan
    square_B = d_prime_B**2
    chance_BB = ndtr(np.sqrt(square_B[:, None] + square_B) / 2)
    return float(weight_B @ chance_BB @ weight_B / total**2)


def expose_exactly(
    rng: np.random.Generator,
    systems: Systems,
    velocity_B2: Float64,
    rv_kms_B: Float64,
    snr_B: Float64,
    instrument: InstrumentSettings,
    spectra: SpectraSettings,
) -> tuple[View, Float32]:
    """Compute noise-free spectra of systems without scatter, as an exact instrument sees them.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers of fibres and masks.
    systems : Systems
        B systems.
    velocity_B2 : ndarray of float64, (B, 2)
        Velocities of their stars in km/s.
    rv_kms_B, snr_B : ndarray of float64, (B,)
        Velocity that the catalogue gives, and S/N in g.
    instrument, spectra : InstrumentSettings, SpectraSettings
        Priors of the instrument, whose errors are set to zero (`EXACT`); preprocessing.

    Returns
    -------
    view : View
        Fibres, masks and inverse variances.
    flux_BN : ndarray of float32, (B, N)
        Noise-free flux, mean 1 in g.
    """
    instrument = instrument.model_copy(update=EXACT)
    fibres = draw_fibres(rng, len(snr_B), instrument)
    flux_BN = composite_flux(
        components_of(systems, velocity_B2, [_quiet(len(snr_B))] * 2),
        fibres.resolution_B, fibres.log10_first_B, N_PIXEL, ScatterSettings(enabled=False),
    )  # fmt: skip
    _level(flux_BN)
    _, ivar_BN = observe(rng, flux_BN, snr_B, fibres, instrument)
    view = View(
        fibres.resolution_B, fibres.log10_first_B, fibres.n_pixel_B, ivar_BN, rv_kms_B, spectra
    )
    return view, flux_BN


def single_flux(theta_B4: Float64, view: View) -> Float32:
    """Noise-free flux of single stars on their fibres' grids.

    Parameters
    ----------
    theta_B4 : ndarray of float64, (B, 4)
        Teff (K), log g, [M/H] and velocity (km/s) of each.
    view : View
        How each is seen.

    Returns
    -------
    ndarray of float32, (B, N)
        Mean 1 in g.

    Raises
    ------
    ValueError
        Labels outside the model's validity.
    """
    n = len(theta_B4)
    stars = Components(np.arange(n), theta_B4[:, :3], np.ones(n), theta_B4[:, 3], _quiet(n))
    flux_BN = composite_flux(
        stars, view.resolution_B, view.log10_first_B, N_PIXEL, ScatterSettings(enabled=False)
    )
    return _level(flux_BN)


def single_spectra(theta_B4: Float64, view: View) -> Float32:
    """Noise-free spectra of single stars in network form: normalised flux, (B, L).

    Parameters and errors as of `single_flux`.
    """
    return view.prepared(single_flux(theta_B4, view))


def nearest_single(
    target_BL: Float32,
    ivar_BL: Float32,
    start_B4: Float64,
    model: Callable[[Float64], Float32],
    n_iteration: int = 4,
) -> NearestSingles:
    """Find the single stars nearest to some spectra, all at once.

    Levenberg-Marquardt, see `least_squares`. The smooth continuum needs no parameter of its own:
    it is divided out of the model as it was out of the target.

    Parameters
    ----------
    target_BL : ndarray of float32, (B, L)
        Noise-free normalised spectra (continuum = 1).
    ivar_BL : ndarray of float32, (B, L)
        Inverse variance of their pixels.
    start_B4 : ndarray of float64, (B, 4)
        First guess: Teff (K), log g, [M/H], velocity (km/s).
    model : callable
        From theta_B4 to normalised spectra, as `single_spectra`.
    n_iteration : int
        Steps, each of five models; two suffice where the start is the primary.

    Returns
    -------
    NearestSingles
        Never farther away than the first guess.
    """
    limits = Parameters(LOW_4, HIGH_4, STEP_4)
    found = least_squares(target_BL, ivar_BL, start_B4, model, limits, n_iteration)
    return NearestSingles(found.theta_BX, found.flux_BL, np.sqrt(found.chi2_B))


def _level(flux_BN: Float32) -> Float32:
    """Bring spectra to a mean of 1 in g, in place."""
    low, high = (round((np.log10(wave) - FIRST) / STEP) for wave in SNR_WINDOW)
    flux_BN /= flux_BN[:, low:high].mean(axis=1, keepdims=True)
    return flux_BN


def _quiet(n: int) -> StarScatter:
    """Draws for n stars without scatter."""
    return StarScatter(np.zeros((n, 0), np.float32), np.zeros(n, np.float32), np.zeros(n))
