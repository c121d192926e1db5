"""From summed light to network input, with noise added up to a wanted level."""

from typing import NamedTuple

import numpy as np

from pipeline.composites.sums import BoolArray, Float32Array, FloatArray, Light
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.normalise import normalised_flux

SNR_WINDOW = (4200.0, 5300.0)
"""Wavelengths in Angstrom over which S/N in g is the mean."""


class Exposed(NamedTuple):
    """B spectra as the network reads them.

    Parameters
    ----------
    flux_BL : ndarray of float32, (B, L)
        Normalised flux (continuum = 1), exactly 1 at bad pixels.
    ivar_BL : ndarray of float32, (B, L)
        Its inverse variance, 0 at bad pixels.
    bad_BL : ndarray of bool, (B, L)
        Bad pixels.
    """

    flux_BL: Float32Array
    ivar_BL: Float32Array
    bad_BL: BoolArray


def relative_variance(light: Light, spectra: SpectraSettings) -> Float32Array:
    """Variance over the square of the smoothed flux.

    Parameters
    ----------
    light : Light
        The spectra.
    spectra : SpectraSettings
        The continuum.

    Returns
    -------
    ndarray of float32, (B, L)
        0 at bad pixels.
    """
    exposed = exposure(light, None, None, spectra)
    with np.errstate(divide="ignore"):
        return np.where(exposed.bad_BL, np.float32(0), 1 / exposed.ivar_BL)


def mean_snr(relative_BL: Float32Array, bad_BL: BoolArray, spectra: SpectraSettings) -> FloatArray:
    """S/N per pixel in g of a continuum with that relative variance.

    Parameters
    ----------
    relative_BL : ndarray of float32, (B, L)
        As from :func:`relative_variance`.
    bad_BL : ndarray of bool, (B, L)
        Bad pixels.
    spectra : SpectraSettings
        The grid.

    Returns
    -------
    ndarray of float64, (B,)
        Mean over the good pixels within `SNR_WINDOW`; 0 without one.
    """
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

    Parameters
    ----------
    light : Light
        The spectra.
    wanted_BL, rng : ndarray of float32, (B, L), and numpy.random.Generator, optional
        As for :func:`noisy`; None adds nothing.
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
    if wanted_BL is not None:
        if rng is None:
            raise ValueError("noise is to be added: hand over the random numbers for it")
        light = noisy(light, wanted_BL, rng, spectra)
    normal_BL, bad_BL, scale_BL = normalised(light, spectra)
    variance_BL = light.variance_BL
    with np.errstate(divide="ignore"):
        ivar_BL = np.where(bad_BL | (variance_BL <= 0), 0.0, scale_BL**2 / variance_BL)
    return Exposed(normal_BL, ivar_BL.astype(np.float32), bad_BL)


def noisy(
    light: Light, wanted_BL: Float32Array, rng: np.random.Generator, spectra: SpectraSettings
) -> Light:
    """Add noise up to a wanted level.

    In the rest frame the noise is drawn on a grid of its own and interpolated by a random fraction
    of a pixel, as that of every spectrum is, so neighbours are correlated as they are there. In the
    observed frame pixels are copied, and so is the noise.

    Parameters
    ----------
    light : Light
        The spectra.
    wanted_BL : ndarray of float32, (B, L)
        Variance over the square of the smoothed flux; pixels that have more already keep it.
    rng : numpy.random.Generator
        Random numbers for the noise.
    spectra : SpectraSettings
        The continuum.

    Returns
    -------
    Light
        In the units of the light.
    """
    _, _, scale_BL = normalised(light, spectra)
    lacking_BL = np.clip(wanted_BL * scale_BL**2 - light.variance_BL, 0, None) * ~light.bad_BL
    n_row, n_pixel = light.flux_BL.shape
    white_BW = rng.standard_normal((n_row, n_pixel + 1), dtype=np.float32)
    part_B1 = rng.random((n_row, 1), dtype=np.float32)
    if spectra.frame == "observed":
        part_B1[:] = 0
    noise_BL = (1 - part_B1) * white_BW[:, :-1] + part_B1 * white_BW[:, 1:]
    return Light(
        light.flux_BL + noise_BL * np.sqrt(lacking_BL), light.variance_BL + lacking_BL, light.bad_BL
    )


def normalised(
    light: Light, spectra: SpectraSettings
) -> tuple[Float32Array, BoolArray, Float32Array]:
    """Divide light by its smoothed flux.

    Parameters
    ----------
    light : Light
        The spectra.
    spectra : SpectraSettings
        Grid and continuum.

    Returns
    -------
    tuple of ndarray, (B, L)
        Normalised flux, bad pixels, and what the flux was divided by: see
        :func:`pipeline.spectra.normalise.normalised_flux`.
    """
    wave_L = WaveGrid.from_settings(spectra).wave_L
    with np.errstate(divide="ignore"):
        ivar_BL = np.where(light.variance_BL > 0, 1 / light.variance_BL, 0).astype(np.float32)
    return normalised_flux(light.flux_BL, ivar_BL, light.bad_BL, wave_L, spectra)
