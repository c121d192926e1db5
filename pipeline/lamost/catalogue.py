"""Stellar catalogues of the low-resolution survey, of any release and format, in bounded memory."""

import os
from collections.abc import Iterator

import pyarrow as pa

from pipeline.lamost.cleaning import clean
from pipeline.lamost.columns import COLUMNS, CatalogueColumns, resolve_columns
from pipeline.lamost.raw_rows import RawBatch, open_rows

BATCH_ROWS = 100_000


def read_catalogue(path: str | os.PathLike[str]) -> pa.Table:
    """Read a whole catalogue: CSV (``,`` or ``|``) or FITS, compressed or not.

    Returns
    -------
    pyarrow.Table
        All canonical columns, null where a value is missing or the file lacks the column. The
        schema's metadata entry ``pairspec.missing_columns`` lists the latter.

    Raises
    ------
    ValueError
        If a required column is not there, or a value cannot be read without loss.
    """
    schema = catalogue_columns(path).schema()
    return pa.Table.from_batches(iter_catalogue(path), schema=schema)


def iter_catalogue(
    path: str | os.PathLike[str], batch_rows: int = BATCH_ROWS
) -> Iterator[pa.RecordBatch]:
    """Read a catalogue in batches of at most ``batch_rows`` rows.

    Memory depends on the size of a batch alone: compressed files are inflated as they are read.

    Raises
    ------
    ValueError
        As `read_catalogue`, with the first batch.
    """
    if batch_rows < 1:
        raise ValueError(f"batch_rows is {batch_rows}; it must be at least 1")
    source = os.fspath(path)
    with open_rows(path) as rows:
        columns = resolve_columns(rows.names, source)
        schema = columns.schema()
        for batch in rows.batches(columns.found, batch_rows):
            yield _clean_batch(batch, schema, source)


def catalogue_columns(path: str | os.PathLike[str]) -> CatalogueColumns:
    """Say which canonical columns a catalogue has and which it lacks; reads its head only.

    Raises
    ------
    ValueError
        If a required column is not there.
    """
    with open_rows(path) as rows:
        return resolve_columns(rows.names, os.fspath(path))


def _clean_batch(raw: RawBatch, schema: pa.Schema, source: str) -> pa.RecordBatch:
    n_rows = len(raw["obsid"])
    arrays = [
        clean(column, raw[column.name], source)
        if column.name in raw
        else pa.nulls(n_rows, column.dtype)
        for column in COLUMNS
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
