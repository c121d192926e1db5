"""A HATS catalogue of its own from some of the stars."""

from pathlib import Path

import numpy as np
import pyarrow.dataset as ds

from pipeline.catalogue.export.content import Content
from pipeline.catalogue.export.margin import write_margin
from pipeline.catalogue.hats import count_pixels, describe, plan_partitions
from pipeline.core.atomic import write_parquet
from pipeline.core.parquet import CHECKED
from pipeline.tables.healpix import FINEST_ORDER
from schemas.catalogue import HEALPIX, STARS
from schemas.table import Table

PARTITION_STARS, ROW_GROUP = 100_000, 4096


def write_hats(content: Content, path: Path, margin_arcsec: float | None = None) -> None:
    """Write a folder that LSDB opens.

    With a margin it is a collection: the catalogue in the folder ``stars``, its margin beside it.

    Parameters
    ----------
    content : Content
        What to write; among its columns those of `pipeline.catalogue.export.content.NEEDED`.
    path : pathlib.Path
        Folder to write.
    margin_arcsec : float, optional
        Width of the margin; by default there is none.
    """
    main = path if margin_arcsec is None else path / STARS.name
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
        write_parquet(pixel.path(main / "dataset"), inside, ROW_GROUP)
        written.append((pixel, inside.num_rows))
    describe(main, written, PARTITION_STARS, name=main.name, schema=table.schema)
    if margin_arcsec is not None:
        write_margin(content, table, main, margin_arcsec)
