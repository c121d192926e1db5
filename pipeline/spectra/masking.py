"""Which pixels of a spectrum carry no information."""

from array_api_compat import array_namespace

from pipeline.spectra.arrays import Array


def bad_pixels(flux_BN: Array, ivar_BN: Array) -> Array:
    """Find pixels without information: ivar zero, negative or not finite, or flux not finite.

    Parameters
    ----------
    flux_BN, ivar_BN : array of float32, (B, N)
        Flux and inverse variance, arbitrary units.

    Returns
    -------
    array of bool, (B, N)
        True where the pixel must not be used.
    """
    xp = array_namespace(flux_BN, ivar_BN)
    return ~((ivar_BN > 0) & (ivar_BN < xp.inf) & xp.isfinite(flux_BN))


def bad_fraction(bad_BL: Array) -> Array:
    """Fraction of the pixels of each row that are bad.

    Parameters
    ----------
    bad_BL : array of bool, (B, L)
        Bad pixels.

    Returns
    -------
    array of float32, (B,)
        Between 0 and 1.
    """
    xp = array_namespace(bad_BL)
    count_B = xp.count_nonzero(bad_BL, axis=1)
    return xp.astype(count_B, xp.float32) / bad_BL.shape[1]
