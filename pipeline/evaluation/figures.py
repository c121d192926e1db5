"""Figures of the evaluation."""

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipeline.core.colours import BINARY, SINGLE
from pipeline.evaluation.evaluation import Evaluation
from pipeline.evaluation.labelled import LabelledPredictions
from pipeline.evaluation.paper import PAPER


def roc_figure(evaluation: Evaluation) -> bytes:
    """Draw the ROC curve, the chosen thresholds, and the paper's AUC.

    Parameters
    ----------
    evaluation : Evaluation
        Has the rows of thresholds 0.5 and 0.8.

    Returns
    -------
    bytes
        A PNG file.
    """
    figure = _figure(5, 5)
    axes = figure.subplots()
    axes.plot(evaluation.roc.fpr_T, evaluation.roc.tpr_T, color=BINARY, lw=1.5)
    axes.plot([0, 1], [0, 1], color="0.7", lw=0.8)
    for threshold in (0.5, 0.8):
        row = evaluation.row(threshold)
        axes.plot(row.fpr.value, row.tpr.value, "o", color="black", ms=4)
        axes.annotate(
            f"$p_b$ > {threshold}", (row.fpr.value, row.tpr.value), (6, -10),
            textcoords="offset points", fontsize=8,
        )  # fmt: skip
    axes.set(
        xlabel="singles called binaries",
        ylabel="binaries called binaries",
        title=f"AUC {evaluation.auc}; paper {PAPER['auc']}",
        xlim=(0, 1),
        ylim=(0, 1),
        aspect="equal",
    )
    return _png(figure)


def scores_figure(test: LabelledPredictions, evaluation: Evaluation) -> bytes:
    """Draw p_b of both classes, and precision against the threshold (figure 3 of the paper).

    Parameters
    ----------
    test : LabelledPredictions
        The test part.
    evaluation : Evaluation
        Its rates.

    Returns
    -------
    bytes
        A PNG file.
    """
    figure = _figure(10, 4)
    left, right = figure.subplots(1, 2)
    bins = np.linspace(0, 1, 41)
    for name, colour, rows in (
        ("single", SINGLE, ~test.binary_B),
        ("binary", BINARY, test.binary_B),
    ):
        left.hist(
            test.p_b_B[rows], bins, density=True, histtype="step", color=colour,
            label=f"{name} ({int(rows.sum()):,})",
        )  # fmt: skip
    left.set(xlabel="$p_b$", ylabel="density", xlim=(0, 1))
    left.legend(loc="upper center", fontsize=8)
    for ratio in evaluation.table[0].precision:
        estimates = [row.precision[ratio] for row in evaluation.table]
        thresholds = [row.threshold for row in evaluation.table]
        line = right.plot(thresholds, [e.value for e in estimates], "o-", ms=3,
                          label=f"binaries : singles = {ratio:g}")[0]  # fmt: skip
        low, high = [e.low for e in estimates], [e.high for e in estimates]
        right.fill_between(thresholds, low, high, color=line.get_color(), alpha=0.15, lw=0)
    for threshold in (0.5, 0.8):
        label = "paper, 0.5" if threshold == 0.5 else None
        right.plot(threshold, PAPER[f"precision_at_{threshold}"], "k*", label=label)
    right.set(xlabel="threshold on $p_b$", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    right.legend(loc="lower right", fontsize=8)
    return _png(figure)


def reliability_figure(evaluation: Evaluation, binary_fraction: float) -> bytes:
    """Draw the observed fraction of binaries against the predicted one.

    Parameters
    ----------
    evaluation : Evaluation
        Its calibration is drawn.
    binary_fraction : float
        Fraction that the posterior is for.

    Returns
    -------
    bytes
        A PNG file.
    """
    figure = _figure(5, 5)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", lw=0.8)
    calibration = evaluation.calibration
    for name, found in (
        ("network", calibration.before),
        (f"with temperature {calibration.temperature:.2f}", calibration.after),
        (f"posterior for a fraction of {binary_fraction:.2f}", calibration.posterior),
    ):
        text = f"{name}: error {found.expected_error:.3f}"
        axes.plot(found.predicted_H, found.observed_H, "o-", ms=3, label=text)
    axes.set(xlabel="predicted", ylabel="share of binaries", xlim=(0, 1), ylim=(0, 1))
    axes.legend(loc="upper left", fontsize=8)
    return _png(figure)


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()
