"""Intrinsic colour and absolute magnitude, with their errors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.photometry.extinction import Law

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """What was measured of S stars: magnitudes, distance and reddening; NaN where missing."""

    g: Floats
    g_err: Floats
    bp: Floats
    bp_err: Floats
    rp: Floats
    rp_err: Floats
    ks: Floats
    ks_err: Floats
    e_bv: Floats
    distance_pc: Floats
    distance_err_pc: Floats


@dataclass(frozen=True)
class Intrinsic:
    """Extinctions, intrinsic colour (G-Ks)0, M_G and errors of S stars, in magnitudes."""

    a_g: Floats
    a_ks: Floats
    g_ks_0: Floats
    g_ks_0_err: Floats
    m_g: Floats
    m_g_err: Floats


def intrinsic(stars: Measured, law: Law, e_bv_error: float) -> Intrinsic:
    """Take off the dust and the distance.

    Parameters
    ----------
    stars : Measured
        Magnitudes, reddening, distance.
    law : Law
        Law of extinction.
    e_bv_error : float
        Relative error of E(B-V).

    Returns
    -------
    Intrinsic
        NaN where something is missing. Errors are propagated to first order; that of E(B-V) acts
        on G and Ks at once, those of BP and RP through the colour that A_G depends on.

    Notes
    -----
    (G-Ks)0 = G - A_G - (Ks - A_Ks); M_G = G - A_G - 5 log10(d / 10 pc).
    """
    bp_rp = stars.bp - stars.rp
    a_g, a_ks = law.a_g(bp_rp, stars.e_bv), law.a_ks(stars.e_bv)
    by_reddening, by_colour = law.slopes(bp_rp, stars.e_bv)
    dust = e_bv_error * stars.e_bv
    colour_var = by_colour**2 * (stars.bp_err**2 + stars.rp_err**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        modulus = 5 * np.log10(stars.distance_pc / 10)
        modulus_err = 5 / np.log(10) * stars.distance_err_pc / stars.distance_pc
    return Intrinsic(
        a_g=a_g,
        a_ks=a_ks,
        g_ks_0=stars.g - a_g - (stars.ks - a_ks),
        g_ks_0_err=np.sqrt(
            stars.g_err**2 + stars.ks_err**2 + ((by_reddening - law.r_ks) * dust) ** 2 + colour_var
        ),
        m_g=stars.g - a_g - modulus,
        m_g_err=np.sqrt(stars.g_err**2 + (by_reddening * dust) ** 2 + colour_var + modulus_err**2),
    )
