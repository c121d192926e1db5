"""Several networks whose log-odds are averaged; one network is an ensemble of one."""

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.core.datasets import Datasets
from pipeline.core.errors import InputError
from pipeline.network.card import ModelCard, read_card
from pipeline.network.domain import PARAMETERS, Range, read_stars
from pipeline.network.novelty import read_novelty
from pipeline.network.predictor import Float32, Predictor
from pipeline.settings.infer import InferSettings
from pipeline.settings.spectra import SpectraSettings


@dataclass(frozen=True)
class Member:
    """Folder of a network and the digest that its weights must have.

    Parameters
    ----------
    path : pathlib.Path
        The folder.
    sha256 : str
        Its card's ``identity``.
    stars_sha256 : str
        Digest of the list of its training stars; empty where there is none.
    survey : str
        Format of the spectra that it was trained on.
    novelty_sha256 : str
        Digest of what its training spectra are like; empty where there is none.
    """

    path: Path
    sha256: str
    stars_sha256: str = ""
    survey: str = "lamost"
    novelty_sha256: str = ""


@dataclass(frozen=True)
class EnsemblePlan:
    """What goes to workers: names and digests, never weights.

    Parameters
    ----------
    members : tuple of Member
        The networks, ordered by digest, so that the order in which they were named has no effect.
    model_id : str
        The network's own; of an ensemble 12 hex digits of the SHA-256 of its members' digests.
    spectra : SpectraSettings
        The preprocessing that all members were trained with.
    ranges : dict of str to tuple of float
        What the training spectra of every member cover, by parameter; empty where a member's card
        does not say.
    n_nameless : int
        Training stars without a Gaia source, which cannot be recognised.
    """

    members: tuple[Member, ...]
    model_id: str
    spectra: SpectraSettings
    ranges: dict[str, Range] = field(default_factory=dict)
    n_nameless: int = 0

    def training_stars(self) -> NDArray[np.int64]:
        """Return the Gaia sources that any member was trained on, rising.

        Raises
        ------
        InputError
            The list of a member is missing or another one.
        """
        lists = [read_stars(member.path, member.stars_sha256) for member in self.members]
        return np.unique(np.concatenate(lists))

    def unlike_training(self, flux_BL: Float32 | torch.Tensor) -> NDArray[np.bool_]:
        """Tell which spectra are unlike the training spectra of any member: (B,).

        Parameters
        ----------
        flux_BL : ndarray or Tensor of float32, (B, L)
            Normalised flux (continuum = 1) on the common grid.
        """
        unlike_B = np.zeros(len(flux_BL), bool)
        for member in self.members:
            novelty = read_novelty(member.path, member.novelty_sha256)
            if novelty is not None:
                unlike_B |= novelty.unlike(flux_BL)
        return unlike_B


def wanted_networks(run: Datasets) -> tuple[Path, ...]:
    """Return the folders of the networks to use: those of the settings, else the run's own.

    Parameters
    ----------
    run : Datasets
        Settings and datasets of the run.

    Raises
    ------
    NotReadyError, MismatchError
        The run's own network is not the one that it trained: a file was damaged or replaced.
    """
    if run.settings.infer.models:
        return tuple(run.settings.infer.models)
    run.require_unchanged("model")
    return (run.root.model,)


def plan_ensemble(paths: Sequence[Path]) -> EnsemblePlan:
    """Read the cards of some networks and check that they take the same spectra.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Folders of trained networks, at least one.

    Returns
    -------
    EnsemblePlan
        What the workers need.

    Raises
    ------
    CheckpointError
        A network is missing or has no readable card.
    InputError
        The same network is named twice, or preprocessing differs.
    """
    cards = [(path.resolve(), read_card(path)) for path in paths]
    cards.sort(key=lambda pair: pair[1].identity)
    (first_path, first), *others = cards
    digests = [card.identity for _, card in cards]
    if len(set(digests)) < len(digests):
        twice = next(d for d in digests if digests.count(d) > 1)
        named = ", ".join(str(path) for path, card in cards if card.identity == twice)
        raise InputError(f"{named} hold the same network: name each member of an ensemble once")
    for path, card in others:
        differences = _differences(first, card)
        if differences:
            raise InputError(
                f"the networks in {first_path} and {path} take different spectra "
                f"({differences}): an ensemble needs members trained with the same [spectra]"
            )
    members = tuple(
        Member(path, card.identity, card.training_stars_sha256, card.survey, card.novelty_sha256)
        for path, card in cards
    )
    whole = hashlib.sha256("".join(digests).encode()).hexdigest()
    return EnsemblePlan(
        members,
        whole[:12] if others else first.model_id,
        first.spectra,
        _common([card.training_range for _, card in cards]),
        sum(card.nameless_training_stars for _, card in cards),
    )


def _common(ranges: Sequence[Mapping[str, Range]]) -> dict[str, Range]:
    """Return what all ranges cover."""
    known = set.intersection(*(set(r) for r in ranges))
    return {
        name: (max(r[name][0] for r in ranges), min(r[name][1] for r in ranges))
        for name in PARAMETERS
        if name in known
    }


def _differences(one: ModelCard, other: ModelCard) -> str:
    pairs = {"n_pixel": (one.n_pixel, other.n_pixel)} | {
        name: (getattr(one.spectra, name), getattr(other.spectra, name))
        for name in type(one.spectra).model_fields
    }
    return ", ".join(f"{name}: {a} and {b}" for name, (a, b) in pairs.items() if a != b)


class Answer(NamedTuple):
    """Predictions of an ensemble for a batch of spectra.

    Parameters
    ----------
    logit_B : ndarray of float32, (B,)
        Mean of the members' log-odds.
    p_b_B : ndarray of float32, (B,)
        Its sigmoid.
    spread_B : ndarray of float32, (B,)
        Sample standard deviation (n - 1) of the log-odds over the members; NaN for one member.
    """

    logit_B: Float32
    p_b_B: Float32
    spread_B: Float32


class Ensemble:
    """Networks ready for inference; each is read once per process.

    Parameters
    ----------
    members : sequence of Member
        Which networks.
    settings : InferSettings
        How they are applied.

    Raises
    ------
    CheckpointError
        A network is missing, damaged or not the one that is wanted.
    """

    def __init__(self, members: Sequence[Member], settings: InferSettings) -> None:
        self._predictors = [Predictor(m.path, m.sha256, settings) for m in members]

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self._predictors[0].device

    @property
    def mode(self) -> str:
        """How it really computes; several names where the members differ."""
        return ", ".join(sorted({predictor.mode for predictor in self._predictors}))

    def predict(self, flux_BL: Float32 | torch.Tensor) -> Answer:
        """Classify spectra.

        Parameters
        ----------
        flux_BL : ndarray or Tensor of float32, (B, L)
            Normalised flux (continuum = 1) on the common grid.

        Returns
        -------
        Answer
            NaN for a spectrum with a pixel that is not finite.

        Raises
        ------
        ValueError
            The spectra have another number of pixels than the networks were trained on.
        """
        answers = [predictor.predict(flux_BL) for predictor in self._predictors]
        if len(answers) == 1:
            logit_B, p_b_B = answers[0]
            return Answer(logit_B, p_b_B, np.full_like(logit_B, np.nan))
        logit_AB = np.stack([logit_B for logit_B, _ in answers]).astype(np.float64)
        mean_B = logit_AB.mean(axis=0).astype(np.float32)
        spread_B = logit_AB.std(axis=0, ddof=1).astype(np.float32)
        return Answer(mean_B, torch.sigmoid(torch.from_numpy(mean_B)).numpy(), spread_B)


_lock = threading.Lock()
_loaded: tuple[tuple[tuple[str, ...], InferSettings], Ensemble] | None = None


def get_ensemble(members: tuple[Member, ...], settings: InferSettings) -> Ensemble:
    """Return this process's ensemble, which is read on the first call only.

    A process keeps one: asking for another replaces it. Safe in threads. The digests, not the
    paths, decide whether the one in memory is the right one.

    Parameters
    ----------
    members : tuple of Member
        Which networks.
    settings : InferSettings
        How they are applied.

    Returns
    -------
    Ensemble
        Ready for inference.

    Raises
    ------
    CheckpointError
        A network is missing, damaged or not the one that is wanted.
    """
    global _loaded
    key = (tuple(member.sha256 for member in members), settings)
    with _lock:
        if _loaded is None or _loaded[0] != key:
            _loaded = (key, Ensemble(members, settings))
        return _loaded[1]
