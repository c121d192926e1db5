"""Figures of the evaluation, and their panels for others to draw into."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.core.colours import BINARY, OTHER, SINGLE
from pipeline.core.figures import BAND, GUIDE, PAPER_NAME, legend, new_figure, styled
from pipeline.core.figures import PAPER as PAPER_MARK
from pipeline.evaluation.calibration import Reliability
from pipeline.evaluation.evaluation import Evaluation
from pipeline.evaluation.intervals import Estimate
from pipeline.evaluation.labelled import LabelledPredictions
from pipeline.evaluation.paper import PAPER
from pipeline.evaluation.roc import RocBand, RocCurve

BINS = np.linspace(0, 1, 21)


def draw_roc(axes: Any, curve: RocCurve, band: RocBand, auc: Estimate) -> None:
    """Draw a ROC curve with its interval, beside the paper's point for p_b > 0.8.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    curve : RocCurve
        The curve.
    band : RocBand
        Its interval.
    auc : Estimate
        Area below it.
    """
    axes.fill_between(band.fpr_T, band.low_T, band.high_T, color=BINARY, **BAND,
                      label="95 % interval, by star")  # fmt: skip
    axes.plot(curve.fpr_T, curve.tpr_T, color=BINARY, label=f"AUC {auc}")
    axes.plot(PAPER["fpr_at_0.8"], PAPER["tpr_at_0.8"], **PAPER_MARK,
              label=f"{PAPER_NAME}, $p_b$ > 0.8; AUC {PAPER['auc']}")  # fmt: skip
    axes.plot([0, 1], [0, 1], **GUIDE, label="chance")
    axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(0, 1), ylim=(0, 1.02))


def draw_classes(axes: Any, p_b_B: NDArray[np.float64], binary_B: NDArray[np.bool_]) -> None:
    """Draw the distribution of p_b of both classes.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    p_b_B : ndarray of float64, (B,)
        Probabilities.
    binary_B : ndarray of bool, (B,)
        Labels.
    """
    for name, colour, rows in (("single", SINGLE, ~binary_B), ("binary", BINARY, binary_B)):
        n = int(rows.sum())
        axes.hist(p_b_B[rows], BINS, weights=np.full(n, 1 / max(n, 1)), histtype="step",
                  color=colour, label=f"labelled {name} ({n:,})")  # fmt: skip
    axes.set(xlabel="$p_b$", ylabel="fraction per bin", xlim=(0, 1))


def draw_precision(
    axes: Any, thresholds: Sequence[float], found: Sequence[Estimate], label: str, colour: str
) -> None:
    """Draw the precision against the threshold with its interval.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    thresholds : sequence of float
        On p_b.
    found : sequence of Estimate
        Precisions.
    label, colour : str
        Of the line.
    """
    axes.plot(thresholds, [e.value for e in found], "o-", color=colour, label=label)
    axes.fill_between(thresholds, [e.low for e in found], [e.high for e in found], color=colour,
                      **BAND)  # fmt: skip
    axes.set(xlabel="threshold on $p_b$", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))


def mark_paper_precision(axes: Any) -> None:
    """Draw the precisions of the paper, for one binary to two singles."""
    at = (0.5, 0.8)
    axes.plot(at, [PAPER[f"precision_at_{t}"] for t in at], **PAPER_MARK, label=PAPER_NAME)


@styled()
def roc_figure(evaluation: Evaluation) -> Figure:
    """Draw the ROC curve, the chosen thresholds, and the paper's point.

    Parameters
    ----------
    evaluation : Evaluation
        Has the rows of thresholds 0.5 and 0.8.
    """
    figure, (axes,) = new_figure(panel_in=3.6)
    draw_roc(axes, evaluation.roc, evaluation.roc_band, evaluation.auc)
    for threshold, mark in ((0.5, "o"), (0.8, "s")):
        row = evaluation.row(threshold)
        axes.plot(row.fpr.value, row.tpr.value, mark, color="black", mfc="white", ms=4,
                  label=f"$p_b$ > {threshold}")  # fmt: skip
    axes.set_aspect("equal")
    legend(axes, columns=2)
    return figure


@styled()
def scores_figure(test: LabelledPredictions, evaluation: Evaluation) -> Figure:
    """Draw p_b of both classes, and precision against the threshold (figure 3 of the paper).

    Parameters
    ----------
    test : LabelledPredictions
        The test part.
    evaluation : Evaluation
        Its rates.
    """
    figure, (upper, lower) = new_figure(2)
    draw_classes(upper, test.p_b_B, test.binary_B)
    legend(upper)
    thresholds = [row.threshold for row in evaluation.table]
    for number, ratio in enumerate(evaluation.table[0].precision):
        found = [row.precision[ratio] for row in evaluation.table]
        colour = (BINARY, SINGLE, OTHER)[number % 3]
        draw_precision(lower, thresholds, found, f"{ratio:g} binaries per single", colour)
    mark_paper_precision(lower)
    legend(lower, columns=2)
    return figure


@styled()
def reliability_figure(evaluation: Evaluation, binary_fraction: float) -> Figure:
    """Draw the observed fraction of binaries against the predicted one.

    Parameters
    ----------
    evaluation : Evaluation
        Its calibration is drawn.
    binary_fraction : float
        Fraction that the posterior is for.
    """
    figure, panels = new_figure(2, 2.7)
    found = evaluation.calibration
    _draw_reliability(panels[0], found.before, "network", BINARY, "o")
    corrected = "by Teff and S/N" if found.smooth else f"temperature {found.temperature:.2f}"
    _draw_reliability(panels[0], found.after, corrected, SINGLE, "s")
    name = f"posterior, binary fraction {binary_fraction:.2f}"
    _draw_reliability(panels[1], found.posterior, name, OTHER, "o")
    for axes in panels:
        axes.plot([0, 1], [0, 1], **GUIDE, label="perfect calibration")
        axes.set(xlabel="predicted probability", ylabel="observed fraction of binaries",
                 xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))  # fmt: skip
        legend(axes)
    return figure


def _draw_reliability(axes: Any, found: Reliability, name: str, colour: str, mark: str) -> None:
    value = found.observed_H
    error = np.clip([value - found.low_H, found.high_H - value], 0, None)
    axes.errorbar(found.predicted_H, value, error, fmt=mark, ms=3, lw=0.8, color=colour,
                  label=f"{name}, error {found.expected_error:.3f}")  # fmt: skip
