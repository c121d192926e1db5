"""A trained network on disk: weights as safetensors, and a JSON card that says what they are."""

import hashlib
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from pipeline.core.atomic import write_bytes
from pipeline.core.sealed import write_sealed
from pipeline.network.card import CARD, CheckpointError, ModelCard, read_card
from pipeline.network.domain import Domain, write_stars
from pipeline.network.model import PairNet, build_model
from pipeline.network.novelty import Novelty, write_novelty
from pipeline.network.pair_fit import PairFit, write_pair_fit

WEIGHTS = "model.safetensors"


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
