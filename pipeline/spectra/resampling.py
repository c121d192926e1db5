"""Put spectra with their own first wavelength and velocity onto the common grid."""

import numpy as np
from array_api_compat import array_namespace, device

from pipeline.spectra.arrays import Array, place, windows
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.velocity import SPEED_OF_LIGHT_KMS, log10_doppler

SNAP_PIXEL = 5e-4
"""A shift this near to whole pixels is whole: 35 m/s, far below any wavelength error, but above the
rounding of a first wavelength in float32 (3e-4 pixels). Else each bad pixel would cost the one
before it, too."""


def resample(
    flux_BN: Array,
    ivar_BN: Array | None,
    bad_BN: Array,
    log10_first_B: Array,
    grid: WaveGrid,
    velocity_kms_B: Array | None = None,
    *,
    log10_step: float = 1e-4,
) -> tuple[Array, Array | None, Array]:
    """Interpolate flux and inverse variance linearly in log wavelength onto the grid.

    Rows and grid are log-linear with the same step, so a row moves by whole pixels and one
    fraction of a pixel, the same for all its pixels.

    Parameters
    ----------
    flux_BN : array of float32, (B, N)
        Flux, arbitrary units.
    ivar_BN : array of float32, (B, N), optional
        Its inverse variance.
    bad_BN : array of bool, (B, N)
        Includes the padding at the right end of short rows. Values there are not read.
    log10_first_B : array of float64, (B,)
        log10 of the first observed vacuum wavelength of each row in Angstrom.
    grid : WaveGrid
        The common grid.
    velocity_kms_B : array of float64, (B,), optional
        Radial velocity of the star; wavelengths are divided by the relativistic Doppler factor.
        None leaves the observed frame.
    log10_step : float
        Step of the rows in log10(wavelength), dex.

    Returns
    -------
    flux_BL : array of float32, (B, L)
        Flux in the units given.
    ivar_BL : array of float32, (B, L), optional
        Inverse variance; None where none was given.
    bad_BL : array of bool, (B, L)
        Pixels that touch a bad pixel, or that the row does not cover; flux and ivar are zero
        there. A row whose first wavelength or velocity is not a finite number is bad throughout.
        At a shift by whole pixels only one pixel is touched, and its values are copied bit by bit.

    Raises
    ------
    ValueError
        The rows' step is not the grid's.
    """
    if abs(log10_step - grid.log10_step) > 1e-6 * grid.log10_step:
        raise ValueError(
            f"rows have a step of {log10_step} dex and the grid one of {grid.log10_step} dex: "
            f"set spectra.log10_step = {log10_step}, resampling only shifts"
        )
    shift_B, fraction_B, known_B = _pixel_shift(
        flux_BN, log10_first_B, grid, velocity_kms_B, limit=flux_BN.shape[1]
    )
    xp = array_namespace(flux_BN)
    between_B = fraction_B > 0

    bad_BN = bad_BN | ~known_B[:, None]
    bad_BW, start_B = _widen(bad_BN, shift_B, grid.n_pixel, fill=True)
    pair_BL = windows(xp.reshape(bad_BW, (-1,)), grid.n_pixel + 1)[start_B]
    bad_BL = pair_BL[:, :-1] | (pair_BL[:, 1:] & between_B[:, None])

    def interpolated(values_BN: Array) -> Array:
        wide_BW, _ = _widen(values_BN, shift_B, grid.n_pixel, fill=0)
        wide_BW[bad_BW] = 0
        pair_BL = windows(xp.reshape(wide_BW, (-1,)), grid.n_pixel + 1)[start_B]
        left_BL = pair_BL[:, :-1]
        out_BL = pair_BL[:, 1:] - left_BL
        out_BL *= xp.astype(fraction_B, values_BN.dtype)[:, None]
        out_BL += left_BL
        out_BL[bad_BL] = 0
        return out_BL

    flux_BL = interpolated(flux_BN)
    return flux_BL, None if ivar_BN is None else interpolated(ivar_BN), bad_BL


def _pixel_shift(
    like: Array, log10_first_B: Array, grid: WaveGrid, velocity_kms_B: Array | None, limit: int
) -> tuple[Array, Array, Array]:
    """Row pixel under the grid's first pixel: whole part, fraction, and whether it is known."""
    xp = array_namespace(like)
    where = device(like)
    log10_first_B = xp.asarray(log10_first_B, dtype=xp.float64, device=where)
    position_B = (grid.log10_first - log10_first_B) / grid.log10_step
    if velocity_kms_B is not None:
        velocity_kms_B = xp.asarray(velocity_kms_B, dtype=xp.float64, device=where)
        physical_B = xp.abs(velocity_kms_B) < SPEED_OF_LIGHT_KMS
        velocity_kms_B = xp.where(physical_B, velocity_kms_B, 0.0)
        position_B = position_B + log10_doppler(velocity_kms_B) / grid.log10_step
        position_B = xp.where(physical_B, position_B, xp.nan)
    known_B = xp.isfinite(position_B)
    position_B = xp.where(known_B, position_B, 0.0)
    whole_B = xp.round(position_B)
    position_B = xp.where(xp.abs(position_B - whole_B) < SNAP_PIXEL, whole_B, position_B)
    floor_B = xp.floor(position_B)
    # Beyond these limits row and grid have no pixel in common.
    shift_B = xp.clip(xp.astype(floor_B, xp.int64), -grid.n_pixel - 1, limit)
    return shift_B, position_B - floor_B, known_B


def _widen(values_BN: Array, shift_B: Array, n_pixel: int, fill: float) -> tuple[Array, Array]:
    """Crop and pad rows so that every row's window lies inside it; with the windows' starts."""
    xp = array_namespace(values_BN)
    n_row, n_stored = values_BN.shape
    first = int(xp.min(shift_B))
    width = int(xp.max(shift_B)) - first + n_pixel + 1
    begin, end = max(first, 0), min(first + width, n_stored)
    wide_BW = xp.full((n_row, width), fill, dtype=values_BN.dtype, device=device(values_BN))
    if begin < end:
        wide_BW[:, begin - first : end - first] = values_BN[:, begin:end]
    row_B = place(np.arange(n_row, dtype=np.int64), values_BN)
    return wide_BW, row_B * width + (shift_B - first)
