"""``pairspec composites``: sums of the survey's own single stars, as training examples."""

from collections.abc import Mapping

import numpy as np

from pipeline.composites.block import CompositeJob, composite_folder, write_composites
from pipeline.composites.pool import find_dwarfs
from pipeline.core.atomic import write_parquet
from pipeline.core.ledger import Done
from pipeline.core.parquet import read_table
from pipeline.core.report import StageReport
from pipeline.core.root import Root
from pipeline.core.run import Run
from pipeline.labels.split import PARTS
from schemas.composites import COMPOSITE_POOL


def run(run: Run) -> StageReport:
    """Find the single dwarfs, then add up their spectra, one task per block.

    Parameters
    ----------
    run : Run
        Of it: ``composites``, ``sample``, ``labels``, ``spectra``, ``simulate.population``.

    Returns
    -------
    StageReport
        Stars of the pool, and composites by part.

    Raises
    ------
    PairingError
        The stars of a block make no couple.
    """
    root, settings = run.root, run.settings
    pool_digest, labelled = _make_pool(run)
    digest = run.digest(
        pool_digest, settings.composites, settings.simulate.population, settings.spectra
    )
    job = CompositeJob(
        root, digest, settings.composites, settings.simulate.population, settings.spectra
    )
    counts = run.each(write_composites, len(job.units()), job, digest=digest, of="blocks")
    return run.publish(
        digest,
        counts,
        shown=_pool_counts(root) | {part: counts.get(part, 0) for part in PARTS},
        notes=_notes(counts, labelled=labelled),
        outputs=(composite_folder(root, digest, part) for part in PARTS if counts.get(part)),
    )


def _make_pool(run: Run) -> tuple[str, bool]:
    """Write the table of the pool; return its digest, and whether its stars are labelled."""
    settings = run.settings
    (observed,) = run.needs()
    labels = run.uses("labels")
    limits = settings.composites.model_dump(
        include={"feh_min", "pool_snr_min", "pool_logg_min", "log_age"}, mode="json"
    )
    trust_ids = settings.inputs.gaia_release is not None
    digest = run.digest(
        observed, labels, limits, settings.sample, settings.labels,
        settings.catalogue.star_radius_arcsec, trust_ids,
    )  # fmt: skip
    run.once(_write_pool, run, labels is not None, trust_ids, digest=digest, step="composite_pool")
    return digest, labels is not None


def _write_pool(run: Run, labelled: bool, trust_ids: bool) -> Done:
    settings, path = run.settings, run.root.table(COMPOSITE_POOL)
    table = find_dwarfs(
        run.root,
        settings.composites,
        settings.sample,
        settings.labels,
        labelled=labelled,
        star_radius_arcsec=settings.catalogue.star_radius_arcsec,
        trust_ids=trust_ids,
    )
    write_parquet(path, table)
    return Done({"spectra": table.num_rows}, (path,))


def _pool_counts(root: Root) -> dict[str, int]:
    pool = read_table(root.table(COMPOSITE_POOL), COMPOSITE_POOL, ["star"])
    stars = int(np.unique(pool["star"].to_numpy()).size)
    return {"stars of the pool": stars, "spectra of the pool": pool.num_rows}


def _notes(counts: Mapping[str, int], *, labelled: bool) -> list[str]:
    notes = []
    if not labelled:
        notes.append(
            "no labels: every dwarf counts as single, unresolved pairs too; "
            "`pairspec label` tells them apart"
        )
    if counts.get("missing"):
        notes.append(
            f"{counts['missing']:,} composites fewer than wanted: their united masks are too "
            "large or their sums too faint"
        )
    return notes
