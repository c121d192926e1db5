"""The mean spectrum of a pool of dwarfs at any temperature and metallicity."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.composites.exposure import normalised
from pipeline.composites.pool import Pool
from pipeline.composites.sums import Float32Array, FloatArray, Stored, star_light
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
    n_term = terms_BK.shape[1]
    products_BKK = (terms_BK[:, :, None] * terms_BK[:, None, :]).reshape(len(pool), -1)
    n_pixel = WaveGrid.from_settings(spectra).n_pixel
    normal, right = np.zeros((n_term**2, n_pixel)), np.zeros((n_term, n_pixel))
    for start in range(0, len(pool), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(pool)))
        light = star_light(
            stored.take(rows), np.zeros(len(rows)), pool.m_g[rows], settings, spectra
        )
        flux_BL, bad_BL, scale_BL = normalised(light, spectra)
        noise_BL = light.variance_BL / scale_BL**2
        weight_BL = (~bad_BL / (STAR_SCATTER**2 + noise_BL)).astype(np.float64)
        normal += products_BKK[rows].T @ weight_BL
        right += terms_BK[rows].T @ (weight_BL * (flux_BL - 1))
    normal_LKK = normal.T.reshape(-1, n_term, n_term)
    # The first term is 1, so its product with itself has the summed weights.
    ridge_L = RIDGE * normal_LKK[:, 0, 0] / max(len(pool), 1) + 1e-9
    normal_LKK = normal_LKK + ridge_L[:, None, None] * np.eye(n_term)
    found_LK: NDArray[np.float64] = np.linalg.solve(normal_LKK, right.T[:, :, None])[:, :, 0]
    return MeanSpectrum(np.ascontiguousarray(found_LK.T, np.float32))
