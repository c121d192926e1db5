"""Mass ratio from the brightness above the ridge, by both conventions."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.stars.isochrone import BANDS, main_sequence

FloatArray = NDArray[np.float64]

MASS_STEP = 0.0025
MASS_MIN, MASS_MAX = 0.1, 1.4
MH_GRID = np.round(np.arange(-1.2, 0.31, 0.1), 2)
"""[M/H] of the isochrones; a star beyond them takes the nearest."""

COLOUR_GRID = np.round(np.arange(1.3, 2.81, 0.02), 2)
Q_GRID = np.round(np.arange(0.1, 1.001, 0.01), 2)
BLOCK = 4096
_G, _KS = BANDS.index("g_mag"), BANDS.index("ks_mag")


@dataclass(frozen=True)
class Track:
    """One isochrone up to its bluest point, by rising mass.

    Parameters
    ----------
    mass_M : ndarray of float64, (M,)
        Mass (Sun = 1).
    g_M, ks_M : ndarray of float64, (M,)
        Absolute magnitudes.
    """

    mass_M: FloatArray
    g_M: FloatArray
    ks_M: FloatArray


@lru_cache(maxsize=64)
def main_sequence_track(mh: float, log_age: float) -> Track:
    """Return the isochrone of a metallicity.

    Parameters
    ----------
    mh, log_age : float
        [M/H] in dex, and log10 age in years.
    """
    mass = np.arange(MASS_MIN, MASS_MAX, MASS_STEP)
    stars = main_sequence(mass, np.full(mass.size, log_age), np.full(mass.size, mh))
    mass, mag = mass[stars.valid], stars.mag_BK[stars.valid]
    turn = int(np.argmin(mag[:, _G] - mag[:, _KS])) + 1
    return Track(mass[:turn], mag[:turn, _G], mag[:turn, _KS])


def q_fixed_primary(
    ridge_m_g_B: FloatArray, delta_m_g_B: FloatArray, feh_B: FloatArray, log_age: float
) -> FloatArray:
    """Mass ratio if the primary alone would lie on the ridge where the star is.

    The companion's light is what the pair has above the ridge,
    delta = -2.5 log10(1 + F2/F1); both masses follow from M_G on the isochrone.

    Parameters
    ----------
    ridge_m_g_B, delta_m_g_B : ndarray of float64, (B,)
        M_G of the ridge, and M_G of the star less that; in magnitudes.
    feh_B : ndarray of float64, (B,)
        [Fe/H] in dex.
    log_age : float
        log10 age in years of the isochrone.

    Returns
    -------
    ndarray of float64, (B,)
        NaN for stars not brighter than the ridge, for more light than two equal stars have
        (0.753 mag), and for companions below the isochrone.
    """
    q_B = np.full(delta_m_g_B.shape, np.nan)
    equal = -2.5 * np.log10(2.0)
    usable = (delta_m_g_B < 0) & (delta_m_g_B >= equal)
    with np.errstate(invalid="ignore", divide="ignore"):
        second = ridge_m_g_B - 2.5 * np.log10(10 ** (-0.4 * delta_m_g_B) - 1)
    nearest_B = _nearest_mh(feh_B)
    for k, mh in enumerate(MH_GRID):
        rows = np.flatnonzero(usable & (nearest_B == k))
        if rows.size:
            track = main_sequence_track(float(mh), log_age)
            mass1, mass2 = (_mass_of(track, m_g[rows]) for m_g in (ridge_m_g_B, second))
            q_B[rows] = np.minimum(mass2 / mass1, 1.0)
    return q_B


def q_fixed_colour(
    colour_B: FloatArray, delta_m_g_B: FloatArray, feh_B: FloatArray, log_age: float
) -> FloatArray:
    """Mass ratio if the pair together has the star's colour, as in a colour-magnitude diagram.

    A pair of given colour is brightest above the single star of that colour at a mass ratio
    somewhat below 1, so that two mass ratios may belong to one brightness: the *lower* branch is
    given, from no companion up to that maximum.

    Parameters
    ----------
    colour_B, delta_m_g_B : ndarray of float64, (B,)
        (G-Ks)0, and M_G less the ridge; in magnitudes.
    feh_B : ndarray of float64, (B,)
        [Fe/H] in dex.
    log_age : float
        log10 age in years of the isochrone.

    Returns
    -------
    ndarray of float64, (B,)
        NaN for stars not brighter than the ridge, brighter than any pair of that colour, or
        whose companion would be below a mass ratio of 0.1.
    """
    q_B = np.full(delta_m_g_B.shape, np.nan)
    nearest_B = _nearest_mh(feh_B)
    for k, mh in enumerate(MH_GRID):
        rows = np.flatnonzero((delta_m_g_B < 0) & (nearest_B == k))
        delta_GQ = pair_excess(float(mh), log_age)
        for start in range(0, rows.size, BLOCK):
            block = rows[start : start + BLOCK]
            q_B[block] = _lower_branch(delta_GQ, colour_B[block], delta_m_g_B[block])
    return q_B


@lru_cache(maxsize=64)
def pair_excess(mh: float, log_age: float) -> FloatArray:
    """Brightness of pairs above the single star of their colour.

    Parameters
    ----------
    mh, log_age : float
        [M/H] in dex and log10 age in years of the isochrone.

    Returns
    -------
    ndarray of float64, (G, Q)
        M_G of the pair less that of the single star in magnitudes, on :data:`COLOUR_GRID` and
        :data:`Q_GRID`; NaN where the isochrone has no such pair.
    """
    track = main_sequence_track(mh, log_age)
    single = track.g_M - track.ks_M
    delta_QG = np.empty((Q_GRID.size, COLOUR_GRID.size))
    for k, q in enumerate(Q_GRID):
        second = q * track.mass_M
        light = []
        for mag in (track.g_M, track.ks_M):
            # A companion below the isochrone gives no light.
            faint = np.interp(second, track.mass_M, mag, left=np.inf)
            light.append(-2.5 * np.log10(10 ** (-0.4 * mag) + 10 ** (-0.4 * faint)))
        pair_g, pair_ks = light
        at = _falling(COLOUR_GRID, pair_g - pair_ks, pair_g)
        delta_QG[k] = at - _falling(COLOUR_GRID, single, track.g_M)
    return delta_QG.T


def _falling(at: FloatArray, colour: FloatArray, value: FloatArray) -> FloatArray:
    """Interpolate along a track that grows bluer with mass; the blue end decides where it bends."""
    start = int(np.argmin(colour))
    blue, value = colour[start::-1], value[start::-1]
    rising = np.concatenate([[True], np.diff(np.maximum.accumulate(blue)) > 0])
    return np.asarray(np.interp(at, blue[rising], value[rising], left=np.nan, right=np.nan))


def _lower_branch(delta_GQ: FloatArray, colour: FloatArray, delta: FloatArray) -> FloatArray:
    place = np.interp(colour, COLOUR_GRID, np.arange(COLOUR_GRID.size), left=np.nan, right=np.nan)
    known = np.isfinite(place)
    low = np.where(known, place, 0).astype(int)
    high = np.minimum(low + 1, COLOUR_GRID.size - 1)
    part = (np.where(known, place, 0) - low)[:, None]
    curve_BQ = (1 - part) * delta_GQ[low] + part * delta_GQ[high]
    reached = curve_BQ <= delta[:, None]
    after = np.argmax(reached, axis=1)
    row = np.flatnonzero(known & reached.any(axis=1) & (after > 0))
    after = after[row]
    upper, lower = curve_BQ[row, after - 1], curve_BQ[row, after]
    q = np.full(delta.shape, np.nan)
    share = (upper - delta[row]) / (upper - lower)
    q[row] = Q_GRID[after - 1] + share * (Q_GRID[after] - Q_GRID[after - 1])
    return q


def _nearest_mh(feh: FloatArray) -> NDArray[np.int64]:
    known = np.nan_to_num(feh, nan=0.0)
    inside = np.clip(known, MH_GRID[0], MH_GRID[-1])
    nearest = np.abs(inside[:, None] - MH_GRID).argmin(axis=1)
    return np.where(np.isfinite(feh), nearest, -1)


def _mass_of(track: Track, m_g: FloatArray) -> FloatArray:
    # M_G falls with mass.
    return np.interp(m_g, track.g_M[::-1], track.mass_M[::-1], left=np.nan, right=np.nan)
