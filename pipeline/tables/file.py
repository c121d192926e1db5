"""One file of a user's table: its columns as the table has them, and as Parquet."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.atomic import whole
from pipeline.core.digest import digest_of
from pipeline.tables.rows import BATCH_ROWS, ParquetRows, Rows, open_rows
from pipeline.tables.values import check_type, convert

_ROW_GROUP_ROWS = 500_000


@dataclass(frozen=True)
class TableFile:
    """One file of a table.

    Parameters
    ----------
    path : pathlib.Path
        File of any kind.
    own : dict of str to str
        Columns of the table that it has, by their names in the table, to its own names.
    schema : pyarrow.Schema
        Columns of the table.
    """

    path: Path
    own: dict[str, str]
    schema: pa.Schema

    @cached_property
    def _rows(self) -> Rows:
        return open_rows(self.path)

    def check(self) -> None:
        """Refuse columns whose type cannot become what it must be.

        Raises
        ------
        InputError
            Names the file, the column and its type.
        """
        for name, own in self.own.items():
            kind = self._rows.schema.field(own).type
            check_type(kind, self.schema.field(name).type, own, str(self.path))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the columns of the table, null where the file lacks one.

        Raises
        ------
        InputError
            A value cannot be converted without loss.
        """
        for batch in self._rows.batches(list(self.own.values()), BATCH_ROWS):
            arrays = [
                convert(batch.column(self.own[f.name]), f.type, self.own[f.name], str(self.path))
                if f.name in self.own
                else pa.nulls(batch.num_rows, f.type)
                for f in self.schema
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def as_parquet(self, folder: Path) -> Path:
        """Return the file itself where it is as it must be, else a copy that is made once."""
        kinds = self._rows.schema
        if isinstance(self._rows, ParquetRows) and all(
            self.own.get(f.name) == f.name and kinds.field(f.name).type == f.type
            for f in self.schema
        ):
            return self.path
        state = self.path.stat()
        digest = digest_of(
            str(self.path.resolve()), state.st_size, state.st_mtime_ns, self.own, str(self.schema)
        )
        copy = folder / f"{self.path.name}-{digest}.parquet"
        if not copy.exists():
            with (
                whole(copy) as partial,
                pq.ParquetWriter(
                    partial, self.schema, compression="zstd", write_page_checksum=True
                ) as writer,
            ):
                for group in _groups(self.batches(), self.schema):
                    writer.write_table(group)
        return copy


def _groups(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        if rows >= _ROW_GROUP_ROWS:
            yield pa.Table.from_batches(held, schema)
            held, rows = [], 0
    yield pa.Table.from_batches(held, schema)
