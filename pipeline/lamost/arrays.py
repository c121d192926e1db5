"""Checks and conversions that every file's arrays go through, whoever unpacked them."""

import os
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pipeline.lamost.errors import Reason, SpectrumError
from pipeline.lamost.spectrum import FloatArray, Header, MaskArray, Spectrum

LOG10_STEP = 1e-4
WAVE_TOLERANCE_ANGSTROM = 0.01
WAVE_START_ANGSTROM = (1_000.0, 30_000.0)
"""Plausible first wavelengths; outside, the unit is probably not Angstrom."""
MAX_PIXELS = 32_768
"""Real spectra have up to 3,909."""
UNCLEAR_MASK = np.uint32(1 << 31)
"""Bit set where a file's mask value is no unsigned 32-bit whole number."""

Values = npt.NDArray[np.generic]


def assemble(
    header: Header,
    path: str | os.PathLike[str],
    *,
    flux: Values,
    ivar: Values,
    wave: Values,
    andmask: Values,
    ormask: Values,
) -> Spectrum:
    """Make a `Spectrum` from arrays of shape (N,) of any numeric type and byte order.

    Parameters
    ----------
    header : Header
        What the file says of itself.
    path : str or path-like
        File, for messages.
    flux : ndarray, (N,)
        Flux, arbitrary units.
    ivar : ndarray, (N,)
        Inverse variance of the flux.
    wave : ndarray, (N,)
        Vacuum wavelength in Angstrom.
    andmask : ndarray, (N,)
        Mask of what is bad in all exposures.
    ormask : ndarray, (N,)
        Mask of what is bad in any exposure.

    Raises
    ------
    SpectrumError
        If the wavelengths are not log-linear.
    """
    return Spectrum(
        flux=as_float32(flux),
        ivar=as_float32(ivar),
        wave=as_wave(wave, path),
        andmask=as_mask(andmask),
        ormask=as_mask(ormask),
        header=header,
    )


def as_float32(values: Values) -> FloatArray:
    """Copy to native float32; float64 values beyond its range become infinite."""
    if values.dtype.itemsize <= 4:
        return values.astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(np.float32)


def as_mask(values: Values) -> MaskArray:
    """Convert mask values, stored as floats, to bits.

    Values that are no whole number from 0 to 2^32 - 1 (NaN, negative, fractions) get
    `UNCLEAR_MASK`: whatever they meant, the pixel is not vouched for.
    """
    if values.tobytes() == bytes(values.nbytes):  # half of all masks; the quickest test of all
        return np.zeros(values.shape, np.uint32)
    floats = values.astype(np.result_type(values.dtype, np.float32))
    with np.errstate(invalid="ignore"):
        bits = floats.astype(np.uint32)
    # An undefined cast never comes back as the value that it came from.
    clear = bits.astype(floats.dtype) == floats
    return bits if clear.all() else np.where(clear, bits, UNCLEAR_MASK)


def log_linear_wave(coeff0: object, coeff1: object, n_pixel: int) -> FloatArray:
    """Wavelengths 10^(COEFF0 + COEFF1 i) in Angstrom, shape (n_pixel,).

    Without two numbers the result is NaN, which `as_wave` refuses. It may not be written to.

    Parameters
    ----------
    coeff0 : object
        Card COEFF0: log10 of the first wavelength in Angstrom.
    coeff1 : object
        Card COEFF1: step in dex.
    n_pixel : int
        Pixels of the spectrum.
    """
    numbers = (int, float)
    if not isinstance(coeff0, numbers) or not isinstance(coeff1, numbers):
        return np.full(n_pixel, np.nan, np.float32)
    return _log_linear(float(coeff0), float(coeff1), n_pixel)


# The survey's files share a dozen grids, and powers take as long as the rest of the arrays.
@lru_cache(maxsize=64)
def _log_linear(log10_first: float, step_dex: float, n_pixel: int) -> FloatArray:
    with np.errstate(over="ignore", invalid="ignore"):
        wave_N = 10.0 ** (log10_first + step_dex * np.arange(n_pixel))
        wave_N = wave_N.astype(np.float32)
    wave_N.flags.writeable = False
    return wave_N


def check_length(n_pixel: int, path: str | os.PathLike[str]) -> None:
    """Require a length that a spectrum may have.

    Raises
    ------
    SpectrumError
        With reason too_large.
    """
    if n_pixel > MAX_PIXELS:
        detail = f"{n_pixel} pixels, more than any spectrum has; leave the file out"
        raise SpectrumError(Reason.TOO_LARGE, path, detail)


def as_wave(values: Values, path: str | os.PathLike[str]) -> FloatArray:
    """Native float32 of wavelengths that rise by 1e-4 dex a pixel to within 0.01 Angstrom.

    They may not be written to.

    Raises
    ------
    SpectrumError
        With reason bad_wavelength.
    """
    try:
        return _checked_wave(values.tobytes(), values.dtype)
    except ValueError as error:
        raise SpectrumError(Reason.BAD_WAVELENGTH, path, str(error)) from error


# The survey's files share a few dozen of them, and checking takes twice as long as a look-up.
@lru_cache(maxsize=64)
def _checked_wave(content: bytes, dtype: np.dtype[np.generic]) -> FloatArray:
    wave_N = as_float32(np.frombuffer(content, dtype))
    low, high = WAVE_START_ANGSTROM
    start = float(wave_N[0]) if wave_N.size > 1 else float("nan")
    if not low < start < high:
        detail = f"first of {wave_N.size} wavelengths is {start}, not between {low} and {high}"
        raise ValueError(f"{detail} Angstrom; fetch it again")
    off_N = start * _ratios(wave_N.size)
    with np.errstate(invalid="ignore"):  # a signalling NaN
        off_N -= wave_N
    off = np.abs(off_N, out=off_N).max()
    if not off <= WAVE_TOLERANCE_ANGSTROM:
        detail = f"wavelengths leave a step of {LOG10_STEP} dex by {off:.4g} Angstrom"
        raise ValueError(f"{detail}; fetch the file again")
    wave_N.flags.writeable = False
    return wave_N


@lru_cache(maxsize=64)
def _ratios(n_pixel: int) -> npt.NDArray[np.float64]:
    """Wavelengths over the first one, in float64."""
    ratios = np.power(10.0, LOG10_STEP * np.arange(n_pixel, dtype=np.float64))
    ratios.flags.writeable = False
    return ratios
