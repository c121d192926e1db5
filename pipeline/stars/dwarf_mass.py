"""Mass and brightness of a dwarf from its Teff and [Fe/H]: the inverted main sequence."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.stars.isochrone import BANDS, main_sequence

FloatArray = NDArray[np.float64]

MH_GRID = np.round(np.arange(-1.2, 0.31, 0.05), 2)
TEFF_GRID_K = np.arange(3000.0, 8001.0, 20.0)
MASS_GRID = np.round(np.arange(0.2, 1.6, 0.005), 3)


class Dwarfs(NamedTuple):
    """What the main sequence says of B stars; NaN where it has no such star.

    Parameters
    ----------
    mass_msun : ndarray of float64, (B,)
        Mass (Sun = 1).
    m_g : ndarray of float64, (B,)
        Absolute G magnitude.
    """

    mass_msun: FloatArray
    m_g: FloatArray


def dwarf_mass(teff_k: FloatArray, feh: FloatArray, log_age: float) -> Dwarfs:
    """Masses and absolute G magnitudes of main-sequence stars.

    Along an isochrone Teff rises with mass up to the turn-off; up to there it is inverted.
    Bilinear in Teff (20 K) and [Fe/H] (0.05 dex): mass to 1e-3 relative; M_G then is the
    isochrone's at that mass.

    Parameters
    ----------
    teff_k, feh : ndarray of float64, (B,)
        Effective temperature in K and [Fe/H] in dex, taken for [M/H].
    log_age : float
        log10 age in years.

    Returns
    -------
    Dwarfs
        NaN for stars hotter than the turn-off, cooler than 0.2 Msun, outside -1.2 to 0.3 dex,
        or of unknown Teff or [Fe/H].

    Notes
    -----
    PARSEC: Bressan et al. 2012, MNRAS 427, 127.
    """
    table = _masses(log_age)
    teff, mh = np.asarray(teff_k, np.float64), np.asarray(feh, np.float64)
    with np.errstate(invalid="ignore"):
        inside = (teff >= TEFF_GRID_K[0]) & (teff <= TEFF_GRID_K[-1])
        inside &= (mh >= MH_GRID[0]) & (mh <= MH_GRID[-1])
    i, u = _place(MH_GRID, np.where(inside, mh, MH_GRID[0]))
    j, v = _place(TEFF_GRID_K, np.where(inside, teff, TEFF_GRID_K[0]))
    mass = (1 - u) * ((1 - v) * table[i, j] + v * table[i, j + 1])
    mass += u * ((1 - v) * table[i + 1, j] + v * table[i + 1, j + 1])
    mass = np.where(inside, mass, np.nan)
    known = np.isfinite(mass)
    stars = main_sequence(
        np.where(known, mass, -1.0), np.full(mass.shape, log_age), np.where(known, mh, 0.0)
    )
    m_g = stars.mag_BK[:, BANDS.index("g_mag")]
    return Dwarfs(np.where(stars.valid, mass, np.nan), m_g)


def mass_of_magnitude(m_g: FloatArray, feh: FloatArray, log_age: float) -> FloatArray:
    """Mass of main-sequence stars of known absolute G magnitude.

    Linear in M_G along the isochrone of the nearest [Fe/H] of a grid of 0.05 dex.

    Parameters
    ----------
    m_g, feh : ndarray of float64, (B,)
        Absolute G magnitude, and [Fe/H] in dex, taken for [M/H].
    log_age : float
        log10 age in years.

    Returns
    -------
    ndarray of float64, (B,)
        In solar masses; NaN off the main sequence, outside -1.2 to 0.3 dex, or where unknown.
    """
    mass = np.full(m_g.shape, np.nan)
    nearest = np.round(feh / 0.05) * 0.05
    for mh in MH_GRID:
        here = np.abs(nearest - mh) < 0.01
        if not here.any():
            continue
        n = MASS_GRID.size
        stars = main_sequence(MASS_GRID, np.full(n, log_age), np.full(n, mh))
        magnitude = stars.mag_BK[stars.valid, BANDS.index("g_mag")]
        # Along the main sequence stars get brighter with mass.
        mass[here] = np.interp(
            m_g[here], magnitude[::-1], MASS_GRID[stars.valid][::-1], left=np.nan, right=np.nan
        )
    return mass


@lru_cache(maxsize=8)
def _masses(log_age: float) -> FloatArray:
    """Mass by [Fe/H] and Teff, NaN off the main sequence."""
    rows = []
    for mh in MH_GRID:
        stars = main_sequence(
            MASS_GRID, np.full(MASS_GRID.size, log_age), np.full(MASS_GRID.size, mh)
        )
        mass, teff = MASS_GRID[stars.valid], stars.teff_k[stars.valid]
        end = int(np.argmax(teff)) + 1
        rows.append(np.interp(TEFF_GRID_K, teff[:end], mass[:end], left=np.nan, right=np.nan))
    return np.stack(rows)


def _place(axis: FloatArray, value: FloatArray) -> tuple[NDArray[np.intp], FloatArray]:
    below = np.clip(np.searchsorted(axis, value, side="right") - 1, 0, len(axis) - 2)
    return below, (value - axis[below]) / (axis[below + 1] - axis[below])
