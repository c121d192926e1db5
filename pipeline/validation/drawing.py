"""What the figures of the validations have in common."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.validation.measure import Measure

OTHER = "#5a9367"


def new_figure(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Any]]:
    """Return a figure and its axes, side by side.

    Parameters
    ----------
    width, height : float
        Inches.
    columns : int
        Number of axes.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(np.atleast_1d(figure.subplots(1, columns)))


def draw_bins(axes: Any, measures: Sequence[Measure], label: str, colour: str) -> None:
    """Draw numbers by bin with their intervals, and the truth as open circles.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    measures : sequence of Measure
        With bins; those without a value are left out.
    label, colour : str
        Of the points.
    """
    shown = [m for m in measures if m.bin is not None and np.isfinite(m.estimate.value)]
    if not shown:
        return
    ends = np.array([m.bin for m in shown], dtype=float)
    middle = np.sqrt(ends.prod(axis=1)) if axes.get_xscale() == "log" else ends.mean(axis=1)
    value, low, high = np.array(
        [(m.estimate.value, m.estimate.low, m.estimate.high) for m in shown]
    ).T
    x_error = np.abs(ends.T - middle)
    y_error = np.clip([value - low, high - value], 0, None)
    axes.errorbar(middle, value, y_error, x_error, fmt="o", ms=3, lw=1, color=colour, label=label)
    truth = np.array([np.nan if m.truth is None else m.truth for m in shown])
    if np.isfinite(truth).any():
        axes.plot(middle, truth, "o", ms=7, mfc="none", color=colour)


def draw_scores(axes: Any, p_b_S: NDArray[np.float64], label: str, colour: str) -> None:
    """Draw the distribution of p_b of some stars.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    p_b_S : ndarray of float64, (S,)
        Probabilities.
    label, colour : str
        Of the line.
    """
    if p_b_S.size:
        weight = np.full(p_b_S.size, 1 / p_b_S.size)
        axes.hist(
            p_b_S, np.linspace(0, 1, 21), weights=weight, histtype="step", color=colour,
            label=f"{label} ({p_b_S.size:,})",
        )  # fmt: skip
    axes.set(xlabel="$p_b$", ylabel="share of stars", xlim=(0, 1))


def legend(axes: Any) -> None:
    """Add a legend where there is anything to name."""
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize=8)
