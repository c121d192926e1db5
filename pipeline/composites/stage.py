"""``pairspec composites``: sums of the survey's own single stars, as training examples."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq

from cluster.window import run_window
from pipeline.composites.block import CompositeJob, composite_folder, write_composites
from pipeline.composites.pool import find_dwarfs
from pipeline.core.atomic import sweep, write_parquet
from pipeline.core.digest import digest_of
from pipeline.core.progress import track
from pipeline.core.published import NotReadyError, publish, published
from pipeline.core.root import Root
from pipeline.core.stage import StageReport
from pipeline.labels.split import PARTS
from pipeline.settings.load import Settings
from schemas.composites import COMPOSITE_POOL

if TYPE_CHECKING:
    from distributed import Client


def run(settings: Settings, client: "Client") -> StageReport:
    """Find the single dwarfs, then add up their spectra, one task a block.

    Parameters
    ----------
    settings : Settings
        ``root``, ``composites``, ``sample``, ``labels``, ``spectra``, ``simulate.population``.
    client : distributed.Client
        Where to run; no spectra travel through it.

    Returns
    -------
    StageReport
        Stars of the pool, and composites by part.

    Raises
    ------
    PairingError
        The stars of a block make no couple.
    """
    root = Root(settings.root.resolve())
    sweep(root.path / "composites")
    pool_digest, labelled = _write_pool(settings, root)
    digest = digest_of(
        pool_digest, settings.composites, settings.simulate.population, settings.spectra
    )
    job = CompositeJob(
        root, digest, settings.composites, settings.simulate.population, settings.spectra
    )
    n_units = len(job.units())
    pending = job.ledger.pending(n_units)
    with track("composites", n_units, n_units - len(pending), "blocks") as advance:
        retries = settings.cluster.retries
        for _ in run_window(client, write_composites, pending, job, retries=retries):
            advance()
    counts = job.ledger.total(n_units)
    publish(root.path, "composites", digest, counts)
    return StageReport(
        "composites",
        _pool_counts(root) | {part: counts.get(part, 0) for part in PARTS},
        tuple(_notes(counts, labelled=labelled)),
        tuple(composite_folder(root, digest, part) for part in PARTS if counts.get(part)),
    )


def _write_pool(settings: Settings, root: Root) -> tuple[str, bool]:
    """Write the table of the pool, unless it is there; return its digest, and if it is labelled."""
    observed = published(root.path, "observations", "ingest")
    try:
        labels = published(root.path, "labels", "label").digest
    except NotReadyError:
        labels = None
    limits = settings.composites.model_dump(
        include={"feh_min", "pool_snr_min", "log_age"}, mode="json"
    )
    trust_ids = settings.inputs.gaia_release is not None
    digest = digest_of(
        observed.digest, labels, limits, settings.sample, settings.labels,
        settings.catalogue.star_radius_arcsec, trust_ids,
    )  # fmt: skip
    ledger = root.ledger("composite_pool", digest)
    if ledger.read(0) is None:
        table = find_dwarfs(
            root,
            settings.composites,
            settings.sample,
            settings.labels,
            labelled=labels is not None,
            star_radius_arcsec=settings.catalogue.star_radius_arcsec,
            trust_ids=trust_ids,
        )
        write_parquet(root.path / COMPOSITE_POOL.location, table)
        ledger.write(0, {"spectra": table.num_rows})
    return digest, labels is not None


def _pool_counts(root: Root) -> dict[str, int]:
    pool = pq.read_table(root.path / COMPOSITE_POOL.location, columns=["star"], partitioning=None)
    stars = int(np.unique(pool["star"].to_numpy()).size)
    return {"stars of the pool": stars, "spectra of the pool": pool.num_rows}


def _notes(counts: dict[str, int], *, labelled: bool) -> list[str]:
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
