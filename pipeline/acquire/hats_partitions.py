"""Gaia and 2MASS: only the partitions that the observations touch, only the columns in use."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.acquire.columns import SOURCE, ColumnTransfer
from pipeline.acquire.downloader import Downloader
from pipeline.acquire.positions import positions
from pipeline.acquire.reasons import FetchError, Reason
from pipeline.acquire.request import CATALOGUES, Outcomes, Request, fetch, size_text
from pipeline.acquire.touched import touched_partitions, touched_pixels
from pipeline.acquire.transfer import Kind, Wanted
from pipeline.core.errors import InputError
from pipeline.tables.names import resolve
from pipeline.tables.source_columns import (
    GAIA,
    GAIA_REQUIRED,
    HINTS,
    OPTIONAL,
    TMASS,
    TMASS_REQUIRED,
)

_WORDS = 300


def acquire_gaia(request: Request) -> Outcomes:
    """Fetch the part of Gaia that the observations touch.

    Parameters
    ----------
    request : Request
        Which observations.
    """
    aliases = {**GAIA, **OPTIONAL}
    return _acquire(request, "gaia", request.settings.gaia_url, aliases, GAIA_REQUIRED)


def acquire_tmass(request: Request) -> Outcomes:
    """Fetch the part of 2MASS that the observations touch.

    Parameters
    ----------
    request : Request
        Which observations.
    """
    return _acquire(request, "tmass", request.settings.tmass_url, TMASS, TMASS_REQUIRED)


def _acquire(
    request: Request,
    name: str,
    url: str,
    aliases: Mapping[str, Sequence[str]],
    required: Sequence[str],
) -> Outcomes:
    from hats.io.paths import pixel_catalog_file

    from pipeline.tables.hats_metadata import write_hats_metadata

    main = _open(url)
    info = main.catalog_info
    used = resolve(main.schema.names, aliases, required, url, HINTS).values()
    index = [info.ra_column, info.dec_column, info.healpix_column]
    columns = list(dict.fromkeys(c for c in (*used, *index) if c in main.schema.names))
    if info.npix_suffix != ".parquet":
        raise InputError(f"{url} has folders in place of files as partitions; read it by URL")
    partitions = touched_partitions(main.get_healpix_pixels(), touched_pixels(positions(request)))
    target = request.out / CATALOGUES / name

    def wanted() -> Iterator[Wanted]:
        for pixel in partitions:
            places = (main.catalog_base_dir, target)
            there, here = (
                str(pixel_catalog_file(place, pixel, npix_suffix=info.npix_suffix))
                for place in places
            )
            if urlsplit(there).hostname != urlsplit(url).hostname:
                raise InputError(f"{url} has its partitions on another host: {there}")
            yield Wanted(f"Norder={pixel.order}/Npix={pixel.pixel}", there, Path(here))

    source = str(main.catalog_base_dir)
    downloader = Downloader(request.settings, again=request.again)
    transfer = ColumnTransfer(downloader.connection, request.settings, columns, source)
    downloader.transfer = transfer
    outcomes = fetch(request, Kind(name, _Check(columns, source)), wanted(), downloader=downloader)
    if request.dry_run:
        return outcomes
    outcomes.lines += [
        f"  partitions            {len(partitions):>12,} of {len(main.get_healpix_pixels()):,}",
        f"  columns               {len(columns):>12,} of {len(main.schema.names):,}",
        f"  transferred           {size_text(transfer.n_bytes):>12}{_of_all(info)}",
    ]
    if outcomes.n_missing == 0:
        rows = [(pixel, _n_rows(target, pixel, info.npix_suffix)) for pixel in partitions]
        kept = ("ra_column", "dec_column", "healpix_column", "healpix_order", "catalog_type")
        known = {key: getattr(info, key) for key in kept}
        write_hats_metadata(target, rows, None, {"catalog_name": name, **known})
        outcomes.lines.append(f"  -> {target}")
    return outcomes


def _of_all(info: Any) -> str:
    """Return the size of the whole catalogue, if it says so (in KiB)."""
    size = getattr(info, "hats_estsize", None)
    return f" of about {size_text(size * 1024)}" if size else ""


def _open(url: str) -> Any:
    import hats

    try:
        catalogue = hats.read_hats(url)
        main = getattr(catalogue, "main_catalog", catalogue)
        main.get_healpix_pixels()
    except Exception as error:  # noqa: BLE001 (the library has many for a broken catalogue)
        words = " ".join(f"{type(error).__name__}: {error}".split())[:_WORDS]
        raise InputError(
            f"{url} cannot be opened as a HATS catalogue ({words}); name another one by "
            "acquire.gaia_url or acquire.tmass_url, or ask a TAP service (--tap)"
        ) from None
    return main


def _n_rows(target: Path, pixel: Any, suffix: str) -> int:
    from hats.io.paths import pixel_catalog_file

    return int(
        pq.read_metadata(str(pixel_catalog_file(target, pixel, npix_suffix=suffix))).num_rows
    )


class _Check:
    """A partition is Parquet that has the columns, and is of this catalogue.

    Those of another one, which an earlier run may have left, have the same names.

    Parameters
    ----------
    columns : sequence of str
        Those.
    source : str
        Address of the catalogue.
    """

    def __init__(self, columns: Sequence[str], source: str) -> None:
        self._columns, self._source = list(columns), source

    def __call__(self, path: Path, _: str) -> None:
        try:
            schema = pq.read_schema(path)
        except (pa.ArrowException, OSError) as error:
            raise FetchError(Reason.CORRUPT, f"no Parquet: {error}") from None
        if schema.names != self._columns:
            raise FetchError(Reason.CORRUPT, f"columns {', '.join(schema.names)}")
        source = (schema.metadata or {}).get(SOURCE.encode(), b"").decode()
        if source != self._source:
            raise FetchError(Reason.NOT_WANTED, f"a partition of {source or 'no known catalogue'}")
