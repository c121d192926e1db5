"""LAMOST's catalogues, as they are released, and the stellar one also as Parquet."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.acquire.reasons import FetchError, Reason
from pipeline.acquire.request import Outcomes, Request, fetch
from pipeline.acquire.transfer import Kind, Wanted
from pipeline.core.atomic import whole
from pipeline.core.damage import file_size
from pipeline.core.errors import InputError
from pipeline.lamost.catalogue import catalogue_columns, iter_catalogue
from pipeline.lamost.multi_epoch import NEEDED
from pipeline.lamost.raw_rows import open_rows
from pipeline.tables.kind import broken_gzip, open_plain

NAMES = ("LRS_stellar", "LRS_mec")
EXPECTED = ("obsid", "lmjd", "planid", "spid", "fiberid", "snr_g", "ra", "dec", "teff_k", "logg")
"""What a stellar catalogue must have to select spectra from it."""
_BLOCK_BYTES = 1 << 20
_SOURCE = b"pairspec.source"
"""Metadata of the Parquet file: the state of what it was made from."""


def acquire_catalogue(request: Request) -> Outcomes:
    """Fetch a catalogue of a release, check it, and convert the stellar one to Parquet.

    Parameters
    ----------
    request : Request
        Its ``name``: LRS_stellar, or LRS_mec (several epochs of one star).

    Raises
    ------
    InputError
        No such catalogue is known.
    """
    if request.name not in NAMES:
        raise InputError(f"no catalogue {request.name!r}; there are {', '.join(NAMES)}")
    file = request.catalogue(".csv.gz")
    address = release_url(request.settings.lamost_url, request.settings.release)
    check = _check_stellar if request.name == "LRS_stellar" else _check_multi_epoch
    kind = Kind(f"lamost-catalogue-{request.name}", check, private=True)
    wanted = Wanted(request.name, f"{address}/catdl?name={file.name}", file)
    outcomes = fetch(request, kind, [wanted])
    if request.name == "LRS_stellar" and file.exists() and not request.dry_run:
        parquet = request.catalogue(".parquet")
        n_rows = as_parquet(file, parquet)
        outcomes.lines += [
            f"  rows                  {n_rows:>12,}",
            f"  -> {file}",
            f"  -> {parquet}",
        ]
    return outcomes


def release_url(base: str, release: str) -> str:
    """Return the address of a release: ``dr10_v2.0`` lies at ``BASE/dr10/v2.0``."""
    return f"{base}/{release.replace('_', '/')}"


def as_parquet(file: Path, parquet: Path) -> int:
    """Convert a stellar catalogue to Parquet with canonical columns; return its rows.

    Does nothing if that is done. Memory does not depend on the size of the catalogue.

    Parameters
    ----------
    file : pathlib.Path
        CSV or FITS.
    parquet : pathlib.Path
        Where it goes.
    """
    source = f"{file.name} {file_size(file)} {file.stat().st_mtime_ns}".encode()
    if parquet.exists():
        held = pq.read_metadata(parquet)
        if (held.metadata or {}).get(_SOURCE) == source:
            return int(held.num_rows)
    schema = catalogue_columns(file).schema()
    schema = schema.with_metadata({**(schema.metadata or {}), _SOURCE: source})
    n_rows = 0
    with whole(parquet) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        for batch in iter_catalogue(file):
            writer.write_table(pa.Table.from_batches([batch]).cast(schema))
            n_rows += batch.num_rows
    return n_rows


def _check_stellar(path: Path, _: str) -> None:
    with _as_fetch_error():
        missing = [name for name in EXPECTED if name in catalogue_columns(path).missing]
        if missing:
            raise FetchError(Reason.NOT_WANTED, f"no column {', '.join(missing)}")
        _read_through(path)


def _check_multi_epoch(path: Path, _: str) -> None:
    with _as_fetch_error():
        with open_rows(path) as rows:
            names = {name.strip().lower() for name in rows.names}
        missing = [name for name in NEEDED if name not in names]
        if missing:
            raise FetchError(Reason.NOT_WANTED, f"no column {', '.join(missing)}")
        _read_through(path)


def _read_through(path: Path) -> None:
    """Read a gzipped file to its end, which checks its CRC."""
    with broken_gzip(path), open_plain(path) as stream:
        while stream.read(_BLOCK_BYTES):
            pass


@contextmanager
def _as_fetch_error() -> Iterator[None]:
    """Let what a reader says of a broken table be the reason of the download."""
    try:
        yield
    except ValueError as error:
        raise FetchError(Reason.CORRUPT, str(error)) from None
