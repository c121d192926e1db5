"""``pairspec train``: labelled spectra in, network out."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.window import run_window
from pipeline.digest import digest_of
from pipeline.network.checkpoint import CheckpointError, ModelCard, read_card, save_model
from pipeline.network.settings import NetworkSettings, TrainingSettings
from pipeline.progress import track
from pipeline.root import Root
from pipeline.settings import Settings
from pipeline.simulate.examples import BLOCK
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.settings import SpectraSettings
from pipeline.stage import StageReport
from pipeline.training.blocks import BlockJob, make_block, read_examples

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True)
class TrainingJob:
    """What the worker that trains is told: paths and settings, no arrays."""

    blocks: BlockJob
    n_blocks: int
    network: NetworkSettings
    training: TrainingSettings
    spectra: SpectraSettings
    state: Path
    model: Path
    digest: str


def run(settings: Settings, client: "Client") -> StageReport:
    """Train the network on simulated single and composite spectra.

    The examples are simulated on all workers; one worker trains with all cores of its machine.
    A run that was stopped goes on from the last whole epoch.

    Parameters
    ----------
    settings : Settings
        ``training``, ``network``, ``spectra``, ``simulate``.
    client : distributed.Client
        Where to run.

    Returns
    -------
    StageReport
        Examples, epochs and the AUC on the validation part.
    """
    root = Root(settings.root.resolve())
    training = settings.training
    made_from = (training.seed, settings.simulate, settings.spectra)
    folder = root.path / "training" / f"blocks-{digest_of(*made_from)}"
    job = BlockJob(folder, *made_from)
    digest = digest_of(*made_from, settings.network, training)
    if _trained(root.model) != digest:
        n_blocks = _make_blocks(client, job, training.n_examples)
        state = root.path / "training" / f"state-{digest}"
        task = TrainingJob(
            job,
            n_blocks,
            settings.network,
            training,
            settings.spectra,
            state,
            root.model,
            digest,
        )
        client.submit(train_task, task, pure=False, retries=settings.cluster.retries).result()
    card = read_card(root.model)
    reached, n_seen = card.metrics["validation_auc"], int(card.metrics["n_validation"])
    return StageReport(
        "train",
        {"examples": training.n_examples, "best epoch": int(card.metrics["epoch"])},
        (f"model {card.model_id}: AUC {reached:.4f} on {n_seen} validation spectra",),
        (root.model,),
    )


def _trained(model: Path) -> str | None:
    try:
        return read_card(model).data_digest
    except CheckpointError:
        return None


def _make_blocks(client: "Client", job: BlockJob, wanted: int) -> int:
    # A few spectra a block fail the cleaning: ask for more blocks until there are enough.
    found, n_blocks = 0, 0
    while found < wanted:
        first, n_blocks = n_blocks, n_blocks + -(-(wanted - found) // BLOCK)
        with track("examples", n_blocks - first, 0, "blocks") as advance:
            for count in run_window(client, make_block, range(first, n_blocks), job):
                found += count
                advance()
    return n_blocks


def train_task(job: TrainingJob) -> str:
    """Train on one worker, with all cores of the machine; return the model's id."""
    import torch

    from pipeline.network.model import build_model
    from pipeline.network.trainer import train

    examples = read_examples(job.blocks, job.n_blocks, job.training.n_examples)
    n_validation = max(1, round(len(examples) * job.training.validation_share))
    validation = examples.take(slice(0, n_validation)).spectra
    training = examples.take(slice(n_validation, len(examples))).spectra
    n_pixel = WaveGrid.from_settings(job.spectra).n_pixel
    torch.set_num_threads(job.training.threads or len(os.sched_getaffinity(0)))
    torch.manual_seed(job.training.seed)
    model = build_model(job.network, n_pixel)
    result = train(model, job.training, training, validation, job.state)
    card = ModelCard(
        network=job.network,
        n_pixel=n_pixel,
        spectra=job.spectra,
        training=job.training,
        data=f"{len(training)} simulated spectra, half of them pairs; each its own star",
        data_digest=job.digest,
        split_seed=job.training.seed,
        metrics={**result.best, "n_validation": n_validation},
    )
    save_model(job.model, result.model, card)
    return read_card(job.model).model_id
