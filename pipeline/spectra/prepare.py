"""From stored spectra to what the network reads: the one path of training and inference."""

from typing import NamedTuple

from array_api_compat import array_namespace, device

from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.arrays import Array, row_blocks
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.masking import bad_fraction, bad_pixels
from pipeline.spectra.normalise import normalised_flux
from pipeline.spectra.resampling import resample


class Prepared(NamedTuple):
    """A batch of spectra as the network reads them.

    Parameters
    ----------
    flux_BL : array of float32, (B, L)
        Normalised flux (continuum = 1); exactly 1 at bad pixels.
    bad_BL : array of bool, (B, L)
        Pixels without information.
    bad_fraction_B : array of float32, (B,)
        Fraction of the grid's pixels that are bad.
    usable_B : array of bool, (B,)
        The fraction is within the limit of the settings.
    ivar_BL : array of float32, (B, L), optional
        Inverse variance of the normalised flux, zero at bad pixels; None if not asked for.
    continuum_BL : array of float32, (B, L), optional
        What the flux was divided by, in its units; None if not asked for.
    """

    flux_BL: Array
    bad_BL: Array
    bad_fraction_B: Array
    usable_B: Array
    ivar_BL: Array | None
    continuum_BL: Array | None


def network_input(
    flux_BN: Array,
    ivar_BN: Array,
    log10_first_B: Array,
    n_pixel_B: Array,
    velocity_kms_B: Array | None,
    settings: SpectraSettings,
    *,
    with_ivar: bool = False,
    with_continuum: bool = False,
) -> Prepared:
    """Mask, resample and normalise stored spectra.

    Parameters
    ----------
    flux_BN, ivar_BN : array of float32, (B, N)
        Flux and inverse variance as stored, arbitrary units, padded at the right end.
    log10_first_B : array of float64, (B,)
        log10 of the first vacuum wavelength of each row in Angstrom.
    n_pixel_B : array of int, (B,)
        Number of real pixels of each row; those to the right are padding.
    velocity_kms_B : array of float64, (B,), optional
        Radial velocity of the star. Not read if the settings keep the observed frame.
    settings : SpectraSettings
        Grid, frame, continuum and limits.
    with_ivar, with_continuum : bool
        Return the inverse variance of the normalised flux, or its continuum, as well.

    Returns
    -------
    Prepared
        Arrays of the library and on the device of ``flux_BN``. On a CPU, NumPy arrays are about
        twice as fast as torch tensors; ``tensor.numpy()`` and ``torch.from_numpy`` copy nothing.

    Raises
    ------
    ValueError
        The rest frame is asked for and no velocity is given.
    """
    if settings.frame == "observed":
        velocity_kms_B = None
    elif velocity_kms_B is None:
        raise ValueError(
            "spectra.frame is 'rest', but no velocity was handed over: give velocity_kms_B, or "
            "set spectra.frame = 'observed'"
        )
    xp = array_namespace(flux_BN, ivar_BN)
    grid = WaveGrid.from_settings(settings)
    shape, where = (flux_BN.shape[0], grid.n_pixel), device(flux_BN)
    out_BL = xp.empty(shape, dtype=flux_BN.dtype, device=where)
    bad_BL = xp.empty(shape, dtype=xp.bool, device=where)
    out_ivar_BL = xp.empty_like(out_BL) if with_ivar else None
    continuum_BL = xp.empty_like(out_BL) if with_continuum else None
    pixel_N = xp.arange(flux_BN.shape[1], dtype=xp.int32, device=where)
    n_pixel_B = xp.asarray(n_pixel_B, dtype=xp.int32, device=where)
    read_ivar = with_ivar or settings.ivar_weighted

    for rows in row_blocks(shape[0], flux_BN):
        bad_BN = bad_pixels(flux_BN[rows], ivar_BN[rows])
        bad_BN |= pixel_N >= n_pixel_B[rows, None]
        flux_bl, ivar_bl, bad_bl = resample(
            flux_BN[rows],
            ivar_BN[rows] if read_ivar else None,
            bad_BN,
            log10_first_B[rows],
            grid,
            None if velocity_kms_B is None else velocity_kms_B[rows],
        )
        out_BL[rows], bad_BL[rows], scale_bl = normalised_flux(
            flux_bl, ivar_bl, bad_bl, grid.wave_L, settings
        )
        if out_ivar_BL is not None:
            out_ivar_BL[rows] = xp.where(bad_BL[rows], 0.0, ivar_bl * scale_bl * scale_bl)
        if continuum_BL is not None:
            continuum_BL[rows] = scale_bl

    fraction_B = bad_fraction(bad_BL)
    usable_B = fraction_B <= settings.max_bad_fraction
    return Prepared(out_BL, bad_BL, fraction_B, usable_B, out_ivar_BL, continuum_BL)
