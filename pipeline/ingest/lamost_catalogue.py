"""The stellar catalogue, turned once into Parquet with canonical columns."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.core.atomic import whole
from pipeline.core.ledger import Done
from pipeline.lamost.catalogue import catalogue_columns, iter_catalogue

PARAMETERS = {"teff_k": "teff", "logg": "logg", "feh": "feh"}
"""What LAMOST's general catalogue does not have; its own names by ours."""
USED = PARAMETERS | {
    "teff_err_k": "teff_err", "logg_err": "logg_err", "feh_err": "feh_err", "snr_g": "snrg",
    "z": "z", "rv_kms": "rv", "rv_err_kms": "rv_err", "gaia_source_id": "gaia_source_id",
    "uid": "uid",
}  # fmt: skip
"""What the observations take from the catalogue, apart from the other bands."""


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


def check_catalogue(path: Path) -> tuple[str, ...]:
    """Look at the head of the catalogue: it must have what the cuts need.

    Parameters
    ----------
    path : pathlib.Path
        LAMOST stellar catalogue, CSV or FITS.

    Returns
    -------
    tuple of str
        A note on columns that it lacks, if there are any; they are null in every row.

    Raises
    ------
    ValueError
        If the file is no catalogue, or has no stellar parameters at all: LAMOST's general
        catalogue, or a list of positions. Every star would fail the cuts.
    """
    missing = catalogue_columns(path).missing
    if PARAMETERS.keys() <= set(missing):
        raise ValueError(
            f"{path}: no stellar parameters (columns {', '.join(PARAMETERS.values())}), so that "
            "every star would fail the cuts. Is this LAMOST's general catalogue? Name the stellar "
            "one of the release, such as dr10_v2.0_LRS_stellar.csv.gz, or leave it out"
        )
    absent = ", ".join(written for name, written in USED.items() if name in missing)
    if not absent:
        return ()
    note = f"{path} has no columns {absent}, which LAMOST's stellar catalogue (LRS_stellar) has"
    return (f"{note}: they are null for every spectrum",)


def convert_catalogue(catalogue: Catalogue) -> Done:
    """Convert the catalogue in bounded memory; its notes are those of `check_catalogue`.

    Parameters
    ----------
    catalogue : Catalogue
        What to convert, and where to.

    Raises
    ------
    ValueError
        As `check_catalogue`, or the file has no rows.
    """
    out, notes = catalogue.parquet, check_catalogue(catalogue.source)
    writer: pq.ParquetWriter | None = None
    n_rows = 0
    with whole(out) as partial:
        for batch in iter_catalogue(catalogue.source, 100_000):
            if writer is None:
                writer = pq.ParquetWriter(
                    partial, batch.schema, compression="zstd", write_page_checksum=True
                )
            writer.write_table(pa.Table.from_batches([batch]))
            n_rows += batch.num_rows
        if writer is None:
            raise ValueError(f"the catalogue {catalogue.source} has no rows")
        writer.close()
    return Done({"rows": n_rows}, (out,), notes)
