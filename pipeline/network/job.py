"""The work of training: blocks of simulated spectra, and the network trained on them."""

import os
from dataclasses import dataclass
from pathlib import Path

from safetensors.numpy import load, save

from pipeline.atomic import write_bytes
from pipeline.digest import digest_of
from pipeline.ledger import Ledger
from pipeline.network.checkpoint import ModelCard, read_card, save_model
from pipeline.network.examples import TRUTH, Examples, example_block, joined
from pipeline.network.loader import Labelled
from pipeline.network.model import build_model
from pipeline.network.settings import NetworkSettings, TrainingSettings
from pipeline.network.trainer import evaluate, train
from pipeline.root import Root
from pipeline.simulate.settings import SimulateSettings
from pipeline.spectra.settings import SpectraSettings

REACHED = ("epoch", "train_loss", "validation_loss", "validation_auc")
"""What the card keeps of the best epoch's record."""


@dataclass(frozen=True)
class TrainingJob:
    """What the tasks of one training have in common; all that travels to them.

    Attributes
    ----------
    root
        Where to read and write.
    simulate, spectra, network, training
        Settings.
    """

    root: Root
    simulate: SimulateSettings
    spectra: SpectraSettings
    network: NetworkSettings
    training: TrainingSettings

    @property
    def examples(self) -> Ledger:
        """Done records of the simulated blocks."""
        digest = digest_of(self.training.seed, self.simulate, self.spectra)
        return self.root.ledger("examples", digest)

    @property
    def folder(self) -> Path:
        """Training state and log; other settings train in another folder."""
        plain = self.training.model_dump(mode="json", exclude={"device", "threads"})
        digest = digest_of(self.examples.digest, self.network, plain)
        return self.root.path / "training" / digest

    def block(self, number: int) -> Path:
        """File of one simulated block."""
        return (
            self.root.path / "examples" / self.examples.digest / f"block-{number:06d}.safetensors"
        )


def write_block(number: int, job: TrainingJob) -> int:
    """Simulate one block, write it, mark it as done; return its number of examples."""
    block = example_block(number, job.training.seed, job.simulate, job.spectra)
    arrays = {
        "flux": block.spectra.flux_BL,
        "label": block.spectra.label_B,
        "star": block.star_B,
        **block.truth,
    }
    write_bytes(job.block(number), save(arrays))
    job.examples.write(number, {"examples": len(block)})
    return len(block)


def read_block(path: Path) -> Examples:
    """Read what `write_block` wrote."""
    arrays = load(path.read_bytes())
    truth = {name: arrays[name] for name in TRUTH}
    return Examples(Labelled(arrays["flux"], arrays["label"]), arrays["star"], truth)


def train_on_blocks(n_blocks: int, job: TrainingJob) -> ModelCard:
    """Train on blocks 0 to `n_blocks`, save the network, return its card.

    Every star has one spectrum, so a split by spectrum is one by star: training, validation
    and test follow each other in the blocks, the last two of equal size.
    """
    settings = job.training
    # A Dask worker limits itself to one thread, which here is the only one that works.
    threads = settings.threads or _cores()
    examples = joined((read_block(job.block(i)) for i in range(n_blocks)), settings.n_examples)
    n = max(1, round(settings.validation_share * len(examples)))
    training = examples.take(slice(0, -2 * n)).spectra
    validation = examples.take(slice(-2 * n, -n)).spectra
    test = examples.take(slice(-n, None)).spectra
    model = build_model(job.network, training.flux_BL.shape[1], settings.seed)
    result = train(
        model,
        settings.model_copy(update={"threads": threads}),
        training,
        validation,
        job.folder,
    )
    _, test_auc = evaluate(result.model, test, settings.batch_size)
    card = ModelCard(
        network=job.network,
        n_pixel=model.n_pixel,
        spectra=job.spectra,
        training=settings,
        data=f"{len(training)} simulated spectra of single and composite dwarfs",
        data_digest=training.digest(),
        split_seed=settings.seed,
        metrics={name: result.best[name] for name in REACHED} | {"test_auc": test_auc},
    )
    return read_card(save_model(job.root.model, result.model, card))


def _cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
