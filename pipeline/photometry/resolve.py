"""Which Gaia source each spectrum shows, and where 2MASS must have seen it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.atomic import write_parquet
from pipeline.core.ledger import Done
from pipeline.core.pieces import Pieces
from pipeline.core.root import Root
from pipeline.photometry.lookup import align
from pipeline.photometry.nearest import choose_nearest
from pipeline.photometry.pairs import ROW, SEPARATION, SHARD, read_pairs
from pipeline.photometry.positions import Floats, degrees, propagate
from pipeline.photometry.targets import counted_observations, make_targets, targets_path
from pipeline.settings.photometry import PhotometrySettings
from pipeline.tables.values import convert

GAIA_EPOCH_YR = 2016.0
"""Reference epoch of Gaia DR3, where a catalogue has no ``ref_epoch``."""


@dataclass(frozen=True)
class ResolveJob:
    """What every task has in common.

    Parameters
    ----------
    root : Root
        Where the observations are.
    best, stars : pathlib.Path
        Folders of the chosen sources, and of their places at 2MASS's epoch.
    names : dict of str to str
        Canonical names of Gaia's columns to the catalogue's own.
    settings : PhotometrySettings
        Radius, match, blends.
    declared : bool
        The ids in LAMOST's catalogue are of the release of the Gaia catalogue.
    pieces : Pieces
        Shards of each task.
    """

    root: Root
    best: Path
    stars: Path
    names: dict[str, str]
    settings: PhotometrySettings
    declared: bool
    pieces: Pieces


def resolve_piece(unit: int, files: list[Path], job: ResolveJob) -> Done:
    """Choose the Gaia source of each spectrum of some shards, and write it with its columns.

    Parameters
    ----------
    unit : int
        Number of the piece.
    files : list of pathlib.Path
        Files that hold pairs of it.
    job : ResolveJob
        Where to read and write.
    """
    shards = job.pieces.shards(unit)
    observed = counted_observations(shards, job.root)
    pairs = read_pairs(shards, files)
    table, repeated = _no_source(job), 0
    if pairs is not None:
        table, repeated = choose_sources(pairs, observed, job)
    outputs = (sources_path(job.best, unit), targets_path(job.stars, unit))
    write_parquet(outputs[0], table)
    write_parquet(outputs[1], _stars(table, job.settings.tmass_epoch_yr))
    counts = {"matched": table.num_rows, "repeated_sources": repeated}
    return Done(counts, outputs)


def sources_path(folder: Path, unit: int) -> Path:
    """Return the file of the chosen sources of one piece."""
    return folder / f"part-{unit:06d}.parquet"


def choose_sources(pairs: pa.Table, observed: pa.Table, job: ResolveJob) -> tuple[pa.Table, int]:
    """Choose the source of each observation that has candidates.

    Parameters
    ----------
    pairs : pyarrow.Table
        Pairs of sources and observations, with the catalogue's columns.
    observed : pyarrow.Table
        The observations.
    job : ResolveJob
        Names of the columns, and how to choose.

    Returns
    -------
    pyarrow.Table
        One row per observation: the source and its columns by canonical names.
    int
        Pairs that repeat a source of the same observation, and were left out.

    Raises
    ------
    InputError
        Ids that are no whole numbers.
    """
    own = job.names["source_id"]
    source_id = convert(pairs[own], pa.int64(), own, "the Gaia catalogue")
    # A source without an id cannot be told apart from others, so it is no candidate.
    pairs, source_id = pairs.filter(source_id.is_valid()), source_id.drop_null()
    preferred = np.zeros(pairs.num_rows, dtype=bool)
    if job.declared and job.settings.match == "declared_id":
        declared = align(observed, "row", pairs[ROW])["gaia_source_id"]
        same = pc.fill_null(pc.equal(declared, source_id), False)  # noqa: FBT003 (a value)
        preferred = same.to_numpy()
    chosen = choose_nearest(
        pairs[ROW].to_numpy(),
        pairs[SEPARATION].to_numpy(),
        source_id.to_numpy(),
        floats(pairs[job.names["phot_g_mean_mag"]]),
        preferred,
        job.settings.blend_mag,
    )
    best = pairs.take(pa.array(chosen.pair))
    columns = {
        "row": best[ROW],
        "shard": best[SHARD],
        "obsid": align(observed, "row", best[ROW])["obsid"],
        "separation_arcsec": best[SEPARATION].cast(pa.float64()),
        "n_candidates": pa.array(chosen.n_candidates),
        "blended": pa.array(chosen.blended),
        "source_id": source_id.take(pa.array(chosen.pair)),
    }
    measured = {
        name: best[own].cast(pa.float64()) for name, own in job.names.items() if name != "source_id"
    }
    return pa.table(columns | measured), chosen.n_repeated


def _no_source(job: ResolveJob) -> pa.Table:
    kinds = {
        "row": pa.int64(),
        "shard": pa.int32(),
        "obsid": pa.int64(),
        "separation_arcsec": pa.float64(),
        "n_candidates": pa.int64(),
        "blended": pa.bool_(),
        "source_id": pa.int64(),
    }
    measured = {name: pa.float64() for name in job.names if name != "source_id"}
    return pa.schema(list((kinds | measured).items())).empty_table()


def _stars(best: pa.Table, epoch_yr: float) -> pa.Table:
    """Return the chosen sources as targets at another epoch."""
    born = optional(best, "ref_epoch")
    years = epoch_yr - np.where(np.isfinite(born), born, GAIA_EPOCH_YR)
    moved = propagate(
        floats(best["ra"]),
        floats(best["dec"]),
        optional(best, "pmra"),
        optional(best, "pmdec"),
        years,
    )
    ra, dec = degrees(moved)
    return make_targets(best["row"], best["shard"], ra, dec, np.full(len(ra), epoch_yr))


def floats(column: pa.ChunkedArray) -> Floats:
    """Return a column as float64, NaN where it is null."""
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)


def optional(table: pa.Table, name: str) -> Floats:
    """Return a column as float64, NaN where it is null or the table lacks it."""
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    return floats(table[name])
