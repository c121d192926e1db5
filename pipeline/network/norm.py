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


class BatchNorm(nn.BatchNorm1d):
    """Batch norm that may take its statistics over the ranks of a process group.

    With it, several ranks compute the same function of the whole batch as one rank alone.
    PyTorch's own synchronised layer works on GPUs only; this one works with any backend.

    Attributes
    ----------
    group
        The process group; None: this process's batch alone. No part of the saved state.
    """

    group: dist.ProcessGroup | None = None

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's name)
        """Normalise; the running statistics learn from the whole batch."""
        if self.group is None or not self.training:
            return super().forward(input)
        if input.ndim == 2:
            return self.forward(input.unsqueeze(2)).squeeze(2)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        normalised, mean_C, var_C = _Synchronised.apply(  # type: ignore[no-untyped-call]
            input, self.weight, self.bias, self.eps, self.group
        )
        n = input.numel() // input.shape[1] * dist.get_world_size(self.group)
        if self.running_mean is not None and self.running_var is not None:
            share = 0.1 if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean_C, share)
            self.running_var.lerp_(var_C * (n / max(n - 1, 1)), share)
        result: Tensor = normalised
        return result


class _Synchronised(torch.autograd.Function):
    """Batch norm over equal batches of all ranks of a group."""

    @staticmethod
    def forward(
        ctx: Any, x_BCL: Tensor, weight_C: Tensor, bias_C: Tensor, eps: float, group: Any
    ) -> tuple[Tensor, Tensor, Tensor]:
        # Two passes of plain sums: torch.var_mean takes ten times as long on a CPU.
        mean_C = x_BCL.float().mean((0, 2))
        away_BCL = x_BCL - mean_C[:, None]
        norm_BC = torch.linalg.vector_norm(away_BCL, dim=2, dtype=torch.float32)
        var_C = norm_BC.square().mean(0) / x_BCL.shape[2]
        own_2C = torch.stack([mean_C, var_C])
        all_R2C = [torch.empty_like(own_2C) for _ in range(dist.get_world_size(group))]
        dist.all_gather(all_R2C, own_2C, group=group)
        mean_RC, var_RC = torch.stack(all_R2C).unbind(1)
        # Chan et al. 1979: variances within the ranks plus the variance between them.
        mean_C = mean_RC.mean(0)
        var_C = var_RC.mean(0) + (mean_RC - mean_C).square().mean(0)
        ctx.save_for_backward(x_BCL, weight_C, mean_C, var_C)
        ctx.eps, ctx.group = eps, group
        ctx.mark_non_differentiable(mean_C, var_C)
        y_BCL = torch.nn.functional.batch_norm(x_BCL, mean_C, var_C, weight_C, bias_C, eps=eps)
        return y_BCL, mean_C, var_C

    @staticmethod
    def backward(
        ctx: Any, grad_BCL: Tensor, _mean: Tensor, _var: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, None, None]:
        x_BCL, weight_C, mean_C, var_C = ctx.saved_tensors
        scale_C = torch.rsqrt(var_C + ctx.eps)
        grad_BCL = grad_BCL.contiguous()
        # With fixed statistics, the sums over this rank alone.
        _, dweight_C, dbias_C = torch.ops.aten.native_batch_norm_backward(
            grad_BCL, x_BCL, weight_C, mean_C, var_C, None, None, _FIXED, ctx.eps, _SUMS
        )
        sums_2C = torch.stack([dbias_C, dweight_C])
        dist.all_reduce(sums_2C, group=ctx.group)
        n = x_BCL.numel() // x_BCL.shape[1] * dist.get_world_size(ctx.group)
        mean_grad_C, mean_grad_x_C = (sums_2C / n).unbind(0)
        # w s (g - mean(g) - x^ mean(g x^)) with x^ = s (x - mean), in two passes.
        slope_C = -weight_C * scale_C.square() * mean_grad_x_C
        offset_C = -weight_C * scale_C * mean_grad_C - slope_C * mean_C
        dtype = x_BCL.dtype
        dx_BCL = torch.addcmul(offset_C[:, None].to(dtype), x_BCL, slope_C[:, None].to(dtype))
        dx_BCL.addcmul_(grad_BCL, (weight_C * scale_C)[:, None].to(dtype))
        return dx_BCL, dweight_C, dbias_C, None, None


def build_norm(kind: Norm, n_channels: int, groups: int = GROUPS) -> nn.BatchNorm1d | nn.GroupNorm:
    """Build the normalisation after a layer, with at most so many groups."""
    if kind == "group":
        return nn.GroupNorm(math.gcd(groups, n_channels), n_channels)
    return BatchNorm(n_channels)


def synchronise(model: nn.Module, group: dist.ProcessGroup | None) -> None:
    """Let all batch norms of a network take their statistics over a group, or alone."""
    for module in model.modules():
        if isinstance(module, BatchNorm):
            module.group = group


def average_statistics(model: nn.Module, world: int) -> None:
    """Give all ranks the mean of what their batch norms learned."""
    norms = [module for module in model.modules() if isinstance(module, BatchNorm)]
    found = [t for norm in norms for t in (norm.running_mean, norm.running_var) if t is not None]
    if world == 1 or not found:
        return
    all_C = torch.cat(found)
    dist.all_reduce(all_C)
    means = torch.split(all_C / world, [len(t) for t in found])
    for statistic_C, mean_C in zip(found, means, strict=True):
        statistic_C.copy_(mean_C)
