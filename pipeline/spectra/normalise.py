"""Spectra divided by their smoothed flux."""

from array_api_compat import array_namespace

from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.arrays import Array
from pipeline.spectra.continuum import smoothed_flux


def normalised_flux(
    flux_BL: Array,
    ivar_BL: Array | None,
    bad_BL: Array,
    wave_L: Array,
    settings: SpectraSettings,
) -> tuple[Array, Array, Array]:
    """Divide spectra by their smoothed flux; bad pixels become exactly 1.

    Parameters
    ----------
    flux_BL : array of float32, (B, L)
        Flux, arbitrary units; not read at bad pixels.
    ivar_BL : array of float32, (B, L), optional
        Inverse variance of the flux; needed only where it weights the continuum.
    bad_BL : array of bool, (B, L)
        Bad pixels.
    wave_L : ndarray of float64, (L,)
        Wavelengths in Angstrom, ascending.
    settings : SpectraSettings
        Width and weights of the smoothing.

    Returns
    -------
    normal_BL : array of float32, (B, L)
        Normalised flux (continuum = 1), finite.
    bad_BL : array of bool, (B, L)
        Bad pixels, now with those where the smoothed flux is not positive.
    scale_BL : array of float32, (B, L)
        What the flux was divided by, in its units, positive.

    Raises
    ------
    ValueError
        The settings ask for weights by inverse variance and none is given.
    """
    xp = array_namespace(flux_BL, bad_BL)
    good_BL = xp.astype(~bad_BL, flux_BL.dtype)
    flux_BL = xp.where(bad_BL, 0.0, flux_BL)
    # Fluxes reach from 1e-1 to 1e8 and weights down to 1e-14: bring both to order one first.
    flux_unit_B1 = _typical(xp.abs(flux_BL), good_BL)
    flux_BL /= flux_unit_B1
    if not settings.ivar_weighted:
        weight_BL = good_BL
    elif ivar_BL is None:
        raise ValueError("spectra.ivar_weighted is set, but no inverse variance was handed over")
    else:
        weight_BL = xp.where(bad_BL, 0.0, ivar_BL)
        weight_BL /= _typical(weight_BL, good_BL)
    smooth_BL = smoothed_flux(flux_BL, weight_BL, wave_L, settings.sigma_angstrom, settings.half)
    lost_BL = ~(smooth_BL > 0)
    smooth_BL[lost_BL] = 1.0
    bad_BL = bad_BL | lost_BL
    flux_BL /= smooth_BL
    flux_BL[bad_BL] = 1.0
    smooth_BL *= flux_unit_B1
    return flux_BL, bad_BL, smooth_BL


def _typical(values_BL: Array, good_BL: Array) -> Array:
    """Mean over the good pixels of each row, shape (B, 1); 1 where that is zero."""
    xp = array_namespace(values_BL)
    mean_B1 = (xp.mean(values_BL, axis=1) / xp.clip(xp.mean(good_BL, axis=1), 1e-6, 1.0))[:, None]
    return xp.where(mean_B1 > 0, mean_B1, 1.0)
