"""Sums of the spectra of two stars, as one fibre would have seen them.

Both classes must be made in the same way: sums have united masks, averaged noise and shifted
grids, by which a network would know them. So a couple of sums shares primary, velocities, mask
and noise; what differs is the second star.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.composites import CompositeSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.masking import bad_pixels
from pipeline.spectra.normalise import normalised_flux
from pipeline.spectra.resampling import resample

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

SNR_WINDOW = (4200.0, 5300.0)
"""Wavelengths in Angstrom over which S/N in g is the mean."""


class Stored(NamedTuple):
    """B spectra as the store holds them, each with the velocity of its star."""

    flux_BN: Float32Array
    ivar_BN: Float32Array
    log10_first_B: FloatArray
    n_pixel_B: NDArray[np.int32]
    rv_kms_B: FloatArray

    def take(self, rows: NDArray[np.int64]) -> "Stored":
        """Return some of the spectra."""
        return Stored(
            self.flux_BN[rows],
            self.ivar_BN[rows],
            self.log10_first_B[rows],
            self.n_pixel_B[rows],
            self.rv_kms_B[rows],
        )


class Light(NamedTuple):
    """Light of B stars or pairs on the common grid; variance 0 at bad pixels."""

    flux_BL: Float32Array
    variance_BL: Float32Array
    bad_BL: BoolArray


class Exposed(NamedTuple):
    """B spectra as the network reads them: flux exactly 1 at bad pixels, and ivar 0."""

    flux_BL: Float32Array
    ivar_BL: Float32Array
    bad_BL: BoolArray


def star_light(
    stored: Stored,
    velocity_kms_B: FloatArray,
    m_g_B: FloatArray,
    settings: CompositeSettings,
    spectra: SpectraSettings,
) -> Light:
    """Light of each star at a common distance, at a chosen velocity on the common grid.

    The photons between the two wavelengths of the settings, a stand-in for Gaia's G, are scaled
    to 10^(-0.4 M_G). One interpolation takes the spectrum from its own pixels to the velocity,
    as many as a single star undergoes.

    Parameters
    ----------
    stored : Stored
        Spectra; flux and inverse variance in any unit.
    velocity_kms_B : numpy.ndarray, (B,)
        Velocity that the star shall have on the grid.
    m_g_B : numpy.ndarray, (B,)
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
    inside_L = (grid.wave_L >= settings.light_min_angstrom) & (
        grid.wave_L <= settings.light_max_angstrom
    )
    # Pixels are equal in log wavelength: a photon count is the sum of flux times wavelength^2.
    photon_L = np.where(inside_L, grid.wave_L**2, 0.0)
    counted_B = (~bad_BL) @ photon_L
    # Widened to float64, for fluxes reach 1e8.
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


def summed(*stars: Light) -> Light:
    """Add the light of the stars of each pair; a pixel that is bad in one is bad in the sum."""
    bad_BL = np.logical_or.reduce([star.bad_BL for star in stars])
    flux_BL = np.sum([star.flux_BL for star in stars], axis=0, dtype=np.float32)
    variance_BL = np.sum([star.variance_BL for star in stars], axis=0, dtype=np.float32)
    return Light(flux_BL * ~bad_BL, variance_BL * ~bad_BL, bad_BL)


def masked(light: Light, bad_BL: BoolArray) -> Light:
    """Declare further pixels bad."""
    bad_BL = light.bad_BL | bad_BL
    return Light(light.flux_BL * ~bad_BL, light.variance_BL * ~bad_BL, bad_BL)


def relative_variance(light: Light, spectra: SpectraSettings) -> Float32Array:
    """Variance over the square of the smoothed flux, 0 at bad pixels."""
    exposed = exposure(light, None, None, spectra)
    with np.errstate(divide="ignore"):
        return np.where(exposed.bad_BL, np.float32(0), 1 / exposed.ivar_BL)


def mean_snr(relative_BL: Float32Array, bad_BL: BoolArray, spectra: SpectraSettings) -> FloatArray:
    """S/N a pixel in g of a continuum with that relative variance; 0 without a good pixel."""
    wave_L = WaveGrid.from_settings(spectra).wave_L
    good_BL = ~bad_BL & (wave_L >= SNR_WINDOW[0]) & (wave_L <= SNR_WINDOW[1]) & (relative_BL > 0)
    snr_BL = 1 / np.sqrt(np.where(good_BL, relative_BL, 1.0), dtype=np.float64)
    return np.asarray((snr_BL * good_BL).sum(axis=1) / np.maximum(good_BL.sum(axis=1), 1))


def exposure(
    light: Light,
    wanted_BL: Float32Array | None,
    rng: np.random.Generator | None,
    spectra: SpectraSettings,
) -> Exposed:
    """Bring light into network form, with noise added up to a wanted level.

    The noise is drawn on a grid of its own and interpolated by a random fraction of a pixel, as
    that of every observed spectrum is, so neighbours are correlated as they are there.

    Parameters
    ----------
    light : Light
        What was summed.
    wanted_BL : numpy.ndarray or None
        Variance over the square of the smoothed flux; pixels that have more already keep it.
        None adds nothing.
    rng : numpy.random.Generator or None
        Random numbers for the noise.
    spectra : SpectraSettings
        The continuum.

    Returns
    -------
    Exposed
        The inverse variance is the wanted one where noise was added.

    Raises
    ------
    ValueError
        Noise is wanted and there are no random numbers.
    """
    grid = WaveGrid.from_settings(spectra)
    flux_BL, variance_BL = light.flux_BL, light.variance_BL
    if wanted_BL is not None:
        if rng is None:
            raise ValueError("noise is to be added: hand over the random numbers for it")
        _, _, scale_BL = _normalised(light, grid, spectra)
        lacking_BL = np.clip(wanted_BL * scale_BL**2 - variance_BL, 0, None) * ~light.bad_BL
        n_row, n_pixel = flux_BL.shape
        white_BW = rng.standard_normal((n_row, n_pixel + 1), dtype=np.float32)
        part_B1 = rng.random((n_row, 1), dtype=np.float32)
        noise_BL = (1 - part_B1) * white_BW[:, :-1] + part_B1 * white_BW[:, 1:]
        flux_BL = flux_BL + noise_BL * np.sqrt(lacking_BL)
        variance_BL = variance_BL + lacking_BL
    noisy = Light(flux_BL, variance_BL, light.bad_BL)
    normal_BL, bad_BL, scale_BL = _normalised(noisy, grid, spectra)
    with np.errstate(divide="ignore"):
        ivar_BL = np.where(bad_BL | (variance_BL <= 0), 0.0, scale_BL**2 / variance_BL)
    return Exposed(normal_BL, ivar_BL.astype(np.float32), bad_BL)


def _normalised(
    light: Light, grid: WaveGrid, spectra: SpectraSettings
) -> tuple[Float32Array, BoolArray, Float32Array]:
    with np.errstate(divide="ignore"):
        ivar_BL = np.where(light.variance_BL > 0, 1 / light.variance_BL, 0).astype(np.float32)
    return normalised_flux(light.flux_BL, ivar_BL, light.bad_BL, grid.wave_L, spectra)
