"""Reads the tables of a run with the checksums of their pages; what is damaged is named."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from pipeline.core.damage import Damage
from pipeline.core.errors import MismatchError
from pipeline.core.root import Root, shards_of
from schemas.registry import MADE_BY
from schemas.table import Table

CHECKED = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)
"""Format of the tables for `pyarrow.dataset`, with the checksums of their pages."""


FILES = 64
"""Files that are read together."""


def read_table(
    path: Path,
    table: Table,
    columns: Sequence[str] | None = None,
    filters: ds.Expression | None = None,
) -> pa.Table:
    """Read a table of the run, or one part of it.

    Parameters
    ----------
    path : pathlib.Path
        Parquet file, or folder of ``*.parquet`` files, which are read in order of name.
    table : Table
        Which table it is.
    columns : sequence of str, optional
        Columns to read; by default all.
    filters : pyarrow.dataset.Expression, optional
        Rows to read.

    Raises
    ------
    MismatchError
        A file is missing or damaged; the message names it and the command to run.
    """
    files = table_files(path)
    if not files:
        raise _damaged(path, MADE_BY[table.name], FileNotFoundError())
    return read_files(files, MADE_BY[table.name], columns, filters)


def read_files(
    files: Sequence[Path],
    stage: str,
    columns: Sequence[str] | None = None,
    filters: ds.Expression | None = None,
) -> pa.Table:
    """Read files that a stage made, for itself or for others.

    Parameters
    ----------
    files : sequence of pathlib.Path
        At least one Parquet file.
    stage : str
        Which stage made them.
    columns : sequence of str, optional
        Columns to read; by default all.
    filters : pyarrow.dataset.Expression, optional
        Rows to read.

    Raises
    ------
    MismatchError
        A file is missing or damaged; the message names it and the command to run.
    """
    try:
        return _read(files, columns, filters)
    except MemoryError:
        raise
    except (OSError, pa.ArrowException) as error:
        raise _damaged(_culprit(files, columns), stage, error) from None


def read_shards(
    root: Root, table: Table, shards: range, columns: Sequence[str] | None = None
) -> pa.Table:
    """Read the rows of neighbouring shards of a table whose parts hold one shard or several.

    Parameters
    ----------
    root : Root
        Where the table lies.
    table : Table
        Which table it is; it has the column ``shard``.
    shards : range
        Which shards.
    columns : sequence of str, optional
        Columns to read; by default all.

    Raises
    ------
    MismatchError
        A part is missing or damaged; the message names it and the command to run.
    """
    files, covered = [], shards[0]
    for path in table_files(root.table(table)):
        held = shards_of(path)
        if held and held[-1] >= shards[0] and held[0] <= covered <= shards[-1]:
            files.append(path)
            covered = held.stop
    if covered <= shards[-1]:
        raise _damaged(root.part(table, covered), MADE_BY[table.name], FileNotFoundError())
    inside = (pc.field("shard") >= shards[0]) & (pc.field("shard") <= shards[-1])
    return read_files(files, MADE_BY[table.name], columns, inside)


def table_files(path: Path) -> list[Path]:
    """Return the Parquet files of a table, in order of name; none where there is none.

    Parameters
    ----------
    path : pathlib.Path
        Parquet file, or folder of ``*.parquet`` files.
    """
    return sorted(path.rglob("*.parquet")) if path.is_dir() else [path] * path.is_file()


def _read(
    files: Sequence[Path], columns: Sequence[str] | None, filters: ds.Expression | None = None
) -> pa.Table:
    # The reader keeps the footers of all files that it is given until it has read the last.
    several = [files[first : first + FILES] for first in range(0, len(files), FILES)]
    tables = [
        pq.read_table(
            list(some),
            columns=None if columns is None else list(columns),
            filters=filters,
            partitioning=None,
            page_checksum_verification=True,
        )
        for some in several
    ]
    return pa.concat_tables(tables)


def _culprit(files: Sequence[Path], columns: Sequence[str] | None) -> Path:
    """Find the file of several that cannot be read."""
    for file in files[:-1]:
        try:
            _read([file], columns)
        except (OSError, pa.ArrowException):
            return file
    return files[-1]


def _damaged(path: Path, stage: str, error: Exception) -> MismatchError:
    missing = isinstance(error, FileNotFoundError)
    words = " ".join(str(error).split())
    damage = Damage(path, "is missing" if missing else f"is damaged ({words})", missing=missing)
    return MismatchError(damage.line(f"pairspec {stage}"))
