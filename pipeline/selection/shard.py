"""The work of the selection: one partition of the observations, which is several shards."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.atomic import write_parquet
from pipeline.core.errors import MismatchError
from pipeline.core.ledger import Done
from pipeline.core.parquet import read_files
from pipeline.core.pieces import Pieces
from pipeline.core.root import Root
from pipeline.selection.cuts import APPLICATION, cut_bits, make_cuts
from pipeline.selection.release import PAPER_RELEASE
from pipeline.settings.sample import SampleSettings
from schemas.observations import OBSERVATIONS
from schemas.photometry import PHOTOMETRY
from schemas.quality import UNCOUNTED
from schemas.registry import MADE_BY
from schemas.sample import CUTS, SAMPLE
from schemas.table import Table

ROW_GROUP = 8192
"""Rows of a row group: who asks for one shard reads whole ones."""

_OBSERVED = ["shard", "row", "obsid", "snr_g", "teff_k", "logg", "feh", "data_release"]
_PHOTOMETRY = [
    "row", "source_id", "g_ks_0", "m_g", "m_g_err", "parallax_mas", "zero_point_mas", "flags",
]  # fmt: skip


@dataclass(frozen=True)
class SelectionJob:
    """What every partition of one selection has in common.

    Parameters
    ----------
    root : Root
        Where to read and write.
    settings : SampleSettings
        The cuts.
    pieces : Pieces
        Shards of each partition.
    """

    root: Root
    settings: SampleSettings
    pieces: Pieces


def read_candidates(unit: int, job: SelectionJob) -> pd.DataFrame:
    """Read the counted observations of some shards beside their photometry: one partition.

    Only the columns that are needed are read, and the filter on counted rows is the reader's.

    Raises
    ------
    MismatchError
        The photometry is not that of these observations.
    """
    counted = pc.bit_wise_and(pc.field("quality"), int(UNCOUNTED)) == 0
    root, shards = job.root, job.pieces.shards(unit)
    observed, photometry = (
        read_files([root.part(table, shard) for shard in shards], MADE_BY[table.name], *what)
        for table, *what in ((OBSERVATIONS, _OBSERVED, counted), (PHOTOMETRY, _PHOTOMETRY))
    )
    if not observed["row"].equals(photometry["row"]):
        raise MismatchError(
            f"{root.table(PHOTOMETRY)} has not the rows of the counted observations in shards "
            f"{shards[0]} to {shards[-1]}; run `pairspec photometry --root {root.path}` again"
        )
    # The release of each spectrum is only counted.
    release = pc.equal(observed["data_release"], PAPER_RELEASE).fill_null(False)  # noqa: FBT003
    parallax = pc.subtract(
        photometry["parallax_mas"],
        pc.fill_null(photometry["zero_point_mas"], pa.scalar(0, pa.float32())),
    )
    table = observed.drop_columns("data_release").append_column("paper_release", release)
    for name in ("source_id", "g_ks_0", "m_g", "m_g_err", "flags"):
        table = table.append_column(name, photometry[name])
    table = table.append_column("parallax_mas", parallax)
    # Ids with nulls must not become floats on the way.
    frame: pd.DataFrame = table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return frame


def select_partition(candidates: pd.DataFrame, unit: int, job: SelectionJob) -> Done:
    """Apply the cuts to one partition and write both of its tables.

    Parameters
    ----------
    candidates : pandas.DataFrame
        As from :func:`read_candidates`; empty where every file of the shards was refused.
    unit : int
        Number of the partition.
    job : SelectionJob
        Where to write, and the cuts.

    Returns
    -------
    Done
        Counts: spectra, those in the application and in the training sample, and those of the
        paper's release.
    """
    cuts = make_cuts(job.settings)
    frame = cut_bits(candidates, cuts)
    application = sum(int(cut.flag) for cut in cuts if cut.sample == APPLICATION)
    frame["training"] = frame["failed"] == 0
    sample = frame[(frame["failed"] & application) == 0]
    counts = {
        "spectra": len(frame),
        "sample": len(sample),
        "training": int(sample["training"].sum()),
        "paper_release": int(frame["paper_release"].sum()),
    }
    parts = []
    for rows, table in ((frame, CUTS), (sample, SAMPLE)):
        parts.append(job.root.span(table, job.pieces.shards(unit)))
        write_parquet(parts[-1], _as_table(rows, table), ROW_GROUP)
    return Done(counts, parts)


def _as_table(frame: pd.DataFrame, table: Table) -> pa.Table:
    columns = []
    for field in table.schema:
        values = frame[field.name]
        if pa.types.is_floating(field.type):
            columns.append(pa.array(values.to_numpy(np.float32), field.type, from_pandas=True))
        else:
            columns.append(pa.array(values, field.type))
    return pa.Table.from_arrays(columns, schema=table.schema)
