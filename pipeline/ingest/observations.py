"""From headers to observations: duplicates marked, the stellar catalogue joined by exposure."""

from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.ledger import Done
from pipeline.core.parquet import read_files, read_table
from pipeline.core.parts import write_parts
from pipeline.core.pieces import Pieces
from pipeline.core.root import Root
from pipeline.ingest.matches import NUMBERS, read_matches
from pipeline.spectra.velocity import SPEED_OF_LIGHT_KMS
from schemas.observations import DUPLICATES, HEADERS, OBSERVATIONS
from schemas.quality import QualityFlag


@dataclass(frozen=True)
class ObservationsJob:
    """What every task of the observations has in common.

    Parameters
    ----------
    root : Root
        Where to read and write.
    matches : pathlib.Path or None
        What the catalogue says of each file; None without a catalogue.
    pieces : Pieces
        Shards of each task: to look into the matches costs more than to join one shard.
    """

    root: Root
    matches: Path | None
    pieces: Pieces


def write_observations(unit: int, job: ObservationsJob) -> Done:
    """Write the observations of some shards, a part for each.

    Parameters
    ----------
    unit : int
        Number of the piece.
    job : ObservationsJob
        Where to read and write.

    Returns
    -------
    Done
        Counts: rows, superseded, matched (to the catalogue), refused.
    """
    shards = job.pieces.shards(unit)
    files = [job.root.part(HEADERS, shard) for shard in shards]
    headers = read_files(files, "ingest").to_pandas(types_mapper=pd.ArrowDtype)
    found = read_matches(job.matches, headers["row"])
    rows = (pc.field("row") >= headers["row"].min()) & (pc.field("row") <= headers["row"].max())
    duplicates = read_table(job.root.table(DUPLICATES), DUPLICATES, ["row"], rows)
    table = combine(headers, found, set(duplicates["row"].to_pylist()))
    parts = write_parts(job.root, OBSERVATIONS, shards, table)
    quality = table["quality"]
    counts = {
        "rows": table.num_rows,
        "superseded": _count(quality, QualityFlag.SUPERSEDED),
        "refused": _count(quality, QualityFlag.REFUSED),
        "without_catalogue": _count(quality, QualityFlag.NO_CATALOGUE),
    }
    return Done(counts, parts)


def combine(headers: pd.DataFrame, found: pd.DataFrame, superseded: Set[int]) -> pa.Table:
    """Put headers and catalogue together: the catalogue wins for cuts, the header for identity.

    Parameters
    ----------
    headers, found : pandas.DataFrame
        Rows of some shards and their catalogue rows, as from `read_matches`.
    superseded : set of int
        Rows that a newer file supersedes.

    Returns
    -------
    pyarrow.Table
        Rows of the observations table.
    """
    out = headers.copy()
    numeric = {name: pd.to_numeric(found[name], errors="coerce") for name in NUMBERS}
    for band in "ugriz":
        header = headers[f"header_snr_{band}"].astype("Float32")
        out[f"snr_{band}"] = numeric[f"snr_{band}"].astype("Float32").fillna(header)
    for name in (*NUMBERS[5:], "uid"):
        out[name] = found[name]
    out["obj_class"] = headers["obj_class"].fillna(found["obj_class"])
    velocity = {
        "catalogue_rv": numeric["rv_kms"].astype("Float64"),
        "catalogue_z": numeric["z"].astype("Float64") * SPEED_OF_LIGHT_KMS,
        "header_z": headers["header_z"].astype("Float64") * SPEED_OF_LIGHT_KMS,
    }
    # Not along the rows of a frame: pandas takes each for a column of its own.
    first, second, third = velocity.values()
    out["rv_kms"] = first.fillna(second).fillna(third)
    known = [one.notna().to_numpy() for one in velocity.values()]
    source = np.full(len(out), None, object)
    for name, there in reversed([*zip(velocity, known, strict=True)]):
        source[there] = name
    out["rv_source"] = source
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
