"""Rows of a table as they stand in a CSV or FITS file, in batches, compressed or not."""

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from isal import igzip, isal_zlib

from pipeline.lamost.cards import BLOCK_BYTES, END_CARD
from pipeline.lamost.content import GZIP_MAGIC

DELIMITERS = (",", "|")
FITS_MAGIC = b"SIMPLE  ="

RawBatch = dict[str, pa.Array]


class RawRows(Protocol):
    """An open table."""

    names: list[str]
    """Names of the columns, in the file's order; one may stand twice."""

    def batches(self, positions: Mapping[str, int], batch_rows: int) -> Iterator[RawBatch]:
        """Yield the columns at some positions, under new names, a batch of rows at a time."""
        ...


@contextmanager
def open_rows(path: str | os.PathLike[str]) -> Iterator[RawRows]:
    """Open a table; gzip and FITS are known by content, the delimiter by the first line.

    Raises
    ------
    ValueError
        If the file is broken or is FITS without a table.
    """
    try:
        with _open_inflated(path) as stream:
            if stream.peek(len(FITS_MAGIC)).startswith(FITS_MAGIC):
                yield FitsRows(stream, path)
            else:
                yield CsvRows(stream, path)
    except (EOFError, igzip.BadGzipFile, isal_zlib.error) as error:  # type: ignore[misc]
        raise ValueError(f"{path}: the gzip stream is broken ({error}); fetch it again") from error


def _open_inflated(path: str | os.PathLike[str]) -> io.BufferedReader:
    with Path(path).open("rb") as stream:
        packed = stream.read(2) == GZIP_MAGIC
    if packed:
        return io.BufferedReader(igzip.IGzipFile(path, "rb"))  # type: ignore[no-untyped-call]
    return Path(path).open("rb")


class CsvRows:
    """Rows of delimited text; every value is a string."""

    def __init__(self, stream: io.BufferedReader, path: str | os.PathLike[str]):
        self._stream = stream
        self._path = path
        head = stream.readline().decode("utf-8-sig", errors="replace").rstrip("\r\n")
        self._delimiter = max(DELIMITERS, key=head.count)
        self.names = [name.strip().strip('"') for name in head.split(self._delimiter)]

    def batches(self, positions: Mapping[str, int], batch_rows: int) -> Iterator[RawBatch]:
        """Yield the columns at some positions, a batch of rows at a time."""
        if not self._stream.peek(1):
            return
        # Positions serve as names for Arrow, since a name may stand twice.
        kept = [str(position) for position in dict.fromkeys(positions.values())]
        try:
            reader = pa_csv.open_csv(
                self._stream,
                read_options=pa_csv.ReadOptions(
                    column_names=[str(position) for position in range(len(self.names))],
                    use_threads=False,
                ),
                parse_options=pa_csv.ParseOptions(delimiter=self._delimiter),
                convert_options=pa_csv.ConvertOptions(
                    include_columns=kept, column_types=dict.fromkeys(kept, pa.string())
                ),
            )
            for block in reader:
                for start in range(0, block.num_rows, batch_rows):
                    part = block.slice(start, batch_rows)
                    yield {name: part.column(str(at)) for name, at in positions.items()}
        except pa.ArrowInvalid as error:
            raise ValueError(f"{self._path}: not a regular table: {error}") from error


class FitsRows:
    """Rows of the first binary table of a FITS file, read in one pass."""

    def __init__(self, stream: io.BufferedReader, path: str | os.PathLike[str]):
        self._stream = stream
        self._path = path
        self._header = self._find_table()
        n_columns = self._header["TFIELDS"]
        self.names = [str(self._header[f"TTYPE{number + 1}"]) for number in range(n_columns)]

    def batches(self, positions: Mapping[str, int], batch_rows: int) -> Iterator[RawBatch]:
        """Yield slices of the table, each given to astropy as a small table of its own."""
        from astropy.io import fits

        n_rows, row_bytes = self._header["NAXIS2"], self._header["NAXIS1"]
        for start in range(0, n_rows, batch_rows):
            part = self._header.copy()
            part["NAXIS2"] = min(batch_rows, n_rows - start)
            part["PCOUNT"] = 0
            rows = self._read(part["NAXIS2"] * row_bytes)
            table = fits.BinTableHDU.fromstring(part.tostring().encode("ascii") + rows).data
            yield {name: _to_arrow(np.asarray(table.field(at))) for name, at in positions.items()}

    def _find_table(self) -> Any:
        """Skip to the first binary table and return its header."""
        while True:
            header = self._next_header()
            if str(header.get("XTENSION", "")).strip() == "BINTABLE":
                return header
            sizes = [header[f"NAXIS{axis + 1}"] for axis in range(header["NAXIS"])]
            n_bytes = int(np.prod(sizes)) * abs(header["BITPIX"]) // 8 if sizes else 0
            self._read(-(-n_bytes // BLOCK_BYTES) * BLOCK_BYTES)

    def _next_header(self) -> Any:
        from astropy.io import fits

        if not self._stream.peek(1):
            raise ValueError(f"{self._path}: the FITS file has no binary table; name another file")
        blocks = [self._read(BLOCK_BYTES)]
        while END_CARD not in blocks[-1]:
            blocks.append(self._read(BLOCK_BYTES))
        return fits.Header.fromstring(b"".join(blocks))

    def _read(self, n_bytes: int) -> bytes:
        content = self._stream.read(n_bytes)
        if len(content) != n_bytes:
            raise ValueError(f"{self._path}: the table ends early; fetch the file again")
        return content


def _to_arrow(values: Any) -> pa.Array:
    """Arrow array of a NumPy column of shape (n,), whatever its byte order."""
    if values.ndim != 1:
        raise ValueError(f"a column of shape {values.shape} holds more than one value a row")
    if values.dtype.kind in "SU":
        return pa.array(values.astype(str).tolist(), pa.string())
    return pa.array(np.ascontiguousarray(values, values.dtype.newbyteorder("=")))
