"""Section ``infer``: how the network is applied."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from pipeline.settings.compute import Device, Precision
from pipeline.settings.section import Section


class InferSettings(Section):
    """How the trained network is applied."""

    scope: Literal["sample", "all"] = "sample"
    """Which spectra get a p_b: those of the sample, or all counted ones (``--all``), which needs
    no photometry. [paper: the sample]"""

    models: tuple[Path, ...] = ()
    """Folders of trained networks (``--model``); several form an ensemble that averages their
    logits. Empty: ``ROOT/model``, and for what judges p_b the networks that gave it. [paper: one
    network]"""

    other_surveys: bool = False
    """Apply networks also to spectra of another format (`inputs.format`) than they were trained on.
    [assumed: another resolution or flux calibration may look like a companion]"""

    giant_logg: float = 3.5
    """Stars of lower log g get the quality bit GIANT. [assumed: subgiants lie between this and the
    dwarfs' 4]"""

    batch_size: int = Field(64, ge=1)
    """Spectra a pass. [derived: 64 to 128 are the fastest on a CPU core]"""

    precision: Precision = "float32"
    """Arithmetic; ``bfloat16`` is used only where the hardware computes in it, in as many blocks as
    the network's card allows, and float32 elsewhere. [assumed]"""

    fuse: bool = True
    """Fold the batch norms into the layers before them; off: the network just as it was trained.
    [derived: 1.15 times as fast]"""

    device: Device = "auto"
    """Where to compute; ``auto``: the GPU where there is one. [assumed]"""

    threads: int = Field(0, ge=0)
    """CPU threads of a worker; 0: leave it to the environment, in which a worker of the engine
    gets one. [derived: one worker per core is faster than one worker of many threads]"""

    @field_validator("models")
    @classmethod
    def _from_anywhere(cls, models: tuple[Path, ...]) -> tuple[Path, ...]:
        # A run remembers them, and later stages may run elsewhere.
        return tuple(path.absolute() for path in models)
