"""The product's network as a user would write it in PyTorch, which the benchmarks compare with."""

import torch
from torch import Tensor, nn

from pipeline.network.model import PairNet
from pipeline.settings.network import NetworkSettings


class Part(nn.Module):
    """A convolution and a batch norm."""

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv1d(n_in, n_out, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm1d(n_out)

    def forward(self, x_BFL: Tensor) -> Tensor:
        """Convolve and normalise."""
        return self.norm(self.conv(x_BFL))


class Block(nn.Module):
    """A residual block."""

    def __init__(self, n_in: int, n_out: int, stride: int, settings: NetworkSettings) -> None:
        super().__init__()
        kernel = settings.kernel
        if settings.separable:
            self.first = Part(n_in, n_in, kernel, stride, groups=n_in)
            self.second = Part(n_in, n_out, 1, 1)
        else:
            self.first = Part(n_in, n_out, kernel, stride)
            self.second = Part(n_out, n_out, kernel, 1)
        same = n_in == n_out and stride == 1
        self.skip = nn.Identity() if same else Part(n_in, n_out, 1, stride)

    def forward(self, x_BFL: Tensor) -> Tensor:
        """Transform the features."""
        y_BFL = torch.relu(self.first(x_BFL))
        return torch.relu(self.second(y_BFL) + self.skip(x_BFL))


class Hidden(nn.Module):
    """A fully connected layer and a batch norm."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.linear = nn.Linear(n_in, n_out, bias=False)
        self.norm = nn.BatchNorm1d(n_out)

    def forward(self, x_BF: Tensor) -> Tensor:
        """Connect and normalise."""
        return self.norm(self.linear(x_BF))


class PlainNet(nn.Module):
    """The layers of a network with batch norms, with its weights.

    Parameters
    ----------
    model : PairNet
        The product's network.
    """

    def __init__(self, model: PairNet) -> None:
        super().__init__()
        settings = model.settings
        n_in, length = settings.stem_channels, -(-model.n_pixel // settings.stem_stride)
        self.stem = Part(1, n_in, settings.stem_kernel, settings.stem_stride)
        blocks: list[nn.Module] = []
        for n_out, n_block, stride in zip(
            settings.channels, settings.blocks, settings.strides, strict=True
        ):
            for step in [stride] + [1] * (n_block - 1):
                blocks.append(Block(n_in, n_out, step, settings))
                n_in, length = n_out, -(-length // step)
        self.stages = nn.Sequential(*blocks)
        head: list[nn.Module] = [nn.Flatten()]
        n_in *= length
        for n_out in settings.hidden:
            head += [Hidden(n_in, n_out), nn.ReLU()]
            n_in = n_out
        self.head = nn.Sequential(*head, nn.Dropout(settings.dropout), nn.Linear(n_in, 1))
        self.load_state_dict(model.state_dict())

    def forward(self, flux_BL: Tensor) -> Tensor:
        """Log-odds of the spectra."""
        x_BFL = (flux_BL - 1.0).unsqueeze(1)
        return self.head(self.stages(torch.relu(self.stem(x_BFL)))).squeeze(1)
