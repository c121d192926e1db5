"""Sums of the spectra of two stars, as one fibre would have observed them.

Both classes must be made in the same way: sums have united masks, averaged noise and shifted
grids, by which a network could recognise them. So a couple of sums shares primary, velocities,
mask and noise; only the second star differs.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.composites import CompositeSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.masking import bad_pixels
from pipeline.spectra.resampling import resample

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
BoolArray = NDArray[np.bool_]


class Stored(NamedTuple):
    """B spectra as the store holds them, each with the velocity of its star.

    Parameters
    ----------
    flux_BN, ivar_BN : ndarray of float32, (B, N)
        Flux and inverse variance, arbitrary units.
    log10_first_B : ndarray of float64, (B,)
        log10 of the first vacuum wavelength in Angstrom.
    n_pixel_B : ndarray of int32, (B,)
        Number of real pixels.
    rv_kms_B : ndarray of float64, (B,)
        Radial velocity.
    """

    flux_BN: Float32Array
    ivar_BN: Float32Array
    log10_first_B: FloatArray
    n_pixel_B: NDArray[np.int32]
    rv_kms_B: FloatArray

    def take(self, rows: NDArray[np.int64]) -> "Stored":
        """Return some of the spectra.

        Parameters
        ----------
        rows : ndarray of int64
            Which of them.

        Returns
        -------
        Stored
            In the order of ``rows``.
        """
        return Stored(
            self.flux_BN[rows],
            self.ivar_BN[rows],
            self.log10_first_B[rows],
            self.n_pixel_B[rows],
            self.rv_kms_B[rows],
        )


class Light(NamedTuple):
    """Light of B stars or pairs on the common grid.

    Parameters
    ----------
    flux_BL : ndarray of float32, (B, L)
        Flux at a common distance, arbitrary units; 0 at bad pixels.
    variance_BL : ndarray of float32, (B, L)
        Its variance; 0 at bad pixels.
    bad_BL : ndarray of bool, (B, L)
        Bad pixels.
    """

    flux_BL: Float32Array
    variance_BL: Float32Array
    bad_BL: BoolArray


def star_light(
    stored: Stored,
    velocity_kms_B: FloatArray,
    m_g_B: FloatArray,
    settings: CompositeSettings,
    spectra: SpectraSettings,
) -> Light:
    """Light of each star at a common distance, at a chosen velocity on the common grid.

    The photons between the two wavelengths of the settings, which represent Gaia's G, are scaled
    to 10^(-0.4 M_G). One interpolation takes the spectrum from its own pixels to the velocity,
    as many as a single star undergoes.

    Parameters
    ----------
    stored : Stored
        Spectra.
    velocity_kms_B : ndarray of float64, (B,)
        Velocity that the star shall have on the grid.
    m_g_B : ndarray of float64, (B,)
        Absolute G magnitude.
    settings : CompositeSettings
        The window.
    spectra : SpectraSettings
        The grid.

    Returns
    -------
    Light
        A spectrum without positive light in the window is bad throughout.
    """
    grid = WaveGrid.from_settings(spectra)
    bad_BN = bad_pixels(stored.flux_BN, stored.ivar_BN)
    bad_BN |= np.arange(stored.flux_BN.shape[1]) >= stored.n_pixel_B[:, None]
    flux_BL, ivar_BL, bad_BL = resample(
        stored.flux_BN, stored.ivar_BN, bad_BN, stored.log10_first_B, grid,
        np.asarray(stored.rv_kms_B - velocity_kms_B),
    )  # fmt: skip
    photon_L = photon_weights(grid, settings)
    counted_B = (~bad_BL) @ photon_L
    # In float64, for fluxes reach 1e8.
    total_B = flux_BL.astype(np.float64) @ photon_L
    with np.errstate(invalid="ignore", divide="ignore"):
        scale_B = 10 ** (-0.4 * m_g_B) * counted_B / total_B
    dark_B = ~(np.isfinite(scale_B) & (scale_B > 0))
    scale_B1 = np.where(dark_B, 0.0, scale_B)[:, None]
    bad_BL |= dark_B[:, None]
    with np.errstate(divide="ignore", over="ignore"):
        variance_BL = np.where(bad_BL, 0.0, scale_B1**2 / ivar_BL)
    bad_BL |= ~np.isfinite(variance_BL)
    variance_BL[bad_BL] = 0
    return Light(
        (flux_BL * scale_B1 * ~bad_BL).astype(np.float32), variance_BL.astype(np.float32), bad_BL
    )


def photon_weights(grid: WaveGrid, settings: CompositeSettings) -> FloatArray:
    """Return what flux is multiplied by to count photons in the window: (L,), 0 outside.

    Pixels are equal in log wavelength: a photon count is the sum of flux times wavelength^2.

    Parameters
    ----------
    grid : WaveGrid
        The wavelengths.
    settings : CompositeSettings
        The window.
    """
    inside_L = (grid.wave_L >= settings.light_min_angstrom) & (
        grid.wave_L <= settings.light_max_angstrom
    )
    return np.where(inside_L, grid.wave_L**2, 0.0)


def summed(*stars: Light) -> Light:
    """Add the light of the stars of each pair; a pixel that is bad in one is bad in the sum.

    Parameters
    ----------
    *stars : Light
        The first stars of the pairs, the second ones, and so on.

    Returns
    -------
    Light
        The sums.
    """
    bad_BL = np.logical_or.reduce([star.bad_BL for star in stars])
    flux_BL = np.sum([star.flux_BL for star in stars], axis=0, dtype=np.float32)
    variance_BL = np.sum([star.variance_BL for star in stars], axis=0, dtype=np.float32)
    return Light(flux_BL * ~bad_BL, variance_BL * ~bad_BL, bad_BL)


def masked(light: Light, bad_BL: BoolArray) -> Light:
    """Declare further pixels bad.

    Parameters
    ----------
    light : Light
        The spectra.
    bad_BL : ndarray of bool, (B, L)
        Further bad pixels.

    Returns
    -------
    Light
        A copy.
    """
    bad_BL = light.bad_BL | bad_BL
    return Light(light.flux_BL * ~bad_BL, light.variance_BL * ~bad_BL, bad_BL)
