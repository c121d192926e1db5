"""Source catalogues: HATS folders and URLs as they are, plain Parquet partitioned on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hats
import lsdb
import pyarrow.parquet as pq

from pipeline.core.digest import digest_of
from pipeline.core.run import Run
from pipeline.photometry.columns import resolve
from pipeline.photometry.hats_import import import_parquet

_HATS_FILES = ("collection.properties", "hats.properties", "properties")


class SourceError(ValueError):
    """A source catalogue is not there or is of no known kind."""


@dataclass(frozen=True)
class SourceCatalogue:
    """A catalogue of sources, not yet read.

    Parameters
    ----------
    location : str
        HATS folder or URL, or Parquet file or folder.
    files : tuple of pathlib.Path
        Parquet files to be partitioned; none for HATS.
    names : dict of str to str
        Canonical names of the columns that are used to the catalogue's own.
    digest : str
        Tells one state of the catalogue from another.
    """

    location: str
    files: tuple[Path, ...]
    names: dict[str, str]
    digest: str

    def open(self, run: Run, folder: Path, partition_rows: int) -> Any:
        """Open the catalogue with LSDB; plain Parquet is partitioned below ``folder`` first."""
        location = self.location
        if self.files:
            location = str(
                import_parquet(
                    run,
                    self.files,
                    folder / f"{Path(location).stem}-{self.digest}",
                    list(self.names.values()),
                    (self.names["ra"], self.names["dec"]),
                    partition_rows=partition_rows,
                )
            )
        return lsdb.open_catalog(location, columns=list(self.names.values()), margin_cache=None)


def find_catalogue(
    location: str, aliases: Mapping[str, Sequence[str]], required: Sequence[str]
) -> SourceCatalogue:
    """Find out what a catalogue is and which columns it has.

    Parameters
    ----------
    location : str
        Path or URL.
    aliases : mapping of str to sequence of str
        Columns that are used, each with its names.
    required : sequence of str
        Columns that must be there.

    Raises
    ------
    SourceError
        There is nothing, or nothing known, at the path.
    ColumnError
        A required column is missing.
    """
    path = Path(location)
    if "://" in location or any((path / name).is_file() for name in _HATS_FILES):
        catalogue = hats.read_hats(location)
        main = getattr(catalogue, "main_catalog", catalogue)
        info = main.catalog_info.model_dump(mode="json")
        pixels = [(p.order, p.pixel) for p in main.get_healpix_pixels()]
        names = resolve(main.schema.names, aliases, required, location)
        return SourceCatalogue(location, (), names, digest_of(location, info, pixels, names))
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    files = [file for file in files if file.is_file()]
    if not files:
        raise SourceError(
            f"no source catalogue at {location}: give a HATS folder or URL, a Parquet file, or a "
            "folder of Parquet files"
        )
    names = resolve(pq.read_schema(files[0]).names, aliases, required, location)
    states = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    return SourceCatalogue(location, tuple(files), names, digest_of(states, names))
