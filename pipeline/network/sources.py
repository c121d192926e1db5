"""Makes the blocks of examples that are still missing, and lists them."""

from pathlib import Path

from pipeline.composites.block import composite_files
from pipeline.core.errors import InputError
from pipeline.core.published import NotReadyError
from pipeline.core.run import Run
from pipeline.labels.split import PARTS
from pipeline.network.domain import PARAMETERS
from pipeline.network.job import Sources, TrainingJob, write_block
from pipeline.network.label_block import label_block_path, write_label_block
from pipeline.simulate.examples import BLOCK
from pipeline.store.manifest import open_manifest


def make_sources(run: Run, job: TrainingJob) -> tuple[Sources, dict[str, int]]:
    """Write the missing blocks of the sources in use; return their files and counts.

    Parameters
    ----------
    run : Run
        Of the stage that trains.
    job : TrainingJob
        What is trained.

    Raises
    ------
    NotReadyError
        The files of published composites are not there.
    InputError
        A part has no composites, and they are all there is.
    """
    if job.training.source == "simulated":
        files = _simulate(run, job)
        return Sources(simulated=files), {"examples": job.training.n_examples}
    composites = _composites(job) if job.training.composite_share else ()
    if job.training.composite_share == 1:
        return Sources(composites=composites), {"blocks": sum(map(len, composites))}
    root, spectra = job.root, job.spectra
    n_shards = open_manifest(root.manifest).n_shards
    digest = run.digest(*run.needs("labels", "observations"), spectra, PARAMETERS)
    chunk_rows = run.settings.ingest.chunk_rows
    counts = run.each(
        write_label_block, n_shards, root, digest, spectra, chunk_rows, digest=digest,
        step="prepare",
    )  # fmt: skip
    run.require_sound(n_shards, digest=digest, step="prepare")
    labelled = tuple(label_block_path(root, digest, shard) for shard in range(n_shards))
    return Sources(labelled=labelled, composites=composites), counts


def _composites(job: TrainingJob) -> tuple[tuple[Path, ...], ...]:
    """List the blocks of composites, a tuple per part."""
    files = tuple(tuple(composite_files(job.root, part)) for part in PARTS)
    if not files[0]:
        folder = job.root.path / "composites"
        raise NotReadyError(f"{folder} holds no blocks; run `pairspec composites` again")
    for part, found in zip(PARTS, files, strict=True):
        if not found and job.training.composite_share == 1:
            raise InputError(
                f"there are no composites of the {part} part to train with: set "
                f"composites.{part}_couples above 0 and run `pairspec composites` again"
            )
    return files


def _simulate(run: Run, job: TrainingJob) -> tuple[Path, ...]:
    """Write blocks until they hold enough examples; list them."""
    wanted, found, n_blocks = job.training.n_examples, 0, 0
    while found < wanted:
        n_blocks += -(-(wanted - found) // BLOCK)
        done = run.each(
            write_block, n_blocks, job, digest=job.examples_digest, step="examples", of="blocks"
        )
        found = done["examples"]
    run.require_sound(n_blocks, digest=job.examples_digest, step="examples")
    return tuple(job.block(number) for number in range(n_blocks))
