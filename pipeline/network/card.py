"""The card of a trained network: what it is, was trained on, and needs of a spectrum."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import Field, FiniteFloat, ValidationError

from pipeline.core.sealed import read_sealed
from pipeline.settings.network import NetworkSettings
from pipeline.settings.section import Section
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.training import TrainingSettings

CARD = "model.json"


class CheckpointError(ValueError):
    """A model or training state on disk is missing, damaged or not the one that is wanted."""


def package_versions() -> dict[str, str]:
    """Versions of what the weights depend on."""
    return {name: version(name) for name in ("pairspec", "torch", "numpy", "safetensors")}


class ModelCard(Section):
    """Description of the weights: enough to rebuild the network and its input."""

    format: Literal["pairspec-model-1"] = "pairspec-model-1"
    """Layout of the card."""

    model_id: str = ""
    """First 12 digits of :attr:`identity`; filled in on saving."""

    sha256: str = ""
    """Digest of the weights' file; filled in on saving."""

    network: NetworkSettings
    """Sizes of the layers."""

    n_pixel: int = Field(ge=1)
    """Pixels of the common grid, which ``spectra`` defines."""

    spectra: SpectraSettings
    """Grid and preprocessing that the network was trained on; inference must use the same."""

    training: TrainingSettings | None = None
    """How it was trained."""

    teacher_id: str = ""
    """Model id of the network that taught it; empty: the labels alone."""

    data: str
    """What it was trained on, in words."""

    survey: str = "lamost"
    """Format of the spectra that it was trained on, as `inputs.format`."""

    data_digest: str = ""
    """Digest of the training data."""

    split_seed: int
    """Seed of the split into training, validation and test."""

    training_range: dict[str, tuple[FiniteFloat, FiniteFloat]] = Field(default_factory=dict)
    """Teff, log g, [Fe/H] and S/N of the training spectra: 0.5 and 99.5 percentiles. Empty in the
    card of a network that did not record them."""

    training_stars: int = Field(0, ge=0)
    """Gaia sources that it was trained on, listed in a file beside the card."""

    training_stars_sha256: str = ""
    """Digest of that file; filled in on saving."""

    nameless_training_stars: int = Field(0, ge=0)
    """Further training stars, which have no Gaia source and cannot be recognised."""

    novelty_sha256: str = ""
    """Digest of the file that says what the training spectra are like; filled in on saving. Empty
    in the card of a network of an earlier version, or of one trained on very few spectra."""

    pair_fit_sha256: str = ""
    """Digest of the file by which single stars and pairs are fitted to a spectrum; filled in on
    saving. Empty: p_b is the network's alone."""

    binary_fraction: float | None = Field(None, ge=0, le=1)
    """Fraction of pairs among the spectra of an epoch, with their weights; None in the card of a
    network of an earlier version."""

    metrics: dict[str, FiniteFloat] = Field(default_factory=dict)
    """What it reached: epoch, validation AUC and the like."""

    bfloat16_blocks: int = Field(0, ge=0)
    """Residual blocks, counted from the last, that may compute in bfloat16 without changing p_b
    by more than is promised; measured when it was trained."""

    versions: dict[str, str] = Field(default_factory=package_versions)
    """Versions of the packages that trained it."""

    @property
    def identity(self) -> str:
        """Digest of all that gives p_b: the weights, and the fit of pairs where there is one."""
        if not self.pair_fit_sha256:
            return self.sha256
        return hashlib.sha256(f"{self.sha256}{self.pair_fit_sha256}".encode()).hexdigest()


def read_card(path: Path) -> ModelCard:
    """Read the card of a model alone.

    Parameters
    ----------
    path : pathlib.Path
        Folder of the model.

    Returns
    -------
    ModelCard
        The card.

    Raises
    ------
    CheckpointError
        It is missing, was edited, or is not a card of this format.
    """
    card = path / CARD
    if not card.is_file():
        raise CheckpointError(
            f"no model in {path}: {CARD} is missing; train one, or give the right folder"
        )
    content = read_sealed(card)
    if content is None:
        raise CheckpointError(
            f"{card} is damaged or was edited: its content does not fit its own digest; copy the "
            "model again, or delete it and run `pairspec train` again"
        )
    try:
        return ModelCard.model_validate_json(json.dumps(content))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise CheckpointError(
            f"{card} is not a card that this version reads ({wrong}); copy the model again, or "
            "use the version of pairspec that wrote it"
        ) from None
