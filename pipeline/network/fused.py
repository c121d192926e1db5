"""The network in the form in which it is applied fastest."""

import torch
from torch import nn

from pipeline.network.model import PairNet, folded


def fused(model: PairNet, device: torch.device) -> PairNet:
    """Return a copy for inference: norms folded and, on a CPU, channels last in memory.

    The function is the same up to rounding. PyTorch brings every one-dimensional convolution
    into the order of its kernels and back, which it need not with the channels of a pixel side by
    side.

    Parameters
    ----------
    model : PairNet
        The trained network.
    device : torch.device
        Where it will run; a GPU keeps the one-dimensional convolutions.

    Returns
    -------
    PairNet
        In evaluation mode.
    """
    model = folded(model)
    if device.type == "cpu":
        _lay_out(model)
        # From here on an image one pixel high, which the head's Flatten makes flat again.
        model.stem.add_module("conv", nn.Sequential(nn.Unflatten(2, (1, -1)), model.stem.conv))
    return model


def _lay_out(parent: nn.Module) -> None:
    for name, child in list(parent.named_children()):
        if isinstance(child, nn.Conv1d):
            setattr(parent, name, _as_image(child))
        else:
            _lay_out(child)


def _as_image(conv: nn.Conv1d) -> nn.Conv2d:
    """Return a convolution over images one pixel high, channels last."""
    image = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        (1, conv.kernel_size[0]),
        (1, conv.stride[0]),
        (0, int(conv.padding[0])),
        groups=conv.groups,
        bias=conv.bias is not None,
    )
    weight = conv.weight.detach().unsqueeze(2)
    image.weight = nn.Parameter(weight.contiguous(memory_format=torch.channels_last))
    image.bias = conv.bias
    return image
