"""Pixels of any survey on the grid of the store: copied where they lie on it, else rebinned."""

import os
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.lamost.errors import Reason, SpectrumError
from pipeline.spectra.masking import bad_pixels
from schemas.store import LOG10_STEP, ROW_PIXELS

Floats = npt.NDArray[np.float64]
Masks = npt.NDArray[np.uint32]
Path = str | os.PathLike[str]

FIRST = 35_680
"""First pixel of the window in steps of 1e-4 dex: 3698 Angstrom, just before LAMOST's first."""
MAX_PIXELS = 1 << 20
COARSEST_DEX = 3e-4
"""LAMOST's resolution element has three pixels; coarser ones cannot show its lines."""
MOST_IN_ONE = 1000
"""Pixels of a spectrum in one of the window: of a resolving power of millions, which none has."""
LOWEST = 1e-12
"""Fluxes below this, and above its inverse, are given another unit."""
G_BAND_ANGSTROM = (4000.0, 5500.0)

COPIED = 0.005
"""Departure from the grid's step, in pixels, that the rounding of float32 may cause."""
_TOUCHED = 1e-3
"""Part of a pixel below which an overlap is rounding."""


class Pixels(NamedTuple):
    """Spectra on the window of the store, all of them with the same wavelengths.

    Parameters
    ----------
    log10_first : float
        log10 of the first vacuum wavelength in Angstrom.
    flux_BN, ivar_BN : ndarray of float64, (B, N)
        Flux and inverse variance; both 0 where nothing is known.
    andmask_BN, ormask_BN : ndarray of uint32, (B, N)
        Bits of all pixels that touch this one.
    """

    log10_first: float
    flux_BN: Floats
    ivar_BN: Floats
    andmask_BN: Masks
    ormask_BN: Masks

    @property
    def wave_N(self) -> Floats:
        """Vacuum wavelengths in Angstrom."""
        steps_N = np.arange(self.flux_BN.shape[1], dtype=np.float64)
        wave_N: Floats = 10 ** (self.log10_first + LOG10_STEP * steps_N)
        return wave_N


def on_grid(
    wave_N: Floats, flux_BN: Floats, ivar_BN: Floats, and_BN: Masks, or_BN: Masks, path: Path
) -> Pixels:
    """Bring spectra of common wavelengths onto the grid, cut to the window of the store.

    Parameters
    ----------
    wave_N : ndarray of float64, (N,)
        Vacuum wavelengths in Angstrom, rising.
    flux_BN, ivar_BN : ndarray of float64, (B, N)
        Flux density per unit of wavelength, and its inverse variance.
    and_BN, or_BN : ndarray of uint32, (B, N)
        Masks.
    path : str or path-like
        File, for messages.

    Raises
    ------
    SpectrumError
        The wavelengths are no such, or too coarse, or none lies in the window.
    """
    _check(wave_N, flux_BN.shape[1], path)
    place_N = np.log10(wave_N) / LOG10_STEP - FIRST
    first = round(float(place_N[0]))
    if np.abs(place_N - first - np.arange(wave_N.size)).max() > COPIED:
        return _rebinned(wave_N, flux_BN, ivar_BN, and_BN, or_BN, path)
    begin, end = max(-first, 0), min(ROW_PIXELS - first, wave_N.size)
    if begin >= end:
        raise _outside(wave_N, path)
    kept = slice(begin, end)
    log10_first = (FIRST + first + begin) * LOG10_STEP
    return Pixels(log10_first, flux_BN[:, kept], ivar_BN[:, kept], and_BN[:, kept], or_BN[:, kept])


def in_range(flux_N: Floats, ivar_N: Floats) -> tuple[Floats, Floats]:
    """Bring a spectrum in units such as W/m2/nm into the range of float32, by a power of ten.

    The squares in the inverse variance leave that range first. Other spectra stay as they are.

    Parameters
    ----------
    flux_N, ivar_N : ndarray of float64, (N,)
        Flux and inverse variance.
    """
    good_N = ~bad_pixels(flux_N, ivar_N)
    typical = float(np.median(np.abs(flux_N[good_N]))) if good_N.any() else 0.0
    if typical == 0 or LOWEST < typical < 1 / LOWEST:
        return flux_N, ivar_N
    unit = 10.0 ** np.floor(np.log10(typical))
    return flux_N / unit, ivar_N * unit**2


def merged(arms: list[Pixels]) -> Pixels:
    """Put the arms of a spectrograph together: means by inverse variance where they overlap.

    Parameters
    ----------
    arms : list of Pixels
        The same spectra in parts of the window.
    """
    starts = [round(arm.log10_first / LOG10_STEP) for arm in arms]
    ends = [start + arm.flux_BN.shape[1] for start, arm in zip(starts, arms, strict=True)]
    first, shape = min(starts), (arms[0].flux_BN.shape[0], max(ends) - min(starts))
    weighted_BN, ivar_BN = np.zeros(shape), np.zeros(shape)
    and_BN, or_BN = np.full(shape, ~np.uint32(0)), np.zeros(shape, np.uint32)
    covered_N = np.zeros(shape[1], bool)
    for start, end, arm in zip(starts, ends, arms, strict=True):
        part = slice(start - first, end - first)
        weighted_BN[:, part] += arm.flux_BN * arm.ivar_BN
        ivar_BN[:, part] += arm.ivar_BN
        and_BN[:, part] &= arm.andmask_BN
        or_BN[:, part] |= arm.ormask_BN
        covered_N[part] = True
    and_BN[:, ~covered_N] = 0
    flux_BN = np.divide(weighted_BN, ivar_BN, out=np.zeros(shape), where=ivar_BN > 0)
    return Pixels(first * LOG10_STEP, flux_BN, ivar_BN, and_BN, or_BN)


def median_snr_g(pixels: Pixels, row: int = 0) -> float | None:
    """Return the median S/N of a spectrum's good pixels in g; None where it has none."""
    low, high = G_BAND_ANGSTROM
    ivar_N = pixels.ivar_BN[row]
    good_N = (pixels.wave_N > low) & (pixels.wave_N < high) & (ivar_N > 0) & np.isfinite(ivar_N)
    snr_N = pixels.flux_BN[row][good_N] * np.sqrt(ivar_N[good_N])
    return float(np.median(snr_N)) if snr_N.size and np.isfinite(snr_N).all() else None


def _rebinned(
    wave_N: Floats, flux_BN: Floats, ivar_BN: Floats, and_BN: Masks, or_BN: Masks, path: Path
) -> Pixels:
    """Average the flux density over each pixel of the grid, with its error.

    Pixels share the noise of those that they both touch; the covariance is not kept. A pixel that
    touches one without information has none, as in `pipeline.spectra.resampling`.
    """
    edge_N = np.concatenate([wave_N[:1], (wave_N[1:] + wave_N[:-1]) / 2, wave_N[-1:]])
    edge_N[[0, -1]] += wave_N[0] - edge_N[1], wave_N[-1] - edge_N[-2]
    pixel_M = np.arange(FIRST, FIRST + ROW_PIXELS)
    low_M, high_M = 10 ** ((pixel_M - 0.5) * LOG10_STEP), 10 ** ((pixel_M + 0.5) * LOG10_STEP)
    kept_M = (low_M >= edge_N[0]) & (high_M <= edge_N[-1])
    if not kept_M.any():
        raise _outside(wave_N, path)
    low_M, high_M, pixel_M = low_M[kept_M], high_M[kept_M], pixel_M[kept_M]
    good_BN = ~bad_pixels(flux_BN, ivar_BN)
    flux_BN = np.where(good_BN, flux_BN, 0.0)
    variance_BN = np.divide(1.0, ivar_BN, out=np.zeros(ivar_BN.shape), where=good_BN)
    shape = (flux_BN.shape[0], pixel_M.size)
    sum_BM, square_BM, lost_BM = np.zeros(shape), np.zeros(shape), np.zeros(shape, bool)
    out_and_BM, out_or_BM = np.zeros(shape, np.uint32), np.zeros(shape, np.uint32)
    begin_M = np.searchsorted(edge_N, low_M, "right") - 1
    end_M = np.searchsorted(edge_N, high_M, "left") - 1
    most = int((end_M - begin_M).max())
    if most > MOST_IN_ONE:
        place = 10 ** (float(pixel_M[np.argmax(end_M - begin_M)]) * LOG10_STEP)
        detail = f"{most} pixels within one of the store's at {place:.0f} Angstrom; check the file"
        raise SpectrumError(Reason.BAD_WAVELENGTH, path, detail)
    for step in range(most + 1):
        at_M = np.minimum(begin_M + step, end_M)
        width_M = np.minimum(high_M, edge_N[at_M + 1]) - np.maximum(low_M, edge_N[at_M])
        part_M = np.where(begin_M + step <= end_M, width_M / (high_M - low_M), 0.0)
        touched_M = part_M > _TOUCHED
        sum_BM += part_M * flux_BN[:, at_M]
        square_BM += part_M**2 * variance_BN[:, at_M]
        lost_BM |= touched_M & ~good_BN[:, at_M]
        out_and_BM |= np.where(touched_M, and_BN[:, at_M], np.uint32(0))
        out_or_BM |= np.where(touched_M, or_BN[:, at_M], np.uint32(0))
    lost_BM |= square_BM == 0
    out_ivar_BM = np.divide(1.0, square_BM, out=np.zeros(shape), where=~lost_BM)
    sum_BM[lost_BM] = 0
    return Pixels(int(pixel_M[0]) * LOG10_STEP, sum_BM, out_ivar_BM, out_and_BM, out_or_BM)


def _check(wave_N: npt.NDArray[Any], n_pixel: int, path: Path) -> None:
    if wave_N.size > MAX_PIXELS:
        detail = f"{wave_N.size} pixels, more than {MAX_PIXELS}; leave the spectrum out"
        raise SpectrumError(Reason.TOO_LARGE, path, detail)
    if wave_N.size != n_pixel or wave_N.size < 2:
        detail = f"{wave_N.size} wavelengths for {n_pixel} pixels"
        raise SpectrumError(Reason.BAD_WAVELENGTH, path, f"{detail}; check the file")
    if not (np.isfinite(wave_N).all() and wave_N[0] > 0 and (np.diff(wave_N) > 0).all()):
        detail = "the wavelengths do not rise, or are not finite and positive; sort them"
        raise SpectrumError(Reason.BAD_WAVELENGTH, path, detail)
    step = float(np.median(np.diff(np.log10(wave_N))))
    if step > COARSEST_DEX:
        detail = f"pixels of {step:.2g} dex are coarser than {COARSEST_DEX:g} dex"
        raise SpectrumError(Reason.BAD_WAVELENGTH, path, f"{detail}; such spectra are of no use")


def _outside(wave_N: Floats, path: Path) -> SpectrumError:
    low, high = (10 ** (end * LOG10_STEP) for end in (FIRST, FIRST + ROW_PIXELS - 1))
    detail = (
        f"wavelengths from {wave_N[0]:.6g} to {wave_N[-1]:.6g}, none of the store's {low:.0f} to "
        f"{high:.0f} Angstrom; are they in Angstrom?"
    )
    return SpectrumError(Reason.BAD_WAVELENGTH, path, detail)
