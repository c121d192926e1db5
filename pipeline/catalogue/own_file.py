"""A user's own table for a query: read by this program, never by the database."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow.fs import LocalFileSystem

from pipeline.core.errors import InputError
from pipeline.tables.kind import Kind, kind_of
from pipeline.tables.rows import BATCH_ROWS, open_rows
from pipeline.tables.table import files_of
from pipeline.tables.values import NULLS, check_ids, may_lose_digits


def open_own(path: Path) -> ds.Dataset | pa.Table:
    """Open a table of any kind that the inputs may have.

    Parquet is read as far as a query needs it, other kinds are held in memory. Columns of text
    files become whole numbers, also where they are written as ``7.0``, or numbers where all of
    their values are.

    Parameters
    ----------
    path : pathlib.Path
        CSV, ECSV, FITS, VOTable or Parquet, or a folder of such files.

    Raises
    ------
    InputError
        No table, or a broken one, or files of several; ids have lost digits.
    """
    files = files_of(path)
    if all(kind_of(file) is Kind.PARQUET for file in files):
        for file in files:
            schema = pq.read_schema(file)
            names = [field.name for field in schema if may_lose_digits(field.type, field.name)]
            _check(pq.read_table(file, columns=names, partitioning=None), file)
        return ds.FileSystemDataset.from_paths(
            [str(file) for file in files],
            schema=pq.read_schema(files[0]),
            format=ds.ParquetFileFormat(),
            filesystem=LocalFileSystem(),
        )
    tables = [_read(file) for file in files]
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise InputError(
            f"the files of {path} are not of one table: {error}; write each column alike in all"
        ) from None


def _check(table: pa.Table, path: Path) -> None:
    for name in table.column_names:
        check_ids(table[name], name, str(path))


def _read(file: Path) -> pa.Table:
    rows = open_rows(file)
    table = pa.Table.from_batches(rows.batches(rows.schema.names, BATCH_ROWS), rows.schema)
    if kind_of(file) in (Kind.CSV, Kind.ECSV):
        table = pa.table({name: _numbers(table[name]) for name in table.column_names})
    _check(table, file)
    return table


def _numbers(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(texts)
    missing = pc.is_in(trimmed, value_set=pa.array(NULLS))
    known = pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)
    # Through float64, ids that are written as decimals would lose their last digits.
    whole = pc.replace_substring_regex(known, r"^\+?(-?\d+)(\.0*)?$", r"\1")
    for values, kind in ((whole, pa.int64()), (known, pa.float64())):
        try:
            return values.cast(kind)
        except pa.ArrowInvalid:
            continue
    return texts
