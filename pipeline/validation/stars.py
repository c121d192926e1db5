"""The stars and spectra of the catalogue as data frames, beside the truth of a simulated survey."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.core.parquet import read_table, table_files
from pipeline.core.root import Root
from schemas.catalogue import SPECTRA, STARS, UNPLACED
from schemas.quality import QualityFlag
from schemas.table import Table

STAR_COLUMNS = (
    "star_id", "source_id", "ra_deg", "dec_deg", "ref_epoch_yr", "pm_ra_masyr", "pm_dec_masyr",
    "ruwe", "g_mag", "g_ks_0", "m_g", "distance_pc", "teff_k", "feh", "n_rv", "delta_rv_max_kms",
    "delta_m_g", "label", "q_fixed_primary", "q_fixed_colour", "in_sample", "p_b", "p_b_best",
    "p_b_mean", "p_b_combined", "n_spectra", "snr_g_best", "quality",
)  # fmt: skip
SPECTRUM_COLUMNS = ("star_id", "rv_kms", "rv_err_kms", "p_b", "quality")
TRUTH_COLUMNS = ("source_id", "kind", "q", "eclipsing", "period_day", "distance_pc")
"""Their names in the frame begin with ``true_``."""

SEEN = int(QualityFlag.IN_TRAINING)


def read_stars(root: Root, truth: Path | None) -> pd.DataFrame:
    """Read the stars that have a p_b.

    Parameters
    ----------
    root : Root
        Root of the run.
    truth : pathlib.Path, optional
        Folder of the truth.

    Returns
    -------
    pandas.DataFrame
        `STAR_COLUMNS`, ``source_id`` 0 where there is none; ``seen`` in training; with a truth
        also ``true_kind`` (single, pair, giant; empty where unknown), ``true_q`` and so on.
    """
    frames = [_read(root, table, STAR_COLUMNS) for table in (STARS, UNPLACED)]
    stars = pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)
    stars["seen"] = (stars["quality"] & SEEN) != 0
    if truth is None:
        return stars
    table = pq.read_table(truth / "stars.parquet", columns=list(TRUTH_COLUMNS), partitioning=None)
    known = table.to_pandas().rename(columns={n: f"true_{n}" for n in TRUTH_COLUMNS[1:]})
    stars = stars.merge(known, on="source_id", how="left")
    for name in ("true_kind", "true_eclipsing"):
        stars[name] = stars[name].fillna("")
    return stars


def read_spectra(root: Root) -> pd.DataFrame:
    """Read `SPECTRUM_COLUMNS` of the spectra that have a p_b."""
    return _read(root, SPECTRA, SPECTRUM_COLUMNS)


def _read(root: Root, table: Table, columns: tuple[str, ...]) -> pd.DataFrame:
    path = root.table(table)
    schema = pa.schema([table.schema.field(name) for name in columns])
    if not table_files(path):
        return pd.DataFrame({f.name: _plain(pa.chunked_array([], f.type), f.type) for f in schema})
    found = read_table(path, table, columns, pc.field("p_b").is_valid())
    return pd.DataFrame({f.name: _plain(found[f.name], f.type) for f in schema})


def _plain(column: pa.ChunkedArray, kind: pa.DataType) -> Any:
    """Return numbers with NaN for null, ids with 0, texts with nothing."""
    if pa.types.is_string(kind):
        return pc.fill_null(column, "").to_pandas()
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        zero = pa.scalar(0).cast(kind)
        return pc.fill_null(column, zero).to_numpy()
    return column.cast(pa.float64()).to_numpy()


def has_truth(stars: pd.DataFrame) -> bool:
    """Tell whether a frame of stars has the truth beside it."""
    return "true_kind" in stars
