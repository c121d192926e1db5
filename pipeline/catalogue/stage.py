"""``pairspec catalogue``: from predictions per spectrum to one row per star."""

import json
from typing import Any

import pyarrow.parquet as pq

from pipeline.catalogue.assignment import assign
from pipeline.catalogue.hats import describe
from pipeline.catalogue.job import CatalogueJob
from pipeline.catalogue.spectra import write_spectra
from pipeline.catalogue.stars import write_stars
from pipeline.core.ledger import Done
from pipeline.core.published import NotReadyError, Published
from pipeline.core.report import StageReport
from pipeline.core.run import Run
from pipeline.evaluation.epochs import Combination
from pipeline.inference.quality import shown_bits
from pipeline.store.manifest import open_manifest
from schemas.catalogue import SPECTRA, STARS, UNPLACED


def run(run: Run) -> StageReport:
    """Write the catalogue of spectra, one part per block, and that of stars, one per HEALPix pixel.

    Parameters
    ----------
    run : Run
        Of it: ``catalogue``, ``inputs.gaia_release``, ``labels.log_age``.

    Returns
    -------
    StageReport
        Stars, spectra, stars above the thresholds of the paper, and with which quality bits.

    Raises
    ------
    MismatchError
        Predictions and catalogued spectra differ in number.
    """
    predicted, _ = run.needs()
    inputs = {name: run.uses(name) for name in ("photometry", "sample", "labels")}
    evaluation, notes = _evaluation(run)
    job = _job(run, inputs, evaluation)
    settings = run.settings
    digest = run.digest(
        predicted, settings.catalogue, settings.inputs.gaia_release, settings.labels.log_age,
        *inputs.values(), evaluation,
    )  # fmt: skip
    layout = run.once(assign, job, digest=digest, step="catalogue_assignment", on_worker=True)
    run.each(
        write_spectra, len(job.blocks), job, digest=digest, step="catalogue_spectra", of="blocks"
    )
    counts = run.each(
        write_stars, layout.counts["sweeps"] + 1, job, digest=digest, step="catalogue_stars",
        of="pieces of the sky",
    )  # fmt: skip
    run.once(_describe, run, job, digest=digest)
    run.balance(predicted.counts["spectra"], counts["spectra"], "predictions", "catalogue_stars")
    shown = {
        "stars": counts["stars"],
        "spectra": counts["spectra"],
        "stars with p_b > 0.5": counts["above_0.5"],
        "stars with p_b > 0.8": counts["above_0.8"],
    }
    if counts["without_position"]:
        shown["without position"] = counts["without_position"]
    outputs = (run.root.table(STARS).parent, run.root.table(SPECTRA), run.root.table(UNPLACED))
    return run.publish(
        digest, counts, shown=shown | shown_bits(counts), notes=notes, outputs=outputs
    )


def _evaluation(run: Run) -> tuple[Published | None, tuple[str, ...]]:
    """Return the evaluation if it is of these predictions, and what a user should know."""
    without = "p_b_combined is null"
    try:
        evaluation = run.uses("evaluation")
    except NotReadyError as error:
        return None, (f"{error}; until then {without}",)
    if evaluation is None or "combination" not in _report(run):
        return None, (f"no evaluation: {without}; run `pairspec evaluate` to have it",)
    return evaluation, ()


def _report(run: Run) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(run.root.evaluation.read_bytes())
    return content


def _job(
    run: Run, inputs: dict[str, Published | None], evaluation: Published | None
) -> CatalogueJob:
    settings, root = run.settings, run.root
    manifest = open_manifest(root.manifest)
    combination = None
    if evaluation is not None:
        combination = Combination.from_report(_report(run)["combination"])
    return CatalogueJob(
        root,
        settings.catalogue,
        manifest.n_shards,
        manifest.shard_rows,
        settings.inputs.gaia_release is not None,
        has_photometry=inputs["photometry"] is not None,
        has_sample=inputs["sample"] is not None,
        has_labels=inputs["labels"] is not None,
        log_age=settings.labels.log_age,
        combination=combination,
    )


def _describe(run: Run, job: CatalogueJob) -> Done:
    pixels = [pixel for sweep in job.sweeps() for pixel in sweep]
    folder = run.root.table(STARS).parent
    rows = [(pixel, pq.read_metadata(pixel.path(folder / "dataset")).num_rows) for pixel in pixels]
    return Done({"partitions": len(pixels)}, describe(folder, rows, job.settings.part_stars))
