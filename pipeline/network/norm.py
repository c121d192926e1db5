"""Normalisation layers, with batch statistics over all ranks where several train together."""

import math
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from pipeline.settings.network import Norm

_FIXED = False
"""Of native_batch_norm_backward's flag ``train``: the statistics are given."""

_SUMS = [False, True, True]
"""And of its outputs: the gradients of weight and bias, but not that of the input."""

GROUPS = 8
"""Groups of the group norm, where that divides the channels."""


class BatchNorm(nn.BatchNorm2d):
    """Batch norm that may take its statistics over the ranks of a process group.

    It takes images one pixel high, (B, F, 1, L), or features, (B, F). With it, several ranks
    compute the same function of the whole batch as one rank alone. PyTorch's own synchronised
    layer works on GPUs only; this one works with any backend. Parameters are those of
    ``torch.nn.BatchNorm2d`` (Ioffe & Szegedy 2015).

    Attributes
    ----------
    group : torch.distributed.ProcessGroup, optional
        The process group; None: this process's batch alone. Not part of the saved state.
    """

    group: dist.ProcessGroup | None = None

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's name)
        """Normalise; the running statistics learn from the whole batch."""
        if input.ndim == 2:
            return self.forward(input[:, :, None, None])[:, :, 0, 0]
        if self.group is None or not self.training:
            return super().forward(input)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        normalised, mean_F, var_F = _Synchronised.apply(  # type: ignore[no-untyped-call]
            input, self.weight, self.bias, self.eps, self.group
        )
        n = input.numel() // input.shape[1] * dist.get_world_size(self.group)
        if self.running_mean is not None and self.running_var is not None:
            share = 0.1 if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean_F, share)
            self.running_var.lerp_(var_F * (n / max(n - 1, 1)), share)
        result: Tensor = normalised
        return result


class _Synchronised(torch.autograd.Function):
    """Batch norm over equal batches of all ranks of a group."""

    @staticmethod
    def forward(
        ctx: Any, x_BF1L: Tensor, weight_F: Tensor, bias_F: Tensor, eps: float, group: Any
    ) -> tuple[Tensor, Tensor, Tensor]:
        # Two passes of plain sums: torch.var_mean takes ten times as long on a CPU.
        mean_F = x_BF1L.float().mean((0, 2, 3))
        away_BF1L = x_BF1L - _wide(mean_F)
        norm_BF = torch.linalg.vector_norm(away_BF1L, dim=(2, 3), dtype=torch.float32)
        var_F = norm_BF.square().mean(0) / x_BF1L[0, 0].numel()
        own_2F = torch.stack([mean_F, var_F])
        all_R2F = [torch.empty_like(own_2F) for _ in range(dist.get_world_size(group))]
        dist.all_gather(all_R2F, own_2F, group=group)
        mean_RF, var_RF = torch.stack(all_R2F).unbind(1)
        # Chan et al. 1979: variances within the ranks plus the variance between them.
        mean_F = mean_RF.mean(0)
        var_F = var_RF.mean(0) + (mean_RF - mean_F).square().mean(0)
        ctx.save_for_backward(x_BF1L, weight_F, mean_F, var_F)
        ctx.eps, ctx.group = eps, group
        ctx.mark_non_differentiable(mean_F, var_F)
        y_BF1L = torch.nn.functional.batch_norm(x_BF1L, mean_F, var_F, weight_F, bias_F, eps=eps)
        return y_BF1L, mean_F, var_F

    @staticmethod
    def backward(
        ctx: Any, grad_BF1L: Tensor, _mean: Tensor, _var: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, None, None]:
        x_BF1L, weight_F, mean_F, var_F = ctx.saved_tensors
        scale_F = torch.rsqrt(var_F + ctx.eps)
        if not grad_BF1L.is_contiguous(memory_format=torch.channels_last):
            grad_BF1L = grad_BF1L.contiguous()
        # With fixed statistics, the sums over this rank alone.
        _, dweight_F, dbias_F = torch.ops.aten.native_batch_norm_backward(
            grad_BF1L, x_BF1L, weight_F, mean_F, var_F, None, None, _FIXED, ctx.eps, _SUMS
        )
        sums_2F = torch.stack([dbias_F, dweight_F])
        dist.all_reduce(sums_2F, group=ctx.group)
        n = x_BF1L.numel() // x_BF1L.shape[1] * dist.get_world_size(ctx.group)
        mean_grad_F, mean_grad_x_F = (sums_2F / n).unbind(0)
        # w s (g - mean(g) - x^ mean(g x^)) with x^ = s (x - mean), in two passes.
        slope_F = -weight_F * scale_F.square() * mean_grad_x_F
        offset_F = -weight_F * scale_F * mean_grad_F - slope_F * mean_F
        dtype = x_BF1L.dtype
        dx_BF1L = torch.addcmul(_wide(offset_F).to(dtype), x_BF1L, _wide(slope_F).to(dtype))
        dx_BF1L.addcmul_(grad_BF1L, _wide(weight_F * scale_F).to(dtype))
        return dx_BF1L, dweight_F, dbias_F, None, None


def _wide(value_F: Tensor) -> Tensor:
    """Give each channel's value to all of its pixels: (F, 1, 1)."""
    return value_F[:, None, None]


def build_norm(kind: Norm, n_channels: int, groups: int = GROUPS) -> BatchNorm | nn.GroupNorm:
    """Build the normalisation after a layer.

    Parameters
    ----------
    kind : str
        ``batch`` or ``group``.
    n_channels : int
        Channels of the layer.
    groups : int
        Largest number of groups of a group norm.

    Returns
    -------
    BatchNorm or torch.nn.GroupNorm
        The layer.
    """
    if kind == "group":
        return nn.GroupNorm(math.gcd(groups, n_channels), n_channels)
    return BatchNorm(n_channels)


def synchronise(model: nn.Module, group: dist.ProcessGroup | None) -> None:
    """Let all batch norms of a network take their statistics over a group, or alone.

    Parameters
    ----------
    model : torch.nn.Module
        The network.
    group : torch.distributed.ProcessGroup, optional
        None: each rank alone.
    """
    for module in model.modules():
        if isinstance(module, BatchNorm):
            module.group = group


def average_statistics(model: nn.Module, world: int) -> None:
    """Give all ranks the mean of the statistics that their batch norms learned.

    Parameters
    ----------
    model : torch.nn.Module
        The network.
    world : int
        Number of ranks.
    """
    norms = [module for module in model.modules() if isinstance(module, BatchNorm)]
    found = [t for norm in norms for t in (norm.running_mean, norm.running_var) if t is not None]
    if world == 1 or not found:
        return
    all_F = torch.cat(found)
    dist.all_reduce(all_F)
    means = torch.split(all_F / world, [len(t) for t in found])
    for statistic_F, mean_F in zip(found, means, strict=True):
        statistic_F.copy_(mean_F)
