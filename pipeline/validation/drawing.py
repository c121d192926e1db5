"""What the figures of the validations have in common."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.figures import PAPER, PAPER_NAME
from pipeline.validation.measure import Measure

BINS = np.linspace(0, 1, 21)
TRUTH_NAME = "truth of the simulation"


def draw_bins(
    axes: Any, measures: Sequence[Measure], label: str, colour: str, shift: float = 0.0
) -> None:
    """Draw numbers by bin with their intervals, the truth as open circles, the paper's as stars.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    measures : sequence of Measure
        With bins; those without a value are left out.
    label, colour : str
        Of the points.
    shift : float
        Moves the points to the side by this share of the bin, where several lie in one.
    """
    shown = [m for m in measures if m.bin is not None and np.isfinite(m.estimate.value)]
    if not shown:
        return
    low_end, high_end = np.array([m.bin for m in shown], dtype=float).T
    if axes.get_xscale() == "log":
        at = low_end * (high_end / low_end) ** (0.5 + shift)
    else:
        at = low_end + (high_end - low_end) * (0.5 + shift)
    value, low, high = np.array(
        [(m.estimate.value, m.estimate.low, m.estimate.high) for m in shown]
    ).T
    y_error = np.clip([value - low, high - value], 0, None)
    axes.errorbar(at, value, y_error, fmt="o", ms=3, lw=0.8, color=colour, label=label)
    for bin_low, bin_high, y in zip(low_end, high_end, value, strict=True):
        axes.plot([bin_low, bin_high], [y, y], color=colour, lw=0.5, alpha=0.5)
    _draw_once(axes, at, [m.truth for m in shown], TRUTH_NAME, colour,
               {"marker": "o", "ms": 5.5, "mfc": "none", "mew": 0.8, "ls": "none"})  # fmt: skip
    _draw_once(axes, at, [m.paper for m in shown], PAPER_NAME, "black", PAPER)


def _draw_once(
    axes: Any,
    at: NDArray[np.float64],
    values: Sequence[float | None],
    name: str,
    colour: str,
    style: dict[str, Any],
) -> None:
    """Draw what is known of the values; the legend names it once, for all series of a panel."""
    known = np.array([np.nan if value is None else value for value in values])
    if not np.isfinite(known).any():
        return
    axes.plot(at, known, **(style | {"color": colour}))
    if name not in axes.get_legend_handles_labels()[1]:
        grey = "black" if colour == "black" else "0.35"
        axes.plot([], [], **(style | {"color": grey}), label=name)


def draw_scores(
    axes: Any, p_b_S: NDArray[np.float64], label: str, colour: str, paper: float | None = None
) -> None:
    """Draw the distribution of p_b of some stars.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    p_b_S : ndarray of float64, (S,)
        Probabilities.
    label, colour : str
        Of the line; the share above 0.5 follows the label.
    paper : float, optional
        The paper's share above 0.5.
    """
    if p_b_S.size:
        weight = np.full(p_b_S.size, 1 / p_b_S.size)
        above = f"{label} ({p_b_S.size:,}): {(p_b_S > 0.5).mean():.0%} above 0.5"
        theirs = "" if paper is None else f"\n{PAPER_NAME}: {paper:.0%}"
        axes.hist(
            p_b_S, BINS, weights=weight, histtype="step", color=colour, label=f"{above}{theirs}"
        )
    axes.set(xlabel="$p_b$", ylabel="fraction of stars per bin", xlim=(0, 1))
