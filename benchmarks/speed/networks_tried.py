"""Networks without convolutions, which ``networks.py`` compares: each pixel has its own weights."""

import torch
from torch import Tensor, nn

from pipeline.network.model import LinearNorm, PairNet
from pipeline.network.norm import BatchNorm
from pipeline.settings.network import NetworkSettings

HIDDEN = (128, 128)
DROPOUT = 0.5


class Dense(PairNet):
    """The fully connected layers alone."""

    def __init__(self, n_pixel: int) -> None:
        nn.Module.__init__(self)
        self.settings, self.n_pixel = NetworkSettings(preset="small"), n_pixel
        self.head = head(n_pixel)

    def forward(self, flux_BL: Tensor) -> Tensor:
        """Log-odds of the spectra."""
        return self.head(flux_BL - 1.0).squeeze(1)


class Windowed(PairNet):
    """A few linear features of each window, without shared weights, and fully connected layers."""

    def __init__(self, n_pixel: int, window: int = 64, step: int = 32, features: int = 16) -> None:
        nn.Module.__init__(self)
        self.settings, self.n_pixel = NetworkSettings(preset="small"), n_pixel
        n_window = -(-(n_pixel - window) // step) + 1
        self.window, self.step = window, step
        self.missing = (n_window - 1) * step + window - n_pixel
        self.weight = nn.Parameter(torch.randn(n_window, window, features) / window**0.5)
        self.norm = BatchNorm(n_window * features)
        self.head = head(n_window * features)

    def forward(self, flux_BL: Tensor) -> Tensor:
        """Log-odds of the spectra."""
        padded_BL = nn.functional.pad(flux_BL - 1.0, (0, self.missing))
        windows_WBK = padded_BL.unfold(1, self.window, self.step).transpose(0, 1)
        features_BF = torch.bmm(windows_WBK, self.weight).transpose(0, 1).flatten(1)
        return self.head(torch.relu(self.norm(features_BF))).squeeze(1)


def head(n_in: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_out in HIDDEN:
        layers += [LinearNorm(n_in, n_out, "batch"), nn.ReLU()]
        n_in = n_out
    return nn.Sequential(*layers, nn.Dropout(DROPOUT), nn.Linear(n_in, 1))
