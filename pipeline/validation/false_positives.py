"""False positives against the number of spectra: the highest of many is high by chance."""

import numpy as np
import pandas as pd

from pipeline.core.colours import BINARY, OTHER, SINGLE
from pipeline.core.figures import legend, new_figure
from pipeline.validation.drawing import draw_bins
from pipeline.validation.measure import Measure, mean_of, share
from pipeline.validation.result import Result
from pipeline.validation.run_data import RunData
from pipeline.validation.stars import has_truth
from pipeline.validation.velocities import WAYS

MOST = 4
"""Stars with so many spectra and more are taken together."""

COLOURS = {"highest": BINARY, "mean": SINGLE, "combined": OTHER}
PAPER_STABLE_FLAGGED = 0.312
"""Stars of at least four spectra and a stable velocity with a p_b > 0.5: 1 - 0.688."""


def validate(data: RunData) -> Result:
    """Count the singles of the labels that are called binaries, by number of spectra."""
    return false_positives(data.stars)


def false_positives(stars: pd.DataFrame) -> Result:
    """Measure the share of labelled singles above 0.5, by each way of combining spectra.

    Parameters
    ----------
    stars : pandas.DataFrame
        Stars of the catalogue.

    Returns
    -------
    Result
        The truth is the same share of the sample's truly single stars, whatever their label.
    """
    single = (stars["label"] == "single").to_numpy()
    if not single.any():
        return Result(
            skipped="no star outside of the training is labelled as single: run `pairspec label`"
        )
    truly = (stars["true_kind"] == "single").to_numpy() if has_truth(stars) else None
    measures: list[Measure] = []
    figure, (axis,) = new_figure()
    for number, (way, column) in enumerate(WAYS.items()):
        value = stars[column].to_numpy()
        bins = []
        for n in range(1, MOST + 1):
            spectra = stars["n_spectra"].to_numpy()
            here = np.isfinite(value) & ((spectra >= n) if n == MOST else (spectra == n))
            truth = None if truly is None else mean_of(value[here & truly] > 0.5)
            name = f"singles above 0.5 by the {way}, by spectra"
            paper = PAPER_STABLE_FLAGGED if n == MOST and way == "highest" else None
            found = value[here & single] > 0.5
            edge = (n - 0.5, n + 0.5)
            bins.append(share(name, found, bin=edge, truth=truth, paper=paper, main=n in (1, MOST)))
        draw_bins(axis, bins, f"{way} $p_b$", COLOURS[way], 0.25 * (number - 1))
        measures += bins
    axis.set(xlabel="spectra per star", ylabel="false positive rate", xlim=(0.5, MOST + 0.5))
    axis.set_ylim(bottom=-0.02)
    numbers = range(1, MOST + 1)
    axis.set_xticks(numbers, [f"{n}" if n < MOST else f"{n} or more" for n in numbers])
    legend(axis, columns=2)
    return Result(tuple(measures), figure)
