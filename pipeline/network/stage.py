"""``pairspec train``: make the examples ready, train the network on them, keep it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.gang import GangOptions, run_gang
from cluster.workers import natural_ranks
from pipeline.core.ledger import Done
from pipeline.core.progress import track
from pipeline.core.report import StageReport
from pipeline.core.run import Run
from pipeline.network.card import CARD
from pipeline.network.checkpoint import WEIGHTS
from pipeline.network.curve import write_curve
from pipeline.network.diagram import write_diagram
from pipeline.network.domain import STARS
from pipeline.network.inputs import source_digest, wanted_teacher
from pipeline.network.job import TrainingJob, train_rank
from pipeline.network.model import build_model
from pipeline.network.novelty import NOVELTY
from pipeline.network.pair_fit import PAIR_FIT
from pipeline.network.sources import make_sources
from pipeline.network.tensorboard import require_tensorboard
from pipeline.network.trainer import LOG
from pipeline.settings.training import TrainingSettings

if TYPE_CHECKING:
    from distributed import Client

CURVE = "training.png"
DIAGRAM = "network.png"


def run(run: Run) -> StageReport:
    """Bring the examples into network form, one task per block, then train as a gang.

    Parameters
    ----------
    run : Run
        Of it: ``simulate``, ``spectra``, ``network``, ``training``, ``ingest.chunk_rows``. No
        spectra travel through its client.

    Returns
    -------
    StageReport
        Spectra, epochs and what the network reached.

    Raises
    ------
    NotReadyError
        There are no labels, or no composites.
    ArithmeticError, RankError
        When the training loss is not finite: with one rank, with several.
    GangError
        Too few workers, or lost too often.
    """
    settings, training = run.settings, run.settings.training
    if training.tensorboard:
        require_tensorboard()
    job = TrainingJob(
        run.root,
        settings.simulate,
        settings.spectra,
        settings.network,
        training,
        source_digest(run),
        settings.labels.seed if training.source == "labels" else training.seed,
        wanted_teacher(run),
        settings.composites,
    )
    done = run.once(_train, run, job, digest=job.digest)
    outputs = (run.root.model, job.folder / LOG, run.root.reports / CURVE)
    return run.publish(job.digest, done.counts, notes=done.notes, outputs=outputs)


def _train(run: Run, job: TrainingJob) -> Done:
    sources, counts = make_sources(run, job)
    log, curve, model = job.folder / LOG, run.root.reports / CURVE, run.root.model
    losses: list[str] = []
    with followed(log, job.training.max_epochs):
        results = run_gang(
            run.client,
            train_rank,
            job,
            sources,
            options=gang_options(job.training, run.client),
            notify=losses.append,
        )
    card, notes = results[0]
    drawn = write_diagram(build_model(card.network, card.n_pixel), run.root.reports / DIAGRAM)
    figures = [*write_curve(log, curve), *drawn]
    metrics = card.metrics
    reached = (
        f"model {card.model_id}, epoch {metrics['epoch']:.0f}: validation AUC "
        f"{metrics['validation_auc']:.4f}"
    )
    if "test_auc" in metrics:
        reached += f", test AUC {metrics['test_auc']:.4f}"
    if card.pair_fit_sha256:
        reached += (
            f"; validation AUC with the fit of pairs {metrics['validation_auc_with_fit']:.4f}"
        )
    simulated = "trained on simulated spectra: p_b of real ones needs training on real ones"
    named = ((NOVELTY, card.novelty_sha256), (PAIR_FIT, card.pair_fit_sha256))
    told = tuple(model / name for name, sha256 in named if sha256)
    return Done(
        counts | {"ranks": len(results), "epochs": _epochs(log)},
        (model / WEIGHTS, model / STARS, *told, model / CARD, *figures),
        (reached, *((simulated,) if job.training.source == "simulated" else ()), *losses, *notes),
    )


def gang_options(training: TrainingSettings, client: "Client") -> GangOptions:
    """Tell the gang what the settings say of it."""
    return GangOptions(
        ranks=training.ranks or natural_ranks(client, use_gpu=training.device != "cpu"),
        min_ranks=training.min_ranks,
        max_restarts=training.max_restarts,
        rejoin_s=training.rejoin_s,
        timeout_s=training.peer_timeout_s,
        backend="cpu" if training.device == "cpu" else "auto",
    )


@contextmanager
def followed(log: Path, max_epochs: int) -> Iterator[None]:
    """Show each epoch that a training's log gains."""
    stop = threading.Event()
    with track("train", max_epochs, _epochs(log), "epochs") as advance:
        thread = threading.Thread(target=_follow, args=(log, stop, advance), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def _follow(log: Path, stop: threading.Event, advance: Callable[[], None]) -> None:
    seen = _epochs(log)
    while not stop.wait(0.2):
        for _ in range(_epochs(log) - seen):
            advance()
            seen += 1


def _epochs(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0
