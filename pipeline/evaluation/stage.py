"""``pairspec evaluate``: the network on the held-out test part of the labels."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipeline.core.atomic import write_bytes, write_json
from pipeline.core.digest import digest_of
from pipeline.core.published import published
from pipeline.core.root import Root
from pipeline.core.stage import StageReport
from pipeline.evaluation.evaluation import Evaluation, evaluate
from pipeline.evaluation.figures import reliability_figure, roc_figure, scores_figure
from pipeline.evaluation.labelled import LabelledPredictions, read_labelled_predictions
from pipeline.evaluation.paper import PAPER
from pipeline.network.checkpoint import ModelCard, read_card
from pipeline.network.ensemble import plan_ensemble
from pipeline.settings.load import Settings
from schemas.catalogue import PREDICTIONS
from schemas.sample import LABELS

if TYPE_CHECKING:
    from distributed import Client

REPORT = "evaluation.json"
FIGURES = ("roc.png", "scores.png", "reliability.png")


class EvaluationError(ValueError):
    """Network, labels and predictions do not belong together."""


def run(settings: Settings, client: "Client") -> StageReport:  # noqa: ARG001 (one door for all)
    """Evaluate the predictions of the test part; temperature from the validation part.

    Parameters
    ----------
    settings : Settings
        ``root``, ``evaluate``, ``labels.seed``; ``inputs.truth`` where the survey is simulated.
    client : distributed.Client
        Not needed: the test part is a small table.

    Returns
    -------
    StageReport
        Figures of merit beside the paper's.

    Raises
    ------
    EvaluationError
        The network was trained with another split, or predictions are missing or another's.
    """
    root = Root(settings.root.resolve())
    labels = published(root.path, "labels", "label")
    predictions = published(root.path, "predictions", "infer")
    plan = plan_ensemble(settings.infer.models or (root.model,))
    cards = [read_card(member.path) for member in plan.members]
    for card in cards:
        _check_split(card, settings)
    truth = settings.inputs.truth
    digest = digest_of(labels.digest, predictions.digest, settings.evaluate, str(truth))
    outputs = tuple(root.reports / name for name in (REPORT, *FIGURES))
    judged = read_labelled_predictions(root.table(LABELS), root.table(PREDICTIONS), truth)
    _check_judged(judged, plan.model_id)
    evaluation = evaluate(judged, trained_fraction(cards, judged), settings.evaluate)
    words = "; ".join(card.data for card in cards)
    if not all(path.exists() for path in outputs) or _digest_there(root) != digest:
        test = judged.part("test")
        pictures = (
            roc_figure(evaluation),
            scores_figure(test, evaluation),
            reliability_figure(evaluation, settings.evaluate.binary_fraction),
        )
        for name, picture in zip(FIGURES, pictures, strict=True):
            write_bytes(root.reports / name, picture)
        content = {
            "digest": digest,
            "model": {"id": plan.model_id, "data": words},
            "binary_fraction": settings.evaluate.binary_fraction,
            "paper": dict(PAPER),
        }
        write_json(root.reports / REPORT, content | evaluation.as_json())
    counts = {
        "test spectra": evaluation.n_binary + evaluation.n_single,
        "binary": evaluation.n_binary,
        "single": evaluation.n_single,
        "test stars": evaluation.n_stars,
        "excluded": int(((judged.split_B == "test") & (judged.label_B == "excluded")).sum()),
        "without p_b": int(((judged.split_B == "test") & ~np.isfinite(judged.p_b_B)).sum()),
    }
    notes = (f"model {plan.model_id}: {words}",)
    return StageReport("evaluate", counts, notes, outputs, tuple(as_table(evaluation)))


def trained_fraction(cards: Sequence[ModelCard], judged: LabelledPredictions) -> float:
    """Fraction of binaries among the spectra that the networks saw in training."""
    oversampled = all(card.training is None or card.training.oversample for card in cards)
    labels = judged.label_B[judged.split_B == "training"]
    n_binary, n_single = int((labels == "binary").sum()), int((labels == "single").sum())
    if oversampled or not n_binary or not n_single:
        return 0.5
    return n_binary / (n_binary + n_single)


def as_table(evaluation: Evaluation) -> list[str]:
    """Return the main figures beside the paper's as lines of text."""
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
    return lines


def _check_split(card: ModelCard, settings: Settings) -> None:
    """Refuse a network that may have seen stars of the test part."""
    on_labels = card.training is not None and card.training.source == "labels"
    if on_labels and card.split_seed != settings.labels.seed:
        raise EvaluationError(
            f"model {card.model_id} was trained on the split of seed {card.split_seed}, the labels "
            f"are split by seed {settings.labels.seed}: it may have seen the test stars; set "
            f"labels.seed={card.split_seed} and label again, or train again"
        )


def _check_judged(judged: LabelledPredictions, model_id: str) -> None:
    """Refuse predictions that are missing, or another network's."""
    held_out = (judged.split_B == "test") | (judged.split_B == "validation")
    models = set(judged.model_B[held_out].tolist())
    if "" in models:
        n_missing = int((judged.model_B[held_out] == "").sum())
        raise EvaluationError(
            f"{n_missing} of the {int(held_out.sum())} validation and test spectra have no row in "
            "the predictions: run `pairspec infer` again, which covers the sample"
        )
    if models - {model_id}:
        raise EvaluationError(
            f"the predictions are of model {', '.join(sorted(models))}, but {model_id} is to be "
            "evaluated: run `pairspec infer` again, or name its networks by infer.models"
        )


def _digest_there(root: Root) -> str | None:
    try:
        content = json.loads((root.reports / REPORT).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    digest: str | None = content.get("digest")
    return digest
