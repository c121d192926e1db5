"""Where the two stars of a pair would lie in the colour-magnitude diagram."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.labels.mass_ratio import MH_GRID, main_sequence_track
from pipeline.star.star import Star

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Components:
    """Primary and companion, whose light together is the star's.

    Parameters
    ----------
    colour_C, m_g_C : ndarray of float64, (2,)
        (G-Ks)0 and M_G of both in magnitudes.
    mass_ratio : float
        `q_fixed_primary` of the catalogue.
    """

    colour_C: FloatArray
    m_g_C: FloatArray
    mass_ratio: float


def find_components(star: Star, log_age: float) -> Components | None:
    """Take a star apart, by the convention of the column `q_fixed_primary`.

    The primary lies on the ridge at the star's colour; the companion has the light above the ridge
    and, on the isochrone, the colour that belongs to it.

    Parameters
    ----------
    star : Star
        The star.
    log_age : float
        log10 age in years of the isochrone.

    Returns
    -------
    Components or None
        None for a star without that mass ratio: not brighter than the ridge, brighter than two
        equal stars, or not in the sample.
    """
    ratio, excess = star.row["q_fixed_primary"], star.excess_mag
    if ratio is None or not np.isfinite(ratio) or not excess < 0:
        return None
    primary = star.row["m_g"] - excess
    companion = primary - 2.5 * np.log10(10 ** (-0.4 * excess) - 1)
    colour = _colour_of(companion, star.row["feh"] or 0.0, log_age)
    return Components(
        np.array([star.row["g_ks_0"], colour]), np.array([primary, companion]), float(ratio)
    )


def _colour_of(m_g: float, feh: float, log_age: float) -> float:
    track = main_sequence_track(float(np.clip(feh, MH_GRID[0], MH_GRID[-1])), log_age)
    colour_M = track.g_M - track.ks_M
    # M_G falls with mass.
    return float(np.interp(m_g, track.g_M[::-1], colour_M[::-1], left=np.nan, right=np.nan))
