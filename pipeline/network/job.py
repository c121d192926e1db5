"""The work of training: blocks of examples, and the network trained on them by each rank."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from cluster.rank import Rank
from pipeline.core.atomic import write_bytes
from pipeline.core.digest import digest_of
from pipeline.core.ledger import Done
from pipeline.core.root import Root
from pipeline.network.card import ModelCard, read_card
from pipeline.network.checkpoint import save_model
from pipeline.network.examples import TRUTH, Examples, example_block
from pipeline.network.loader import Labelled
from pipeline.network.model import build_model
from pipeline.network.novelty import fit_novelty
from pipeline.network.pair_training import fit_pairs
from pipeline.network.parts import Parts, simulated_parts, survey_parts
from pipeline.network.rounding import bfloat16_blocks
from pipeline.network.scoring import evaluate
from pipeline.network.teacher import Teacher, taught
from pipeline.network.trainer import RUNTIME_ONLY, train
from pipeline.pairfit.spectra import FEWEST
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.network import NetworkSettings
from pipeline.settings.simulate import SimulateSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.training import TrainingSettings
from pipeline.store.store import format_of

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
    source_digest
        Digest of the survey's labels and composites; empty where none are used.
    split_seed
        Seed of the split into training, validation and test part.
    teacher
        Network that teaches this one.
    composites
        How the light of stars is scaled, for the fit of pairs.
    """

    root: Root
    simulate: SimulateSettings
    spectra: SpectraSettings
    network: NetworkSettings
    training: TrainingSettings
    source_digest: str = ""
    split_seed: int = 0
    teacher: Teacher | None = None
    composites: CompositeSettings = field(default_factory=CompositeSettings)

    @property
    def examples_digest(self) -> str:
        """Digest of everything that the simulated blocks depend on."""
        return digest_of(self.training.seed, self.simulate, self.spectra)

    @property
    def digest(self) -> str:
        """Digest of everything that the trained network depends on."""
        plain = self.training.model_dump(mode="json", exclude=RUNTIME_ONLY)
        data = (
            self.examples_digest
            if self.training.source == "simulated"
            else digest_of(self.source_digest, self.spectra)
        )
        taught_by = [self.teacher.sha256] if self.teacher else []
        return digest_of(data, self.network, plain, *taught_by)

    @property
    def folder(self) -> Path:
        """Training state and log; other settings or data train in another folder."""
        return self.root.path / "training" / self.digest

    def block(self, number: int) -> Path:
        """File of one simulated block."""
        return (
            self.root.path / "examples" / self.examples_digest / f"block-{number:06d}.safetensors"
        )


@dataclass(frozen=True)
class Sources:
    """Files of the examples; an empty tuple where a source is not used.

    Attributes
    ----------
    simulated, labelled
        Blocks of simulated spectra, and of labelled ones of the survey.
    composites
        Blocks of composites, one tuple a part.
    """

    simulated: tuple[Path, ...] = ()
    labelled: tuple[Path, ...] = ()
    composites: tuple[tuple[Path, ...], ...] = ()

    def parts(self, training: TrainingSettings) -> Parts:
        """Put together training, validation and test part, memory-mapped."""
        if training.source == "simulated":
            return simulated_parts(
                self.simulated,
                training.n_examples,
                training.validation_share,
                oversample=training.oversample,
            )
        return survey_parts(
            self.labelled,
            self.composites,
            training.composite_share,
            oversample=training.oversample,
            soft=training.labels == "soft",
        )


def write_block(number: int, job: TrainingJob) -> Done:
    """Simulate one block and write it; count its examples."""
    block = example_block(number, job.training.seed, job.simulate, job.spectra)
    arrays: dict[str, NDArray[Any]] = {
        "flux": block.spectra.flux_BL[:],
        "label": block.spectra.label_B,
        "star": block.star_B,
        **block.truth,
    }
    write_bytes(job.block(number), save(arrays))
    return Done({"examples": len(block)}, (job.block(number),))


def read_block(path: Path) -> Examples:
    """Read what `write_block` wrote."""
    arrays = load(path.read_bytes())
    truth = {name: arrays[name] for name in TRUTH}
    return Examples(Labelled(arrays["flux"], arrays["label"]), arrays["star"], truth)


def train_rank(
    rank: Rank, job: TrainingJob, sources: Sources
) -> tuple[ModelCard | None, tuple[str, ...]]:
    """Train as one rank of a gang; rank 0 saves the network and returns its card.

    Parameters
    ----------
    rank : Rank
        Which rank of how many.
    job : TrainingJob
        Settings, and where to write.
    sources : Sources
        Files of the examples.

    Returns
    -------
    card, notes
        The card on rank 0, None on the others; and what a user should know.
    """
    # A Dask worker limits itself to one thread; the cores are for all ranks of the machine.
    threads = job.training.threads or max(1, _cores() // rank.on_host)
    settings = job.training.model_copy(update={"threads": threads})
    parts = sources.parts(settings)
    if job.teacher:
        parts = taught(parts, job.teacher, settings, rank.number, rank.world)
    model = build_model(job.network, parts.training.flux_BL.shape[1], settings.seed)
    result = train(
        model,
        settings,
        parts.training,
        parts.validation,
        job.folder,
        parts.weight_B,
        rank.number,
        rank.world,
    )
    tested, notes = {}, result.notes
    if len(np.unique(parts.test.label_B)) == 2:
        _, tested["test_auc"] = evaluate(result.model, parts.test, rank.number, rank.world)
    else:
        notes = (*notes, "no test AUC: the test part needs spectra of both classes")
    if rank.number:
        return None, notes
    pair_fit = None
    if job.training.fits_pairs and job.spectra.frame == "rest":
        pair_fit, reached = fit_pairs(job.root, job.composites, job.spectra, result.model, parts)
        tested |= reached
        if pair_fit is None:
            notes = (*notes, f"no fit of pairs: the pool has fewer than {FEWEST} training stars")
    card = ModelCard(
        network=job.network,
        n_pixel=model.n_pixel,
        spectra=job.spectra,
        training=job.training,
        teacher_id=job.teacher.sha256[:12] if job.teacher else "",
        data=parts.words,
        survey=survey_of(job.root, job.training),
        data_digest=parts.training.digest(),
        split_seed=job.split_seed,
        binary_fraction=round(parts.binary_fraction, 6),
        metrics={name: result.best[name] for name in REACHED} | tested,
        bfloat16_blocks=bfloat16_blocks(result.model, parts.validation),
    )
    novelty = fit_novelty(parts.training, parts.validation)
    folder = save_model(job.root.model, result.model, card, parts.domain, novelty, pair_fit)
    return read_card(folder), notes


def train_on_blocks(n_blocks: int, job: TrainingJob) -> ModelCard:
    """Train in this process on simulated blocks 0 to `n_blocks`; return the network's card.

    Raises
    ------
    RuntimeError
        The first rank gave no card.
    """
    sources = Sources(simulated=tuple(job.block(i) for i in range(n_blocks)))
    card, _ = train_rank(Rank(0, 1, "here"), job, sources)
    if card is None:
        raise RuntimeError("the first rank gave no card")
    return card


def survey_of(root: Root, training: TrainingSettings) -> str:
    """Return the format of the spectra that are learnt from; simulated ones are LAMOST's."""
    simulated = training.source == "simulated"
    return "lamost" if simulated else format_of(root.store) or "lamost"


def _cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
