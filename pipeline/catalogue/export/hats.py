"""A HATS catalogue of its own from some of the stars."""

from pathlib import Path

import numpy as np
import pyarrow.dataset as ds

from pipeline.catalogue.export.content import Content
from pipeline.catalogue.hats import count_pixels, describe, plan_partitions
from pipeline.core.atomic import write_parquet
from pipeline.core.parquet import CHECKED
from pipeline.tables.healpix import FINEST_ORDER
from schemas.catalogue import HEALPIX, STARS
from schemas.table import Table

PARTITION_STARS, ROW_GROUP = 100_000, 4096


def write_hats(content: Content, path: Path) -> None:
    """Write a folder that LSDB opens.

    Parameters
    ----------
    content : Content
        What to write; among its columns those of `pipeline.catalogue.export.content.NEEDED`.
    path : pathlib.Path
        Folder to write.
    """
    counts = np.zeros(12 * 4**FINEST_ORDER, np.int64)
    for batch in content.batches([HEALPIX]):
        counts += count_pixels(batch[HEALPIX].to_numpy())
    table = Table(STARS.name, "", STARS.description, content.columns)
    rows, written = ds.dataset(content.rows, format=CHECKED), []
    index = ds.field(HEALPIX)
    for pixel in plan_partitions(counts, PARTITION_STARS):
        inside = rows.to_table(filter=(index >= pixel.first) & (index <= pixel.last))
        inside = inside.sort_by(HEALPIX).cast(table.schema)
        notes = {f"provenance {name}": text for name, text in content.provenance.items()}
        inside = inside.replace_schema_metadata((inside.schema.metadata or {}) | notes)
        write_parquet(pixel.path(path / "dataset"), inside, ROW_GROUP)
        written.append((pixel, inside.num_rows))
    describe(path, written, PARTITION_STARS, name=path.name)
