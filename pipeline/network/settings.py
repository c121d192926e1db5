"""Sizes of the network, how it is trained, and how it is applied."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from pipeline.section import Section

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["float32", "bfloat16"]
Norm = Literal["batch", "group"]
Preset = Literal["small", "paper"]

PRESETS: dict[str, dict[str, Any]] = {
    "small": {},
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
"""Sizes that a preset gives to what is not set; `small` is the defaults."""


class NetworkSettings(Section):
    """Sizes of the residual network; the tuples hold one entry a stage, from the input on.

    The paper names the kinds of layers but not their sizes. The defaults are, of the few sizes
    tried, what learns fastest on two CPU cores: about 1 M parameters and 30 MFLOP a spectrum.
    """

    preset: Preset = "small"
    """Sizes of everything in this section that is not set by itself: `small`, for a laptop, or
    `paper`, the classic residual network of 18 layers in one dimension, for a GPU.
    [assumed: the paper does not give its sizes]"""

    norm: Norm = "batch"
    """Normalisation after each convolution: over the batch of all ranks, or over groups of
    channels of each spectrum. [paper: batch]"""

    stem_channels: int = Field(16, ge=1)
    """Channels of the first convolution. [assumed]"""

    stem_kernel: int = Field(15, ge=1)
    """Pixels that the first convolution sees; odd. [assumed]"""

    stem_stride: int = Field(4, ge=1)
    """Step of the first convolution in pixels. [assumed: LAMOST samples 1.5-2 pixels a
    resolution element, and the step keeps the later layers cheap]"""

    channels: tuple[int, ...] = (16, 32, 64, 128)
    """Channels of each stage. [assumed]"""

    blocks: tuple[int, ...] = (1, 1, 1, 1)
    """Basic blocks in each stage. [assumed]"""

    strides: tuple[int, ...] = (2, 2, 2, 2)
    """Step of the first block of each stage. [assumed]"""

    kernel: int = Field(5, ge=1)
    """Width of the convolutions in the blocks; odd. [assumed]"""

    hidden: tuple[int, ...] = (128, 128)
    """Widths of the fully connected layers before the last one, which gives the logit. They alone
    see the whole spectrum at once. [paper: one; two learn faster]"""

    dropout: float = Field(0.5, ge=0, lt=1)
    """Share of the activations dropped before the last fully connected layer. [paper]"""

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("preset", "small") in PRESETS:
            return {**PRESETS[data.get("preset", "small")], **data}
        return data

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not len(self.channels) == len(self.blocks) == len(self.strides) > 0:
            raise ValueError(
                "channels, blocks and strides need one entry a stage each, got "
                f"{len(self.channels)}, {len(self.blocks)} and {len(self.strides)}"
            )
        if min(*self.channels, *self.blocks, *self.strides, *self.hidden) < 1:
            raise ValueError("channels, blocks, strides and hidden must all be at least 1")
        if self.kernel % 2 == 0 or self.stem_kernel % 2 == 0:
            raise ValueError("kernel and stem_kernel must be odd, so that padding is symmetric")
        return self


class TrainingSettings(Section):
    """How the network is trained."""

    source: Literal["labels", "simulated"] = "labels"
    """What to train on: the survey's own spectra with their photometric labels, or simulated
    spectra of single and composite dwarfs. [paper: labels]"""

    composite_share: float = Field(0.0, ge=0, le=1)
    """Share of the training examples that are composites of the survey's own single stars
    (`pairspec composites`); 1: only those. [assumed]"""

    ranks: int = Field(0, ge=0)
    """Processes that train together, one a worker; 0: one a GPU, or without GPUs one a machine,
    with all of its cores as threads. [derived: two ranks of one thread cannot do more than one of
    two threads]"""

    min_ranks: int = Field(0, ge=0)
    """With how many ranks to go on when lost workers do not come back; 0: not with fewer.
    [assumed]"""

    max_restarts: int = Field(3, ge=0)
    """How often training starts again from its last checkpoint after the loss of a worker.
    [assumed]"""

    rejoin_s: float = Field(60.0, gt=0)
    """How long to wait for lost workers, seconds. [assumed]"""

    peer_timeout_s: float = Field(600.0, gt=0)
    """After so many seconds without an answer of the others a rank gives up. [assumed]"""

    tensorboard: bool = False
    """Write TensorBoard's files beside the log; needs the package tensorboard. [assumed]"""

    optimizer: Literal["adam", "adamw"] = "adam"
    """Optimiser; `adamw` decouples the weight decay from the gradient. [paper: adam]"""

    learning_rate: float = Field(1e-4, gt=0)
    """Highest learning rate. [paper]"""

    schedule: Literal["constant", "cosine"] = "constant"
    """Learning rate over the epochs: constant, or a warm-up and then half a cosine down to
    nothing at ``max_epochs``. [assumed]"""

    warmup_share: float = Field(0.05, ge=0, lt=1)
    """Share of all steps over which the cosine schedule rises linearly. [assumed]"""

    batch_size: int = Field(32, ge=2)
    """Spectra a step, over all ranks together: their number changes nothing else. [assumed]"""

    synchronise_norms: bool = True
    """Batch norms take their statistics over the batch of all ranks; off: each rank over its own
    share, with fewer messages, and the number of ranks changes what is learned. [assumed]"""

    shuffle_rows: int = Field(16384, ge=1)
    """Spectra that are shuffled, and at most held in memory, at a time (7 kB each); chunks of
    256 neighbours are shuffled over the whole part before. [assumed]"""

    max_epochs: int = Field(60, ge=1)
    """Epochs after which training ends in any case. [assumed]"""

    patience: int = Field(8, ge=1)
    """Training ends after this many epochs without a better validation AUC. [assumed; early
    stopping: paper]"""

    oversample: bool = True
    """Repeat the rarer class: by the labels' column `weight`, or until both classes weigh the
    same; off: every spectrum once. [paper]"""

    clip_norm: float = Field(5.0, ge=0)
    """Largest norm of the gradient; 0: no clipping. [assumed]"""

    weight_decay: float = Field(0.0, ge=0)
    """Weight decay of the optimiser, for convolutions and fully connected layers; biases and norms
    have none. [assumed: none]"""

    shift_pixels: int = Field(0, ge=0)
    """Augmentation: shift each training spectrum at random by up to so many pixels.
    [assumed: off]"""

    mask_share: float = Field(0.0, ge=0, lt=1)
    """Augmentation: set one random stretch of this share of each training spectrum to the
    continuum. [assumed: off]"""

    noise: float = Field(0.0, ge=0)
    """Augmentation: add white noise of a random level, up to so much of the continuum, to each
    training spectrum. [assumed: off]"""

    seed: int = Field(1, ge=0)
    """Seed of weights, order, dropout and augmentation. [assumed]"""

    n_examples: int = Field(32_000, ge=2)
    """Simulated spectra where there is no survey to train on. [assumed]"""

    validation_share: float = Field(0.1, gt=0, lt=1)
    """Share of the simulated stars kept for validation. [paper: 80/10/10]"""

    precision: Precision = "float32"
    """Arithmetic of the forward pass; the weights stay float32. [assumed]"""

    device: Device = "auto"
    """Where to compute; ``auto``: the GPU where there is one. [assumed]"""

    threads: int = Field(0, ge=0)
    """CPU threads of each rank; 0: the machine's cores, shared among its ranks. [assumed]"""

    @model_validator(mode="after")
    def _ranks_are_enough(self) -> Self:
        if self.ranks and self.min_ranks > self.ranks:
            raise ValueError(f"min_ranks = {self.min_ranks} is more than ranks = {self.ranks}")
        return self


class InferSettings(Section):
    """How the trained network is applied."""

    scope: Literal["sample", "all"] = "sample"
    """Which spectra get a p_b: those of the sample, or all counted ones (``--all``), which needs
    no photometry. [paper: the sample]"""

    models: tuple[Path, ...] = ()
    """Folders of trained networks (``--model``), relative to where the command runs; several form
    an ensemble that averages their logits. Empty: ``ROOT/model``. [paper: one network]"""

    batch_size: int = Field(64, ge=1)
    """Spectra a pass. [derived: 64 to 128 are the fastest on a CPU core]"""

    precision: Precision = "float32"
    """Arithmetic; ``bfloat16`` is used only where the hardware computes in it, in as many blocks as
    the network's card allows, and float32 elsewhere. [assumed]"""

    fuse: bool = True
    """Fold the batch norms into the convolutions and, on a CPU, keep the channels of a pixel
    together in memory; off: the network just as it was trained. [derived: 1.3 times as fast]"""

    device: Device = "auto"
    """Where to compute; ``auto``: the GPU where there is one. [assumed]"""

    threads: int = Field(0, ge=0)
    """CPU threads of a worker; 0: leave it to the environment, in which a worker of the engine
    gets one. [derived: one worker a core is faster than one worker of many threads]"""
