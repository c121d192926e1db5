"""The photometry of some shards: sources, distance, dust, intrinsic brightness."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.core.ledger import Done
from pipeline.core.parquet import read_files
from pipeline.core.parts import write_parts
from pipeline.core.pieces import Pieces
from pipeline.core.root import Root
from pipeline.photometry.distance import distances, zero_points
from pipeline.photometry.extinction import LAWS
from pipeline.photometry.intrinsic import Measured, intrinsic
from pipeline.photometry.lookup import align, read_values
from pipeline.photometry.nearest import choose_nearest
from pipeline.photometry.pairs import ROW, SEPARATION, read_pairs
from pipeline.photometry.positions import Floats
from pipeline.photometry.reddening import e_bv_from_map, open_dust_map
from pipeline.photometry.resolve import floats, optional, sources_path
from pipeline.photometry.targets import counted_observations
from pipeline.settings.photometry import PhotometrySettings
from schemas.photometry import PHOTOMETRY
from schemas.quality import PhotometryFlag

MAG_OF_RELATIVE_FLUX = 2.5 / np.log(10)
NO_MAG = 90.0
"""Magnitudes beyond this, either way, stand for a missing value (99, -999, -9999)."""

GEOMETRIC_COLUMNS = ("r_med_geo", "r_lo_geo", "r_hi_geo")
DESIGNATION = "original_ext_source_id"
"""Gaia's name for a 2MASS designation in its table of best neighbours."""


@dataclass(frozen=True)
class PhotometryJob:
    """What every task has in common.

    Parameters
    ----------
    root : Root
        Where to read and write.
    best : pathlib.Path
        Folder of the chosen Gaia sources.
    tmass_names : dict of str to str
        Canonical names of 2MASS's columns to the catalogue's own.
    neighbours, geometric, reddening : pathlib.Path or None
        Values joined by row: names of 2MASS sources, distances, E(B-V).
    settings : PhotometrySettings
        Laws and limits.
    pieces : Pieces
        Shards of each task.
    """

    root: Root
    best: Path
    tmass_names: dict[str, str]
    neighbours: Path | None
    geometric: Path | None
    reddening: Path | None
    settings: PhotometrySettings
    pieces: Pieces


def write_photometry(unit: int, files: list[Path], job: PhotometryJob) -> Done:
    """Write the photometry of some shards, a part for each.

    Parameters
    ----------
    unit : int
        Number of the piece.
    files : list of pathlib.Path
        Files that hold pairs of it with 2MASS.
    job : PhotometryJob
        Where to read and write.
    """
    shards = job.pieces.shards(unit)
    observed = counted_observations(shards, job.root)
    rows = observed["row"]
    gaia = align(read_files([sources_path(job.best, unit)], "photometry"), "row", rows)
    tmass = _tmass(read_pairs(shards, files), rows, job)
    columns: dict[str, Any] = {name: observed[name] for name in ("shard", "row", "obsid")}
    columns |= {
        "source_id": gaia["source_id"],
        "gaia_separation_arcsec": gaia["separation_arcsec"],
        "n_candidates": pc.fill_null(gaia["n_candidates"], 0),
        "tmass_designation": tmass["designation"],
        "tmass_separation_arcsec": tmass["separation_arcsec"],
    }
    columns |= _magnitudes(gaia, tmass)
    columns |= _astrometry(gaia, rows, job)
    columns |= _intrinsic(columns, _e_bv(gaia, rows, job), job.settings)
    columns["flags"] = flags = _flags(columns, gaia)
    arrays = [_array(columns[field.name], field.type) for field in PHOTOMETRY.schema]
    table = pa.Table.from_arrays(arrays, schema=PHOTOMETRY.schema)
    parts = write_parts(job.root, PHOTOMETRY, shards, table)
    counts = {"spectra": table.num_rows}
    counts |= {flag.name or "": int(np.sum(flags & flag.value > 0)) for flag in PhotometryFlag}
    counts["g_ks_0"] = table.num_rows - table["g_ks_0"].null_count
    counts["m_g"] = table.num_rows - table["m_g"].null_count
    # LAMOST gives 0 or -9999 where it has no id.
    own = pc.if_else(pc.greater(observed["gaia_source_id"], 0), observed["gaia_source_id"], None)
    differs = pc.not_equal(own, table["source_id"])
    counts["with_declared_id"] = len(differs) - differs.null_count
    counts["declared_id_differs"] = int(pc.sum(differs, min_count=0).as_py())
    return Done(counts, parts)


def _tmass(pairs: pa.Table | None, rows: pa.ChunkedArray, job: PhotometryJob) -> pa.Table:
    """Return the 2MASS source of each row: the one that Gaia names, else the nearest."""
    names = job.tmass_names
    if pairs is not None and job.neighbours is not None:
        named = read_values(job.neighbours, rows).append_column("row", rows)
        named = align(named, "row", pairs[ROW])[DESIGNATION]
        same = pc.equal(named, pairs[names["designation"]])
        pairs = pairs.filter(pc.fill_null(same, False))  # noqa: FBT003 (a value)
    if pairs is None or pairs.num_rows == 0:
        empty = {"designation": pa.nulls(len(rows), pa.string())}
        empty["separation_arcsec"] = pa.nulls(len(rows), pa.float64())
        return pa.table(empty)
    designation = pairs[names["designation"]].cast(pa.string())
    chosen = choose_nearest(
        pairs[ROW].to_numpy(),
        pairs[SEPARATION].to_numpy(),
        pc.rank(designation).to_numpy().astype(np.int64),
        np.full(pairs.num_rows, np.nan),
        np.zeros(pairs.num_rows, dtype=bool),
        0.0,
    )
    best = pairs.take(pa.array(chosen.pair))
    columns = {"row": best[ROW], "separation_arcsec": best[SEPARATION]}
    columns |= {name: best[own] for name, own in names.items()}
    columns["designation"] = columns["designation"].cast(pa.string())
    return align(pa.table(columns), "row", rows)


def _magnitudes(gaia: pa.Table, tmass: pa.Table) -> dict[str, Floats]:
    columns = {}
    for band in ("g", "bp", "rp"):
        columns[f"{band}_mag"] = _clean(optional(gaia, f"phot_{band}_mean_mag"))
        ratio = optional(gaia, f"phot_{band}_mean_flux_over_error")
        columns[f"{band}_mag_err"] = MAG_OF_RELATIVE_FLUX / np.where(ratio > 0, ratio, np.nan)
    for band, short in (("j", "j"), ("h", "h"), ("ks", "k")):
        columns[f"{band}_mag"] = _clean(optional(tmass, f"{short}_m"))
        columns[f"{band}_mag_err"] = _clean(optional(tmass, f"{short}_msigcom"))
    return columns


def _astrometry(gaia: pa.Table, rows: pa.ChunkedArray, job: PhotometryJob) -> dict[str, Any]:
    parallax, error = optional(gaia, "parallax"), optional(gaia, "parallax_error")
    zero = np.full(len(rows), np.nan)
    if job.settings.zero_point:
        zero = zero_points(
            optional(gaia, "phot_g_mean_mag"),
            optional(gaia, "nu_eff_used_in_astrometry"),
            optional(gaia, "pseudocolour"),
            optional(gaia, "ecl_lat"),
            optional(gaia, "astrometric_params_solved"),
        )
        zero = np.where(np.isfinite(parallax), zero, np.nan)
    given = gaia if job.geometric is None else read_values(job.geometric, rows)
    median, low, high = (optional(given, name) for name in GEOMETRIC_COLUMNS)
    found = distances(parallax, error, zero, (median, low, high), job.settings.min_parallax_snr)
    return {
        "gaia_ra_deg": optional(gaia, "ra"),
        "gaia_dec_deg": optional(gaia, "dec"),
        "ref_epoch_yr": optional(gaia, "ref_epoch"),
        "pm_ra_masyr": optional(gaia, "pmra"),
        "pm_dec_masyr": optional(gaia, "pmdec"),
        "parallax_mas": parallax,
        "parallax_err_mas": error,
        "zero_point_mas": zero,
        "ruwe": optional(gaia, "ruwe"),
        "distance_pc": found.distance_pc,
        "distance_err_pc": found.error_pc,
        "distance_source": found.source,
    }


def _e_bv(gaia: pa.Table, rows: pa.ChunkedArray, job: PhotometryJob) -> Floats:
    settings = job.settings
    if settings.reddening == "map":
        dust = open_dust_map(settings.dust_map, settings.dust_folder)
        return e_bv_from_map(dust, optional(gaia, "ra"), optional(gaia, "dec"))
    if job.reddening is not None:
        e_bv = floats(read_values(job.reddening, rows)[settings.reddening_column])
    else:
        e_bv = optional(gaia, "e_bv")
    return np.where(np.abs(e_bv) < NO_MAG, e_bv, np.nan)


def _intrinsic(columns: dict[str, Any], e_bv: Floats, settings: PhotometrySettings) -> Any:
    bands = {
        f"{band}{end}": columns[f"{band}_mag{end}"]
        for band in ("g", "bp", "rp", "ks")
        for end in ("", "_err")
    }
    stars = Measured(
        **bands,
        e_bv=e_bv,
        distance_pc=columns["distance_pc"],
        distance_err_pc=columns["distance_err_pc"],
    )
    return {"e_bv": e_bv} | vars(intrinsic(stars, LAWS[settings.extinction], settings.e_bv_error))


def _flags(columns: dict[str, Any], gaia: pa.Table) -> NDArray[np.int64]:
    blended = pc.fill_null(gaia["blended"], False)  # noqa: FBT003 (a value)
    bits = {
        PhotometryFlag.NO_GAIA: columns["source_id"].is_null().to_numpy(),
        PhotometryFlag.NO_TMASS: columns["tmass_designation"].is_null().to_numpy(),
        PhotometryFlag.BLENDED: blended.to_numpy(),
        PhotometryFlag.NO_REDDENING: np.isnan(columns["e_bv"]),
        PhotometryFlag.NO_ZERO_POINT: np.isnan(columns["zero_point_mas"]),
        PhotometryFlag.NO_DISTANCE: np.isnan(columns["distance_pc"]),
        PhotometryFlag.NO_COLOUR: np.isnan(columns["g_ks_0"]),
    }
    total = np.zeros(len(blended), dtype=np.int64)
    for flag, where in bits.items():
        total |= np.where(where, flag.value, 0)
    return total


def _clean(mag: Floats) -> Floats:
    return np.where(np.abs(mag) < NO_MAG, mag, np.nan)


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        return values.cast(kind).combine_chunks()
    return pa.array(values, from_pandas=True).cast(kind)
