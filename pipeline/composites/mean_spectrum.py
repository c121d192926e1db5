"""The mean spectrum of a pool of dwarfs at any temperature and metallicity."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.composites.exposure import normalised
from pipeline.composites.pool import Pool
from pipeline.composites.sums import BoolArray, Float32Array, FloatArray, Stored, star_light
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid

CHUNK = 256
SOLAR_TEFF_K = 5772.0
STAR_SCATTER = 0.02
"""Scatter of the normalised flux of stars of the same labels, which bounds the weight of a star."""

RIDGE = 1e-3
"""Added to the diagonal of the normal equations, in units of the mean weight of a star."""


@dataclass(frozen=True)
class MeanSpectrum:
    """Normalised flux less 1 in the rest frame: a polynomial in labels at every pixel.

    Parameters
    ----------
    coefficients_KL : ndarray of float32, (K, L)
        One row per term of :func:`terms`.
    """

    coefficients_KL: Float32Array

    def at(self, terms_BK: FloatArray) -> Float32Array:
        """Sum the terms.

        Parameters
        ----------
        terms_BK : ndarray of float64, (B, K)
            As from :func:`terms`, or a sum of such rows.

        Returns
        -------
        ndarray of float32, (B, L)
            Normalised flux less 1.
        """
        return np.asarray(terms_BK.astype(np.float32) @ self.coefficients_KL)


def terms(teff_k: FloatArray, feh: FloatArray) -> FloatArray:
    """Powers of labels: up to the third of log Teff, the second of [Fe/H], and their product.

    Parameters
    ----------
    teff_k, feh : ndarray of float64, (B,)
        Effective temperature in K and [Fe/H] in dex.

    Returns
    -------
    ndarray of float64, (B, K)
        Each of order one for dwarfs.
    """
    t, z = 10 * np.log(teff_k / SOLAR_TEFF_K), 2 * feh
    return np.stack([np.ones_like(t), t, t**2, t**3, z, z**2, t * z], axis=1)


class AtRest(NamedTuple):
    """Some spectra of a pool in the rest frame.

    Parameters
    ----------
    rows : ndarray of int64, (B,)
        Which of the pool.
    flux_BL : ndarray of float32, (B, L)
        Normalised flux less 1.
    noise_BL : ndarray of float32, (B, L)
        Its variance.
    bad_BL : ndarray of bool, (B, L)
        Bad pixels.
    """

    rows: NDArray[np.int64]
    flux_BL: Float32Array
    noise_BL: Float32Array
    bad_BL: BoolArray


def spectra_at_rest(
    pool: Pool, stored: Stored, settings: CompositeSettings, spectra: SpectraSettings
) -> Iterator[AtRest]:
    """Normalise the spectra of a pool in the rest frame, some hundred at a time.

    Parameters
    ----------
    pool, stored : Pool, Stored
        The stars and their spectra.
    settings, spectra : CompositeSettings, SpectraSettings
        Window of the light; grid and continuum.
    """
    for start in range(0, len(pool), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(pool)))
        light = star_light(
            stored.take(rows), np.zeros(len(rows)), pool.m_g[rows], settings, spectra
        )
        flux_BL, bad_BL, scale_BL = normalised(light, spectra)
        yield AtRest(rows, flux_BL - 1, light.variance_BL / scale_BL**2, bad_BL)


def normal_equations(
    terms_BK: FloatArray, weight_BL: NDArray[np.floating], flux_BL: Float32Array
) -> tuple[FloatArray, FloatArray]:
    """Return both sides of the normal equations of every pixel: (K^2, L) and (K, L).

    Parameters
    ----------
    terms_BK : ndarray of float64, (B, K)
        As from :func:`terms`.
    weight_BL : ndarray of float32 or float64, (B, L)
        Weights of the pixels.
    flux_BL : ndarray of float32, (B, L)
        Normalised flux less 1.
    """
    products_BKK = (terms_BK[:, :, None] * terms_BK[:, None, :]).reshape(len(terms_BK), -1)
    normal_QL, right_KL = products_BKK.T @ weight_BL, terms_BK.T @ (weight_BL * flux_BL)
    return np.asarray(normal_QL, np.float64), np.asarray(right_KL, np.float64)


def solved(normal_QL: FloatArray, right_KL: FloatArray, ridge_L: FloatArray) -> FloatArray:
    """Solve the normal equations of every pixel: (K, L).

    Parameters
    ----------
    normal_QL, right_KL : ndarray of float64, (K^2, L) and (K, L)
        Sums of :func:`normal_equations`.
    ridge_L : ndarray of float64, (L,)
        Added to the diagonal.
    """
    n_term = len(right_KL)
    ridge_LKK = ridge_L[:, None, None] * np.eye(n_term)
    normal_LKK = normal_QL.T.reshape(-1, n_term, n_term) + ridge_LKK
    found_LK = np.linalg.solve(normal_LKK, right_KL.T[:, :, None])[:, :, 0]
    return np.asarray(found_LK.T, np.float64)


def fit_mean(
    pool: Pool, stored: Stored, settings: CompositeSettings, spectra: SpectraSettings
) -> MeanSpectrum:
    """Fit the polynomial to spectra, pixel by pixel, by weighted least squares.

    Parameters
    ----------
    pool, stored : Pool, Stored
        The stars and their spectra.
    settings, spectra : CompositeSettings, SpectraSettings
        Window of the light; grid and continuum.

    Returns
    -------
    MeanSpectrum
        Zero where no star has a good pixel.
    """
    terms_BK = terms(pool.teff_k, pool.feh)
    n_term, n_pixel = terms_BK.shape[1], WaveGrid.from_settings(spectra).n_pixel
    normal_QL, right_KL = np.zeros((n_term**2, n_pixel)), np.zeros((n_term, n_pixel))
    for some in spectra_at_rest(pool, stored, settings, spectra):
        weight_BL = (~some.bad_BL / (STAR_SCATTER**2 + some.noise_BL)).astype(np.float64)
        normal, right = normal_equations(terms_BK[some.rows], weight_BL, some.flux_BL)
        normal_QL += normal
        right_KL += right
    # The first term is 1, so its product with itself has the summed weights.
    found_KL = solved(normal_QL, right_KL, RIDGE * normal_QL[0] / max(len(pool), 1) + 1e-9)
    return MeanSpectrum(np.ascontiguousarray(found_KL, np.float32))
