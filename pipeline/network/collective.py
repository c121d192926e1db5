"""Communication between ranks besides gradients; with one rank alone there is none."""

from typing import Any

import torch
import torch.distributed as dist


def mean_over_ranks(value: float, world: int) -> float:
    """Average a number over the ranks; the same on all of them, NaN if it is on one.

    Parameters
    ----------
    value : float
        This rank's number.
    world : int
        Number of ranks.

    Returns
    -------
    float
        The mean.
    """
    if world == 1:
        return value
    total = torch.tensor(value, dtype=torch.float64)
    dist.all_reduce(total)
    return total.item() / world


def gather_rows(own_B: torch.Tensor, n: int, world: int) -> torch.Tensor:
    """Put together what each rank computed of rows ``rank::world``, on the CPU.

    Parameters
    ----------
    own_B : Tensor, (b,)
        This rank's values.
    n : int
        Rows of all ranks, B.
    world : int
        Number of ranks.

    Returns
    -------
    Tensor, (B,)
        All values in order, the same on every rank.
    """
    own_B = own_B.cpu()
    if world == 1:
        return own_B
    padded_B = torch.zeros(-(-n // world), dtype=own_B.dtype)
    padded_B[: len(own_B)] = own_B
    parts = [torch.empty_like(padded_B) for _ in range(world)]
    dist.all_gather(parts, padded_B)
    return torch.stack(parts, dim=1).reshape(-1)[:n]


def from_first(value: Any, rank: int, world: int) -> Any:
    """Return rank 0's value on every rank.

    Parameters
    ----------
    value : Any
        What pickle can hold; read on rank 0 only.
    rank, world : int
        This rank, and the number of ranks.

    Returns
    -------
    Any
        The value of rank 0.
    """
    if world == 1:
        return value
    box = [value if rank == 0 else None]
    dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
    return box[0]
