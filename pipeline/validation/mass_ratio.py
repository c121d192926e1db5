"""p_b against the mass ratio that the photometry gives."""

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.colours import BINARY, OTHER, SINGLE
from pipeline.core.figures import legend, new_figure
from pipeline.evaluation.truth import Q_RANGE
from pipeline.settings.validation import ValidationSettings
from pipeline.validation.drawing import draw_bins
from pipeline.validation.measure import Measure, mean_of, share
from pipeline.validation.result import Result
from pipeline.validation.run_data import RunData
from pipeline.validation.stars import has_truth

CONVENTIONS = {
    "q_fixed_primary": "primary on the ridge",
    "q_fixed_colour": "blend of the star's colour",
    "true_q": "true mass ratio",
}


def validate(data: RunData) -> Result:
    """Compare p_b with the mass ratios of the catalogue (figure 4 of the paper)."""
    return mass_ratio(data.stars, data.settings)


def mass_ratio(stars: pd.DataFrame, settings: ValidationSettings) -> Result:
    """Measure the share of stars above each threshold, in bins of the mass ratio.

    Parameters
    ----------
    stars : pandas.DataFrame
        Stars of the catalogue.
    settings : ValidationSettings
        Thresholds and bins.

    Returns
    -------
    Result
        The truth is the share of the true pairs of these mass ratios. The true mass ratios of a
        simulated survey have rows, and a panel, of their own.
    """
    known = {name for name in CONVENTIONS if name in stars and np.isfinite(stars[name]).any()}
    if not known - {"true_q"}:
        return Result(
            skipped="no star has a mass ratio from photometry: run `pairspec photometry`, "
            "`pairspec label`, then `pairspec catalogue`"
        )
    names = [name for name in CONVENTIONS if name in known]
    p_b = stars["p_b"].to_numpy()
    measures: list[Measure] = []
    figure, axes = new_figure(len(names), 2.6)
    colours = (SINGLE, OTHER, BINARY)
    for axis, name in zip(axes, names, strict=True):
        for k, threshold in enumerate(settings.thresholds):
            bins = [
                share(
                    f"p_b > {threshold:g} | {name}",
                    p_b[_inside(stars[name].to_numpy(), edge)] > threshold,
                    bin=edge,
                    truth=None if name == "true_q" else _truth(stars, edge, threshold),
                    main=threshold == 0.5,
                )
                for edge in pairwise(settings.q_edges)
            ]
            shift = 0.2 * (k - (len(settings.thresholds) - 1) / 2)
            draw_bins(axis, bins, f"$p_b$ > {threshold:g}", colours[k % len(colours)], shift)
            measures += bins
        axis.axvspan(
            *Q_RANGE,
            color="0.92",
            lw=0,
            zorder=0,
            label=f"{Q_RANGE[0]} < $q$ < {Q_RANGE[1]}, as labelled",
        )
        axis.set(xlabel=f"mass ratio $q$, {CONVENTIONS[name]}", ylabel="fraction of stars",
                 xlim=(0, 1), ylim=(-0.02, 1.02))  # fmt: skip
        legend(axis, columns=2)
    return Result(tuple(measures), figure)


def _inside(q: NDArray[np.float64], edge: tuple[float, float]) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return np.asarray((q >= edge[0]) & (q < edge[1]))


def _truth(stars: pd.DataFrame, edge: tuple[float, float], threshold: float) -> float | None:
    if not has_truth(stars):
        return None
    pair = (stars["true_kind"] == "pair").to_numpy()
    inside = pair & _inside(stars["true_q"].to_numpy(), edge)
    return mean_of(stars["p_b"].to_numpy()[inside] > threshold)
