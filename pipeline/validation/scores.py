"""Figure 3 of the paper and the ROC curve: p_b of both classes of the test part."""

from functools import partial

import numpy as np

from pipeline.core.colours import BINARY
from pipeline.core.figures import legend, new_figure
from pipeline.evaluation.figures import draw_classes, draw_precision, draw_roc, mark_paper_precision
from pipeline.evaluation.intervals import Bootstrap
from pipeline.evaluation.labelled import LabelledPredictions, read_labelled_predictions
from pipeline.evaluation.paper import PAPER
from pipeline.evaluation.precision import precision_from_rates
from pipeline.evaluation.roc import rates, roc_band, roc_curve
from pipeline.network.metrics import weighted_auc
from pipeline.settings.evaluate import EvaluateSettings
from pipeline.validation.measure import Measure
from pipeline.validation.result import Result
from pipeline.validation.run_data import RunData
from schemas.catalogue import PREDICTIONS
from schemas.sample import LABELS

RATIO = 0.5
"""Binaries per single star of the precision. [paper]"""


def validate(data: RunData) -> Result:
    """Compare the classes of the test part of the labels."""
    labels = data.root.table(LABELS)
    if not labels.is_dir():
        return Result(skipped="there are no labels: run `pairspec label`")
    judged = read_labelled_predictions(labels, data.root.table(PREDICTIONS), data.inputs.truth)
    return scores(judged.part("test"), data.evaluate)


def scores(test: LabelledPredictions, settings: EvaluateSettings) -> Result:
    """Measure AUC, rates and precision of the test part.

    Parameters
    ----------
    test : LabelledPredictions
        The test part.
    settings : EvaluateSettings
        Thresholds and draws.

    Returns
    -------
    Result
        The truth is the same with the true classes, pairs of any mass ratio against singles.
    """
    binary, p_b = test.binary_B, test.p_b_B
    if binary.all() or not binary.any():
        return Result(skipped="the test part lacks a class: enlarge the sample")
    draws = Bootstrap(test.star_B, settings.n_bootstrap, settings.seed)
    n_stars = np.unique(test.star_B).size
    known = (test.kind_B == "pair") | (test.kind_B == "single")
    true = test.kind_B == "pair"
    compared = known.any() and true[known].any() and not true[known].all()

    def measure(name: str, statistic, paper: float | None) -> Measure:  # type: ignore[no-untyped-def]
        estimate = draws.interval(lambda weight: statistic(p_b, binary, weight))
        truth = None
        if compared:
            truth = float(statistic(p_b[known], true[known], np.ones(int(known.sum()))))
        return Measure(name, estimate, n_stars, truth=truth, paper=paper, main=True)

    def precision(threshold: float):  # type: ignore[no-untyped-def]
        return lambda p, b, w: precision_from_rates(*rates(p, b, threshold, w), RATIO)

    measures = (
        measure("AUC of the test part", weighted_auc, PAPER["auc"]),
        measure("precision at 0.5, 1:2", precision(0.5), PAPER["precision_at_0.5"]),
        measure("precision at 0.8, 1:2", precision(0.8), PAPER["precision_at_0.8"]),
        measure("binaries with p_b > 0.8", lambda p, b, w: rates(p, b, 0.8, w)[0],
                PAPER["tpr_at_0.8"]),
        measure("singles with p_b > 0.8", lambda p, b, w: rates(p, b, 0.8, w)[1],
                PAPER["fpr_at_0.8"]),
    )  # fmt: skip
    figure, panels = new_figure(3, 2.5)
    draw_classes(panels[0], p_b, binary)
    legend(panels[0])
    thresholds = settings.thresholds
    found = [draws.interval(partial(precision(t), p_b, binary)) for t in thresholds]
    draw_precision(panels[1], thresholds, found, f"{RATIO:g} binaries per single", BINARY)
    mark_paper_precision(panels[1])
    legend(panels[1], columns=2)
    band = roc_band(p_b, binary, draws)
    draw_roc(panels[2], roc_curve(p_b, binary), band, measures[0].estimate)
    legend(panels[2])
    return Result(measures, figure)
