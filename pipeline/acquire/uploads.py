"""What a TAP service is to join with a table of its own: frozen blocks of positions or ids."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.atomic import PARTIAL
from pipeline.core.digest import digest_of

NUMBER = "upload_row"
"""Column that comes back with every row of the answer."""
TABLE = "mine"
"""Name of the uploaded table, below TAP_UPLOAD."""


def freeze_uploads(path: Path, batches: Iterable[pa.RecordBatch], block_rows: int) -> list[str]:
    """Write the rows with their numbers, one row group per block; return a digest of each.

    Parameters
    ----------
    path : pathlib.Path
        Parquet file to write.
    batches : iterable of pyarrow.RecordBatch
        The rows, numbers without nulls, in an order that is always the same.
    block_rows : int
        Rows of a block.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}{PARTIAL}")
    digests: list[str] = []
    writer = None
    try:
        for block in _blocks(batches, block_rows):
            first = len(digests) * block_rows
            numbers = pa.array(range(first, first + block.num_rows), pa.int64())
            numbered = block.add_column(0, NUMBER, numbers)
            writer = writer or pq.ParquetWriter(partial, numbered.schema, compression="zstd")
            writer.write_table(numbered, row_group_size=block_rows)
            digests.append(_digest(numbered))
    finally:
        if writer is not None:
            writer.close()
    if writer is not None:
        partial.replace(path)
    return digests


def as_votable(rows: pa.Table) -> bytes:
    """Return rows as a VOTable whose numbers are text, which every service reads."""
    from astropy.table import Table

    columns = {name: rows[name].to_numpy() for name in rows.column_names}
    sink = io.BytesIO()
    Table(columns).write(sink, format="votable", tabledata_format="tabledata")
    return sink.getvalue()


def _blocks(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    room = rows
    for batch in batches:
        begin = 0
        while begin < batch.num_rows:
            part = batch.slice(begin, room)
            held.append(part)
            begin += part.num_rows
            room -= part.num_rows
            if room == 0:
                yield pa.Table.from_batches(held)
                held, room = [], rows
    if held:
        yield pa.Table.from_batches(held)


def _digest(block: pa.Table) -> str:
    columns = (hashlib.sha256(column.to_numpy().tobytes()).hexdigest() for column in block.columns)
    return digest_of(block.column_names, list(columns))
