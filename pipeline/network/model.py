"""The residual network that tells two stars from one."""

import copy

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d
from torch.nn.utils import fuse_conv_bn_eval, fuse_linear_bn_eval
from torch.utils.flop_counter import FlopCounterMode

from pipeline.network.augment import shifted
from pipeline.network.norm import BatchNorm, build_norm
from pipeline.settings.network import NetworkSettings, Norm


class ConvNorm(nn.Module):
    """A convolution and its norm; `folded` makes it and a batch norm one convolution.

    The spectra come as images one pixel high, which PyTorch would make of them in each
    convolution; so they may keep the channels of a pixel side by side in memory.

    Parameters
    ----------
    n_in, n_out : int
        Channels in and out.
    kernel, stride : int
        Size of the kernel, and step, in pixels.
    norm : str
        ``batch`` or ``group``.
    groups : int
        Groups of channels that are convolved apart.
    """

    def __init__(
        self, n_in: int, n_out: int, kernel: int, stride: int, norm: Norm, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(
            n_in, n_out, kernel, stride, padding=kernel // 2, groups=groups, bias=False
        )
        self.norm: BatchNorm | nn.GroupNorm | nn.Identity = build_norm(norm, n_out)

    def forward(self, x_BF1L: Tensor) -> Tensor:
        """Convolve and normalise: float32 (B, F, 1, L) to (B, F, 1, L / stride)."""
        conv = self.conv
        step, pad = (1, conv.stride[0]), (0, int(conv.padding[0]))
        n_out, n_in, kernel = conv.weight.shape
        # Flat in between, so that the gradient comes back in the order of the weights.
        weight = conv.weight.flatten(1).view(n_out, n_in, 1, kernel)
        y_BF1L: Tensor = self.norm(conv2d(x_BF1L, weight, conv.bias, step, pad, 1, conv.groups))
        return y_BF1L


class LinearNorm(nn.Module):
    """A fully connected layer and its norm; `folded` makes it and a batch norm one layer.

    Without the norm the hidden layers learn late: they take in thousands of features.

    Parameters
    ----------
    n_in, n_out : int
        Features in and out.
    norm : str
        ``batch`` or ``group``.
    """

    def __init__(self, n_in: int, n_out: int, norm: Norm) -> None:
        super().__init__()
        self.linear = nn.Linear(n_in, n_out, bias=False)
        # One group: a channel has one value per spectrum here, too few for its own statistics.
        self.norm: BatchNorm | nn.GroupNorm | nn.Identity = build_norm(norm, n_out, groups=1)

    def forward(self, x_BF: Tensor) -> Tensor:
        """Connect and normalise: float32 (B, F) to (B, F)."""
        y_BF: Tensor = self.norm(self.linear(x_BF))
        return y_BF


class BasicBlock(nn.Module):
    """Convolution, norm, ReLU, convolution, norm, and the skip around them (He et al. 2016).

    Parameters
    ----------
    n_in, n_out : int
        Channels in and out.
    kernel, stride : int
        Size of the kernels, and step of the first, in pixels.
    norm : str
        ``batch`` or ``group``.
    separable : bool
        The first convolution takes each channel by itself, the second mixes the channels of one
        pixel (Howard et al. 2017).
    """

    def __init__(
        self, n_in: int, n_out: int, kernel: int, stride: int, norm: Norm, *, separable: bool
    ) -> None:
        super().__init__()
        if separable:
            self.first = ConvNorm(n_in, n_in, kernel, stride, norm, groups=n_in)
            self.second = ConvNorm(n_in, n_out, 1, 1, norm)
        else:
            self.first = ConvNorm(n_in, n_out, kernel, stride, norm)
            self.second = ConvNorm(n_out, n_out, kernel, 1, norm)
        same = n_in == n_out and stride == 1
        self.skip = nn.Identity() if same else ConvNorm(n_in, n_out, 1, stride, norm)
        # A block that starts as its skip alone lets a deep network learn from the first step.
        if isinstance(self.second.norm, BatchNorm | nn.GroupNorm):
            nn.init.zeros_(self.second.norm.weight)

    def forward(self, x_BF1L: Tensor) -> Tensor:
        """Transform the features: float32 (B, F, 1, L) to (B, F, 1, L / stride)."""
        y_BF1L = torch.relu_(self.first(x_BF1L))
        y_BF1L = self.second(y_BF1L)
        return torch.relu_(y_BF1L + self.skip(x_BF1L))


class PairNet(nn.Module):
    """From normalised flux to the log-odds of two stars.

    The two-class cross-entropy depends only on the difference of the two logits, where it is
    the binary cross-entropy; so there is one output, that difference, and p_b is its sigmoid.

    The features keep their place along the spectrum (no pooling over it): a wavelength on the
    common grid means the same line in every star. In evaluation the log-odds may be the mean over
    small shifts of the spectrum (`network.average_shift_pixels`).

    Parameters
    ----------
    settings : NetworkSettings
        Sizes of the layers.
    n_pixel : int
        Pixels of the common grid, L.
    """

    def __init__(self, settings: NetworkSettings, n_pixel: int) -> None:
        super().__init__()
        self.settings = settings
        self.n_pixel = n_pixel
        norm = settings.norm
        self.stem = ConvNorm(
            1, settings.stem_channels, settings.stem_kernel, settings.stem_stride, norm
        )
        stages: list[nn.Module] = []
        n_in, length = settings.stem_channels, -(-n_pixel // settings.stem_stride)
        for n_out, blocks, stride in zip(
            settings.channels, settings.blocks, settings.strides, strict=True
        ):
            for i in range(blocks):
                step = stride if i == 0 else 1
                stages.append(
                    BasicBlock(
                        n_in, n_out, settings.kernel, step, norm, separable=settings.separable
                    )
                )
                n_in, length = n_out, -(-length // step)
        self.stages = nn.Sequential(*stages)
        head: list[nn.Module] = [nn.Flatten()]
        n_in *= length
        for n_out in settings.hidden:
            head += [LinearNorm(n_in, n_out, norm), nn.ReLU()]
            n_in = n_out
        self.head = nn.Sequential(*head, nn.Dropout(settings.dropout), nn.Linear(n_in, 1))

    def forward(self, flux_BL: Tensor) -> Tensor:
        """Log-odds that a spectrum is of two stars.

        Parameters
        ----------
        flux_BL : Tensor of float32, (B, L)
            Normalised flux (continuum = 1) on the common grid.

        Returns
        -------
        Tensor of float32, (B,)
            Log-odds; the binary probability p_b is its sigmoid.
        """
        reach = 0 if self.training else self.settings.average_shift_pixels
        shifts = range(-reach, reach + 1)
        logit_SB = [self._logit(shifted(flux_BL, pixels)) for pixels in shifts]
        return torch.stack(logit_SB).mean(dim=0)

    def _logit(self, flux_BL: Tensor) -> Tensor:
        # The last layers are cheap; float32 keeps the logit exact.
        logit_B1: Tensor = self.head(self.features(flux_BL).float())
        return logit_B1.squeeze(1)

    def features(self, flux_BL: Tensor) -> Tensor:
        """Return what the convolutions make of spectra: (B, F, 1, L / all strides).

        Parameters
        ----------
        flux_BL : Tensor of float32, (B, L)
            As for `forward`.
        """
        # Zero is the continuum, so that the padding at both ends is continuum too; and the
        # subtraction happens in float32, since bfloat16 resolves only 0.4 % near 1.
        x_B11L = _as_images((flux_BL - 1.0).to(self.dtype))
        features_BF1L: Tensor = self.stages(torch.relu_(self.stem(x_B11L)))
        if features_BF1L.requires_grad and features_BF1L.device.type == "cpu":
            # The gradient of the head comes channels first, and each layer before would turn it.
            features_BF1L.register_hook(_channels_last)  # type: ignore[no-untyped-call]
        return features_BF1L

    @property
    def dtype(self) -> torch.dtype:
        """Arithmetic of the convolutions."""
        return next(self.stem.parameters()).dtype


def _as_images(x_BL: Tensor) -> Tensor:
    """Return images one pixel high, (B, 1, 1, L); on a CPU the layers keep channels last."""
    if x_BL.device.type == "cpu":
        return x_BL[:, None, :, None].permute(0, 3, 1, 2)
    return x_BL[:, None, None]


def _channels_last(grad_BF1L: Tensor) -> Tensor:
    return grad_BF1L.contiguous(memory_format=torch.channels_last)


def build_model(settings: NetworkSettings, n_pixel: int, seed: int = 0) -> PairNet:
    """Build an untrained network for spectra of `n_pixel` pixels.

    Parameters
    ----------
    settings : NetworkSettings
        Sizes of the layers.
    n_pixel : int
        Pixels of the common grid.
    seed : int
        Seed of the first weights.

    Returns
    -------
    PairNet
        In training mode, on the CPU.

    Raises
    ------
    ValueError
        The spectrum is shorter than the stride of all layers together.
    """
    step = settings.stem_stride
    for stride in settings.strides:
        step *= stride
    if n_pixel < step:
        raise ValueError(
            f"spectra of {n_pixel} pixels are too short for strides that multiply to {step}: "
            "lower stem_stride or strides, or widen the grid"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PairNet(settings, n_pixel)


def folded(model: PairNet) -> PairNet:
    """Return a copy for inference, each batch norm folded into the layer before it."""
    model = copy.deepcopy(model).eval()
    for module in model.modules():
        if isinstance(module, ConvNorm) and isinstance(module.norm, BatchNorm):
            module.conv = fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()
        elif isinstance(module, LinearNorm) and isinstance(module.norm, BatchNorm):
            module.linear = fuse_linear_bn_eval(module.linear, module.norm)
            module.norm = nn.Identity()
    return model


def parameter_count(model: nn.Module) -> int:
    """Count the trained numbers of a network."""
    return sum(p.numel() for p in model.parameters())


def flop_count(model: PairNet) -> int:
    """Count the floating-point operations of one spectrum (a multiply-add counts as two)."""
    ghost = copy.deepcopy(model).eval().to("meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        ghost(torch.empty(1, model.n_pixel, device="meta"))
    return int(counter.get_total_flops())
