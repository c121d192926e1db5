"""Rows of delimited text: CSV, ECSV, and what VizieR calls tab-separated values."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, cast

import pyarrow as pa
import pyarrow.csv as pacsv

from pipeline.core.errors import InputError
from pipeline.tables.kind import HEAD_BYTES, broken_gzip, open_plain

DELIMITERS = (",", "|", "\t", ";")
_ECSV = b"# %ECSV"
_ECSV_DELIMITER = re.compile(r"#\s+-?\s*delimiter:\s*(['\"]?)(?P<delimiter>.+?)\1\s*$")
_RULE = re.compile(rb"^[-|\t;, ]*---[-|\t;, ]*$")
"""The line of dashes that VizieR puts between its units and its values."""

_BLOCK_BYTES = 8 << 20


class TextRows:
    """Rows of a text file, gzipped or not; every value is a string, null where it is empty.

    Lines that begin with ``#`` are comments. The delimiter is the one that the header has most of,
    or the one that ECSV declares (a blank by default). Of two columns of one name the first counts.
    """

    def __init__(self, path: Path):
        self._path = path
        with broken_gzip(path), open_plain(path) as stream:
            names = self._read_head(stream)
        unique = [f"{n} ({at})" if n in names[:at] else n for at, n in enumerate(names)]
        self.schema = pa.schema([(name, pa.string()) for name in unique])

    def batches(self, names: Sequence[str], batch_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield some columns of the table; holds a few blocks of text at a time.

        Raises
        ------
        InputError
            The table breaks off, or is not what its head says.
        """
        read = pacsv.ReadOptions(column_names=self.schema.names, block_size=_BLOCK_BYTES)
        parse = pacsv.ParseOptions(
            delimiter=self._delimiter, invalid_row_handler=_skip_comments, ignore_empty_lines=True
        )
        convert = pacsv.ConvertOptions(
            include_columns=list(names),
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        )
        with broken_gzip(self._path), open_plain(self._path) as plain:
            stream = io.BufferedReader(cast("io.RawIOBase", plain), HEAD_BYTES)
            for _ in range(self._head_lines):
                stream.readline()
            if not stream.peek(1):
                return
            try:
                for block in pacsv.open_csv(stream, read, parse, convert):
                    for start in range(0, block.num_rows, batch_rows):
                        yield block.slice(start, batch_rows)
            except pa.ArrowInvalid as error:
                raise InputError(f"{self._path} is not a regular table: {error}") from None

    def _read_head(self, stream: IO[bytes]) -> list[str]:
        """Find the delimiter and where the values begin; return the names of the columns."""
        raw = stream.readline()
        ecsv = raw.startswith(_ECSV)
        delimiter = " " if ecsv else None
        lines = 1
        while raw and (raw.startswith(b"#") or not raw.strip()):
            declared = _ECSV_DELIMITER.match(raw.decode(errors="replace")) if ecsv else None
            delimiter = declared["delimiter"] if declared else delimiter
            raw = stream.readline()
            lines += 1
        try:
            header = raw.decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError:
            raise InputError(f"{self._path} is not text in UTF-8; save it as UTF-8") from None
        if not header:
            raise InputError(f"{self._path} has no line with the names of its columns")
        self._delimiter = delimiter or max(DELIMITERS, key=header.count)
        # VizieR writes a line of units and one of dashes below the names.
        below = [stream.readline().strip() for _ in range(2)]
        ruled = [number + 1 for number, line in enumerate(below) if _RULE.match(line)]
        self._head_lines = lines + max(ruled, default=0)
        return [name.strip() for name in next(csv.reader([header], delimiter=self._delimiter))]


def _skip_comments(row: pacsv.InvalidRow) -> str:
    return "skip" if (row.text or "").startswith("#") else "error"
