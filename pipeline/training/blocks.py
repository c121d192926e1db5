"""Blocks of labelled examples on disk: made by any worker, read by the one that trains."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from pipeline.atomic import write_bytes
from pipeline.network.examples import TRUTH, Examples, example_block, joined
from pipeline.network.loader import Labelled
from pipeline.simulate.settings import SimulateSettings
from pipeline.spectra.settings import SpectraSettings


@dataclass(frozen=True)
class BlockJob:
    """What all blocks of one training set have in common.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the blocks; its name holds the digest of all settings here.
    seed : int
        Seed of the simulated stars.
    simulate : SimulateSettings
        Priors of the simulation.
    spectra : SpectraSettings
        Preprocessing.
    """

    folder: Path
    seed: int
    simulate: SimulateSettings
    spectra: SpectraSettings

    def path(self, block: int) -> Path:
        """Return the file of a block."""
        return self.folder / f"block-{block:06d}.safetensors"


def make_block(block: int, job: BlockJob) -> int:
    """Simulate one block, unless it is there; return how many examples it holds."""
    try:
        return len(read_block(block, job))
    except (FileNotFoundError, SafetensorError):
        examples = example_block(block, job.seed, job.simulate, job.spectra)
    arrays = {
        "flux": examples.spectra.flux_BL,
        "label": examples.spectra.label_B,
        "star": examples.star_B,
        **{f"truth_{name}": values for name, values in examples.truth.items()},
    }
    write_bytes(job.path(block), save(arrays))
    return len(examples)


def read_block(block: int, job: BlockJob) -> Examples:
    """Read one block."""
    arrays = load_file(job.path(block))
    return Examples(
        Labelled(arrays["flux"], arrays["label"]),
        arrays["star"],
        {name: arrays[f"truth_{name}"] for name in TRUTH},
    )


def read_examples(job: BlockJob, n_blocks: int, n: int) -> Examples:
    """Read the first ``n`` examples of the first blocks into memory."""

    def blocks() -> Iterator[Examples]:
        for block in range(n_blocks):
            yield read_block(block, job)

    return joined(blocks(), n)
