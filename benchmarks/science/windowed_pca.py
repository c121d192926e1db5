"""A small network on principal components of windows of the spectrum: the cheap reference."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from pipeline.network.metrics import auc

N_WINDOW, WIDTH, N_COMPONENT, HIDDEN = 40, 96, 8, 128
FITTED = 4000
BATCH = 256


@dataclass(frozen=True)
class Windows:
    """Principal components of each of many overlapping windows, each of variance 1.

    Parameters
    ----------
    start_W : ndarray of int, (W,)
        First pixel of each window.
    mean_WP, axes_WPC : ndarray of float32
        Mean spectrum of each window, and its leading axes over the deviation along them.
    """

    start_W: np.ndarray
    mean_WP: np.ndarray
    axes_WPC: np.ndarray

    @classmethod
    def fit(cls, flux_BL: np.ndarray) -> "Windows":
        """Find the components of some spectra, of which the first `FITTED` count."""
        some_BL = np.asarray(flux_BL[:FITTED], np.float32)
        start_W = np.linspace(0, some_BL.shape[1] - WIDTH, N_WINDOW).round().astype(int)
        means, axes = [], []
        for start in start_W:
            part_BP = some_BL[:, start : start + WIDTH]
            mean_P = part_BP.mean(axis=0)
            _, size_C, axes_CP = np.linalg.svd(part_BP - mean_P, full_matrices=False)
            deviation_C = size_C[:N_COMPONENT] / np.sqrt(len(part_BP))
            means.append(mean_P)
            axes.append((axes_CP[:N_COMPONENT].T / deviation_C).astype(np.float32))
        return cls(start_W, np.stack(means), np.stack(axes))

    def features(self, flux_BL: np.ndarray) -> np.ndarray:
        """Project spectra, shape (B, W * C)."""
        parts = [
            (np.asarray(flux_BL[:, start : start + WIDTH], np.float32) - mean_P) @ axes_PC
            for start, mean_P, axes_PC in zip(
                self.start_W, self.mean_WP, self.axes_WPC, strict=True
            )
        ]
        return np.concatenate(parts, axis=1)


def new_network(n_feature: int) -> nn.Module:
    """Two hidden layers with dropout, one logit."""
    return nn.Sequential(
        nn.Linear(n_feature, HIDDEN), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(HIDDEN, 1), nn.Flatten(0),
    )  # fmt: skip


def fit_mlp(
    x_BF: np.ndarray,
    label_B: np.ndarray,
    asked_BF: np.ndarray,
    asked_B: np.ndarray,
    *,
    seed: int,
    epochs: int = 12,
    rate: float = 1e-3,
    decay: float = 0.1,
) -> nn.Module:
    """Train on features, and keep the epoch of the best validation AUC."""
    torch.manual_seed(seed)
    model = new_network(x_BF.shape[1])
    x, y = torch.from_numpy(x_BF), torch.from_numpy(label_B.astype(np.float32))
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    steps = epochs * -(-len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    best, kept = -1.0, model.state_dict()
    for _ in range(epochs):
        model.train()
        for rows in torch.randperm(len(x)).split(BATCH):
            loss = nn.functional.binary_cross_entropy_with_logits(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        reached = auc(mlp_logit(model, asked_BF), asked_B)
        if reached > best:
            best, kept = reached, {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(kept)
    return model.eval()


def mlp_logit(model: nn.Module, x_BF: np.ndarray) -> np.ndarray:
    """Log-odds, shape (B,)."""
    model.eval()
    with torch.inference_mode():
        logit: np.ndarray = model(torch.from_numpy(x_BF)).numpy()
    return logit
