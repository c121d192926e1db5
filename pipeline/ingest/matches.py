"""The stellar catalogue joined with the headers once; each shard reads its own rows."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.core.atomic import whole
from pipeline.core.ledger import Done
from pipeline.core.parquet import read_files
from pipeline.core.root import Root
from pipeline.tables.database import database, quoted
from pipeline.tables.literal import parquet_files
from schemas.observations import HEADERS

NUMBERS = (
    "snr_u", "snr_g", "snr_r", "snr_i", "snr_z", "teff_k", "teff_err_k", "logg", "logg_err",
    "feh", "feh_err", "z", "rv_kms", "rv_err_kms", "gaia_source_id",
)  # fmt: skip
COLUMNS = (*NUMBERS, "uid", "obj_class")
"""What the observations take from the catalogue."""

_EXPOSURE = ("lmjd", "planid", "spid", "fiberid")
_ROW_GROUP_ROWS = 8192

# Of several rows of the catalogue for one exposure, the first in the file counts. A file without
# OBSID (DR1, DR2) is found by night, plan, spectrograph and fibre, all of which must be known.
_FIRST = """
    CREATE TEMP TABLE found AS
    WITH entry AS (
        SELECT obsid, {exposure}, file_row_number AS place
        FROM read_parquet($catalogue, hive_partitioning = false, file_row_number = true)
    ), numbered AS (
        SELECT obsid, min(place) AS place, count(*) AS n FROM entry
        SEMI JOIN (SELECT obsid FROM file) USING (obsid) GROUP BY obsid
    ), placed AS (
        SELECT {exposure}, min(place) AS place, count(*) AS n FROM entry
        SEMI JOIN (SELECT lmjd FROM file WHERE obsid IS NULL) USING (lmjd) GROUP BY {exposure}
    )
    SELECT file."row", place, n FROM file JOIN numbered USING (obsid)
    UNION ALL
    SELECT file."row", place, n FROM file JOIN placed USING ({exposure}) WHERE file.obsid IS NULL
"""

_WRITE = """
    COPY (
        SELECT found."row", {columns}, obsid AS found_obsid
        FROM read_parquet($catalogue, hive_partitioning = false, file_row_number = true) AS entry
        JOIN found ON entry.file_row_number = found.place
        ORDER BY found."row"
    ) TO {partial} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {group})
"""


def write_matches(root: Root, catalogue: Path) -> Done:
    """Find the catalogue's row of every file, and write what the observations take from it.

    Parameters
    ----------
    root : Root
        Where the headers are.
    catalogue : pathlib.Path
        Catalogue in canonical columns: one Parquet file, since its rows are known by their numbers.

    Returns
    -------
    Done
        Counts: matched files, and those that have several rows in the catalogue.
    """
    out = matches_path(catalogue)
    names = {
        "exposure": ", ".join(_EXPOSURE),
        "columns": ", ".join(f'entry."{name}"' for name in COLUMNS),
        "group": _ROW_GROUP_ROWS,
    }
    source = {"catalogue": parquet_files(catalogue)}
    with whole(out) as partial, database(catalogue.parent) as db:
        db.execute(
            f'CREATE TEMP TABLE file AS SELECT "row", obsid, {names["exposure"]} '  # noqa: S608
            "FROM read_parquet($headers, hive_partitioning = false) "
            "WHERE obsid IS NOT NULL OR lmjd IS NOT NULL",
            {"headers": parquet_files(root.table(HEADERS))},
        )
        db.execute(_FIRST.format(**names), source)
        db.execute(_WRITE.format(**names, partial=quoted(partial)), source)
        ((repeated,),) = db.execute("SELECT count(*) FROM found WHERE n > 1").fetchall()
    note = f"files with several rows in the catalogue: {repeated:,}; the first row counts"
    counts = {"matched": pq.read_metadata(out).num_rows, "repeated": repeated}
    return Done(counts, (out,), (note,) if repeated else ())


def matches_path(catalogue: Path) -> Path:
    """Return the file of the matches, beside the catalogue in Parquet."""
    return catalogue.with_name("matches.parquet")


def read_matches(path: Path | None, rows: "pd.Series[int]") -> pd.DataFrame:
    """Read what the catalogue says of the files of one shard.

    Parameters
    ----------
    path : pathlib.Path or None
        File of the matches; None without a catalogue.
    rows : pandas.Series
        Rows of the store, which rise.

    Returns
    -------
    pandas.DataFrame
        The catalogue's columns and ``found_obsid``, one row per file, null where the catalogue has
        none; indexed as ``rows``.
    """
    columns = [*COLUMNS, "found_obsid"]
    if path is None:
        return pd.DataFrame(index=rows.index, columns=columns, dtype="object")
    here = (pc.field("row") >= int(rows.iloc[0])) & (pc.field("row") <= int(rows.iloc[-1]))
    table = read_files([path], "ingest", ["row", *columns], here)
    at = pc.index_in(pa.array(rows, pa.int64()), value_set=table["row"].combine_chunks())
    frame: pd.DataFrame = table.select(columns).take(at).to_pandas(types_mapper=pd.ArrowDtype)
    return frame.set_axis(rows.index)
