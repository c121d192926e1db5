"""From headers to observations: duplicates marked, the stellar catalogue joined by exposure."""

from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from pipeline.core.atomic import write_parquet
from pipeline.core.ledger import Done
from pipeline.core.parquet import CHECKED, read_table
from pipeline.core.root import Root
from pipeline.spectra.velocity import SPEED_OF_LIGHT_KMS
from schemas.observations import DUPLICATES, HEADERS, OBSERVATIONS
from schemas.quality import QualityFlag

_CATALOGUE = [
    "snr_u", "snr_g", "snr_r", "snr_i", "snr_z", "teff_k", "teff_err_k", "logg", "logg_err",
    "feh", "feh_err", "z", "rv_kms", "rv_err_kms", "gaia_source_id", "uid",
]  # fmt: skip
_EXPOSURE = ["lmjd", "planid", "spid", "fiberid"]


@dataclass(frozen=True)
class ObservationsJob:
    """What every part of the observations has in common.

    Parameters
    ----------
    root : Root
        Where to read and write.
    catalogue : pathlib.Path or None
        Catalogue in Parquet, canonical columns.
    """

    root: Root
    catalogue: Path | None


def write_observations(shard: int, job: ObservationsJob) -> Done:
    """Write the observations of one shard.

    Returns
    -------
    Done
        Counts: rows, superseded, matched (to the catalogue), refused.
    """
    headers = read_table(job.root.part(HEADERS, shard), HEADERS).to_pandas(
        types_mapper=pd.ArrowDtype
    )
    found = match_catalogue(headers, job.catalogue)
    rows = (pc.field("row") >= headers["row"].min()) & (pc.field("row") <= headers["row"].max())
    duplicates = read_table(job.root.table(DUPLICATES), DUPLICATES, ["row"], rows)
    table = combine(headers, found, set(duplicates["row"].to_pylist()))
    part = job.root.part(OBSERVATIONS, shard)
    write_parquet(part, table)
    quality = table["quality"]
    counts = {
        "rows": table.num_rows,
        "superseded": _count(quality, QualityFlag.SUPERSEDED),
        "refused": _count(quality, QualityFlag.REFUSED),
        "without_catalogue": _count(quality, QualityFlag.NO_CATALOGUE),
    }
    return Done(counts, (part,))


def match_catalogue(headers: pd.DataFrame, catalogue: Path | None) -> pd.DataFrame:
    """Find the catalogue's row of every exposure: by OBSID, else by night, plan and fibre.

    Parameters
    ----------
    headers : pandas.DataFrame
        Rows of one shard.
    catalogue : pathlib.Path or None
        Catalogue in Parquet.

    Returns
    -------
    pandas.DataFrame
        The catalogue's columns in the order of ``headers``; null where there is no row. Of two
        rows of one exposure the first counts.
    """
    keys = ["obsid", *_EXPOSURE]
    columns = [*_CATALOGUE, "found_obsid"]
    if catalogue is None:
        return pd.DataFrame(index=headers.index, columns=columns, dtype="object")
    source = ds.dataset(catalogue, format=CHECKED)
    numbers = headers["obsid"].dropna().astype("int64").tolist()
    wanted = pc.field("obsid").isin(pa.array(numbers, pa.int64()))
    nameless = headers[headers["obsid"].isna() & headers["lmjd"].notna()]
    if len(nameless):
        nights = pa.array(sorted(set(nameless["lmjd"].astype(int))), pa.int64())
        wanted = wanted | pc.field("lmjd").isin(nights)
    rows = source.to_table(columns=[*keys, *_CATALOGUE], filter=wanted)
    rows = rows.to_pandas(types_mapper=pd.ArrowDtype)
    rows["found_obsid"] = rows["obsid"]
    by_number = rows.drop_duplicates("obsid").set_index("obsid")[columns]
    by_fibre = rows.drop_duplicates(_EXPOSURE).set_index(_EXPOSURE)[columns]
    found = by_number.reindex(headers["obsid"]).set_axis(headers.index)
    if len(nameless):
        fibres = pd.MultiIndex.from_frame(nameless[_EXPOSURE].astype(by_fibre.index.dtypes))
        found.loc[nameless.index] = by_fibre.reindex(fibres).to_numpy()
    return pd.DataFrame(found)


def combine(headers: pd.DataFrame, found: pd.DataFrame, superseded: Set[int]) -> pa.Table:
    """Put headers and catalogue together: the catalogue wins for cuts, the header for identity.

    Parameters
    ----------
    headers, found : pandas.DataFrame
        Rows of one shard and their catalogue rows, as from :func:`match_catalogue`.
    superseded : set of int
        Rows that a newer file supersedes.

    Returns
    -------
    pyarrow.Table
        Rows of the observations table.
    """
    out = headers.copy()
    numeric = {name: pd.to_numeric(found[name], errors="coerce") for name in _CATALOGUE[:-1]}
    for band in "ugriz":
        header = headers[f"header_snr_{band}"].astype("Float32")
        out[f"snr_{band}"] = numeric[f"snr_{band}"].astype("Float32").fillna(header)
    for name in _CATALOGUE[5:]:
        out[name] = found[name]
    velocity = pd.DataFrame(
        {
            "catalogue_rv": numeric["rv_kms"].astype("Float64"),
            "catalogue_z": numeric["z"].astype("Float64") * SPEED_OF_LIGHT_KMS,
            "header_z": headers["header_z"].astype("Float64") * SPEED_OF_LIGHT_KMS,
        }
    )
    out["rv_kms"] = velocity.bfill(axis=1).iloc[:, 0]
    out["rv_source"] = velocity.notna().idxmax(axis=1).where(velocity.notna().any(axis=1))
    out["obsid"] = headers["obsid"].astype("Int64").fillna(found["found_obsid"].astype("Int64"))
    out["quality"] = _quality(out, found, superseded)
    arrays = [pa.array(out[f.name], type=f.type, from_pandas=True) for f in OBSERVATIONS.schema]
    return pa.Table.from_arrays(arrays, schema=OBSERVATIONS.schema)


def _quality(out: pd.DataFrame, found: pd.DataFrame, superseded: Set[int]) -> "pd.Series[int]":
    read = out["reason"].isna()
    quality = out["quality"].astype("int64") & ~int(QualityFlag.NO_OBSID)
    bits = {
        QualityFlag.NO_OBSID: read & out["obsid"].isna(),
        QualityFlag.SUPERSEDED: out["row"].isin(superseded),
        QualityFlag.NO_CATALOGUE: read & found["found_obsid"].isna(),
        QualityFlag.NO_VELOCITY: read & out["rv_kms"].isna(),
    }
    for flag, where in bits.items():
        quality = quality | (where.astype("int64") * int(flag))
    return quality


def _count(quality: pa.ChunkedArray, flag: QualityFlag) -> int:
    return int(pc.sum(pc.greater(pc.bit_wise_and(quality, int(flag)), 0)).as_py() or 0)
