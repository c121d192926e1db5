"""The optimiser, the weights that decay, and the learning rate."""

import math
from typing import Any

import torch
from torch import nn

from pipeline.settings.training import TrainingSettings


def decay_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Sort the weights of a network into those that decay and those that do not.

    Biases and the scales of norms do not: making them smaller changes the output of a layer, not
    its complexity.

    Parameters
    ----------
    model : torch.nn.Module
        The network.
    weight_decay : float
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


def learning_rate(settings: TrainingSettings, step: int, steps: int) -> float:
    """Learning rate of one step: linear warm-up, then a cosine (Loshchilov & Hutter 2017).

    Parameters
    ----------
    settings : TrainingSettings
        Schedule, largest rate, share of the warm-up.
    step, steps : int
        Number of the step, from 0, and of all steps.

    Returns
    -------
    float
        The rate.
    """
    if settings.schedule == "constant":
        return settings.learning_rate
    warmup = settings.warmup_share * steps
    rise = min(1.0, (step + 1) / (warmup + 1))
    fall = max(0.0, (step - warmup) / (steps - warmup))
    return settings.learning_rate * rise * 0.5 * (1 + math.cos(math.pi * fall))
