"""The files that make partitions of the sky a HATS catalogue."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hats.catalog import PartitionInfo, TableProperties
from hats.io.parquet_metadata import write_parquet_metadata
from hats.pixel_math import HealpixPixel


def write_hats_metadata(
    catalogue: Path,
    rows: Sequence[tuple[HealpixPixel, int]],
    schema: pa.Schema | None,
    properties: dict[str, object],
    *,
    output: Path | None = None,
    with_statistics: bool = False,
) -> None:
    """Describe a catalogue; its properties come last.

    Parameters
    ----------
    catalogue : pathlib.Path
        The catalogue; its partitions lie below ``dataset``.
    rows : sequence of tuple
        Partitions and their numbers of rows.
    schema : pyarrow.Schema, optional
        Of a catalogue without partitions.
    properties : dict
        Of `hats.catalog.TableProperties`, but for the number of rows.
    output : pathlib.Path, optional
        Another folder to write to.
    with_statistics : bool
        Write ``_metadata`` too, which has the ranges of all row groups.
    """
    folder = output or catalogue
    (folder / "dataset").mkdir(parents=True, exist_ok=True)
    PartitionInfo([pixel for pixel, _ in rows]).write_to_file(catalog_path=folder)
    if rows:
        write_parquet_metadata(catalogue, output_path=folder, create_metadata=with_statistics)
    elif schema is not None:
        pq.write_metadata(schema, folder / "dataset" / "_common_metadata")
    total = sum(n for _, n in rows)
    TableProperties(total_rows=total, **properties).to_properties_file(folder)
