"""A user's own table for a query: read by this program, never by the database."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow.fs import LocalFileSystem

from pipeline.tables.kind import Kind, kind_of
from pipeline.tables.rows import BATCH_ROWS, open_rows
from pipeline.tables.table import files_of
from pipeline.tables.values import NULLS


def open_own(path: Path) -> ds.Dataset | pa.Table:
    """Open a table of any kind that the inputs may have.

    Parquet is read as far as a query needs it, other kinds are held in memory. Columns of text
    files become whole numbers or numbers where all of their values are.

    Parameters
    ----------
    path : pathlib.Path
        CSV, ECSV, FITS, VOTable or Parquet, or a folder of such files.

    Raises
    ------
    InputError
        No table, or a broken one.
    """
    files = files_of(path)
    if all(kind_of(file) is Kind.PARQUET for file in files):
        return ds.FileSystemDataset.from_paths(
            [str(file) for file in files],
            schema=pq.read_schema(files[0]),
            format=ds.ParquetFileFormat(),
            filesystem=LocalFileSystem(),
        )
    return pa.concat_tables([_read(file) for file in files], promote_options="permissive")


def _read(file: Path) -> pa.Table:
    rows = open_rows(file)
    table = pa.Table.from_batches(rows.batches(rows.schema.names, BATCH_ROWS), rows.schema)
    if kind_of(file) not in (Kind.CSV, Kind.ECSV):
        return table
    return pa.table({name: _numbers(table[name]) for name in table.column_names})


def _numbers(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(texts)
    missing = pc.is_in(trimmed, value_set=pa.array(NULLS))
    known = pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)
    for kind in (pa.int64(), pa.float64()):
        try:
            return known.cast(kind)
        except pa.ArrowInvalid:
            continue
    return texts
