"""The main sequence of the PARSEC isochrones: from mass, age and metallicity to all the rest."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

BANDS = ("g_mag", "bp_mag", "rp_mag", "j_mag", "h_mag", "ks_mag", "sdss_g", "sdss_r", "sdss_i")
"""Absolute magnitudes: Gaia EDR3 G, BP, RP; 2MASS J, H, Ks; SDSS g, r, i."""

COLUMNS = (
    "LOGTE", "LOGG", "LOGL", "GAIAEDR3_GMAG", "GAIAEDR3_GBPMAG", "GAIAEDR3_GRPMAG",
    "TMASS_JMAG", "TMASS_HMAG", "TMASS_KSMAG", "SDSS_GMAG", "SDSS_RMAG", "SDSS_IMAG",
)  # fmt: skip

MASS_STEP = 0.005

EDGE = 1e-5
"""How far outside the grid a value still counts as its edge: single precision."""


@dataclass(frozen=True)
class IsochroneStars:
    """B main-sequence stars.

    Parameters
    ----------
    teff_k, logg, log_l : ndarray of float64, (B,)
        Effective temperature in K, log10 of the surface gravity (cgs), log10 luminosity (Sun = 1).
    mag_BK : ndarray of float64, (B, K)
        Absolute magnitudes in ``BANDS``.
    valid : ndarray of bool, (B,)
        False where there is no main-sequence star of this mass, age and metallicity: the other
        arrays are NaN there.
    """

    teff_k: NDArray[np.float64]
    logg: NDArray[np.float64]
    log_l: NDArray[np.float64]
    mag_BK: NDArray[np.float64]
    valid: NDArray[np.bool_]

    def take(self, rows: NDArray[np.intp]) -> "IsochroneStars":
        """Return some of the stars.

        Parameters
        ----------
        rows : ndarray of intp
            Which of them.

        Returns
        -------
        IsochroneStars
            In the order of ``rows``.
        """
        return IsochroneStars(
            self.teff_k[rows],
            self.logg[rows],
            self.log_l[rows],
            self.mag_BK[rows],
            self.valid[rows],
        )


@dataclass(frozen=True)
class _Grid:
    mh: NDArray[np.float64]
    log_age: NDArray[np.float64]
    mass: NDArray[np.float64]
    table: NDArray[np.float64]  # (mh, age, mass, column), NaN off the main sequence


@lru_cache(maxsize=1)
def _grid() -> _Grid:
    path = files("pipeline.stars") / "data" / "parsec_ms.npz"
    with path.open("rb") as handle, np.load(handle, allow_pickle=False) as arrays:
        parsec = {name: arrays[name].astype(np.float64) for name in arrays.files}
    mh = np.unique(np.round(parsec["MH"], 4))
    log_age = np.unique(np.round(parsec["LOGAGE"], 4))
    mass = np.arange(0.1, 1.8 + MASS_STEP / 2, MASS_STEP)
    table = np.full((len(mh), len(log_age), len(mass), len(COLUMNS)), np.nan)
    for i, one_mh in enumerate(mh):
        for j, one_age in enumerate(log_age):
            row = np.isclose(parsec["MH"], one_mh) & np.isclose(parsec["LOGAGE"], one_age)
            initial, first = np.unique(parsec["MINI"][row], return_index=True)
            values = np.stack([parsec[name][row][first] for name in COLUMNS], axis=1)
            inside = (mass >= initial[0] - 1e-6) & (mass <= initial[-1])
            table[i, j, inside] = PchipInterpolator(initial, values)(
                np.clip(mass[inside], initial[0], None)
            )
    return _Grid(mh, log_age, mass, table)


def _bracket(
    axis: NDArray[np.float64], value: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    below = np.clip(np.searchsorted(axis, value, side="right") - 1, 0, len(axis) - 2)
    return below, (value - axis[below]) / (axis[below + 1] - axis[below])


def main_sequence(
    mass_msun: NDArray[np.float64], log_age: NDArray[np.float64], mh: NDArray[np.float64]
) -> IsochroneStars:
    """Stars of given initial mass, age and metallicity, if they are on the main sequence.

    A monotone cubic (PCHIP) in mass along each isochrone, then linear in mass, log age and [M/H]
    on a fine grid: continuous everywhere, and luminosity rises with mass.

    Parameters
    ----------
    mass_msun, log_age, mh : ndarray of float64, (B,)
        Initial mass (Sun = 1), log10 age in years and [M/H] in dex.

    Returns
    -------
    IsochroneStars
        Marked as not ``valid`` outside the isochrones or beyond the end of the main sequence.

    Notes
    -----
    PARSEC: Bressan et al. 2012, MNRAS 427, 127.
    """
    grid = _grid()
    axes = (grid.mh, grid.log_age, grid.mass)
    points = [np.asarray(x, dtype=np.float64) for x in (mh, log_age, mass_msun)]
    inside = np.ones(points[0].shape, dtype=bool)
    for axis, point in zip(axes, points, strict=True):
        inside &= (point >= axis[0] - EDGE) & (point <= axis[-1] + EDGE)
    (i, u), (j, v), (k, w) = (
        _bracket(axis, np.clip(point, axis[0], axis[-1]))
        for axis, point in zip(axes, points, strict=True)
    )
    total = np.zeros((len(u), len(COLUMNS)))
    for di in (0, 1):
        for dj in (0, 1):
            for dk in (0, 1):
                weight = (u if di else 1 - u) * (v if dj else 1 - v) * (w if dk else 1 - w)
                corner = grid.table[i + di, j + dj, k + dk]
                total += weight[:, None] * np.where(weight[:, None] == 0, 0.0, corner)
    valid = inside & np.isfinite(total).all(axis=1)
    total[~valid] = np.nan
    return IsochroneStars(10 ** total[:, 0], total[:, 1], total[:, 2], total[:, 3:], valid)
