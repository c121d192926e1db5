"""Makes the blocks of examples that are still missing, and lists them."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.window import run_window
from pipeline.composites.block import composite_files
from pipeline.core.digest import digest_of
from pipeline.core.progress import track
from pipeline.core.published import NotReadyError, published
from pipeline.core.root import Root
from pipeline.labels.split import PARTS
from pipeline.network.job import Sources, TrainingJob, write_block
from pipeline.network.label_block import label_block_path, write_label_block
from pipeline.settings.load import Settings
from pipeline.simulate.examples import BLOCK
from pipeline.store.manifest import open_manifest

if TYPE_CHECKING:
    from distributed import Client


def source_digest(settings: Settings, root: Root) -> str:
    """Digest of the survey's labels and composites, as far as they are used.

    Raises
    ------
    NotReadyError
        They have not been made; the message names the command that makes them.
    """
    training = settings.training
    if training.source == "simulated":
        return ""
    digests: list[str] = []
    if training.composite_share < 1:
        try:
            digests.append(published(root.path, "labels", "label").digest)
        except NotReadyError as error:
            raise NotReadyError(
                f"{error}, or train on simulated spectra with --set training.source=simulated"
            ) from None
        digests.append(published(root.path, "observations", "ingest").digest)
    if training.composite_share > 0:
        digests.append(published(root.path, "composites", "composites").digest)
    return digest_of(*digests)


def make_sources(
    settings: Settings, client: "Client", job: TrainingJob
) -> tuple[Sources, dict[str, int]]:
    """Write the missing blocks of the sources in use; return their files and counts.

    Raises
    ------
    NotReadyError
        The files of published composites are not there.
    """
    retries = settings.cluster.retries
    if job.training.source == "simulated":
        n_blocks = _simulate(client, job, retries)
        files = tuple(job.block(i) for i in range(n_blocks))
        return Sources(simulated=files), {"examples": job.training.n_examples}
    composites = _composites(job) if job.training.composite_share else ()
    if job.training.composite_share == 1:
        return Sources(composites=composites), {"blocks": sum(map(len, composites))}
    root = job.root
    n_shards = open_manifest(root.path / "manifest.parquet").n_shards
    labels = published(root.path, "labels", "label").digest
    observed = published(root.path, "observations", "ingest").digest
    ledger = root.ledger("training_cache", digest_of(labels, observed, job.spectra))
    pending = ledger.pending(n_shards)
    work = partial(
        write_label_block,
        root=root,
        ledger=ledger,
        spectra=job.spectra,
        block_rows=settings.ingest.chunk_rows,
    )
    with track("prepare", n_shards, n_shards - len(pending), "shards") as advance:
        for _ in run_window(client, work, pending, retries=retries):
            advance()
    files = tuple(label_block_path(root, ledger, i) for i in range(n_shards))
    return Sources(labelled=files, composites=composites), ledger.total(n_shards)


def _composites(job: TrainingJob) -> tuple[tuple[Path, ...], ...]:
    """List the blocks of composites, a tuple a part."""
    files = tuple(tuple(composite_files(job.root, part)) for part in PARTS)
    if not files[0]:
        folder = job.root.path / "composites"
        raise NotReadyError(f"{folder} holds no blocks; run `pairspec composites` again")
    return files


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
