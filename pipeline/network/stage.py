"""``pairspec train``: simulate labelled spectra, train the network on them, keep it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.window import run_window
from pipeline.network.job import TrainingJob, train_on_blocks, write_block
from pipeline.network.trainer import LOG
from pipeline.progress import track
from pipeline.root import Root
from pipeline.settings import Settings
from pipeline.simulate.examples import BLOCK
from pipeline.stage import StageReport

if TYPE_CHECKING:
    from distributed import Client


def run(settings: Settings, client: "Client") -> StageReport:
    """Simulate the examples, one task a block, then train in one task.

    Parameters
    ----------
    settings : Settings
        ``root``, ``simulate``, ``spectra``, ``network``, ``training``.
    client : distributed.Client
        Where to run; no spectra travel through it.

    Returns
    -------
    StageReport
        Spectra, epochs and what the network reached.

    Raises
    ------
    DivergedError
        When the training loss is not finite.
    """
    root = Root(settings.root.resolve())
    job = TrainingJob(
        root, settings.simulate, settings.spectra, settings.network, settings.training
    )
    n_blocks = _simulate(client, job, settings.cluster.retries)
    with track("train", job.training.max_epochs, _epochs(job.folder), "epochs") as advance:
        future = client.submit(train_on_blocks, n_blocks, job, pure=False, retries=0)
        _follow(future.done, job.folder, advance)
        card = future.result()
    metrics = card.metrics
    reached = (
        f"model {card.model_id}, epoch {metrics['epoch']:.0f}: validation AUC "
        f"{metrics['validation_auc']:.4f}, test AUC {metrics['test_auc']:.4f}"
    )
    return StageReport(
        stage="train",
        counts={"examples": job.training.n_examples, "epochs": _epochs(job.folder)},
        notes=(
            reached,
            "trained on simulated spectra: p_b of real ones needs training on real ones",
        ),
        outputs=(root.model, job.folder / LOG),
    )


def _simulate(client: "Client", job: TrainingJob, retries: int) -> int:
    """Write blocks until they hold enough examples; return how many."""
    wanted, found, n_blocks = job.training.n_examples, 0, 0
    while found < wanted:
        n_blocks += -(-(wanted - found) // BLOCK)
        pending = job.examples.pending(n_blocks)
        with track("simulate", n_blocks, n_blocks - len(pending), "blocks") as advance:
            for _ in run_window(client, write_block, pending, job, retries=retries):
                advance()
        found = job.examples.total(n_blocks)["examples"]
    return n_blocks


def _follow(done: Callable[[], bool], folder: Path, advance: Callable[[], None]) -> None:
    """Wait for the training, and show each epoch that its log gains."""
    seen = _epochs(folder)
    while not done():
        time.sleep(0.2)
        for _ in range(_epochs(folder) - seen):
            advance()
            seen += 1


def _epochs(folder: Path) -> int:
    log = folder / LOG
    return len(log.read_text().splitlines()) if log.exists() else 0
