"""The stellar catalogue, turned once into Parquet with canonical columns."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.atomic import PARTIAL
from pipeline.core.ledger import Done
from pipeline.lamost.catalogue import iter_catalogue


@dataclass(frozen=True)
class Catalogue:
    """LAMOST's stellar catalogue as the user gave it, and the same in Parquet.

    Parameters
    ----------
    source : pathlib.Path
        CSV or FITS.
    parquet : pathlib.Path
        File with canonical columns.
    digest : str
        Tells one state of the source from another.
    """

    source: Path
    parquet: Path
    digest: str

    @classmethod
    def at(cls, source: Path, folder: Path) -> "Catalogue":
        """Return the catalogue at a path, to be converted below a folder."""
        return cls(source, folder / "catalogue.parquet", catalogue_digest(source))


def catalogue_digest(path: Path) -> str:
    """Return what tells one state of the catalogue's file from another."""
    status = path.stat()
    return f"{path.name} {status.st_size} {status.st_mtime_ns}"


def convert_catalogue(catalogue: Catalogue) -> Done:
    """Convert the catalogue in bounded memory.

    Parameters
    ----------
    catalogue : Catalogue
        What to convert, and where to.

    Raises
    ------
    ValueError
        It has no rows.
    """
    out = catalogue.parquet
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + PARTIAL)
    writer: pq.ParquetWriter | None = None
    n_rows = 0
    for batch in iter_catalogue(catalogue.source, 100_000):
        if writer is None:
            writer = pq.ParquetWriter(partial, batch.schema, compression="zstd")
        writer.write_table(pa.Table.from_batches([batch]))
        n_rows += batch.num_rows
    if writer is None:
        raise ValueError(f"the catalogue {catalogue.source} has no rows")
    writer.close()
    partial.replace(out)
    return Done({"rows": n_rows}, (out,))
