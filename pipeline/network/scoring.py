"""What a network says of labelled spectra, shared among ranks."""

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from pipeline.network.collective import gather_rows
from pipeline.network.loader import Labelled
from pipeline.network.metrics import auc
from pipeline.network.model import PairNet

EVALUATION_BATCH = 256


def evaluate(model: PairNet, data: Labelled, rank: int = 0, world: int = 1) -> tuple[float, float]:
    """Mean loss and AUC of a network on labelled spectra, without oversampling.

    Each rank computes its share; the result is that of all, the same on every rank.

    Parameters
    ----------
    model : PairNet
        The network.
    data : Labelled
        The whole of it on every rank.
    rank, world : int
        This rank, and the number of ranks.

    Returns
    -------
    loss, auc : float
        Cross-entropy, and area under the ROC curve.

    Raises
    ------
    ValueError
        A class is missing, or a log-odds is NaN.
    """
    logit_B = log_odds(model, data, rank, world)
    label_B = torch.from_numpy(data.label_B.astype("float32"))
    return cross_entropy(logit_B, label_B).item(), auc(logit_B.numpy(), data.label_B)


def log_odds(model: PairNet, data: Labelled, rank: int = 0, world: int = 1) -> torch.Tensor:
    """Return the log-odds of labelled spectra: (B,), on the CPU.

    Parameters
    ----------
    model, data, rank, world : PairNet, Labelled, int, int
        As for `evaluate`.
    """
    device = next(model.parameters()).device
    model.eval()
    mine = np.arange(rank, len(data), world)
    logits = [torch.empty(0)]
    with torch.inference_mode():
        for start in range(0, len(mine), EVALUATION_BATCH):
            flux_BL, _ = data.fetch(mine[start : start + EVALUATION_BATCH])
            logits.append(model(flux_BL.to(device).float()).cpu())
    return gather_rows(torch.cat(logits), len(data), world)
