"""Rows of a table as they stand in a CSV or FITS file, in batches, compressed or not."""

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv
from isal import igzip, isal_zlib

from pipeline.lamost.cards import BLOCK_BYTES, CARD_BYTES
from pipeline.lamost.content import FITS_MAGIC, GZIP_MAGIC
from pipeline.lamost.hdus import (
    claimed_bytes,
    claimed_number,
    column_names,
    find_end_card,
    padded,
)
from pipeline.lamost.unpacked import read_table

DELIMITERS = (",", "|")
MAX_CARDS = 20_000
"""Cards of one header; catalogues joined to others have thousands."""
MAX_LINE = 2**16
"""Bytes of the line with the names of a text's columns."""
MAX_BATCH_BYTES = 64 * 2**20
"""Bytes that are read at once."""

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
        line = stream.readline(MAX_LINE)
        if len(line) == MAX_LINE:
            raise ValueError(f"{path}: a first line of more than {MAX_LINE} bytes, no table")
        head = line.decode("utf-8-sig", errors="replace").rstrip("\r\n")
        self._delimiter = max(DELIMITERS, key=head.count)
        self.names = [name.strip().strip('"') for name in head.split(self._delimiter)]

    def batches(self, positions: Mapping[str, int], batch_rows: int) -> Iterator[RawBatch]:
        """Yield the columns at some positions, a batch of rows at a time.

        Raises
        ------
        ValueError
            The table breaks off, or is not what its head says.
        """
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
        except pa.ArrowException as error:
            raise ValueError(f"{self._path}: not a regular table: {error}") from error


class FitsRows:
    """Rows of the first binary table of a FITS file, read in one pass."""

    def __init__(self, stream: io.BufferedReader, path: str | os.PathLike[str]):
        self._stream = stream
        self._path = path
        with self._named():
            self._header = self._find_table()
            self.names = column_names(self._header)

    def batches(self, positions: Mapping[str, int], batch_rows: int) -> Iterator[RawBatch]:
        """Yield slices of the table, each given to astropy as a small table of its own.

        Raises
        ------
        ValueError
            The table breaks off, or is not what its head says.
        """
        with self._named():
            n_rows = claimed_number(self._header, "NAXIS2")
            row_bytes = claimed_number(self._header, "NAXIS1", MAX_BATCH_BYTES)
            if n_rows and not row_bytes:
                raise ValueError(f"{n_rows} rows of no bytes")
            step = min(batch_rows, MAX_BATCH_BYTES // max(row_bytes, 1))
            for start in range(0, n_rows, step):
                size = min(step, n_rows - start)
                table = read_table(self._header, self._read(size * row_bytes), size)
                if table.dtype.itemsize != row_bytes:
                    raise ValueError(f"columns of {table.dtype.itemsize} bytes, NAXIS1 {row_bytes}")
                yield {name: self._column(table, at) for name, at in positions.items()}

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Turn whatever astropy says of a broken header into an error that names the file."""
        try:
            yield
        except Exception as error:
            detail = f"{self._path}: no FITS table that can be read ({error})"
            raise ValueError(f"{detail}; fetch the file again") from error

    def _column(self, table: Any, at: int) -> pa.Array:
        """Arrow array of one column, with null where the stored value is the column's TNULL."""
        values = np.asarray(table.field(at))
        if values.ndim != 1 or values.dtype.kind not in "biufSU":
            shape = "x".join(str(size) for size in values.shape[1:])
            kind = f"{values.dtype.name} {shape}".strip()
            raise ValueError(f"column {self.names[at]!r} holds {kind} in a row, not one value")
        if values.dtype.kind == "S":
            values = np.char.decode(values, "utf-8", "replace")
        if values.dtype.kind == "U":
            return pa.array(values.tolist(), pa.string())
        native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
        return pa.array(native, mask=self._nulls(native, at))

    def _nulls(self, values: npt.NDArray[np.generic], at: int) -> npt.NDArray[np.bool_] | None:
        null, scale, zero = (
            self._header.get(f"{card}{at + 1}", default)
            for card, default in (("TNULL", None), ("TSCAL", 1), ("TZERO", 0))
        )
        if not isinstance(null, int):
            return None
        if not isinstance(scale, (int, float)) or not isinstance(zero, (int, float)):
            raise ValueError(f"TSCAL{at + 1} and TZERO{at + 1} are {scale!r} and {zero!r}")
        return np.asarray(values == null * scale + zero)

    def _find_table(self) -> Any:
        """Skip to the first binary table and return its header."""
        while True:
            header = self._next_header()
            left = padded(claimed_bytes(header))
            if str(header.get("XTENSION", "")).strip() == "BINTABLE":
                return header
            while left > 0:
                left -= len(self._read(min(left, MAX_BATCH_BYTES)))

    def _next_header(self) -> Any:
        from astropy.io import fits

        if not self._stream.peek(1):
            raise ValueError("it has no binary table; name another file")
        content = b""
        while (end := find_end_card(content, 0, len(content))) is None:
            if len(content) > MAX_CARDS * CARD_BYTES:
                raise ValueError(f"no END among the first {MAX_CARDS} cards of a header")
            content += self._read(BLOCK_BYTES)
        return fits.Header.fromstring(content[:end])

    def _read(self, n_bytes: int) -> bytes:
        content = self._stream.read(n_bytes)
        if len(content) != n_bytes:
            raise ValueError("the table ends early")
        return content
