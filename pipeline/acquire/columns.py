"""Some columns of a Parquet file on a server: what is not wanted is not transferred."""

import io
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from pipeline.acquire.connection import Connection
from pipeline.acquire.reasons import FetchError, Reason
from pipeline.acquire.transfer import RANGE, Kind, Wanted, copy_body, keep
from pipeline.core.atomic import PARTIAL
from pipeline.settings.acquire import AcquireSettings

SOURCE = "pairspec.source"
"""Key of the files' metadata."""
_TAIL_BYTES = 1 << 16
"""Read first: the footer of most files."""
_HOLE_BYTES = 1 << 16
"""Unwanted bytes that are cheaper to read than to ask around."""
_RANGE_BYTES = 1 << 25
_ROW_GROUP_ROWS = 100_000


class ColumnTransfer:
    """Fetches Parquet files with only some of their columns.

    Parameters
    ----------
    connection : Connection
        Sends the requests.
    settings : AcquireSettings
        What is too slow.
    columns : sequence of str
        Columns to keep.
    source : str
        What the files are of; they say so under the key :data:`SOURCE`.
    """

    def __init__(
        self, connection: Connection, settings: AcquireSettings, columns: Sequence[str], source: str
    ) -> None:
        self._connection, self._settings, self._columns = connection, settings, list(columns)
        self._source = source
        self.n_bytes = 0
        """Bytes that were transferred."""

    def fetch(self, wanted: Wanted, kind: Kind) -> tuple[int, str]:
        """Fetch a file, check it and give it its name.

        Parameters
        ----------
        wanted : Wanted
            Which file.
        kind : Kind
            How it is checked.

        Returns
        -------
        tuple of int and str
            Its size in bytes here, and its SHA-256.

        Raises
        ------
        FetchError
            This attempt has failed.
        """
        wanted.path.parent.mkdir(parents=True, exist_ok=True)
        partial = wanted.path.with_name(f"{wanted.path.name}{PARTIAL}")
        file = RemoteFile(self._connection, self._settings, wanted.url, private=kind.private)
        try:
            _copy_columns(file, self._columns, self._source, partial)
        except (pa.ArrowException, OSError, KeyError) as error:
            if file.failed:
                raise file.failed from None
            raise FetchError(Reason.CORRUPT, f"no Parquet: {error}") from None
        finally:
            self.n_bytes += file.n_bytes
        kind.check(partial, wanted.key)
        return keep(partial, wanted.path)


def _copy_columns(file: "RemoteFile", columns: list[str], source: str, to: Any) -> None:
    cache = pa.CacheOptions(hole_size_limit=_HOLE_BYTES, range_size_limit=_RANGE_BYTES)
    options = ds.ParquetFragmentScanOptions(pre_buffer=True, cache_options=cache)
    made = ds.ParquetFileFormat(default_fragment_scan_options=options).make_fragment(
        pa.PythonFile(file, mode="r")
    )
    fields = [made.physical_schema.field(name) for name in columns]
    schema = pa.schema(fields, {SOURCE: source})
    with pq.ParquetWriter(to, schema, compression="zstd", write_page_checksum=True) as writer:
        for batch in made.scanner(columns=columns, use_threads=False).to_batches():
            writer.write_batch(batch.cast(schema), row_group_size=_ROW_GROUP_ROWS)


class RemoteFile(io.RawIOBase):
    """A file on a server, read in ranges.

    Parameters
    ----------
    connection : Connection
        Sends the requests.
    settings : AcquireSettings
        What is too slow.
    url : str
        Where it is.
    private : bool
        The token is sent.

    Raises
    ------
    FetchError
        The file is not there, or the server knows no ranges.
    """

    def __init__(
        self, connection: Connection, settings: AcquireSettings, url: str, *, private: bool
    ) -> None:
        super().__init__()
        self._connection, self._settings = connection, settings
        self._url, self._private = url, private
        self.n_bytes = 0
        """Bytes that were transferred."""
        self.failed: FetchError | None = None
        """Why a range could not be had; a library may hide it."""
        self._position, self._size = 0, 0
        self._tail = self._ask(None)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read from any place."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place.

        Parameters
        ----------
        offset : int
            Bytes.
        whence : int
            From where, as in `io`.
        """
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Read some bytes; fewer at the end.

        Raises
        ------
        OSError
            They could not be had; ``failed`` says why.
        """
        end = self._size if size < 0 else min(self._position + size, self._size)
        begin, self._position = self._position, max(end, self._position)
        if begin >= end:
            return b""
        tail = self._size - len(self._tail)
        if begin >= tail:
            return self._tail[begin - tail : end - tail]
        try:
            return self._ask((begin, end - 1))
        except FetchError as error:
            self.failed = error
            raise OSError(str(error)) from None

    def _ask(self, span: tuple[int, int] | None) -> bytes:
        """Fetch the bytes from a first to a last one; None for the end of the file."""
        parts: list[bytes] = []
        asked = f"bytes=-{_TAIL_BYTES}" if span is None else f"bytes={span[0]}-{span[1]}"
        headers = {"Range": asked}
        with self._connection.get(self._url, headers, private=self._private) as response:
            found = RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
            if response.status_code != 206 or found is None:
                raise FetchError(Reason.BAD_REQUEST, "the server sends no parts of files")
            first, last, size = (int(number) for number in found.groups())
            if (first, last) != (span or (max(size - _TAIL_BYTES, 0), size - 1)):
                raise FetchError(Reason.WRONG_LENGTH, f"{found[0]} in answer to {asked}")
            copy_body(response, parts.append, last + 1 - first, self._settings)
        body = b"".join(parts)
        self.n_bytes += len(body)
        if len(body) != last + 1 - first or self._size not in (0, size):
            raise FetchError(Reason.WRONG_LENGTH, f"{len(body)} bytes of the range {asked}")
        self._size = size
        return body
