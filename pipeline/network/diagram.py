"""The plan of a network: what each layer makes of a spectrum, as a figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from pipeline.network.model import LinearNorm, PairNet, parameter_count

_BAR = 0.72
_RIGHT = 1.27


class Layer(NamedTuple):
    """What one layer gives.

    Parameters
    ----------
    name : str
        Its kind.
    channels, pixels : int
        Shape of what it gives; a fully connected layer gives one value per channel.
    parameters : int
        Trained numbers in it.
    """

    name: str
    channels: int
    pixels: int
    parameters: int


def layers(model: PairNet) -> list[Layer]:
    """List the layers of a network from the input on, as a spectrum passes them.

    Parameters
    ----------
    model : PairNet
        Trained or not; it is not changed.

    Returns
    -------
    list of Layer
        The input, the first convolution, one per residual block, one per fully connected layer.
    """
    found = [Layer("normalised flux", 1, model.n_pixel, 0)]

    def note(name: str) -> Any:
        def hook(module: nn.Module, _: Any, y_B: Tensor) -> None:
            pixels = y_B[0, 0].numel()
            found.append(Layer(name, y_B.shape[1], pixels, parameter_count(module)))

        return hook

    connected = [m for m in model.head if isinstance(m, nn.Linear | LinearNorm)]
    named = [(model.stem, "convolution"), *((block, "residual block") for block in model.stages)]
    named += [(m, "fully connected") for m in connected[:-1]] + [(connected[-1], "log-odds")]
    hooks = [module.register_forward_hook(note(name)) for module, name in named]
    training = model.training
    try:
        with torch.no_grad():
            model.eval()(torch.ones(1, model.n_pixel))
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    # A spectrum may pass more than once, moved by some pixels.
    return found[: 1 + len(named)]


def write_diagram(model: PairNet, path: Path) -> Sequence[Path]:
    """Draw the layers of a network, one below the other.

    Parameters
    ----------
    model : PairNet
        Trained or not.
    path : pathlib.Path
        PNG to write, with a PDF beside it.

    Returns
    -------
    list of pathlib.Path
        Both files.
    """
    # Here, since a rank of the training draws nothing.
    from pipeline.core.colours import BINARY, OTHER, SINGLE
    from pipeline.core.figures import new_figure, styled, write_figure

    rows = layers(model)
    with styled():
        figure, (axes,) = new_figure(1, 0.4 + 0.26 * len(rows))
        longest = max(row.pixels for row in rows)
        for i, row in enumerate(rows):
            colour = OTHER if i == 0 else SINGLE if row.pixels > 1 else BINARY
            axes.barh(i, max(row.pixels / longest, 0.01), _BAR, color=colour, alpha=0.35)
            shape = f"{row.channels}" if row.pixels == 1 else f"{row.channels} × {row.pixels:,}"
            if i == len(rows) - 1:
                shape = "1, its sigmoid is p_b"
            axes.text(0.02, i, f"{row.name}: {shape}", va="center")
            count = f"{row.parameters:,}" if row.parameters else ""
            axes.text(_RIGHT, i, count, va="center", ha="right")
        axes.text(0.02, -1, "layer: channels × pixels", va="center")
        axes.text(_RIGHT, -1, "parameters", va="center", ha="right")
        axes.set(ylim=(len(rows) - 0.4, -1.5), xlim=(0, _RIGHT), yticks=[])
        axes.set_xlabel("pixels along the spectrum")
        shares = (0, 0.25, 0.5, 0.75, 1)
        axes.set_xticks(shares, [f"{share * longest:,.0f}" for share in shares])
        axes.spines[["left", "top", "right"]].set_visible(False)
        axes.tick_params(left=False, right=False, top=False)
    return write_figure(path.parent, path.stem, figure)
