"""What an export holds: rows in a Parquet file, documented columns, provenance."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.catalogue import HEALPIX
from schemas.table import Column

BATCH_ROWS = 50_000

NEEDED = (HEALPIX, "ra_deg", "dec_deg")
"""Columns without which a table is no HATS catalogue."""


@dataclass(frozen=True)
class Content:
    """Rows to export, on disk.

    Parameters
    ----------
    rows : pathlib.Path
        Parquet file of them.
    columns : tuple of Column
        Its columns, with unit, UCD and description.
    provenance : mapping of str to str
        Where they come from.
    """

    rows: Path
    columns: tuple[Column, ...]
    provenance: Mapping[str, str]

    def standard(self) -> tuple[Column, ...]:
        """Columns whose units the VO's standard knows: it has no dex, which goes to the text."""
        return tuple(
            replace(c, unit="", description=f"{c.description}; in dex") if c.unit == "dex" else c
            for c in self.columns
        )

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(pq.read_metadata(self.rows).num_rows)

    def batches(self, names: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows, a bounded number at a time.

        Parameters
        ----------
        names : list of str, optional
            Only these columns.
        """
        with pq.ParquetFile(self.rows) as file:
            yield from file.iter_batches(BATCH_ROWS, columns=names)

    def text_sizes(self) -> dict[str, tuple[int, bool]]:
        """Characters of the longest text of each column of texts, and whether all are ASCII."""
        names = [c.name for c in self.columns if pa.types.is_string(c.type)]
        sizes = dict.fromkeys(names, (1, True))
        for batch in self.batches(names) if names else ():
            for name in names:
                longest = pc.max(pc.utf8_length(batch[name])).as_py() or 0
                ascii_only = pc.all(pc.string_is_ascii(batch[name]), min_count=0).as_py()
                before, so_far = sizes[name]
                sizes[name] = (max(before, longest), so_far and bool(ascii_only))
        return sizes
