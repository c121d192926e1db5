"""How much of a network may compute in bfloat16 and still give the same p_b."""

import numpy as np
import torch
from torch import nn

from pipeline.network.loader import Labelled
from pipeline.network.model import PairNet, folded

MAX_ERROR, MEAN_ERROR = 0.02, 0.002
"""Largest and mean difference of p_b from float32 that is allowed."""

MARGIN = 0.75
"""Share of these limits that the tested spectra may reach, since they are few."""

N_LOOKED_AT = 512


class Cast(nn.Module):
    """Rounds to another arithmetic.

    Parameters
    ----------
    dtype : torch.dtype
        The arithmetic.
    """

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, x_BF1L: torch.Tensor) -> torch.Tensor:
        """Round the features, (B, F, 1, L)."""
        return x_BF1L.to(self.dtype)


def in_bfloat16(model: PairNet, n_blocks: int) -> PairNet:
    """Let the last residual blocks compute in bfloat16; the network itself is changed.

    The last ones have most of the arithmetic, and the fewest layers after them that increase the
    rounding error.

    Parameters
    ----------
    model : PairNet
        The network.
    n_blocks : int
        How many of the last blocks.

    Returns
    -------
    PairNet
        The same network.
    """
    if n_blocks:
        first = max(0, len(model.stages) - n_blocks)
        model.stages[first:].to(torch.bfloat16)
        model.stages.insert(first, Cast(torch.bfloat16))
    return model


def bfloat16_blocks(model: PairNet, spectra: Labelled) -> int:
    """Find how many of the last blocks may compute in bfloat16.

    The more confident a network is, the more a rounding error changes p_b: this has to be measured
    for each network. Where the processor has no bfloat16 it is emulated.

    Parameters
    ----------
    model : PairNet
        A trained network on the CPU; it is not changed.
    spectra : Labelled
        Spectra that it was not trained on; up to `N_LOOKED_AT` of them are classified.

    Returns
    -------
    int
        0 where even the last block alone would change p_b by too much.
    """
    rows = np.unique(np.linspace(0, len(spectra) - 1, N_LOOKED_AT, dtype=np.int64))
    flux_BL = spectra.fetch(rows)[0].float()
    with torch.inference_mode():
        exact_B = torch.sigmoid(folded(model)(flux_BL))
        for n_blocks in range(len(model.stages), 0, -1):
            rounded_B = torch.sigmoid(in_bfloat16(folded(model), n_blocks)(flux_BL))
            error_B = (rounded_B - exact_B).abs()
            if error_B.max() < MARGIN * MAX_ERROR and error_B.mean() < MARGIN * MEAN_ERROR:
                return n_blocks
    return 0
