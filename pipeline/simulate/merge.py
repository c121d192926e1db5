"""Rows of all fields into one file per table, part by part, so that memory does not grow."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from pipeline.core.atomic import whole

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

ROW_GROUP = 100_000


def _parts(folder: Path) -> Iterator[pa.Table]:
    for path in sorted(folder.glob("part-*.parquet")):
        yield pq.read_table(path, partitioning=None)


def merge_csv(folder: Path, path: Path, delimiter: str = ",") -> int:
    """Write the parts as one CSV file, gzipped if its name ends with ``.gz``.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of ``part-*.parquet``.
    path : pathlib.Path
        File to write; the gzip header has neither date nor name.
    delimiter : str
        Between columns; values are not quoted, as in the survey's own files.

    Returns
    -------
    int
        Number of rows.
    """
    rows = 0
    with whole(path) as partial, partial.open("wb") as file:
        if path.suffix == ".gz":
            with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
                rows = _write_csv(folder, packed, delimiter)
        else:
            rows = _write_csv(folder, file, delimiter)
    return rows


def _write_csv(folder: Path, file: "SupportsWrite[bytes]", delimiter: str) -> int:
    options = csv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style="none")
    rows = 0
    for number, table in enumerate(_parts(folder)):
        if number == 0:
            file.write((delimiter.join(table.column_names) + "\n").encode())
        sink = pa.BufferOutputStream()
        csv.write_csv(table, sink, options)
        file.write(sink.getvalue().to_pybytes())
        rows += table.num_rows
    return rows


def merge_parquet(folder: Path, path: Path) -> int:
    """Write the parts as one Parquet file of large row groups.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of ``part-*.parquet``.
    path : pathlib.Path
        File to write.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    ValueError
        There are no parts.
    """
    rows = 0
    held: list[pa.Table] = []
    with whole(path) as partial, partial.open("wb") as file:
        writer: pq.ParquetWriter | None = None
        for table in _parts(folder):
            writer = writer or pq.ParquetWriter(file, table.schema, compression="zstd")
            held.append(table.cast(writer.schema))
            rows += table.num_rows
            if sum(t.num_rows for t in held) >= ROW_GROUP:
                writer.write_table(pa.concat_tables(held))
                held.clear()
        if writer is None:
            raise ValueError(f"{folder} has no parts to merge")
        if held:
            writer.write_table(pa.concat_tables(held))
        writer.close()
    return rows


def write_hats(source: Path, folder: Path, name: str) -> None:
    """Write a merged Parquet catalogue as HATS, with margins of 10 arcsec, for LSDB.

    The whole table passes through memory: 200 bytes per source.

    Parameters
    ----------
    source : pathlib.Path
        The Parquet file.
    folder : pathlib.Path
        Folder of the HATS catalogue.
    name : str
        Its name.
    """
    from lsdb.loaders.dataframe.from_dataframe import from_dataframe

    catalog = from_dataframe(
        pq.read_table(source, partitioning=None).to_pandas(),
        catalog_name=name,
        ra_column="ra",
        dec_column="dec",
        margin_threshold=10.0,
        partition_rows=500_000,
    )
    catalog.write_catalog(folder, catalog_name=name, overwrite=True, progress_bar=False)
