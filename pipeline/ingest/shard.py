"""The work of ingest: the files of one shard, read, checked and written."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.core.atomic import write_parquet
from pipeline.core.ledger import Done
from pipeline.core.root import Root
from pipeline.formats.door import FORMATS
from pipeline.lamost.errors import SpectrumError
from pipeline.lamost.spectrum import Header, Spectrum
from pipeline.settings.ingest import IngestSettings
from pipeline.store.manifest import open_manifest
from pipeline.store.store import Rows, blank_rows, shard_files, write_shard
from schemas.observations import HEADERS
from schemas.quality import QualityFlag
from schemas.store import ROW_PIXELS

# Where header and catalogue both have a value, the table keeps both.
_RENAMED = {"z", "z_err", "snr_u", "snr_g", "snr_r", "snr_i", "snr_z"}
_HEADER_COLUMNS = {
    f.name: f"header_{f.name}" if f.name in _RENAMED else f.name for f in fields(Header)
}


@dataclass(frozen=True)
class IngestJob:
    """What every shard of one ingest has in common."""

    root: Root
    spectra: Path
    format: str = "lamost"
    settings: IngestSettings = field(default_factory=IngestSettings)


def ingest_shard(shard: int, job: IngestJob) -> Done:
    """Read the files of one shard into the store and the table of headers.

    A file that cannot be read gets a row with the reason; it never stops the shard.

    Parameters
    ----------
    shard : int
        Number of the shard.
    job : IngestJob
        Where to read and write.

    Returns
    -------
    Done
        Counts: files, spectra, refused, bytes.
    """
    manifest = open_manifest(job.root.manifest)
    return ingest_places(shard, manifest.shard(shard).to_pylist(), manifest.shard_rows, job)


def ingest_places(
    shard: int, places: list[dict[str, Any]], shard_rows: int, job: IngestJob
) -> Done:
    """Read the files of one shard, as the manifest lists them.

    Parameters
    ----------
    shard : int
        Number of the shard.
    places : list of dict
        Rows of the manifest.
    shard_rows : int
        Rows of a shard.
    job : IngestJob
        Where to read and write.

    Returns
    -------
    Done
        As of `ingest_shard`.
    """
    rows = blank_rows(shard_rows)
    known = FORMATS[job.format]
    found = known.spectra(job.spectra, [place["path"] for place in places], job.settings)
    records = [
        _keep(place, spectrum, rows, index)
        for index, (place, spectrum) in enumerate(zip(places, found, strict=True))
    ]
    write_shard(job.root.store, shard, rows)
    headers = job.root.part(HEADERS, shard)
    write_parquet(headers, pa.Table.from_pylist(records, schema=HEADERS.schema))
    refused = sum(record["reason"] is not None for record in records)
    counts = {
        "files": len(places),
        "spectra": len(places) - refused,
        "refused": refused,
        # A file that holds several spectra counts once.
        "bytes": sum({known.split(p["path"])[0]: max(p["size_bytes"], 0) for p in places}.values()),
    }
    return Done(counts, (headers, *shard_files(job.root.store, shard)))


def _keep(
    place: dict[str, Any], spectrum: Spectrum | SpectrumError, rows: Rows, index: int
) -> dict[str, Any]:
    """Put a spectrum into its row; return what is known of it, or why there is none."""
    if isinstance(spectrum, SpectrumError):
        reason = f"{spectrum.reason}: {spectrum.detail}"
        return place | {"quality": int(QualityFlag.REFUSED), "reason": reason}
    n = spectrum.flux.size
    if n > ROW_PIXELS:
        reason = f"too_long: {n} pixels, the store holds {ROW_PIXELS}"
        return place | {"quality": int(QualityFlag.REFUSED), "reason": reason}
    for name in ("flux", "ivar", "andmask", "ormask"):
        rows[name][index, :n] = getattr(spectrum, name)
    rows["log10_first"][index] = np.log10(float(spectrum.wave[0]))
    rows["n_pixel"][index] = n
    rows["obsid"][index] = -1 if spectrum.obsid is None else spectrum.obsid
    rows["valid"][index] = True
    return place | _describe(spectrum)


def _describe(spectrum: Spectrum) -> dict[str, Any]:
    header = spectrum.header
    identity = {column: getattr(header, name) for name, column in _HEADER_COLUMNS.items()}
    finite = np.isfinite(spectrum.flux) & np.isfinite(spectrum.ivar)
    quality = QualityFlag(0)
    if spectrum.obsid is None:
        quality |= QualityFlag.NO_OBSID
    if not finite.all():
        quality |= QualityFlag.NOT_FINITE
    if (spectrum.ivar < 0).any():
        quality |= QualityFlag.NEGATIVE_IVAR
    if header.ra_deg is None or header.dec_deg is None:
        quality |= QualityFlag.NO_POSITION
    return identity | {
        "n_pixel": spectrum.flux.size,
        "wave_first_angstrom": float(spectrum.wave[0]),
        "n_ivar_zero": int((spectrum.ivar == 0).sum()),
        "n_andmask": int((spectrum.andmask != 0).sum()),
        "n_ormask": int((spectrum.ormask != 0).sum()),
        "quality": int(quality),
        "reason": None,
    }
