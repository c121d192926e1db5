"""The smoothed flux of a spectrum, its stand-in for a continuum."""

import math
from functools import lru_cache

import numpy as np
from array_api_compat import array_namespace, device

from pipeline.spectra.arrays import Array, row_blocks
from pipeline.spectra.kernel import Kernel, gaussian_kernel

FLOOR = 1e-12
"""A pixel whose sum of weights is below this fraction of all weights of its row has no continuum
of its own."""


def smoothed_flux(
    flux_BL: Array,
    weight_BL: Array,
    wave_L: Array,
    sigma_angstrom: float = 350.0,
    half: bool = False,
) -> Array:
    """Gaussian-weighted mean of the flux around every pixel.

    f_s(l) = sum_i f_i g_i w_i(l) / sum_i g_i w_i(l) with w_i(l) = exp(-(l - l_i)^2 / sigma^2),
    the form of Ho et al. 2017 (arXiv 1602.00303), where g is the inverse variance.

    Parameters
    ----------
    flux_BL : array of float32, (B, L)
        Flux, arbitrary units. It may be anything, NaN too, where the weight is zero.
    weight_BL : array of float32, (B, L)
        Weight g of each pixel, of order one, zero at bad pixels.
    wave_L : ndarray of float64, (L,)
        Wavelengths in Angstrom, ascending.
    sigma_angstrom : float
        Width of the Gaussian.
    half : bool
        Put the extra 1/2 into the exponent, as TheCannon's code does.

    Returns
    -------
    array of float32, (B, L)
        Smoothed flux f_s in the units of the flux, always finite. Relative to the formula in
        float64, the error is below 1e-5 up to three widths away from a good pixel and 1e-3 at
        five. Beyond that, where the sum of weights is dominated by rounding, it is the weighted
        mean of the whole row; zero in a row without any weight.

    Raises
    ------
    ValueError
        The wavelengths do not ascend, or the width is not positive.

    Notes
    -----
    The products need float32 throughout: leave TF32 off on a GPU while this runs (torch's own
    default), it costs the third digit.
    """
    xp = array_namespace(flux_BL, weight_BL)
    width = sigma_angstrom * math.sqrt(2.0) if half else sigma_angstrom
    kernel = kernel_for(flux_BL, wave_L, width)
    smooth_BL = xp.empty_like(flux_BL)
    for rows in row_blocks(flux_BL.shape[0], flux_BL):
        flux, weight = flux_BL[rows], weight_BL[rows]
        # One NaN would spread over its whole row, for 0 * NaN is NaN; they are rare.
        if not xp.all(xp.isfinite(xp.sum(flux, axis=1))):
            flux = xp.where(weight > 0, flux, xp.zeros_like(flux))
        _smooth(flux, weight, kernel, smooth_BL[rows])
    return smooth_BL


def _smooth(flux_BL: Array, weight_BL: Array, kernel: Kernel, out_BL: Array) -> None:
    """Write the smoothed flux of a block of rows into ``out_BL``."""
    xp = array_namespace(flux_BL)
    n_row = flux_BL.shape[0]
    # One product serves both sums: numerators in the upper half, denominators in the lower.
    gathered_BJ = xp.empty((2 * n_row, kernel.n_node), dtype=flux_BL.dtype, device=device(flux_BL))
    for part in kernel.segments:
        weight_Bl = weight_BL[:, part.pixels]
        gathered_BJ[:n_row, part.nodes] = (flux_BL[:, part.pixels] * weight_Bl) @ part.basis
        gathered_BJ[n_row:, part.nodes] = weight_Bl @ part.basis
    # Between nodes in float64: the polynomials have both signs, and rounding would add up to 1e-6.
    gathered_BJ = xp.astype(gathered_BJ, xp.float64)
    spread_BJ = xp.empty_like(gathered_BJ)
    for band in kernel.bands:
        spread_BJ[:, band.target] = gathered_BJ[:, band.source] @ band.kernel
    spread_BJ = xp.astype(spread_BJ, flux_BL.dtype)

    # The polynomials of a segment add up to one, so the nodes hold the sums over all pixels.
    total_B1 = xp.sum(gathered_BJ, axis=1)[:, None]
    weight_B1 = total_B1[n_row:]
    mean_B1 = total_B1[:n_row] / xp.where(weight_B1 > 0, weight_B1, 1.0)
    for part in kernel.segments:
        sums_Bl = spread_BJ[:, part.nodes] @ part.basis.T
        flux_Bl, weight_Bl = sums_Bl[:n_row], sums_Bl[n_row:]
        alone_Bl = ~(weight_Bl > FLOOR * weight_B1)
        if xp.any(alone_Bl):
            flux_Bl = xp.where(alone_Bl, mean_B1, flux_Bl)
            weight_Bl = xp.where(alone_Bl, 1.0, weight_Bl)
        out_BL[:, part.pixels] = flux_Bl / weight_Bl


def kernel_for(like: Array, wave_L: Array, width_angstrom: float) -> Kernel:
    """Return the factors of the kernel in the library and on the device of ``like``, cached.

    Parameters
    ----------
    like : array
        Its library and device are taken.
    wave_L : ndarray of float64, (L,)
        Wavelengths in Angstrom, ascending.
    width_angstrom : float
        Distance at which the kernel has fallen to 1/e.

    Returns
    -------
    Kernel
        As of :func:`pipeline.spectra.kernel.gaussian_kernel`.

    Raises
    ------
    ValueError
        The wavelengths do not ascend, or the width is not positive.
    """
    wave = np.asarray(wave_L, dtype=np.float64).tobytes()
    return _kernel(wave, width_angstrom, _Placement(like))


class _Placement:
    """A library and a device as a cache key, with an array that stands for them."""

    def __init__(self, like: Array) -> None:
        self.like = like[:0]
        self.key = (array_namespace(like).__name__, str(device(like)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Placement) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=16)
def _kernel(wave: bytes, width_angstrom: float, placement: _Placement) -> Kernel:
    return gaussian_kernel(wave, width_angstrom).placed(placement.like)
