"""``pairspec evaluate``: the network on the held-out test part of the labels."""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from scipy.special import expit, logit

from pipeline.core.atomic import write_json
from pipeline.core.figures import write_figure
from pipeline.core.ledger import Done
from pipeline.core.report import StageReport
from pipeline.core.root import Root
from pipeline.core.run import Run
from pipeline.evaluation.epochs import Combination
from pipeline.evaluation.evaluation import Evaluation, evaluate
from pipeline.evaluation.figures import reliability_figure, roc_figure, scores_figure
from pipeline.evaluation.labelled import LabelledPredictions, read_labelled_predictions
from pipeline.evaluation.paper import PAPER
from pipeline.evaluation.smooth import SmoothCalibration
from pipeline.evaluation.unseen import check_card, check_predictions, check_stars
from pipeline.network.card import ModelCard
from pipeline.network.members import EnsemblePlan, judged_networks, plan_ensemble
from pipeline.settings.load import Settings
from schemas.catalogue import PREDICTIONS
from schemas.observations import OBSERVATIONS
from schemas.sample import LABELS

FIGURES = ("roc", "scores", "reliability")
"""Names of the figures, each a PNG and a PDF."""


def run(run: Run) -> StageReport:
    """Evaluate the predictions of the test part; temperature from the validation part.

    Parameters
    ----------
    run : Run
        Of it: ``evaluate``, ``labels.seed``; ``inputs.truth`` where the survey is simulated.

    Returns
    -------
    StageReport
        Figures of merit beside the paper's.

    Raises
    ------
    MismatchError
        The network may know stars of the validation or test part, or predictions are missing or
        another's.
    """
    settings, root = run.settings, run.root
    labels, predictions = run.needs()
    by_star = settings.evaluate.calibration == "smooth"
    observed = run.needs("observations") if by_star else ()
    plan = plan_ensemble(judged_networks(run))
    cards = plan.cards()
    for card in cards:
        check_card(card, settings)
    figures = [field.name for field in fields(Combination)]
    digest = run.digest(
        labels, predictions, settings.evaluate, str(settings.inputs.truth), figures, FIGURES,
        *observed,
    )  # fmt: skip
    full = run.digest(digest, plan.model_id)
    done = run.once(_evaluate, settings, root, cards, plan, digest, digest=full)
    return run.publish(full, done.counts, notes=done.notes, outputs=done.outputs, table=done.table)


def _evaluate(
    settings: Settings, root: Root, cards: Sequence[ModelCard], plan: EnsemblePlan, digest: str
) -> Done:
    model_id = plan.model_id
    smooth = settings.evaluate.calibration == "smooth"
    judged = read_labelled_predictions(
        root.table(LABELS), root.table(PREDICTIONS), settings.inputs.truth,
        root.table(OBSERVATIONS) if smooth else None,
    )  # fmt: skip
    check_predictions(judged, model_id)
    check_stars(judged, plan)
    evaluation = evaluate(judged, trained_fraction(cards, judged), settings.evaluate)
    words = "; ".join(card.data for card in cards)
    pictures = (
        roc_figure(evaluation),
        scores_figure(judged.part("test"), evaluation),
        reliability_figure(evaluation, settings.evaluate.binary_fraction),
    )
    outputs = [root.evaluation]
    for name, picture in zip(FIGURES, pictures, strict=True):
        outputs += write_figure(root.reports, name, picture)
    content = {
        "digest": digest,
        "model": {"id": model_id, "data": words},
        "binary_fraction": settings.evaluate.binary_fraction,
        "paper": dict(PAPER),
    }
    write_json(outputs[0], content | evaluation.as_json())
    counts = {
        "test spectra": evaluation.n_binary + evaluation.n_single,
        "binary": evaluation.n_binary,
        "single": evaluation.n_single,
        "test stars": evaluation.n_stars,
        "excluded": int(((judged.split_B == "test") & (judged.label_B == "excluded")).sum()),
        "without p_b": int(((judged.split_B == "test") & ~np.isfinite(judged.p_b_B)).sum()),
    }
    notes = (f"model {model_id}: {words}",)
    return Done(counts, outputs, notes, tuple(as_table(evaluation, smooth=smooth)))


def trained_fraction(cards: Sequence[ModelCard], judged: LabelledPredictions) -> float:
    """Fraction of binaries among the spectra that the networks saw in training.

    Parameters
    ----------
    cards : sequence of ModelCard
        Of the networks.
    judged : LabelledPredictions
        Its training part stands in for what the card of a network of an earlier version lacks.

    Returns
    -------
    float
        Of several networks, whose log-odds are averaged, the mean in log-odds.
    """
    stated = np.array([card.binary_fraction or 0 for card in cards])
    if np.all((stated > 0) & (stated < 1)):
        return float(expit(np.mean(logit(stated))))
    oversampled = all(card.training is None or card.training.oversample for card in cards)
    labels = judged.label_B[judged.split_B == "training"]
    n_binary, n_single = int((labels == "binary").sum()), int((labels == "single").sum())
    if oversampled or not n_binary or not n_single:
        return 0.5
    return n_binary / (n_binary + n_single)


def as_table(evaluation: Evaluation, *, smooth: bool = False) -> list[str]:
    """Return the main figures beside the paper's as lines of text.

    Parameters
    ----------
    evaluation : Evaluation
        The figures.
    smooth : bool
        A calibration by Teff and S/N was asked for.
    """
    half, high = evaluation.row(0.5), evaluation.row(0.8)
    rows = [
        ("AUC on labels", evaluation.auc, "auc"),
        ("precision at 0.5, binaries : singles 1:2", half.precision[0.5], "precision_at_0.5"),
        ("precision at 0.8, binaries : singles 1:2", high.precision[0.5], "precision_at_0.8"),
        ("binaries with p_b > 0.8", high.tpr, "tpr_at_0.8"),
        ("singles with p_b < 0.2", evaluation.singles_below[0.2], "singles_below"),
        ("singles with p_b < 0.8", evaluation.singles_below[0.8], "singles_below"),
    ]
    lines = [f"{'':42}{'value [95 % interval]':26}paper"]
    lines += [f"{name:42}{value!s:26}{PAPER[key]}" for name, value, key in rows]
    if evaluation.auc_truth is not None:
        lines.append(f"{'AUC on truth, pairs of q 0.71-0.93':42}{evaluation.auc_truth!s}")
    calibration = evaluation.calibration
    lines.append(
        f"{'calibration error, network / temperature':42}"
        f"{calibration.before.expected_error:.3f} / {calibration.after.expected_error:.3f} "
        f"(T = {calibration.temperature:.2f})"
    )
    if smooth:
        lines.append(_smooth_line(calibration.smooth))
    return [*lines, *_epoch_lines(evaluation)]


def _smooth_line(smooth: SmoothCalibration | None) -> str:
    """Say whether Teff and S/N make the probabilities likelier."""
    if smooth is None:
        return "calibration by Teff and S/N: no likelier than one temperature, which is kept"
    return (
        f"calibration by Teff and S/N, in place of the temperature: -log L {smooth.loss:.3f} "
        f"instead of {smooth.loss_temperature:.3f} (validation stars, cross-validated)"
    )


def _epoch_lines(evaluation: Evaluation) -> list[str]:
    """Return how well several spectra of one star are combined, by their number."""
    combination = evaluation.combination
    how = (
        f"fitted on {combination.n_stars} validation stars with several spectra"
        if combination.fitted
        else f"assumed: only {combination.n_stars} validation stars have several spectra"
    )
    lines = [
        f"n spectra of a star count as n**{1 - combination.exponent:.2f} ({how})",
        f"{'calibration error by spectra of a star':42}{'maximum':<10}{'mean':<10}combined",
    ]
    for row in evaluation.epochs:
        name = f"{row.epochs} ({row.n_binary} binary, {row.n_single} single)"
        values = "".join(f"{value:<10.3f}" for value in row.error.values())
        lines.append(f"  {name:40}{values or '-'}")
    return lines
