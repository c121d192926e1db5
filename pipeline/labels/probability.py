"""How sure a label is: the error of the distance from the ridge, and what follows from it."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pipeline.labels.labels import BINARY, EXCLUDED
from pipeline.photometry.extinction import Law
from pipeline.photometry.intrinsic import Measured
from pipeline.settings.labels import LabelSettings

FloatArray = NDArray[np.float64]


def photometric_error(
    stars: Measured, colour_slope_S: FloatArray, law: Law, e_bv_error: float
) -> FloatArray:
    """Error of M_G less the ridge that photometry, distance and reddening make.

    An error of G moves M_G and the colour, and by the colour the ridge; so do those of E(B-V) and
    BP-RP. That of Ks acts through the colour alone, that of the distance on M_G alone.

    Parameters
    ----------
    stars : Measured
        Magnitudes, reddening, distance, and their errors.
    colour_slope_S : ndarray of float64, (S,)
        Slope of the ridge, dM_G/d(G-Ks)0.
    law : Law
        Law of extinction.
    e_bv_error : float
        Relative error of E(B-V).

    Returns
    -------
    ndarray of float64, (S,)
        In magnitudes, to first order; NaN where something is missing.
    """
    by_reddening, by_colour = law.slopes(stars.bp - stars.rp, stars.e_bv)
    rest = 1 - colour_slope_S
    terms = (
        rest * stars.g_err,
        colour_slope_S * stars.ks_err,
        (rest * by_reddening + colour_slope_S * law.r_ks) * e_bv_error * stars.e_bv,
        rest * by_colour * np.hypot(stars.bp_err, stars.rp_err),
        5 / np.log(10) * stars.distance_err_pc / stars.distance_pc,
    )
    return np.asarray(np.sqrt(np.sum(np.square(terms), axis=0)))


def with_scatter(photometric_S: FloatArray, scatter_mag: float) -> FloatArray:
    """Add what single stars scatter beyond their photometric errors: age, errors of [Fe/H].

    Parameters
    ----------
    photometric_S : ndarray of float64, (S,)
        Errors as from :func:`photometric_error`.
    scatter_mag : float
        Scatter of single stars about the ridge.

    Returns
    -------
    ndarray of float64, (S,)
        In magnitudes; a star of the median error has the scatter of the ridge, if that is larger.
    """
    known = photometric_S[np.isfinite(photometric_S)]
    typical = float(np.median(known)) if known.size else 0.0
    beyond = max(scatter_mag**2 - typical**2, 0.0)
    return np.asarray(np.sqrt(photometric_S**2 + beyond))


def binary_probability(
    delta_m_g_S: FloatArray,
    error_S: FloatArray,
    label_S: NDArray[np.str_],
    settings: LabelSettings,
) -> FloatArray:
    """Probability that a star labelled single or binary is of the class binary.

    The true distance from the ridge is taken as normal about the measured one, and as being in one
    of both bands: p = P(binary) / (P(binary) + P(single)).

    Parameters
    ----------
    delta_m_g_S, error_S : ndarray of float64, (S,)
        M_G less the ridge and its error in magnitudes.
    label_S : ndarray of str, (S,)
        Labels.
    settings : LabelSettings
        The bands.

    Returns
    -------
    ndarray of float64, (S,)
        NaN for excluded stars; 0 or 1, as the label says, where there is no error.
    """

    def within(low: float, high: float) -> FloatArray:
        with np.errstate(invalid="ignore", divide="ignore"):
            upper, lower = ((edge - delta_m_g_S) / error_S for edge in (high, low))
        return np.asarray(ndtr(upper) - ndtr(lower))

    binary_S = within(settings.binary_min_mag, settings.single_min_mag)
    single_S = within(settings.single_min_mag, settings.single_max_mag)
    with np.errstate(invalid="ignore"):
        soft_S = binary_S / (binary_S + single_S)
    known_S = np.isfinite(soft_S) & (error_S > 0)
    found_S = np.where(known_S, soft_S, label_S == BINARY)
    return np.where(label_S == EXCLUDED, np.nan, found_S)
