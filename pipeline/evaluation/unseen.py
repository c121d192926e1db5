"""Refuses a network that may know the stars it is judged by, and predictions of another one."""

import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import MismatchError
from pipeline.evaluation.labelled import LabelledPredictions
from pipeline.network.card import ModelCard
from pipeline.network.members import EnsemblePlan
from pipeline.settings.load import Settings


def check_card(card: ModelCard, settings: Settings) -> None:
    """Require that a network's card leaves no doubt which stars it knows.

    Parameters
    ----------
    card : ModelCard
        Of the network.
    settings : Settings
        Of it: ``labels.seed``.

    Raises
    ------
    MismatchError
        It was trained on another split, or on stars without a Gaia source.
    """
    on_labels = card.training is not None and card.training.source == "labels"
    if on_labels and card.split_seed != settings.labels.seed:
        raise MismatchError(
            f"model {card.model_id} was trained on the split of seed {card.split_seed}, the labels "
            f"are split by seed {settings.labels.seed}: it may have seen the test stars; set "
            f"labels.seed={card.split_seed} and label again, or train again"
        )
    n_nameless = card.nameless_training_stars
    if n_nameless:
        raise MismatchError(
            f"{n_nameless} training stars of model {card.model_id} have no Gaia source, so that it "
            "cannot be told whether it has seen the test stars: its composites were made before "
            "the labels; run `pairspec composites` and `pairspec train` again"
        )


def check_stars(judged: LabelledPredictions, plan: EnsemblePlan) -> None:
    """Require that the networks know no labelled star of the validation and test parts.

    Parameters
    ----------
    judged : LabelledPredictions
        Of all parts.
    plan : EnsemblePlan
        The networks.

    Raises
    ------
    MismatchError
        They were trained on some of them.
    """
    labelled = _held_out(judged) & (judged.label_B != "excluded")
    star_S = np.unique(judged.star_B[labelled])
    n_seen = np.intersect1d(star_S, plan.training_stars()).size
    if n_seen:
        raise MismatchError(
            f"model {plan.model_id} was trained on {n_seen} of the {star_S.size} labelled stars of "
            "the validation and test parts: the labels were split otherwise then; run `pairspec "
            "train` again, or set labels.* as they were and run `pairspec label` again"
        )


def check_predictions(judged: LabelledPredictions, model_id: str) -> None:
    """Require a prediction of the right network for each spectrum that is judged.

    Parameters
    ----------
    judged : LabelledPredictions
        Of all parts.
    model_id : str
        Which network, or ensemble.

    Raises
    ------
    MismatchError
        One is missing, or another network's.
    """
    held_out = _held_out(judged)
    models = set(judged.model_B[held_out].tolist())
    if "" in models:
        n_missing = int((judged.model_B[held_out] == "").sum())
        raise MismatchError(
            f"{n_missing} of the {int(held_out.sum())} validation and test spectra have no row in "
            "the predictions: run `pairspec infer` again, which covers the sample"
        )
    if models - {model_id}:
        raise MismatchError(
            f"the predictions are of model {', '.join(sorted(models))}, but {model_id} is to be "
            "evaluated: run `pairspec infer` again, or name its networks by infer.models"
        )


def _held_out(judged: LabelledPredictions) -> NDArray[np.bool_]:
    return np.asarray((judged.split_B == "test") | (judged.split_B == "validation"))
