"""The stellar catalogue, turned once into Parquet with canonical columns."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.atomic import PARTIAL
from pipeline.lamost.catalogue import iter_catalogue


def catalogue_digest(path: Path) -> str:
    """Return what tells one state of the catalogue's file from another."""
    status = path.stat()
    return f"{path.name} {status.st_size} {status.st_mtime_ns}"


def convert_catalogue(path: Path, folder: Path, digest: str) -> Path:
    """Convert the catalogue in bounded memory; a conversion that is there is left alone.

    Parameters
    ----------
    path : pathlib.Path
        LAMOST stellar catalogue, CSV or FITS.
    folder : pathlib.Path
        Folder for the Parquet file, named after the digest.
    digest : str
        Digest of the catalogue's state.

    Returns
    -------
    pathlib.Path
        The Parquet file.
    """
    out = folder / f"{digest}.parquet"
    if out.exists():
        return out
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    partial = out.with_name(out.name + PARTIAL)
    writer: pq.ParquetWriter | None = None
    for batch in iter_catalogue(path, 100_000):
        if writer is None:
            writer = pq.ParquetWriter(partial, batch.schema, compression="zstd")
        writer.write_table(pa.Table.from_batches([batch]))
    if writer is None:
        raise ValueError(f"the catalogue {path} has no rows")
    writer.close()
    partial.rename(out)
    return out
