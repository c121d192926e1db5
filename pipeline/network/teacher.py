"""A trained network that teaches another one: its p_b beside the labels (Hinton et al. 2015)."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.core.errors import InputError, MismatchError
from pipeline.network.card import read_card
from pipeline.network.collective import gather_rows
from pipeline.network.domain import Domain, read_stars
from pipeline.network.loader import Labelled
from pipeline.network.parts import Parts
from pipeline.network.predictor import Predictor
from pipeline.settings.infer import InferSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.training import TrainingSettings

ROWS = 1024
"""Spectra read at a time."""


class Teacher(NamedTuple):
    """What goes to the ranks: where the teacher is, and which one it must be.

    Parameters
    ----------
    path : pathlib.Path
        Folder of the network.
    sha256 : str
        Digest of its weights.
    """

    path: Path
    sha256: str


def find_teacher(path: Path, spectra: SpectraSettings, survey: str) -> Teacher:
    """Read the card of a teacher, and check that it fits.

    Parameters
    ----------
    path : pathlib.Path
        Folder of the network.
    spectra : SpectraSettings
        Grid and preprocessing of the network that is taught.
    survey : str
        Format of the spectra to train on.

    Returns
    -------
    Teacher
        With the whole path, for workers elsewhere.

    Raises
    ------
    CheckpointError
        There is no network, or its card is not readable.
    InputError
        It takes other spectra.
    """
    path = path.resolve()
    card = read_card(path)
    wrong = [
        f"spectra.{name} = {value!r} instead of {getattr(spectra, name)!r}"
        for name, value in card.spectra
        if value != getattr(spectra, name)
    ]
    if card.survey != survey:
        wrong.append(f"inputs.format = {card.survey!r} instead of {survey!r}")
    if wrong:
        raise InputError(
            f"the teacher in {path} takes other spectra ({', '.join(wrong)}): name a network that "
            "was trained on such spectra, or set these settings to its own"
        )
    return Teacher(path, card.identity)


def taught(
    parts: Parts, teacher: Teacher, settings: TrainingSettings, rank: int = 0, world: int = 1
) -> Parts:
    """Mix the teacher's p_b into what the training part is to answer.

    The cross-entropy is linear in its target, so that a share of the loss is the same share of
    the target. The validation and test parts keep their labels.

    Parameters
    ----------
    parts : Parts
        The examples.
    teacher : Teacher
        Which network.
    settings : TrainingSettings
        Of it: ``teacher_weight``, ``device``.
    rank, world : int
        This rank, and the number of ranks: each classifies its share.

    Returns
    -------
    Parts
        The training part has targets; the stars that the teacher learned from count as training
        stars.

    Raises
    ------
    CheckpointError
        The network is damaged or another one.
    MismatchError
        The teacher learned from stars of the validation or test part.
    """
    card = read_card(teacher.path)
    known_S = read_stars(teacher.path, card.training_stars_sha256)
    leaked = np.intersect1d(known_S, parts.unseen_S).size
    if leaked:
        raise MismatchError(
            f"the teacher in {teacher.path} learned from {leaked} stars of the validation and test "
            "parts, which would no longer be unseen: train the teacher with this split of the "
            "labels"
        )
    training = parts.training
    wanted_B = training.label_B if training.target_B is None else training.target_B
    target_B = wanted_B.astype(np.float32)
    target_B += settings.teacher_weight * (
        _answers(teacher, settings, training, rank, world) - target_B
    )
    domain = Domain(
        parts.domain.ranges,
        np.union1d(parts.domain.star_S, known_S),
        parts.domain.n_nameless + card.nameless_training_stars,
    )
    return parts._replace(training=replace(training, target_B=target_B), domain=domain)


def _answers(
    teacher: Teacher, settings: TrainingSettings, data: Labelled, rank: int, world: int
) -> NDArray[np.float32]:
    predictor = Predictor(teacher.path, teacher.sha256, InferSettings(device=settings.device))
    mine = np.arange(rank, len(data), world)
    p_b = [torch.empty(0)]
    for start in range(0, len(mine), ROWS):
        flux_BL, _ = data.fetch(mine[start : start + ROWS])
        p_b.append(torch.from_numpy(predictor.predict(flux_BL.float())[1]))
    answer_B: NDArray[np.float32] = gather_rows(torch.cat(p_b), len(data), world).numpy()
    return answer_B
