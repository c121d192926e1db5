"""The noise-free spectrum of one star or of two, as a fibre's spectrograph resolves it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.stars import ScatterSettings
from pipeline.spectra.velocity import SPEED_OF_LIGHT_KMS
from pipeline.stars.isochrone import IsochroneStars
from pipeline.stars.scatter import StarScatter, scatter_lines
from pipeline.stars.templates import (
    LABEL_MAX,
    LABEL_MIN,
    continuum,
    load_templates,
    normalised_flux,
)

FWHM_TO_SIGMA = 1 / np.sqrt(8 * np.log(2))
DECIMATION = 4
"""Template pixels per LAMOST pixel: 1e-4 / 2.5e-5 dex."""

HALF_WIDTH = 18
"""Half width of the broadening kernel in template pixels: 5 sigma of the broadest."""

CHUNK = 32
"""Components computed at a time, so that intermediate arrays stay in the cache."""

SUN_TEFF_K = 5772.0


@dataclass(frozen=True)
class Components:
    """C stars, of which each belongs to one spectrum.

    Parameters
    ----------
    owner_C : ndarray of intp, (C,)
        Row of the spectrum that the star's light goes into.
    labels_C3 : ndarray of float64, (C, 3)
        Teff (K), log g, [M/H], inside the model's validity.
    radius2_C : ndarray of float64, (C,)
        Radius squared (Sun = 1): the weight of the surface flux.
    velocity_kms_C : ndarray of float64, (C,)
        Radial velocity at the time of observation.
    scatter : StarScatter
        Star-to-star scatter.
    """

    owner_C: NDArray[np.intp]
    labels_C3: NDArray[np.float64]
    radius2_C: NDArray[np.float64]
    velocity_kms_C: NDArray[np.float64]
    scatter: StarScatter


def model_labels(
    stars: IsochroneStars, mh: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Labels inside the model's validity, and the radii that keep the luminosity.

    A star cooler than 3500 K (or with log g above 5) is given the nearest valid spectrum at its
    own luminosity, R^2 = L / Teff^4: such a companion adds little light, of about the right
    colour.

    Parameters
    ----------
    stars : IsochroneStars
        B stars.
    mh : ndarray of float64, (B,)
        [M/H] in dex.

    Returns
    -------
    labels_B3 : ndarray of float64, (B, 3)
        Teff (K), log g, [M/H].
    radius2_B : ndarray of float64, (B,)
        Radius squared (Sun = 1).
    """
    labels_B3 = np.stack([stars.teff_k, stars.logg, mh], axis=1)
    labels_B3 = np.clip(labels_B3, LABEL_MIN, LABEL_MAX)
    return labels_B3, 10**stars.log_l * (SUN_TEFF_K / labels_B3[:, 0]) ** 4


def kernels(
    resolution: NDArray[np.float64], vsini_kms: NDArray[np.float64], offset: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Broadening kernels on template pixels, centred between pixels where needed.

    Gaussians that take the templates' resolution to the fibre's; rotation adds the variance of a
    uniformly bright disc, vsini^2 / 4.

    Parameters
    ----------
    resolution : ndarray of float64, (C,)
        Resolving power of the fibre.
    vsini_kms : ndarray of float64, (C,)
        Projected rotation.
    offset : ndarray of float64, (C,)
        Distance of the centre from the kernel's middle pixel, 0 to 1 pixel.

    Returns
    -------
    ndarray of float32, (C, W)
        Of sum 1; W is 2 * ``HALF_WIDTH`` + 2 rounded up to a multiple of ``DECIMATION``.
    """
    model = load_templates()
    instrument = FWHM_TO_SIGMA**2 * (1 / resolution**2 - 1 / model.resolution**2)
    rotation = (vsini_kms / SPEED_OF_LIGHT_KMS) ** 2 / 4
    sigma_C = np.sqrt(instrument + rotation) / np.log(10) / model.step
    n_tap = -(-(2 * HALF_WIDTH + 2) // DECIMATION) * DECIMATION
    tap = np.arange(n_tap) - HALF_WIDTH
    kernel_CW = np.exp(-0.5 * ((tap - offset[:, None]) / sigma_C[:, None]) ** 2)
    kernel_CW /= kernel_CW.sum(axis=1, keepdims=True)
    return np.asarray(kernel_CW, dtype=np.float32)


def strided_convolution(
    flux_P: NDArray[np.float32], kernel_W: NDArray[np.float32], first: int, n_pixel: int
) -> NDArray[np.float32]:
    """Every ``DECIMATION``-th value of a correlation, one phase of the samples at a time.

    ``out[i] = sum_k kernel[k] flux[first + DECIMATION i + k]``.

    Parameters
    ----------
    flux_P : ndarray of float32, (P,)
        Flux on template pixels, arbitrary units.
    kernel_W : ndarray of float32, (W,)
        As from :func:`kernels`.
    first : int
        Template pixel under the first tap of the first value.
    n_pixel : int
        Number of values.

    Returns
    -------
    ndarray of float32, (n_pixel,)
        In the units of the flux.
    """
    out = np.zeros(n_pixel, dtype=np.float32)
    n_tap = len(kernel_W) // DECIMATION
    for phase in range(DECIMATION):
        samples = flux_P[first + phase :: DECIMATION][: n_pixel + n_tap - 1]
        out += np.correlate(samples, kernel_W[phase::DECIMATION], mode="valid")
    return out


def composite_flux(
    components: Components,
    resolution_B: NDArray[np.float64],
    log10_first_B: NDArray[np.float64],
    n_pixel: int,
    settings: ScatterSettings,
) -> NDArray[np.float32]:
    """Noise-free flux of B spectra on the survey's grid (1e-4 dex per pixel).

    Each component gets its own scatter, Doppler shift, rotation and radius, and the sum is taken
    before anything that happens to the light in the telescope.

    Parameters
    ----------
    components : Components
        The stars.
    resolution_B : ndarray of float64, (B,)
        Resolving power of each spectrum's fibre, below the templates' 2500.
    log10_first_B : ndarray of float64, (B,)
        log10 of the first wavelength of each spectrum in Angstrom.
    n_pixel : int
        Length of the spectra, N.
    settings : ScatterSettings
        Sizes of the scatter's groups.

    Returns
    -------
    ndarray of float32, (B, N)
        Flux per wavelength at a common distance, arbitrary units.

    Raises
    ------
    ValueError
        Labels outside the model's validity, or a grid that the templates do not cover.
    """
    model = load_templates()
    owner_C = components.owner_C
    shift_C = np.log10(1 + components.velocity_kms_C / SPEED_OF_LIGHT_KMS)
    start_C = (log10_first_B[owner_C] - shift_C - model.log10_wave_P[0]) / model.step
    first_C = np.floor(start_C).astype(np.intp)
    last_C = first_C + DECIMATION * (n_pixel - 1) + HALF_WIDTH + DECIMATION
    if first_C.min(initial=HALF_WIDTH) < HALF_WIDTH or (
        last_C.max(initial=0) >= len(model.log10_wave_P)
    ):
        raise ValueError(
            "the templates (3640-9250 Angstrom) don't cover the grid at these velocities"
        )
    kernel_CW = kernels(resolution_B[owner_C], components.scatter.vsini_kms_C, start_C - first_C)
    flux_BN = np.zeros((len(resolution_B), n_pixel), dtype=np.float32)
    for begin in range(0, len(owner_C), CHUNK):
        rows = slice(begin, begin + CHUNK)
        labels = components.labels_C3[rows]
        flux_CP = normalised_flux(labels)
        if settings.enabled:
            scatter_lines(flux_CP, components.scatter.take(rows), settings)
        flux_CP *= continuum(labels)
        for row, c in enumerate(range(begin, begin + len(labels))):
            light = strided_convolution(
                flux_CP[row], kernel_CW[c], int(first_C[c]) - HALF_WIDTH, n_pixel
            )
            light *= np.float32(components.radius2_C[c])
            flux_BN[owner_C[c]] += light
    return flux_BN
