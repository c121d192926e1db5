"""One single-star sequence: the running mode of M_G along the colour, binaries clipped."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_lsq_spline

from pipeline.settings.labels import LabelSettings

FloatArray = NDArray[np.float64]
Curve = Callable[[FloatArray], FloatArray]

NODE_MAG = 0.05
"""Distance in colour of the places where the mode is taken."""

EDGE_QUANTILES = (0.01, 0.99)
DEGREE = 2
TOLERANCE_MAG = 0.002

FAINT_HALF = 1.4826
"""Standard deviation over the median distance of one half of a normal distribution."""


@dataclass(frozen=True)
class Sequence:
    """The sequence of one set of stars.

    Parameters
    ----------
    curve : callable
        From (G-Ks)0 to M_G; outside the stars' colours it continues as a straight line added to
        its base.
    kept_B : ndarray of bool, (B,)
        Stars that were not clipped.
    sigma_mag : float
        Scatter about the curve, from the stars on its faint side.
    """

    curve: Curve
    kept_B: NDArray[np.bool_]
    sigma_mag: float


def fit_sequence(
    colour_B: FloatArray, m_g_B: FloatArray, base: Curve, settings: LabelSettings
) -> Sequence:
    """Fit the sequence of the single stars of one set in the colour-magnitude diagram.

    Starts from the running median. Each round measures the scatter on the faint side, where
    there are no binaries; clips harder on the bright side; moves the curve by the mode of the
    residuals in windows of colour; and smooths its distance from the base by a least-squares
    quadratic spline, which has the more knots the more stars there are.

    Parameters
    ----------
    colour_B, m_g_B : ndarray of float64, (B,)
        (G-Ks)0 and M_G, in magnitudes.
    base : callable
        A curve of about the right shape, from (G-Ks)0 to M_G.
    settings : LabelSettings
        Window, knots, clipping.

    Returns
    -------
    Sequence
        The curve, and what it was made from.
    """
    order = np.argsort(colour_B, kind="stable")
    colour, m_g = colour_B[order], m_g_B[order]
    node_J = _nodes(colour)
    windows = [_window(colour, node, settings) for node in node_J]
    weight_J = np.sqrt([last - first for first, last in windows])
    knots = _knots(node_J, colour.size, settings)

    def smooth(distance_J: FloatArray) -> Curve:
        spline = make_lsq_spline(node_J, distance_J, knots, k=DEGREE, w=weight_J)
        slope = spline.derivative()

        def curve_at(colour: FloatArray) -> FloatArray:
            inside = np.clip(colour, node_J[0], node_J[-1])
            return np.asarray(base(colour) + spline(inside) + slope(inside) * (colour - inside))

        return curve_at

    rest = m_g - base(colour)
    curve = smooth(np.array([np.median(rest[first:last]) for first, last in windows]))
    kept, sigma = np.ones(colour.size, dtype=bool), 0.0
    for _ in range(settings.ridge_iterations):
        residual = m_g - curve(colour)
        sigma = float(FAINT_HALF * np.median(residual[residual > 0]))
        low, high = -settings.clip_bright_sigma * sigma, settings.clip_faint_sigma * sigma
        kept = (residual > low) & (residual < high)
        shift_J = np.array(
            [_mode(residual[a:b][kept[a:b]], sigma * settings.ridge_mode_sigma) for a, b in windows]
        )
        before = curve(node_J)
        curve = smooth(before - base(node_J) + shift_J)
        if float(np.abs(curve(node_J) - before).max()) < TOLERANCE_MAG:
            break
    kept_B = np.empty_like(kept)
    kept_B[order] = kept
    return Sequence(curve, kept_B, sigma)


def _nodes(colour: FloatArray) -> FloatArray:
    first, last = np.quantile(colour, EDGE_QUANTILES)
    return np.linspace(first, last, max(int(np.ceil((last - first) / NODE_MAG)), DEGREE + 1) + 1)


def _window(colour: FloatArray, node: float, settings: LabelSettings) -> tuple[int, int]:
    """Return the slice of the sorted stars around a colour: wide enough, or the nearest ones."""
    half = settings.ridge_window_mag
    first, last = (int(np.searchsorted(colour, node + side)) for side in (-half, half))
    if last - first >= settings.ridge_window_stars:
        return first, last
    nearest = np.argsort(np.abs(colour - node), kind="stable")[: settings.ridge_window_stars]
    return int(nearest.min()), int(nearest.max()) + 1


def _knots(node: FloatArray, n_stars: int, settings: LabelSettings) -> FloatArray:
    first, last = float(node[0]), float(node[-1])
    wanted = min(
        int((last - first) / settings.ridge_knot_mag), n_stars // settings.ridge_knot_stars
    )
    inner = np.linspace(first, last, wanted + 2)[1:-1]
    return np.concatenate([[first] * (DEGREE + 1), inner, [last] * (DEGREE + 1)])


def _mode(residual: FloatArray, width: float) -> float:
    """Return the mode of the residuals: the highest point of a Gaussian kernel estimate."""
    if residual.size == 0:
        return 0.0
    grid = np.arange(residual.min(), residual.max() + 0.05 * width, 0.05 * width)
    density = np.exp(-0.5 * ((grid[:, None] - residual) / width) ** 2).sum(axis=1)
    return float(grid[np.argmax(density)])
