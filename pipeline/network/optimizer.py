"""The optimiser, and what of a network it keeps small."""

from typing import Any

import torch
from torch import nn

from pipeline.settings.training import TrainingSettings


def decay_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Sort the weights of a network into those that decay and those that don't.

    Biases and the scales of norms are left alone: shrinking them changes what a layer says, not
    how simple it is.

    Parameters
    ----------
    model
        The network.
    weight_decay
        Weight decay of convolutions and fully connected layers.

    Returns
    -------
    list of dict
        Parameter groups for an optimiser.
    """
    kernels = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim == 1]
    return [
        {"params": kernels, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


def build_optimizer(model: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Build the optimiser that the settings name."""
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    groups = decay_groups(model, settings.weight_decay)
    return kind(groups, lr=settings.learning_rate, fused=True)
