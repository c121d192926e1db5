"""Many stars in a diagram: contours of their density instead of points on top of each other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

FloatArray = NDArray[np.float64]

MANY = 1500
"""More stars than these are drawn as contours."""

ENCLOSED = (0.95, 0.68, 0.39)
"""Share of the stars within each contour."""

CELLS = (20, 80)
"""Fewest and most cells per axis; between them they grow with the square root of the stars."""


def contour_levels(density: FloatArray) -> FloatArray:
    """Return the densities whose contours enclose the shares :data:`ENCLOSED`.

    Parameters
    ----------
    density : ndarray of float64
        Stars per cell, in any shape.

    Returns
    -------
    ndarray of float64
        They rise; fewer where two are the same.
    """
    falling = np.sort(density, axis=None)[::-1]
    within = np.cumsum(falling) / falling.sum()
    at = np.searchsorted(within, ENCLOSED)
    return np.unique(falling[np.minimum(at, falling.size - 1)])


def draw_stars(axes: Any, x_S: FloatArray, y_S: FloatArray, label: str, colour: str) -> None:
    """Draw stars as points, or as contours where they are many.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    x_S, y_S : ndarray of float64, (S,)
        Coordinates; stars that lack one are left out.
    label, colour : str
        Of the stars.
    """
    known = np.isfinite(x_S) & np.isfinite(y_S)
    x, y = np.asarray(x_S)[known], np.asarray(y_S)[known]
    if x.size <= MANY:
        axes.plot(x, y, ".", ms=2, mew=0, color=colour, rasterized=True)
        axes.plot([], [], ".", ms=5, mew=0, color=colour, label=label)
        return
    counts, x_edge, y_edge = np.histogram2d(x, y, int(np.clip(x.size**0.5 / 1.6, *CELLS)))
    # A rim of empty cells, so that contours close.
    density = gaussian_filter(np.pad(counts, 3), 1.0)
    x_middle, y_middle = (_middles(edge, 3) for edge in (x_edge, y_edge))
    levels = contour_levels(density)
    widths = np.linspace(0.6, 1.2, levels.size)
    axes.contour(x_middle, y_middle, density.T, levels, colors=colour, linewidths=widths)
    shares = ", ".join(f"{share:.0%}" for share in reversed(ENCLOSED))
    axes.plot([], [], color=colour, label=f"{label}\ncontours: {shares}")


def _middles(edge: FloatArray, rim: int) -> FloatArray:
    step = edge[1] - edge[0]
    return np.asarray(edge[0] + step * (np.arange(-rim, edge.size - 1 + rim) + 0.5))
