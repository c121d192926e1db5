"""Section ``network``: sizes of the network."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from pipeline.settings.section import Section

Norm = Literal["batch", "group"]
Preset = Literal["light", "fast", "small", "paper"]

PRESETS: dict[str, dict[str, Any]] = {
    "light": {},
    "fast": {"channels": (32,), "blocks": (1,), "strides": (4,)},
    "small": {
        "stem_channels": 16,
        "stem_kernel": 15,
        "stem_stride": 4,
        "channels": (16, 32, 64, 128),
        "blocks": (1, 1, 1, 1),
        "strides": (2, 2, 2, 2),
    },
    "paper": {
        "stem_channels": 64,
        "stem_kernel": 7,
        "stem_stride": 2,
        "channels": (64, 128, 256, 512),
        "blocks": (2, 2, 2, 2),
        "strides": (2, 2, 2, 2),
        "kernel": 3,
        "hidden": (256,),
    },
}
"""Sizes that a preset gives to what is not set; `light` is the defaults."""


class NetworkSettings(Section):
    """Sizes of the residual network; the tuples hold one entry per stage, from the input on.

    The paper names the kinds of layers but not their sizes. The defaults are, of the sizes tried,
    those of the best AUC for their cost: about 0.5 M parameters and 8 MFLOP a spectrum.
    """

    preset: Preset = "light"
    """Sizes of everything in this section that is not set by itself: `light`; `fast`, a third of
    its work; `small`, four times its work; or `paper`, the classic residual network of 18 layers in
    one dimension, for a GPU. [assumed: the paper does not give its sizes]"""

    norm: Norm = "batch"
    """Normalisation after each convolution: over the batch of all ranks, or over groups of
    channels of each spectrum. [paper: batch]"""

    stem_channels: int = Field(32, ge=1)
    """Channels of the first convolution. [assumed]"""

    stem_kernel: int = Field(31, ge=1)
    """Pixels that the first convolution sees; odd. [assumed]"""

    stem_stride: int = Field(16, ge=1)
    """Step of the first convolution in pixels, which keeps the later layers cheap. [assumed]"""

    channels: tuple[int, ...] = (32, 64)
    """Channels of each stage. [assumed]"""

    blocks: tuple[int, ...] = (1, 1)
    """Basic blocks in each stage. [assumed]"""

    strides: tuple[int, ...] = (2, 2)
    """Step of the first block of each stage. [assumed]"""

    kernel: int = Field(5, ge=1)
    """Width of the convolutions in the blocks; odd. [assumed]"""

    separable: bool = False
    """Blocks of depthwise-separable convolutions: one of `kernel` pixels in each channel by itself,
    then one of one pixel over all channels. [assumed: off]"""

    hidden: tuple[int, ...] = (128, 128)
    """Widths of the fully connected layers before the last one, which gives the logit. They alone
    see the whole spectrum at once. [paper: one; two learn faster]"""

    dropout: float = Field(0.5, ge=0, lt=1)
    """Share of the activations dropped before the last fully connected layer. [paper]"""

    average_shift_pixels: int = Field(0, ge=0)
    """The log-odds are the mean over the spectrum moved by each whole number of pixels up to this,
    either way: 1 stands for three spectra, which take three times as long. In training, spectra
    move as `training.shift_pixels` says. [assumed: off]"""

    def changed(self) -> dict[str, Any]:
        """Return the values that make this section of the defaults: those of its preset."""
        default = type(self)(preset=self.preset).model_dump(mode="json")
        values = self.model_dump(mode="json")
        preset = {} if self.preset == type(self)().preset else {"preset": self.preset}
        return preset | {name: value for name, value in values.items() if value != default[name]}

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("preset", "light") in PRESETS:
            return {**PRESETS[data.get("preset", "light")], **data}
        return data

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not len(self.channels) == len(self.blocks) == len(self.strides) > 0:
            raise ValueError(
                "channels, blocks and strides need one entry per stage, got "
                f"{len(self.channels)}, {len(self.blocks)} and {len(self.strides)}"
            )
        if min(*self.channels, *self.blocks, *self.strides, *self.hidden) < 1:
            raise ValueError("channels, blocks, strides and hidden must all be at least 1")
        if self.kernel % 2 == 0 or self.stem_kernel % 2 == 0:
            raise ValueError("kernel and stem_kernel must be odd, so that padding is symmetric")
        return self
