"""Completeness and false positives, by companions injected into the run's own single stars."""

from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.core.colours import BINARY, OTHER
from pipeline.core.colours import SINGLE as SINGLE_COLOUR
from pipeline.core.figures import legend, new_figure
from pipeline.evaluation.intervals import Estimate
from pipeline.evaluation.paper import PAPER
from pipeline.evaluation.truth import Q_RANGE
from pipeline.settings.validation import ValidationSettings
from pipeline.validation.agreement import agreement
from pipeline.validation.cells import cell_table, true_systems, with_cells
from pipeline.validation.drawing import draw_bins
from pipeline.validation.fraction_measures import fraction_measures
from pipeline.validation.injected import PAIR, SINGLE, TWINS
from pipeline.validation.injection import read_injections
from pipeline.validation.measure import Measure, share_interval
from pipeline.validation.result import Result
from pipeline.validation.run_data import RunData
from pipeline.validation.stars import has_truth
from schemas.completeness import COMPLETENESS


def validate(data: RunData) -> Result:
    """Measure the selection function, and correct the run's binary fraction for it."""
    if not data.injections:
        return Result(skipped=data.no_injections or "no companions were injected")
    injected = read_injections(data.injections)
    n_draws = data.evaluate.n_bootstrap
    return completeness(injected, data.all_stars, data.settings, n_draws, data.log_age)


def completeness(
    injected: pd.DataFrame,
    stars: pd.DataFrame,
    settings: ValidationSettings,
    n_draws: int,
    log_age: float,
) -> Result:
    """Measure which share of injected pairs and of single stars is above each threshold.

    Parameters
    ----------
    injected : pandas.DataFrame
        As from `pipeline.validation.injected.Injection.run`.
    stars : pandas.DataFrame
        Stars of the catalogue, those seen in training too.
    settings : ValidationSettings
        Grid and thresholds.
    n_draws : int
        Draws of stars for the interval of the binary fraction.
    log_age : float
        log10 age in years of the isochrone.

    Returns
    -------
    Result
        With the table ``completeness``. The truth is the share of the survey's own true pairs or
        single stars that were not seen in training, p_b being that of their best spectrum.
    """
    truth = true_systems(stars[~stars["seen"]]) if has_truth(stars) else None
    table = cell_table(injected, truth, settings)
    sample = _sample(stars, settings)
    cells = _weighted(with_cells(injected, settings), sample)
    true = None if truth is None else _weighted(with_cells(truth, settings), sample)
    measures: list[Measure] = []
    figure, axes = new_figure(3)
    colours = (SINGLE_COLOUR, OTHER, BINARY)
    for number, threshold in enumerate(settings.thresholds):
        by_q = [
            _share(
                f"pairs with p_b > {threshold:g} by mass ratio", threshold,
                cells[cells["q_bin"] == k], None if true is None else true[true["q_bin"] == k],
                bin=edge, main=threshold == 0.5,
            )
            for k, edge in enumerate(pairwise(settings.q_edges))
        ]  # fmt: skip
        colour = colours[number % len(colours)]
        shift = 0.2 * (number - (len(settings.thresholds) - 1) / 2)
        draw_bins(axes[0], by_q, f"$p_b$ > {threshold:g}", colour, shift)
        measures += by_q
    for threshold in settings.thresholds:
        measures += _totals(cells, true, threshold)
    for axis, name, edges in (
        (axes[1], "snr", settings.injection.snr_edges),
        (axes[2], "teff", settings.injection.teff_edges_k),
    ):
        for kind, colour in ((PAIR, BINARY), (SINGLE, SINGLE_COLOUR)):
            bins = [
                _share(
                    f"{_WORD[kind]} with p_b > 0.5 by {name}", 0.5,
                    _of(cells, kind, name, k), None if true is None else _of(true, kind, name, k),
                    bin=edge,
                )
                for k, edge in enumerate(pairwise(edges))
            ]  # fmt: skip
            draw_bins(axis, bins, _WORD[kind], colour)
            measures += bins
    axes[0].set(
        xlabel="mass ratio $q$", ylabel="fraction above the threshold", xlim=(0, 1), ylim=(0, 1)
    )
    axes[1].set(xlabel="S/N in $g$", ylabel="fraction with $p_b$ > 0.5", ylim=(0, 1.05))
    axes[2].set(xlabel="$T_\\mathrm{eff}$ (K)", ylabel="fraction with $p_b$ > 0.5", ylim=(0, 1.05))
    for axis in axes:
        legend(axis, columns=2)
    if truth is not None:
        measures.append(agreement(table))
    fractions, notes = fraction_measures(sample, cells, settings, n_draws, log_age)
    return Result(
        (*measures, *fractions), figure, (*_notes(injected, stars, sample), *notes),
        tables={COMPLETENESS.name: table},
    )  # fmt: skip


_WORD = {PAIR: "pairs of q 0.71-0.93", SINGLE: "single stars", TWINS: "twins"}


def _of(cells: pd.DataFrame, kind: str, name: str = "", number: int = 0) -> pd.DataFrame:
    """Rows of one kind, of the paper's mass ratios, and of one bin."""
    inside = cells["kind"] == kind
    if kind == PAIR:
        inside &= cells["q"].between(*Q_RANGE)
    if name:
        inside &= cells[f"{name}_bin"] == number
    return cells[inside]


def _totals(cells: pd.DataFrame, true: pd.DataFrame | None, threshold: float) -> list[Measure]:
    paper = {PAIR: PAPER["tpr_at_0.8"], SINGLE: PAPER["fpr_at_0.8"]} if threshold == 0.8 else {}
    return [
        _share(
            f"{_WORD[kind]} with p_b > {threshold:g}", threshold, _of(cells, kind),
            None if true is None or kind == TWINS else _of(true, kind),
            paper=paper.get(kind), main=threshold >= 0.5,
        )
        for kind in (PAIR, SINGLE, TWINS)
    ]  # fmt: skip


def _share(
    quantity: str,
    threshold: float,
    cells: pd.DataFrame,
    true: pd.DataFrame | None,
    *,
    bin: tuple[float, float] | None = None,  # noqa: A002 (the field's name)
    paper: float | None = None,
    main: bool = False,
) -> Measure:
    """Share above a threshold, weighted to the S/N of the sample; the interval by stars."""
    n = int(cells["star"].nunique())
    estimate = share_interval(_mean(cells, threshold) * n, n) if n else Estimate(*[np.nan] * 3)
    truth = None if true is None else _mean(true, threshold)
    return Measure(quantity, estimate, n, bin, truth, paper, main)


def _mean(cells: pd.DataFrame, threshold: float) -> float:
    if not len(cells) or not cells["weight"].sum():
        return float("nan")
    return float(np.average(cells["p_b"] > threshold, weights=cells["weight"]))


def _sample(stars: pd.DataFrame, settings: ValidationSettings) -> pd.DataFrame:
    """Stars of the run's sample within the grid, with the p_b of their best spectrum."""
    inside = stars[stars["in_sample"] & np.isfinite(stars["p_b_best"])]
    columns = {
        "kind": SINGLE, "q": np.nan, "snr_g": inside["snr_g_best"], "p_b": inside["p_b_best"],
    }  # fmt: skip
    return with_cells(inside.assign(**columns), settings)


def _weighted(cells: pd.DataFrame, sample: pd.DataFrame) -> pd.DataFrame:
    """Weight the rows of each kind and mass ratio to the distribution of the sample over S/N."""
    wanted = sample["snr_bin"].value_counts(normalize=True)
    group = cells.groupby(["kind", "q_bin", "snr_bin"])["snr_bin"].transform("size")
    return cells.assign(weight=cells["snr_bin"].map(wanted).fillna(0.0) / group)


def _notes(injected: pd.DataFrame, stars: pd.DataFrame, sample: pd.DataFrame) -> list[str]:
    n_sample, n = int(stars["in_sample"].sum()), injected["star"].nunique()
    return [
        f"{len(injected):,} spectra of {n:,} single stars not seen in training, once per cell each",
        f"{n_sample - len(sample):,} of {n_sample:,} stars of the sample lie outside of the grid",
    ]
