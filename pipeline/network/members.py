"""Which networks make an ensemble, by their cards alone: read without PyTorch."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.datasets import Datasets
from pipeline.core.errors import InputError
from pipeline.core.published import read_published
from pipeline.core.root import Root
from pipeline.network.card import ModelCard, read_card
from pipeline.network.domain import PARAMETERS, Range, read_stars
from pipeline.network.novelty import read_novelty
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

    def cards(self) -> list[ModelCard]:
        """Read the cards of the members."""
        return [read_card(member.path) for member in self.members]

    def training_stars(self) -> NDArray[np.int64]:
        """Return the Gaia sources that any member was trained on, rising.

        Raises
        ------
        InputError
            The list of a member is missing or another one.
        """
        lists = [read_stars(member.path, member.stars_sha256) for member in self.members]
        return np.unique(np.concatenate(lists))

    def unlike_training(self, flux_BL: Any) -> NDArray[np.bool_]:
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
    run.uses_as_is("model")
    return (run.root.model,)


def predicting_networks(root: Root, models: Sequence[Path] = ()) -> tuple[Path, ...]:
    """Return the folders of the networks that gave the p_b of a run.

    Parameters
    ----------
    root : Root
        Root of the run.
    models : sequence of pathlib.Path
        Networks that a user names.

    Returns
    -------
    tuple of pathlib.Path
        Those, or else those that were named when the predictions were made, or the run's own.
    """
    predictions = read_published(root.path, "predictions")
    named = predictions.settings.get("infer.models", ()) if predictions else ()
    return tuple(models) or tuple(map(Path, named)) or (root.model,)


def judged_networks(run: Datasets) -> tuple[Path, ...]:
    """Return the same for a stage that judges the p_b of a run.

    Parameters
    ----------
    run : Datasets
        Settings and datasets of the run.

    Raises
    ------
    NotReadyError, MismatchError
        As of `wanted_networks`.
    """
    found = predicting_networks(run.root, run.settings.infer.models)
    return wanted_networks(run) if found == (run.root.model,) else found


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
