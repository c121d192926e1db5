"""Observations as targets of the cross-match: where and when each counted spectrum was taken."""

from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.atomic import write_parquet
from pipeline.core.parquet import read_files
from pipeline.core.pieces import Pieces
from pipeline.core.root import Root
from pipeline.photometry.positions import julian_year
from schemas.observations import OBSERVATIONS
from schemas.quality import UNCOUNTED
from schemas.registry import MADE_BY

TARGETS = pa.schema(
    [
        ("target_row", pa.int64()),
        ("target_shard", pa.int32()),
        ("target_ra_deg", pa.float64()),
        ("target_dec_deg", pa.float64()),
        ("target_epoch_yr", pa.float64()),
    ]
)

POSITION = ("target_ra_deg", "target_dec_deg")

_COLUMNS = ["shard", "row", "obsid", "ra_deg", "dec_deg", "mjd_utc", "lmjd", "gaia_source_id"]


def counted_observations(shards: range, root: Root) -> pa.Table:
    """Read the counted observations of some shards, in order of row."""
    counted = pc.equal(pc.bit_wise_and(pc.field("quality"), int(UNCOUNTED)), 0)
    parts = [root.part(OBSERVATIONS, shard) for shard in shards]
    return read_files(parts, MADE_BY[OBSERVATIONS.name], _COLUMNS, counted).sort_by("row")


def observed_targets(
    shards: range, root: Root, epoch: Literal["observation"] | float, missing_yr: float
) -> pa.Table:
    """Return the targets of some shards: those with a position, at their epochs.

    Parameters
    ----------
    shards : range
        Shards of the store.
    root : Root
        Where the observations are.
    epoch : float or str
        One epoch in years for all, or ``observation``.
    missing_yr : float
        Epoch of an observation without a date.
    """
    table = counted_observations(shards, root)
    ra, dec, mjd, night = (
        _floats(table[name]) for name in ("ra_deg", "dec_deg", "mjd_utc", "lmjd")
    )
    year = julian_year(np.where(np.isfinite(mjd), mjd, night))
    year = np.where(np.isfinite(year), year, missing_yr)
    if epoch != "observation":
        year = np.full(len(year), epoch)
    return make_targets(
        table["row"], table["shard"], np.mod(np.where(np.isfinite(ra), ra, np.nan), 360), dec, year
    )


def make_targets(
    row: pa.ChunkedArray,
    shard: pa.ChunkedArray,
    ra_deg: NDArray[np.float64],
    dec_deg: NDArray[np.float64],
    epoch_yr: NDArray[np.float64],
) -> pa.Table:
    """Return targets, without those that have no position on the sphere.

    Parameters
    ----------
    row : pyarrow.ChunkedArray
        Row of the store.
    shard : pyarrow.ChunkedArray
        Shard of the store.
    ra_deg : ndarray of float64, (B,)
        Right ascension in degrees.
    dec_deg : ndarray of float64, (B,)
        Declination in degrees.
    epoch_yr : ndarray of float64, (B,)
        Epoch in Julian years.
    """
    columns = [row.combine_chunks(), shard.combine_chunks(), ra_deg, dec_deg, epoch_yr]
    table = pa.table(columns, names=TARGETS.names).cast(TARGETS)
    known = np.isfinite(ra_deg) & (np.abs(dec_deg) <= 90)
    return table.filter(pa.array(known))


def positions(targets: pa.Table) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return right ascensions and declinations of targets in degrees."""
    return targets["target_ra_deg"].to_numpy(), targets["target_dec_deg"].to_numpy()


def targets_path(folder: Path, unit: int) -> Path:
    """Return the file of the targets of one piece."""
    return folder / f"part-{unit:06d}.parquet"


def write_targets(
    unit: int,
    pieces: Pieces,
    folder: Path,
    root: Root,
    epoch: Literal["observation"] | float,
    missing_yr: float,
) -> tuple[int, float, float]:
    """Write the targets of some shards.

    Parameters
    ----------
    unit : int
        Number of the piece.
    pieces : Pieces
        Shards of each.
    folder : pathlib.Path
        Folder of the targets.
    root : Root
        Where the observations are.
    epoch : float or str
        As in `observed_targets`.
    missing_yr : float
        Epoch of an observation without a date.

    Returns
    -------
    tuple
        Number of targets, and their first and last epoch in years (NaN without targets).
    """
    table = observed_targets(pieces.shards(unit), root, epoch, missing_yr)
    write_parquet(targets_path(folder, unit), table)
    year = table["target_epoch_yr"].to_numpy()
    if not len(year):
        return 0, np.nan, np.nan
    return table.num_rows, float(year.min()), float(year.max())


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
