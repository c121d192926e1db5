"""The classifiers that ``benchmarks/science/composites.py`` compares."""

from collections.abc import Callable

import numpy as np
import torch
from composite_folds import Arrays
from pca_logistic import as_float32, components, fit_quietly, quadratic

from pipeline.network.augment import augmented
from pipeline.network.loader import Labelled
from pipeline.network.metrics import auc
from pipeline.network.model import PairNet, build_model
from pipeline.network.optimizer import decay_groups
from pipeline.settings.network import NetworkSettings

QUARTER = NetworkSettings(
    preset="small", stem_stride=8, channels=(16, 32, 64), blocks=(1, 1, 1), strides=(2, 2, 2)
)
"""A quarter of the operations of `small`."""

NETWORKS = {
    "quarter": QUARTER,
    "small": NetworkSettings(preset="small"),
    "light": NetworkSettings(),
    "light-shifts": NetworkSettings(average_shift_pixels=1),
}
COMPONENTS = 60
RIDGE = 6e-3
BATCH = 64


def fit_network(
    training: Labelled,
    validation: Labelled,
    epochs: int,
    network: NetworkSettings,
    *,
    start: PairNet | None = None,
    rate: float = 1e-3,
    shift: int = 0,
    mask: float = 0.0,
    noise: float = 0.0,
    decay: float = 0.01,
    seed: int = 1,
) -> PairNet:
    """Train, and keep the epoch of the best validation AUC."""
    model = build_model(network, training.flux_BL.shape[1], seed=seed)
    if start is not None:
        model.load_state_dict(start.state_dict())

    def loss_of(rows: torch.Tensor) -> torch.Tensor:
        flux_BL, label_B = training.fetch(rows.numpy())
        flux_BL = augmented(flux_BL.float(), shift, mask, noise)
        return torch.nn.functional.binary_cross_entropy_with_logits(model(flux_BL), label_B)

    def reached() -> float:
        return auc(score(model, validation.flux_BL), validation.label_B)

    return fit_epochs(model, len(training), loss_of, reached, epochs, rate, decay, seed)


def fit_epochs(
    model: PairNet,
    n: int,
    loss_of: Callable[[torch.Tensor], torch.Tensor],
    reached: Callable[[], float],
    epochs: int,
    rate: float = 1e-3,
    decay: float = 0.01,
    seed: int = 1,
) -> PairNet:
    """Lower the loss of batches of rows, and keep the epoch that reached most."""
    optimizer = torch.optim.AdamW(decay_groups(model, decay), lr=rate)
    steps = epochs * -(-n // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    torch.manual_seed(seed)
    best, kept = -1.0, model.state_dict()
    for _ in range(epochs):
        model.train()
        for rows in torch.randperm(n).split(BATCH):
            loss = loss_of(rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        now = reached()
        if now > best:
            best, kept = now, {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(kept)
    return model.eval()


def pretrained(flux_BL: np.ndarray, network: NetworkSettings, passes: int = 40) -> PairNet:
    """Teach a network to restore hidden stretches of spectra, without labels."""
    whole_BL = torch.from_numpy(flux_BL.astype(np.float32))
    model = build_model(network, whole_BL.shape[1], seed=1)
    decoder = torch.nn.Linear(network.hidden[-1], whole_BL.shape[1])
    encoder = model.head[:-2]  # without dropout and the logit
    weights = [*model.parameters(), *decoder.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=1e-3, weight_decay=1e-2)
    torch.manual_seed(1)
    mean_L = whole_BL.mean(dim=0)
    scatter_L = whole_BL.std(dim=0).clamp(min=1e-3)
    model.train()
    for _ in range(passes):
        for rows in torch.randperm(len(whole_BL)).split(BATCH):
            wanted_BL = (whole_BL[rows] - mean_L) / scatter_L
            seen_BL = augmented(whole_BL[rows], 0, 0.2, 0.02)
            restored_BL = decoder(encoder(model.features(seen_BL)))
            loss = torch.nn.functional.huber_loss(restored_BL, wanted_BL)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


def score(model: PairNet, flux_BL: np.ndarray) -> np.ndarray:
    """Log-odds of each spectrum."""
    model.eval()
    with torch.inference_mode():
        parts = [
            model(torch.from_numpy(flux_BL[i : i + 256].astype(np.float32)))
            for i in range(0, len(flux_BL), 256)
        ]
    return torch.cat(parts).numpy()


def quadratic_scores(training: Arrays, test: Arrays) -> np.ndarray:
    """Logistic regression on all products of principal components, penalised."""
    axes = components(COMPONENTS)
    model = quadratic(COMPONENTS, RIDGE, len(training["label"]))
    fit_quietly(model, axes.fit_transform(as_float32(training["flux"])), training["label"])
    scores: np.ndarray = model.decision_function(axes.transform(as_float32(test["flux"])))
    return scores
