"""A trained network on disk: weights as safetensors, and a JSON card that says what they are."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, FiniteFloat, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save

from pipeline.core.atomic import write_bytes
from pipeline.core.sealed import read_sealed, write_sealed
from pipeline.network.domain import Domain, write_stars
from pipeline.network.model import PairNet, build_model
from pipeline.network.novelty import Novelty, write_novelty
from pipeline.network.pair_fit import PairFit, write_pair_fit
from pipeline.settings.network import NetworkSettings
from pipeline.settings.section import Section
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.training import TrainingSettings

WEIGHTS = "model.safetensors"
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


def save_model(
    folder: Path,
    model: PairNet,
    card: ModelCard,
    domain: Domain | None = None,
    novelty: Novelty | None = None,
    pair_fit: PairFit | None = None,
) -> Path:
    """Write weights, training stars and card, the card last, since it makes the others valid.

    Parameters
    ----------
    folder : pathlib.Path
        Where to write; made if it does not exist. A model already there is replaced.
    model : PairNet
        The trained network.
    card : ModelCard
        Its description; ``model_id``, digests and what ``domain`` says are filled in here.
    domain : Domain, optional
        What it was trained on.
    novelty : Novelty, optional
        What these spectra are like.
    pair_fit : PairFit, optional
        Evidence that is weighed into its log-odds.

    Returns
    -------
    pathlib.Path
        The folder, which is what `load_model` takes.

    Raises
    ------
    CheckpointError
        The card describes another network than `model`.
    """
    if (card.network, card.n_pixel) != (model.settings, model.n_pixel):
        raise CheckpointError(
            "the card describes another network than the one to save: "
            "take card.network and card.n_pixel from the model"
        )
    weights = save({name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()})
    digest = hashlib.sha256(weights).hexdigest()
    filled: dict[str, Any] = {"sha256": digest}
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / WEIGHTS, weights)
    if domain is not None:
        filled |= {
            "training_range": dict(domain.ranges),
            "training_stars": len(domain.star_S),
            "training_stars_sha256": write_stars(folder, domain.star_S),
            "nameless_training_stars": domain.n_nameless,
        }
    if novelty is not None:
        filled["novelty_sha256"] = write_novelty(folder, novelty)
    if pair_fit is not None:
        filled["pair_fit_sha256"] = write_pair_fit(folder, pair_fit)
    card = card.model_copy(update=filled)
    card = card.model_copy(update={"model_id": card.identity[:12]})
    write_sealed(folder / CARD, card.model_dump(mode="json"))
    return folder


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


def load_model(path: Path, sha256: str | None = None) -> tuple[PairNet, ModelCard]:
    """Read a network from its folder, ready for inference, on the CPU.

    Parameters
    ----------
    path : pathlib.Path
        Folder that holds the weights and the card.
    sha256 : str, optional
        Its card's ``identity``, where the caller expects a certain network.

    Returns
    -------
    model : PairNet
        In evaluation mode.
    card : ModelCard
        Its description.

    Raises
    ------
    CheckpointError
        Anything is missing or does not fit together; the message says what to do.
    """
    card = read_card(path)
    try:
        weights = (path / WEIGHTS).read_bytes()
    except FileNotFoundError:
        raise CheckpointError(f"{path / WEIGHTS} is missing: copy the model again") from None
    digest = hashlib.sha256(weights).hexdigest()
    if digest != card.sha256:
        raise CheckpointError(
            f"{path / WEIGHTS} has sha256 {digest}, its card says {card.sha256}: "
            "a file was damaged or replaced alone; copy both again"
        )
    if sha256 is not None and card.identity != sha256:
        raise CheckpointError(
            f"{path} holds the model {card.model_id}, but {sha256[:12]} is wanted: "
            "give the folder of that model, or plan the run again with this one"
        )
    model = build_model(card.network, card.n_pixel)
    try:
        model.load_state_dict(load(weights))
    except (SafetensorError, RuntimeError) as error:
        raise CheckpointError(
            f"the weights in {path} do not fit the network on their card: {error}; "
            "card and weights come from different models, copy both again"
        ) from None
    return model.eval(), card
