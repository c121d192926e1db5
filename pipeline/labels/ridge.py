"""The ridge: the main sequence of single stars against colour, one sequence per bin of [Fe/H]."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.labels.sequence import Curve, fit_sequence
from pipeline.settings.labels import LabelSettings
from schemas.sample import RIDGE

FloatArray = NDArray[np.float64]

GRID_MAG = 0.01
"""Step in colour of the ridge's table; a straight line between is good to 1e-4 mag."""

FEWEST_STARS = 50
"""Below this there is no ridge, not even one pooled over all [Fe/H]."""

SLOPE_ROUNDS = 4

SLOPE_HALF_MAG = 0.05
"""Half of the range in colour over which the slope of the ridge is taken."""


class RidgeError(ValueError):
    """There are too few stars for a ridge."""


@dataclass(frozen=True)
class Ridge:
    """M_G of single stars on a grid.

    Parameters
    ----------
    feh_Z : ndarray of float64, (Z,)
        Median [Fe/H] of each bin in dex, rising.
    colour_G : ndarray of float64, (G,)
        (G-Ks)0 in magnitudes, rising.
    m_g_ZG : ndarray of float64, (Z, G)
        M_G in magnitudes.
    feh_slope : float
        dM_G/d[Fe/H] at a given colour, used beyond the outer bins.
    """

    feh_Z: FloatArray
    colour_G: FloatArray
    m_g_ZG: FloatArray
    feh_slope: float

    def m_g(self, colour_B: FloatArray, feh_B: FloatArray) -> FloatArray:
        """Return the ridge's M_G: linear in colour and between the bins of [Fe/H].

        Parameters
        ----------
        colour_B, feh_B : ndarray of float64, (B,)
            (G-Ks)0 in magnitudes, [Fe/H] in dex.

        Returns
        -------
        ndarray of float64, (B,)
            In magnitudes; NaN outside the colours of the grid or where an argument is NaN.
        """
        at_ZB = np.stack(
            [np.interp(colour_B, self.colour_G, m, left=np.nan, right=np.nan) for m in self.m_g_ZG]
        )
        inside_B = np.clip(feh_B, self.feh_Z[0], self.feh_Z[-1])
        last = max(self.feh_Z.size - 2, 0)
        low = np.clip(np.searchsorted(self.feh_Z, inside_B, side="right") - 1, 0, last)
        high = np.minimum(low + 1, self.feh_Z.size - 1)
        width = np.where(high > low, self.feh_Z[high] - self.feh_Z[low], 1.0)
        part = (inside_B - self.feh_Z[low]) / width
        row = np.arange(colour_B.size)
        between = (1 - part) * at_ZB[low, row] + part * at_ZB[high, row]
        return np.asarray(between + self.feh_slope * (feh_B - inside_B))

    def colour_slope(self, colour_B: FloatArray, feh_B: FloatArray) -> FloatArray:
        """Return the ridge's slope dM_G/d(G-Ks)0, over 0.1 mag in colour.

        Parameters
        ----------
        colour_B, feh_B : ndarray of float64, (B,)
            (G-Ks)0 in magnitudes, [Fe/H] in dex.

        Returns
        -------
        ndarray of float64, (B,)
            At the ends of the grid that of its last 0.1 mag; NaN where an argument is NaN.
        """
        first, last = self.colour_G[0] + SLOPE_HALF_MAG, self.colour_G[-1] - SLOPE_HALF_MAG
        at_B = np.clip(colour_B, first, last)
        upper, lower = (self.m_g(at_B + side, feh_B) for side in (SLOPE_HALF_MAG, -SLOPE_HALF_MAG))
        return np.asarray((upper - lower) / (2 * SLOPE_HALF_MAG))


def fit_ridge(
    colour_B: FloatArray,
    m_g_B: FloatArray,
    feh_B: FloatArray,
    colour_range: tuple[float, float],
    settings: LabelSettings,
) -> pa.Table:
    """Fit the ridge of the single stars to a sample that also has binaries.

    First one sequence through all stars, with a common slope in [Fe/H]; then, bin by bin, its
    correction. The stars of a bin are moved to its median [Fe/H] by that slope, so that the
    width of the bin does not broaden the sequence.

    Parameters
    ----------
    colour_B, m_g_B, feh_B : ndarray of float64, (B,)
        (G-Ks)0 and M_G in magnitudes and [Fe/H] in dex of the stars; finite.
    colour_range : tuple of float
        First and last colour of the grid.
    settings : LabelSettings
        Bins, windows, clipping.

    Returns
    -------
    pyarrow.Table
        As ``schemas.sample.RIDGE``.

    Raises
    ------
    RidgeError
        There are too few stars.
    """
    if colour_B.size < FEWEST_STARS:
        raise RidgeError(
            f"only {colour_B.size} stars of the training sample have all that the ridge needs, it "
            f"takes {FEWEST_STARS}; give more spectra, widen the cuts of the training sample, or "
            "bring labels of your own (inputs.labels)"
        )
    centre = float(np.median(feh_B))
    whole, slope = _whole(colour_B, m_g_B, feh_B - centre, settings)
    grid = np.linspace(*colour_range, round(np.ptp(colour_range) / GRID_MAG) + 1)
    parts = []
    for low, high in pairwise(pooled_edges(feh_B, settings.feh_step, settings.ridge_min_stars)):
        inside = (feh_B >= low) & (feh_B < high)
        feh = float(np.median(feh_B[inside]))
        moved = m_g_B[inside] - slope * (feh_B[inside] - feh)
        base = _shifted(whole, slope * (feh - centre))
        sequence = fit_sequence(colour_B[inside], moved, base, settings)
        columns = {
            "feh_low": low,
            "feh_high": high,
            "feh": feh,
            "n_stars": int(inside.sum()),
            "n_kept": int(sequence.kept_B.sum()),
            "sigma_mag": sequence.sigma_mag,
            "feh_slope": slope,
            "g_ks_0": grid,
            "m_g": sequence.curve(grid),
            "n_near": _near(colour_B[inside], grid, settings.ridge_window_mag),
        }
        parts.append({name: np.broadcast_to(value, grid.shape) for name, value in columns.items()})
    joined = {name: np.concatenate([part[name] for part in parts]) for name in RIDGE.names}
    return pa.table({f.name: pa.array(joined[f.name], f.type) for f in RIDGE.schema}).cast(
        RIDGE.schema
    )


def as_ridge(table: pa.Table) -> Ridge:
    """Return the ridge of a table.

    Parameters
    ----------
    table : pyarrow.Table
        As from :func:`fit_ridge`.

    Returns
    -------
    Ridge
        The same numbers as arrays.
    """
    feh_Z = np.unique(table["feh"].to_numpy())
    colour_G = np.unique(table["g_ks_0"].to_numpy())
    m_g_ZG = table["m_g"].to_numpy().reshape(feh_Z.size, colour_G.size)
    return Ridge(feh_Z, colour_G, m_g_ZG, float(table["feh_slope"][0].as_py()))


def pooled_edges(feh_B: FloatArray, step: float, min_stars: int) -> FloatArray:
    """Divide [Fe/H] into bins; a bin with too few stars is pooled with its poorer neighbour.

    Parameters
    ----------
    feh_B : ndarray of float64, (B,)
        [Fe/H] of the stars in dex.
    step : float
        Width of a bin before pooling; edges are multiples of it.
    min_stars : int
        Stars of a bin.

    Returns
    -------
    ndarray of float64, (Z + 1,)
        Edges of the bins. Bins are closed below and open above.
    """
    first, last = np.floor(feh_B.min() / step), np.floor(feh_B.max() / step) + 1
    edges = list(step * np.arange(first, last + 1))
    # The product may be rounded beyond the outermost star.
    edges[0], edges[-1] = min(edges[0], feh_B.min()), max(edges[-1], np.nextafter(feh_B.max(), 9))
    while len(edges) > 2:
        count = np.histogram(feh_B, edges)[0]
        poorest = int(np.argmin(count))
        if count[poorest] >= min_stars:
            break
        left = count[poorest - 1] if poorest > 0 else np.inf
        right = count[poorest + 1] if poorest + 1 < count.size else np.inf
        del edges[poorest if left <= right else poorest + 1]
    return np.array(edges)


def _whole(
    colour: FloatArray, m_g: FloatArray, feh: FloatArray, settings: LabelSettings
) -> tuple[Curve, float]:
    """Fit one sequence through all stars, and the slope in [Fe/H] about it."""
    line = np.polyfit(colour, m_g, 1)

    def straight(at: FloatArray) -> FloatArray:
        return np.asarray(line[0] * at + line[1], dtype=np.float64)

    slope = 0.0
    for _ in range(SLOPE_ROUNDS):
        sequence = fit_sequence(colour, m_g - slope * feh, straight, settings)
        kept = sequence.kept_B
        rest = (m_g - sequence.curve(colour))[kept]
        # Where all stars have one [Fe/H] nothing is known of a slope.
        slope = float(np.polyfit(feh[kept], rest, 1)[0]) if np.ptp(feh[kept]) > 0 else 0.0
    return sequence.curve, slope


def _shifted(curve: Curve, by: float) -> Curve:
    return lambda at: curve(at) + by


def _near(colour: FloatArray, grid: FloatArray, half: float) -> NDArray[np.int64]:
    ordered = np.sort(colour)
    return np.searchsorted(ordered, grid + half) - np.searchsorted(ordered, grid - half)
