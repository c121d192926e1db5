"""Rows of a table as they stand in its file, a batch at a time, whatever kind it is."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.errors import InputError
from pipeline.tables.fits import FitsRows
from pipeline.tables.kind import Kind, kind_of
from pipeline.tables.text import TextRows
from pipeline.tables.votable import VotableRows

BATCH_ROWS = 65_536


class Rows(Protocol):
    """A table in a file."""

    schema: pa.Schema
    """The file's columns; text files have nothing but strings."""

    def batches(self, names: Sequence[str], batch_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield some columns of the table, in order of its rows."""
        ...


class ParquetRows:
    """Rows of a Parquet file."""

    def __init__(self, path: Path):
        self._path = path
        try:
            self.schema = pq.read_schema(path).remove_metadata()
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(f"{path} is broken Parquet ({error}); fetch it again") from None

    def batches(self, names: Sequence[str], batch_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield some columns of the table; holds one row group at a time."""
        with pq.ParquetFile(self._path) as file:
            for batch in file.iter_batches(batch_rows, columns=list(names)):
                yield batch.select(list(names))


def open_rows(path: Path) -> Rows:
    """Open a table by what its content is.

    Raises
    ------
    InputError
        There is no such file, or it is broken, or no table.
    """
    readers: dict[Kind, Callable[[Path], Rows]] = {
        Kind.PARQUET: ParquetRows,
        Kind.FITS: FitsRows,
        Kind.VOTABLE: VotableRows,
        Kind.ECSV: TextRows,
        Kind.CSV: TextRows,
    }
    return readers[kind_of(path)](path)
