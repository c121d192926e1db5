"""Training as a user would write it in PyTorch, which the benchmarks compare with."""

from collections.abc import Iterable

import numpy as np
import torch
from torch.utils.data import Dataset


class Plain(Dataset):
    """Spectra as a user would hand them to PyTorch."""

    def __init__(self, flux_BL: np.ndarray, label_B: np.ndarray) -> None:
        self.flux_BL, self.label_B = flux_BL, label_B

    def __len__(self) -> int:
        return len(self.label_B)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        flux_L = torch.from_numpy(self.flux_BL[i].astype(np.float32))
        return flux_L, torch.tensor(float(self.label_B[i]))


def plain_epoch(
    model: torch.nn.Module,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None,
) -> None:
    """Pass over the spectra once."""
    model.train()
    for flux, label in batches:
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(flux), label)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        if schedule is not None:
            schedule.step()
