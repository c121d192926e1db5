"""What single stars of given labels look like, and how they scatter: learned from a pool."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.composites.mean_spectrum import STAR_SCATTER, normal_equations, solved, terms
from pipeline.pairfit.grid import wave_slope
from pipeline.pairfit.spectra import Singles

FloatArray = NDArray[np.float64]

N_COMPONENT = 30
"""Components of the scatter that pixels share."""

_SMALLEST_SCATTER = 0.003
_RIDGE = 1e-6


@dataclass(frozen=True)
class StarModel:
    """Mean spectrum of single stars by their labels, and their scatter around it.

    Parameters
    ----------
    basis_IL : ndarray of float64, (I, L)
        Coefficients of the terms at every pixel, and the same times the wavelength.
    scatter_L : ndarray of float64, (L,)
        Variance of each pixel of its own.
    common_CL : ndarray of float64, (C, L)
        Scatter that pixels share: components times their standard deviations.
    profile_L : ndarray of float64, (L,)
        Variance of the noise of a pixel over the mean of all pixels, median of the pool.
    """

    basis_IL: FloatArray
    scatter_L: FloatArray
    common_CL: FloatArray
    profile_L: FloatArray

    def mean(self, teff_k_B: FloatArray, feh_B: FloatArray) -> FloatArray:
        """Return the mean spectra of single stars, less 1: (B, L).

        Parameters
        ----------
        teff_k_B, feh_B : ndarray of float64, (B,)
            Labels.
        """
        terms_BI = terms(teff_k_B, feh_B)
        return np.asarray(terms_BI @ self.basis_IL[: terms_BI.shape[1]])


def mean_model(stars: Singles) -> StarModel:
    """Fit the mean spectrum at every pixel by weighted least squares.

    Parameters
    ----------
    stars : Singles
        B spectra, more than there are terms.

    Returns
    -------
    StarModel
        With the same scatter at every pixel, none in common.
    """
    terms_BI = terms(stars.teff_k_B, stars.feh_B)
    weight_BL = 1 / (stars.variance_BL + STAR_SCATTER**2)
    n_pixel = stars.wave_L.size
    normal_QL, right_IL = normal_equations(terms_BI, weight_BL, stars.flux_BL)
    basis_IL = solved(normal_QL, right_IL, np.full(n_pixel, _RIDGE))
    return StarModel(
        np.concatenate([basis_IL, basis_IL * wave_slope(stars.wave_L)]),
        np.full(n_pixel, STAR_SCATTER**2),
        np.empty((0, n_pixel)),
        _profile(stars),
    )


def with_scatter(model: StarModel, stars: Singles) -> StarModel:
    """Learn the scatter of stars around the mean of their labels.

    Parameters
    ----------
    model : StarModel
        Its mean spectrum is kept.
    stars : Singles
        The half of less noise is looked at.
    """
    good_BL = np.isfinite(stars.variance_BL)
    noise_BL = np.where(good_BL, stars.variance_BL, 0).astype(np.float64)
    mean_B = noise_BL.mean(axis=1)
    calm = mean_B <= np.median(mean_B)
    noise_BL, some = noise_BL[calm], stars.take(calm)
    rest_BL = np.where(good_BL[calm], some.flux_BL - model.mean(some.teff_k_B, some.feh_B), 0)
    _, size, axes_CL = np.linalg.svd(rest_BL - rest_BL.mean(axis=0), full_matrices=False)
    axes_CL, size = axes_CL[:N_COMPONENT], size[:N_COMPONENT]
    noise_L = noise_BL.mean(axis=0)
    variance_C = size**2 / len(rest_BL) - axes_CL**2 @ noise_L
    common_CL = axes_CL * np.sqrt(np.maximum(variance_C, 0))[:, None]
    own_L = rest_BL.var(axis=0) - noise_L - (common_CL**2).sum(axis=0)
    scatter_L = np.maximum(own_L, _SMALLEST_SCATTER**2)
    return StarModel(model.basis_IL, scatter_L, common_CL, model.profile_L)


def _profile(stars: Singles) -> FloatArray:
    """Return the variance of a pixel over the mean of its spectrum, median of spectra: (L,)."""
    variance_BL = np.where(np.isfinite(stars.variance_BL), stars.variance_BL, np.nan)
    ratio_BL = variance_BL / np.nanmedian(variance_BL, axis=1, keepdims=True)
    # A pixel that is bad in every spectrum has no noise that is known; it never counts.
    known_L = np.isfinite(ratio_BL).any(axis=0)
    profile_L = np.ones(variance_BL.shape[1])
    profile_L[known_L] = np.nanmedian(ratio_BL[:, known_L], axis=0)
    return np.maximum(profile_L, 1e-3)
