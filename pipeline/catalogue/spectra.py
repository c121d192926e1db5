"""The catalogue of spectra: what every table of the run knows of one, side by side."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.catalogue.job import CatalogueJob
from pipeline.core.atomic import write_parquet
from pipeline.core.errors import MismatchError
from pipeline.core.ledger import Done
from pipeline.core.parquet import read_files, read_shards
from pipeline.photometry.assignment import star_ids
from pipeline.photometry.lookup import align
from schemas.catalogue import HEALPIX, PREDICTIONS, SPECTRA
from schemas.observations import OBSERVATIONS
from schemas.photometry import PHOTOMETRY
from schemas.quality import PhotometryFlag, QualityFlag
from schemas.registry import MADE_BY
from schemas.sample import LABELS, SAMPLE
from schemas.table import Table, conform

ROW_GROUP = 16_384
"""Most rows of a row group."""

UNPLACED_LAST = np.iinfo(np.int64).max
"""Takes the place of a missing HEALPix index in the order."""


def write_spectra(block: int, job: CatalogueJob) -> Done:
    """Write the spectra of one block of shards, ordered by the place of their stars.

    Parameters
    ----------
    block : int
        Number of the block.
    job : CatalogueJob
        Where to read and write.

    Returns
    -------
    Done
        Count: spectra.

    Raises
    ------
    MismatchError
        Predictions and spectra with a star differ.
    """
    shards = job.blocks.shards(block)
    # The star's source may come from another of its spectra, the prediction's may not.
    table = _parts(PREDICTIONS, job, shards).drop_columns("source_id")
    rows = table["row"]
    assigned = read_files([job.assignment(block)], "catalogue")
    if assigned.num_rows != table.num_rows:
        raise MismatchError(
            f"{table.num_rows} predictions but {assigned.num_rows} spectra with a star in "
            f"{job.assignment(block)}: delete it and run `pairspec catalogue` again"
        )
    names = star_ids(assigned["source_id"], assigned["star_id"])
    assigned = assigned.set_column(assigned.column_names.index("star_id"), "star_id", names)
    found = [table, align(assigned, "row", rows), align(_observed(job, shards), "row", rows)]
    if job.has_photometry:
        found.append(align(_photometry(job, shards), "row", rows))
    if job.has_labels:
        found.append(align(_parts(LABELS, job, shards), "row", rows))
    columns: dict[str, pa.ChunkedArray] = {}
    for one in found:
        columns |= {name: one[name] for name in one.column_names if name not in columns}
    if job.has_sample:
        inside = read_shards(job.root, SAMPLE, shards, ["row"])["row"].combine_chunks()
        columns["in_sample"] = pc.is_in(rows, value_set=inside)
    columns["quality"] = _with_photometry_bits(columns, job.settings.far_pc)
    n = table.num_rows
    arrays = [columns.get(f.name, pa.nulls(n, f.type)) for f in SPECTRA.schema]
    whole = pa.Table.from_arrays(arrays, names=SPECTRA.names)
    index = pc.fill_null(whole[HEALPIX], UNPLACED_LAST).to_numpy()
    order = np.lexsort((rows.to_numpy(), index))
    part = job.root.part(SPECTRA, block)
    # A task that makes stars reads the row groups of its piece of the sky, and none in part.
    borders = [sweep[0].first for sweep in job.sweeps()] + [UNPLACED_LAST]
    edges = np.searchsorted(index[order], borders).tolist()
    write_parquet(part, conform(whole.take(pa.array(order)), SPECTRA), ROW_GROUP, edges=edges)
    return Done({"spectra": n}, (part,))


def _parts(
    table: Table, job: CatalogueJob, shards: range, columns: list[str] | None = None
) -> pa.Table:
    """Read the parts of some shards of a table."""
    parts = [job.root.part(table, shard) for shard in shards]
    return read_files(parts, MADE_BY[table.name], columns)


def _observed(job: CatalogueJob, shards: range) -> pa.Table:
    names = [name for name in SPECTRA.names if name in OBSERVATIONS.names]
    return _parts(OBSERVATIONS, job, shards, names)


def _photometry(job: CatalogueJob, shards: range) -> pa.Table:
    names = [name for name in SPECTRA.names if name in PHOTOMETRY.names and name != "source_id"]
    table = _parts(PHOTOMETRY, job, shards, [*names, "bp_mag", "rp_mag"])
    return table.append_column("bp_rp_mag", pc.subtract(table["bp_mag"], table["rp_mag"]))


def _with_photometry_bits(columns: dict[str, pa.ChunkedArray], far_pc: float) -> pa.Array:
    quality = columns["quality"].to_numpy().astype(np.int32)
    if "flags" in columns:
        flags = pc.fill_null(columns["flags"], 0).to_numpy()
        blended = (flags & int(PhotometryFlag.BLENDED)) != 0
        distance = pc.fill_null(columns["distance_pc"], 0.0).to_numpy()
        quality |= np.where(blended, int(QualityFlag.BLENDED), 0).astype(np.int32)
        quality |= np.where(distance > far_pc, int(QualityFlag.SUSPECT_DISTANCE), 0).astype("i4")
    return pa.array(quality)
