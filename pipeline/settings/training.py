"""Section ``training``: how the network is trained."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.settings.compute import Device, Precision
from pipeline.settings.section import Section


class TrainingSettings(Section):
    """How the network is trained."""

    source: Literal["labels", "simulated"] = "labels"
    """What to train on: the survey's own spectra with their photometric labels, or simulated
    spectra of single and composite dwarfs. [paper: labels]"""

    labels: Literal["hard", "soft"] = "hard"
    """What a labelled spectrum of the survey teaches: its label, or the probability of the class
    binary that the errors of its photometry leave (column `p_label_binary` of the labels).
    Composites and simulated spectra have no such errors. [paper: hard]"""

    composite_share: float = Field(0.0, ge=0, le=1)
    """Share of the training examples that are composites of the survey's own single stars
    (`pairspec composites`); 1: only those. [assumed]"""

    pair_fit: Literal["auto", "on", "off"] = "auto"
    """Fit single stars and pairs to each spectrum, by a model of the survey's own single stars
    (`pairspec composites`), and weigh the gain in chi^2 by a second star into the network's
    log-odds. `auto`: where composites are all there is to learn from (`composite_share = 1`).
    [derived: there it is better, beside labels no gain was seen]"""

    teacher: Path | None = None
    """Folder of a trained network whose p_b is learned beside the labels; for a smaller network. It
    must take the same spectra. [assumed: none]"""

    teacher_weight: float = Field(0.5, ge=0, le=1)
    """Share of the teacher's p_b in what the network is to answer; the rest is the label.
    [assumed]"""

    ranks: int = Field(0, ge=0)
    """Processes that train together, one per worker; 0: one per GPU, or without GPUs one per
    machine, with all of its cores as threads. [derived: two ranks of one thread cannot do more than
    one of two threads]"""

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

    shift_pixels: int = Field(1, ge=0)
    """Augmentation: shift each training spectrum at random by up to so many pixels. [assumed: 1
    is better than 0 on simulated and on real spectra]"""

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
    def _pairs_are_fitted_by_real_stars(self) -> Self:
        if self.pair_fit == "on" and self.source == "simulated":
            raise ValueError("pair_fit learns from the survey's stars: not with source = simulated")
        return self

    @property
    def fits_pairs(self) -> bool:
        """Whether single stars and pairs are fitted to each spectrum."""
        if self.pair_fit == "auto":
            return self.source == "labels" and self.composite_share == 1
        return self.pair_fit == "on"

    @model_validator(mode="after")
    def _ranks_are_enough(self) -> Self:
        if self.ranks and self.min_ranks > self.ranks:
            raise ValueError(f"min_ranks = {self.min_ranks} is more than ranks = {self.ranks}")
        return self
